/* SPDX-License-Identifier: MIT */
/*
 * ELF files, through libelf: is it the file that was loaded (build id), which
 * functions do its symbol tables name, and was it instrumented? Files are on
 * the machine of whoever reads the dump; that one of them is missing, damaged
 * or another by now is normal and never an error of the report.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "symbol.h"

/* Section of site records; as ALLOCTRACE_SITES_SECTION of abi.h. */
#define SITES_SECTION "alloctrace_sites"

/* A function of a symbol table. */
struct function {
    uint64_t begin;   /* first address */
    uint64_t end;     /* one past the last */
    const char *name; /* in the file's string table */
};

struct at_elf {
    int fd;
    Elf *elf;
    struct function *functions; /* owned; by `begin`, the best name first */
    struct function *by_name;   /* owned: the same by stem, then `begin`; NULL =
                                   not yet, or no memory */
    size_t n_functions;
    bool is_indexed; /* `functions` has been filled in */
    bool is_full;    /* they have those that are not exported, too */
};

/* Opens regular files only: a dump may name a pipe, and that would wait. */
static int open_regular(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

/* Returns 0, ALLOCTRACE_EIO or ALLOCTRACE_EBAD_FILE. */
static int elf_init(struct at_elf *elf, const char *path)
{
    *elf = (struct at_elf){.fd = open_regular(path)};
    if (elf->fd < 0)
        return ALLOCTRACE_EIO;
    elf_version(EV_CURRENT);
    elf->elf = elf_begin(elf->fd, ELF_C_READ, NULL);
    if (elf->elf && elf_kind(elf->elf) == ELF_K_ELF)
        return 0;
    elf_end(elf->elf);
    close(elf->fd);
    return ALLOCTRACE_EBAD_FILE;
}

static void elf_fini(struct at_elf *elf)
{
    free(elf->functions);
    free(elf->by_name);
    elf_end(elf->elf);
    close(elf->fd);
}

/* Compares bytes with hexadecimal digits. */
static bool is_hex_of(const char *hex, const uint8_t *bytes, size_t size)
{
    if (strlen(hex) != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        char digits[3];

        snprintf(digits, sizeof digits, "%02x", bytes[i]);
        if (strncmp(hex + 2 * i, digits, 2))
            return false;
    }
    return true;
}

/* Looks for a build id in a section of notes. Returns 1 if it is there and
 * the one that is wanted, -1 if it is another, 0 if there is none. */
static int notes_match(Elf_Data *data, const char *build_id)
{
    size_t offset = 0;
    size_t name_offset;
    size_t value_offset;
    GElf_Nhdr note;

    while ((offset = gelf_getnote(data, offset, &note, &name_offset,
                                  &value_offset)) > 0) {
        const char *bytes = data->d_buf;

        if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
            memcmp(bytes + name_offset, "GNU", 4))
            continue;
        return is_hex_of(build_id, (const uint8_t *)bytes + value_offset,
                         note.n_descsz)
                   ? 1
                   : -1;
    }
    return 0;
}

static bool has_build_id(Elf *elf, const char *build_id)
{
    Elf_Scn *section = NULL;
    int match = 0;

    while (!match && (section = elf_nextscn(elf, section))) {
        Elf_Data *data;
        GElf_Shdr header;

        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE)
            continue;
        data = elf_getdata(section, NULL);
        if (data && data->d_buf)
            match = notes_match(data, build_id);
    }
    return *build_id ? match > 0 : match == 0;
}

struct at_elf *at_elf_open(const char *path, const char *build_id)
{
    struct at_elf *elf = malloc(sizeof *elf);

    if (!elf)
        return NULL;
    if (elf_init(elf, path)) {
        free(elf);
        return NULL;
    }
    if (!has_build_id(elf->elf, build_id)) {
        at_elf_close(elf);
        return NULL;
    }
    return elf;
}

void at_elf_close(struct at_elf *elf)
{
    if (!elf)
        return;
    elf_fini(elf);
    free(elf);
}

/* ---- Functions ---- */

/* Of names of one address, the one that a programmer would use: few leading
 * underscores, short, then by the alphabet. */
static int compare_names(const char *a, const char *b)
{
    size_t a_score = strspn(a, "_") * 1000 + strlen(a);
    size_t b_score = strspn(b, "_") * 1000 + strlen(b);

    if (a_score != b_score)
        return a_score < b_score ? -1 : 1;
    return strcmp(a, b);
}

static int compare_functions(const void *left, const void *right)
{
    const struct function *a = left;
    const struct function *b = right;

    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    return compare_names(a->name, b->name);
}

