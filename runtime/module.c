/* SPDX-License-Identifier: MIT */
/*
 * The loaded files, to name return addresses later. Read from the kernel's
 * list of mappings when a dump is written, not through the dynamic linker,
 * whose lock may be held. The build id is read from the file's first page in
 * memory, which may go away at any moment: it is looked at through the kernel.
 * Under the dump lock; takes no memory.
 */
#include <elf.h>
#include <link.h>
#include <string.h>

#include "runtime.h"

#define MAX_MODULES 512
#define MAX_SEGMENTS 32 /* those looked at; the notes are among the first */
#define MAX_NOTES 1024  /* bytes looked at */

static struct module modules[MAX_MODULES]; /* ascending addresses */
static uint32_t n_modules;
static char paths[MAX_MODULES * 96]; /* of the modules, with their NULs */
static size_t paths_used;

/* One line of /proc/self/maps: begin-end perms offset device inode path. */
struct mapping {
    uint64_t begin;
    uint64_t end;
    uint64_t offset;
    const char *path;
};

static const char *parse_hex(const char *at, uint64_t *number)
{
    *number = 0;
    for (;; at++) {
        if (*at >= '0' && *at <= '9')
            *number = *number * 16 + (uint64_t)(*at - '0');
        else if (*at >= 'a' && *at <= 'f')
            *number = *number * 16 + (uint64_t)(*at - 'a' + 10);
        else
            return at;
    }
}

static const char *skip_field(const char *at)
{
    while (*at && *at != ' ')
        at++;
    while (*at == ' ')
        at++;
    return at;
}

static struct mapping parse_line(const char *line)
{
    struct mapping mapping;
    const char *at = parse_hex(line, &mapping.begin);

    at = parse_hex(at + (*at == '-'), &mapping.end);
    at = skip_field(at + (*at == ' '));
    at = parse_hex(at, &mapping.offset);
    at = skip_field(at);           /* rest of the offset */
    at = skip_field(at);           /* device */
    mapping.path = skip_field(at); /* inode */
    return mapping;
}

/* Looks for the GNU build id among the notes of a loaded segment. */
static void find_build_id(struct module *module, const char *notes, size_t size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *const note = (const void *)notes;
        const size_t name = (note->n_namesz + (size_t)3) & ~(size_t)3;
        const size_t whole =
            sizeof *note + name + ((note->n_descsz + (size_t)3) & ~(size_t)3);

        if (whole > size)
            return;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
            note->n_descsz <= sizeof module->build_id) {
            module->build_id_size = note->n_descsz;
            memcpy(module->build_id, notes + sizeof *note + name,
                   note->n_descsz);
            return;
        }
        notes += whole;
        size -= whole;
    }
}

static void read_notes(struct module *module, uint64_t address, uint64_t size)
{
    static char notes[MAX_NOTES] __attribute__((aligned(8)));

    if (size > sizeof notes)
        size = sizeof notes;
    if (os_peek((const void *)(uintptr_t)address, notes, (size_t)size))
        find_build_id(module, notes, (size_t)size);
}

/* The program headers of a file that is mapped from its start. */
static void read_headers(struct module *module)
{
    static ElfW(Phdr) segments[MAX_SEGMENTS];
    const char *const begin = (const char *)(uintptr_t)module->begin;
    ElfW(Ehdr) header;
    unsigned n;
    bool has_bias = false;

    if (!os_peek(begin, &header, sizeof header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return;
    n = header.e_phnum < MAX_SEGMENTS ? header.e_phnum : MAX_SEGMENTS;
    if (!os_peek(begin + header.e_phoff, segments, n * sizeof *segments))
        return;
    for (unsigned i = 0; i < n; i++) {
        const ElfW(Phdr) *const segment = &segments[i];

        if (segment->p_type == PT_LOAD && !has_bias) {
            module->bias =
                module->begin - (segment->p_vaddr & -(uint64_t)os_page_size());
            has_bias = true;
        }
        if (segment->p_type == PT_NOTE && has_bias && !module->build_id_size)
            read_notes(module, module->bias + segment->p_vaddr,
                       segment->p_memsz);
    }
}

/* NULL: there is no room. */
static const char *keep_path(const char *path)
{
    const size_t size = strlen(path) + 1;
    char *const copy = paths + paths_used;

    if (size > sizeof paths - paths_used)
        return NULL;
    memcpy(copy, path, size);
    paths_used += size;
    return copy;
}

/* Headers are in program order PHDR, INTERP, LOAD..., NOTE; where a NOTE
 * comes before the first LOAD its file has no build id here. */
static void add_mapping(struct mapping mapping)
{
    struct module *last = n_modules ? &modules[n_modules - 1] : NULL;
    const char *path;

    if (mapping.path[0] != '/')
        return;
    if (last && mapping.offset != 0 && strcmp(last->path, mapping.path) == 0) {
        last->end = mapping.end;
        return;
    }
    path = n_modules < MAX_MODULES ? keep_path(mapping.path) : NULL;
    if (!path)
        return;
    last = &modules[n_modules++];
    *last = (struct module){
        .begin = mapping.begin, .end = mapping.end, .path = path};
    if (mapping.offset == 0)
        read_headers(last);
}

/* Reads the list in pieces; a line longer than the buffer is skipped. */
static void read_maps(int fd)
{
    static char buffer[8192 + 1];
    size_t kept = 0;
    size_t got = 1;

    while (got > 0 &&
           os_read(fd, buffer + kept, sizeof buffer - 1 - kept, &got) == 0) {
        char *line = buffer;
        char *newline;

        kept += got;
        buffer[kept] = '\0';
        while ((newline = strchr(line, '\n'))) {
            *newline = '\0';
            add_mapping(parse_line(line));
            line = newline + 1;
        }
        kept -= (size_t)(line - buffer);
        if (kept == sizeof buffer - 1)
            kept = 0;
        memmove(buffer, line, kept);
    }
}

uint32_t module_read(void)
{
    int fd;

    n_modules = 0;
    paths_used = 0;
    if (os_open_read("/proc/self/maps", &fd) == 0) {
        read_maps(fd);
        os_close(fd);
    }
    return n_modules;
}

const struct module *module_at(uint32_t id)
{
    return &modules[id - 1];
}

uint32_t module_of(uint64_t address)
{
    uint32_t low = 0;
    uint32_t high = n_modules;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (address >= modules[middle].end)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n_modules && address >= modules[low].begin ? low + 1 : 0;
}
