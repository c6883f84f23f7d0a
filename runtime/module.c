/* SPDX-License-Identifier: MIT */
/*
 * The loaded files, to name return addresses later. Read from the kernel's
 * list of mappings when a dump is written, not through the dynamic linker,
 * whose lock may be held. The build id is read from the file's first page in
 * memory. Under at_lock.
 */
#include <elf.h>
#include <link.h>
#include <string.h>

#include "runtime.h"

#define MAX_MODULES 512
#define MAX_BUILD_ID 64

static struct module modules[MAX_MODULES]; /* ascending addresses */
static uint32_t n_modules;

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

static uint32_t hex_string(const unsigned char *bytes, size_t n)
{
    char digits[2 * MAX_BUILD_ID + 1];
    struct text text;

    text_init(&text, digits, sizeof digits);
    for (size_t i = 0; i < n && i < MAX_BUILD_ID; i++) {
        text_add_hex(&text, bytes[i] >> 4);
        text_add_hex(&text, bytes[i] & 15);
    }
    return string_intern(digits);
}

/* Looks for the GNU build id among the notes of a loaded segment. */
static uint32_t find_build_id(const char *notes, size_t size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *const note = (const void *)notes;
        const size_t name = (note->n_namesz + 3) & ~(size_t)3;
        const size_t whole =
            sizeof *note + name + ((note->n_descsz + 3) & ~(size_t)3);

        if (whole > size)
            return 0;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4)
            return hex_string((const unsigned char *)notes + sizeof *note +
                                  name,
                              note->n_descsz);
        notes += whole;
        size -= whole;
    }
    return 0;
}

/* The program headers of a file that is mapped from its start. */
static void read_headers(struct module *module)
{
    const ElfW(Ehdr) *const header = (const void *)(uintptr_t)module->begin;
    const ElfW(Phdr) * segment;
    bool has_bias = false;

    if (!os_is_readable(header, sizeof *header) ||
        memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return;
    segment = (const void *)((const char *)header + header->e_phoff);
    if (!os_is_readable(segment, header->e_phnum * sizeof *segment))
        return;
    for (unsigned i = 0; i < header->e_phnum; i++, segment++) {
        const char *const at =
            (const char *)(uintptr_t)(module->bias + segment->p_vaddr);

        if (segment->p_type == PT_LOAD && !has_bias) {
            module->bias =
                module->begin - (segment->p_vaddr & -(uint64_t)os_page_size());
            has_bias = true;
        }
        if (segment->p_type == PT_NOTE && has_bias && !module->build_id &&
            segment->p_memsz > 0 && os_is_readable(at, segment->p_memsz))
            module->build_id = find_build_id(at, segment->p_memsz);
    }
}

/* Headers are in program order PHDR, INTERP, LOAD..., NOTE; where a NOTE
 * comes before the first LOAD its file has no build id here. */
static void add_mapping(struct mapping mapping)
{
    struct module *last = n_modules ? &modules[n_modules - 1] : NULL;
    const uint32_t path =
        mapping.path[0] == '/' ? string_intern(mapping.path) : 0;

    if (!path)
        return;
    if (last && last->path == path && mapping.offset != 0) {
        last->end = mapping.end;
        return;
    }
    if (n_modules == MAX_MODULES)
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
    for (uint32_t i = 0; i < n_modules; i++)
        if (address >= modules[i].begin && address < modules[i].end)
            return i + 1;
    return 0;
}