/* Adds the functions of one symbol table. Returns false without memory. */
static bool add_functions(struct at_elf *elf, Elf_Data *data,
                          const GElf_Shdr *header)
{
    size_t n = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
    struct function *functions;

    if (n > INT32_MAX || n > SIZE_MAX / sizeof *functions - elf->n_functions)
        return false;
    functions =
        realloc(elf->functions, (elf->n_functions + n + 1) * sizeof *functions);
    if (!functions)
        return false;
    elf->functions = functions;
    for (size_t i = 0; i < n; i++) {
        GElf_Sym symbol;
        const char *name;

        if (!gelf_getsym(data, (int)i, &symbol) ||
            symbol.st_shndx == SHN_UNDEF || symbol.st_size == 0 ||
            (GELF_ST_TYPE(symbol.st_info) != STT_FUNC &&
             GELF_ST_TYPE(symbol.st_info) != STT_GNU_IFUNC))
            continue;
        name = elf_strptr(elf->elf, header->sh_link, symbol.st_name);
        if (name && *name)
            functions[elf->n_functions++] = (struct function){
                symbol.st_value, symbol.st_value + symbol.st_size, name};
    }
    return true;
}

static void read_functions(struct at_elf *elf)
{
    Elf_Scn *section = NULL;

    while ((section = elf_nextscn(elf->elf, section))) {
        Elf_Data *data;
        GElf_Shdr header;

        if (!gelf_getshdr(section, &header) ||
            (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM))
            continue;
        data = elf_getdata(section, NULL);
        if (data && !add_functions(elf, data, &header))
            return;
        elf->is_full |= data && header.sh_type == SHT_SYMTAB;
    }
}

static void index_functions(struct at_elf *elf)
{
    elf->is_indexed = true;
    read_functions(elf);
    if (elf->n_functions)
        qsort(elf->functions, elf->n_functions, sizeof *elf->functions,
              compare_functions);
}

const char *at_elf_function(struct at_elf *elf, uint64_t address)
{
    size_t low = 0;
    size_t high;

    if (!elf->is_indexed)
        index_functions(elf);
    /* The first function that begins behind the address ends the search. */
    high = elf->n_functions;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (elf->functions[middle].begin <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || address >= elf->functions[low - 1].end)
        return NULL;
    /* Several names may begin there; the best stands first. */
    for (low--; low > 0; low--)
        if (elf->functions[low - 1].begin != elf->functions[low].begin ||
            elf->functions[low - 1].end != elf->functions[low].end)
            break;
    return elf->functions[low].name;
}

/* ---- Names ---- */

/* Bytes of a name up to where the marks of clones begin: f.constprop.0. */
static size_t stem_size(const char *name)
{
    return strcspn(name, ".");
}

static int compare_stems(const char *a, const char *b)
{
    const size_t a_size = stem_size(a);
    const size_t b_size = stem_size(b);
    const int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_by_name(const void *left, const void *right)
{
    const struct function *a = left;
    const struct function *b = right;
    const int order = compare_stems(a->name, b->name);

    return order ? order : (a->begin > b->begin) - (a->begin < b->begin);
}

static void index_names(struct at_elf *elf)
{
    elf->by_name = malloc((elf->n_functions + 1) * sizeof *elf->by_name);
    if (!elf->by_name || !elf->n_functions)
        return;
    memcpy(elf->by_name, elf->functions,
           elf->n_functions * sizeof *elf->by_name);
    qsort(elf->by_name, elf->n_functions, sizeof *elf->by_name,
          compare_by_name);
}

/* The cold part of a function is no function. */
static bool is_part(const char *name)
{
    const size_t size = strlen(name);

    return size > 5 && strcmp(name + size - 5, ".cold") == 0;
}

bool at_elf_is_sole(struct at_elf *elf, const char *name)
{
    const struct function *one = NULL;
    size_t low = 0;
    size_t high = elf->n_functions;

    if (!elf->by_name)
        index_names(elf);
    if (!elf->by_name || !elf->is_full)
        return false;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (compare_stems(elf->by_name[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < elf->n_functions; low++) {
        const struct function *const function = &elf->by_name[low];

        if (compare_stems(function->name, name))
            break;
        if (is_part(function->name))
            continue;
        if (one && one->begin != function->begin)
            return false;
        one = function;
    }
    return one != NULL;
}

int alloctrace_is_instrumented(const char *path)
{
    AT_UNTRACED;
    struct at_elf elf;
    Elf_Scn *section = NULL;
    size_t names;
    int is_found = 0;
    int result = elf_init(&elf, path);

    if (result)
        return result;
    if (elf_getshdrstrndx(elf.elf, &names) == 0)
        while (!is_found && (section = elf_nextscn(elf.elf, section))) {
            GElf_Shdr header;
            const char *name = NULL;

            if (gelf_getshdr(section, &header))
                name = elf_strptr(elf.elf, names, header.sh_name);
            is_found = name && strcmp(name, SITES_SECTION) == 0;
        }
    elf_fini(&elf);
    return is_found;
}
