/* SPDX-License-Identifier: MIT */
/*
 * Names for addresses from the modules' files: the only user of libdwarf. A
 * resolver (see analysis.h) that opens a module's file, or the separate file
 * of its debug information, when the first of its addresses is asked for, and
 * indexes a unit of it when the first address of that unit is:
 *
 *     address -> unit -> row of the line table        file and line
 *                     -> function -> inlined calls    names, call sites
 *
 * Where there is no DWARF elf.c still knows functions. Whatever libdwarf does
 * not like is treated as absent.
 */
#include <dwarf.h>
#include <libdwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "symbol.h"

/* Where distributions keep debug information, by build id. */
#define DEBUG_FOLDER "/usr/lib/debug/.build-id"

/* Types and functions within one another that are looked into. */
#define MAX_NESTING 32

/* Addresses that something stands for. */
struct span {
    uint64_t begin; /* first address */
    uint64_t end;   /* one past the last */
    uint64_t value; /* what: an index, or the offset of a DIE */
};

struct spans {
    struct span *items; /* owned; by `begin` once sorted */
    size_t count;
    size_t capacity;
};

/* A compilation unit. */
struct unit {
    Dwarf_Off die;              /* offset of its root */
    uint64_t base;              /* that its ranges are relative to */
    struct spans functions;     /* value = offset of the function's DIE */
    struct spans lines;         /* value = index in `rows` */
    Dwarf_Line_Context context; /* owns `rows`; NULL = none */
    Dwarf_Line *rows;           /* of the line table */
    char **files;               /* names by number; libdwarf's */
    Dwarf_Signed n_files;
    const char *folder; /* of the compilation; NULL = unknown */
    Dwarf_Half version; /* of DWARF: files count from 0 or 1 */
    bool is_indexed;    /* what stands between is filled in */
};

/* A file's DWARF. */
struct debug {
    Dwarf_Debug dwarf;
    Dwarf_Error error;  /* of the last call */
    struct unit *units; /* owned */
    size_t n_units;
    struct spans spans; /* value = index of the unit */
};

/* What is known of a module. */
struct module_names {
    const struct alloctrace_module *module; /* the key; not owned */
    struct at_elf *elf;                     /* its file; NULL = none */
    struct at_elf *debug_elf;               /* debug information; likewise */
    struct debug *debug;                    /* NULL = none */
    struct module_names *next;              /* owned */
};

/* The state of one call of alloctrace_snapshot_symbolize. */
struct symbolizer {
    struct module_names *modules; /* owned; the last one asked for first */
};

/* One level of inlining; the function itself is level 0. */
struct level {
    Dwarf_Off die;
    uint32_t line;    /* where it was called; 0 = unknown */
    const char *file; /* likewise; NULL = unknown */
};

/* ---- Spans ---- */

static void spans_add(struct spans *spans, uint64_t begin, uint64_t end,
                      uint64_t value)
{
    if (begin >= end)
        return;
    if (spans->count == spans->capacity) {
        size_t capacity = spans->capacity * 2 + 16;
        struct span *items = realloc(spans->items, capacity * sizeof *items);

        if (!items)
            return;
        spans->items = items;
        spans->capacity = capacity;
    }
    spans->items[spans->count++] = (struct span){begin, end, value};
}

static int compare_spans(const void *left, const void *right)
{
    const struct span *a = left;
    const struct span *b = right;

    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

static void spans_sort(struct spans *spans)
{
    if (spans->count)
        qsort(spans->items, spans->count, sizeof *spans->items, compare_spans);
}

/* The innermost span that an address lies in; NULL = none. Spans may stand in
 * one another, but not deep. */
static const struct span *spans_find(const struct spans *spans,
                                     uint64_t address)
{
    size_t low = 0;
    size_t high = spans->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (spans->items[middle].begin <= address)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i > 0 && low - i < MAX_NESTING; i--)
        if (address < spans->items[i - 1].end)
            return &spans->items[i - 1];
    return NULL;
}

/* ---- DIEs ---- */

/* Did a call of libdwarf give something? Frees the error if not. */
static bool is_ok(struct debug *debug, int result)
{
    if (result == DW_DLV_ERROR) {
        dwarf_dealloc_error(debug->dwarf, debug->error);
        debug->error = NULL;
    }
    return result == DW_DLV_OK;
}

static void add_ranges(struct debug *debug, Dwarf_Die die, Dwarf_Off offset,
                       uint64_t base, uint64_t value, struct spans *spans)
{
    Dwarf_Ranges *ranges;
    Dwarf_Signed count;

    if (!is_ok(debug, dwarf_get_ranges_b(debug->dwarf, offset, die, NULL,
                                         &ranges, &count, NULL, &debug->error)))
        return;
    for (Dwarf_Signed i = 0; i < count; i++) {
        if (ranges[i].dwr_type == DW_RANGES_ADDRESS_SELECTION)
            base = ranges[i].dwr_addr2;
        else if (ranges[i].dwr_type == DW_RANGES_ENTRY)
            spans_add(spans, base + ranges[i].dwr_addr1,
                      base + ranges[i].dwr_addr2, value);
    }
    dwarf_ranges_dealloc(debug->dwarf, ranges, count);
}

/* The same of DWARF 5. */
static void add_range_list(struct debug *debug, Dwarf_Attribute attribute,
                           Dwarf_Half form, Dwarf_Unsigned which,
                           uint64_t value, struct spans *spans)
{
    Dwarf_Rnglists_Head head;
    Dwarf_Unsigned count;
    Dwarf_Unsigned offset;

    if (!is_ok(debug,
               dwarf_rnglists_get_rle_head(attribute, form, which, &head,
                                           &count, &offset, &debug->error)))
        return;
    for (Dwarf_Unsigned i = 0; i < count; i++) {
        unsigned length;
        unsigned code;
        Dwarf_Unsigned raw[2];
        Dwarf_Unsigned begin;
        Dwarf_Unsigned end;
        Dwarf_Bool is_unavailable;

        if (!is_ok(debug, dwarf_get_rnglists_entry_fields_a(
                              head, i, &length, &code, &raw[0], &raw[1],
                              &is_unavailable, &begin, &end, &debug->error)))
            break;
        if (!is_unavailable && code != DW_RLE_end_of_list &&
            code != DW_RLE_base_address && code != DW_RLE_base_addressx)
            spans_add(spans, begin, end, value);
    }
    dwarf_dealloc_rnglists_head(head);
}

/* Adds the ranges that an attribute DW_AT_ranges tells. */
static void add_attribute(struct debug *debug, Dwarf_Die die, uint64_t base,
                          uint64_t value, struct spans *spans)
{
    Dwarf_Attribute attribute;
    Dwarf_Half form;
    Dwarf_Half version = 0;
    Dwarf_Half offset_size;
    Dwarf_Unsigned which = 0;
    bool is_read;

    if (!is_ok(debug, dwarf_attr(die, DW_AT_ranges, &attribute, &debug->error)))
        return;
    dwarf_get_version_of_die(die, &version, &offset_size);
    is_read = is_ok(debug, dwarf_whatform(attribute, &form, &debug->error));
    if (is_read && form == DW_FORM_rnglistx)
        is_read =
            is_ok(debug, dwarf_formudata(attribute, &which, &debug->error));
    else if (is_read)
        is_read = is_ok(debug,
                        dwarf_global_formref(attribute, &which, &debug->error));
    if (is_read && version >= 5)
        add_range_list(debug, attribute, form, which, value, spans);
    else if (is_read)
        add_ranges(debug, die, which, base, value, spans);
    dwarf_dealloc_attribute(attribute);
}

/* Adds the addresses of a DIE, if it has any. */
static void add_die(struct debug *debug, Dwarf_Die die, uint64_t base,
                    uint64_t value, struct spans *spans)
{
    enum Dwarf_Form_Class form_class;
    Dwarf_Addr low;
    Dwarf_Addr high;
    Dwarf_Half form;

    if (is_ok(debug, dwarf_lowpc(die, &low, &debug->error)) &&
        is_ok(debug,
              dwarf_highpc_b(die, &high, &form, &form_class, &debug->error)))
        spans_add(spans, low,
                  form_class == DW_FORM_CLASS_ADDRESS ? high : low + high,
                  value);
    else
        add_attribute(debug, die, base, value, spans);
}

static bool die_covers(struct debug *debug, const struct unit *unit,
                       Dwarf_Die die, uint64_t address)
{
    struct spans spans = {0};
    bool is_covered = false;

    add_die(debug, die, unit->base, 0, &spans);
    for (size_t i = 0; i < spans.count && !is_covered; i++)
        is_covered =
            address >= spans.items[i].begin && address < spans.items[i].end;
    free(spans.items);
    return is_covered;
}

static Dwarf_Half die_tag(struct debug *debug, Dwarf_Die die)
{
    Dwarf_Half tag;

    return is_ok(debug, dwarf_tag(die, &tag, &debug->error)) ? tag : 0;
}

static Dwarf_Off die_offset(struct debug *debug, Dwarf_Die die)
{
    Dwarf_Off offset;

    return is_ok(debug, dwarf_dieoffset(die, &offset, &debug->error)) ? offset
                                                                      : 0;
}

/* The DIE at an offset; the caller frees it. NULL = none. */
static Dwarf_Die die_at(struct debug *debug, Dwarf_Off offset)
{
    Dwarf_Die die;

    return is_ok(debug,
                 dwarf_offdie_b(debug->dwarf, offset, 1, &die, &debug->error))
               ? die
               : NULL;
}

static Dwarf_Die die_child(struct debug *debug, Dwarf_Die die)
{
    Dwarf_Die child;

    return is_ok(debug, dwarf_child(die, &child, &debug->error)) ? child : NULL;
}

/* Goes on to the next sibling; frees the DIE. NULL = that was the last. */
static Dwarf_Die die_next(struct debug *debug, Dwarf_Die die)
{
    Dwarf_Die next;
    bool has_next = is_ok(
        debug, dwarf_siblingof_b(debug->dwarf, die, 1, &next, &debug->error));

    dwarf_dealloc_die(die);
    return has_next ? next : NULL;
}

/* A number that a DIE has as an attribute; 0 = none. */
static Dwarf_Unsigned die_number(struct debug *debug, Dwarf_Die die,
                                 Dwarf_Half name)
{
    Dwarf_Attribute attribute;
    Dwarf_Unsigned number = 0;

    if (!is_ok(debug, dwarf_attr(die, name, &attribute, &debug->error)))
        return 0;
    if (!is_ok(debug, dwarf_formudata(attribute, &number, &debug->error)))
        number = 0;
    dwarf_dealloc_attribute(attribute);
    return number;
}

/* The DIE that an attribute refers to; 0 = none. */
static Dwarf_Off die_reference(struct debug *debug, Dwarf_Die die,
                               Dwarf_Half name)
{
    Dwarf_Attribute attribute;
    Dwarf_Off offset = 0;

    if (!is_ok(debug, dwarf_attr(die, name, &attribute, &debug->error)))
        return 0;
    if (!is_ok(debug, dwarf_global_formref(attribute, &offset, &debug->error)))
        offset = 0;
    dwarf_dealloc_attribute(attribute);
    return offset;
}

/* Name of a function: its own, or that of what it is an instance of. */
static const char *function_name(struct debug *debug, Dwarf_Off offset)
{
    char *name = NULL;

    for (int i = 0; i < MAX_NESTING && offset && !name; i++) {
        Dwarf_Die die = die_at(debug, offset);

        if (!die)
            return NULL;
        if (!is_ok(debug, dwarf_diename(die, &name, &debug->error)))
            name = NULL;
        offset = die_reference(debug, die, DW_AT_abstract_origin);
        if (!offset)
            offset = die_reference(debug, die, DW_AT_specification);
        dwarf_dealloc_die(die);
    }
    return name;
}

/* ---- Units ---- */

/* Finds the functions in a DIE: in namespaces, types and other functions. */
static void add_functions_of(struct debug *debug, struct unit *unit,
                             Dwarf_Die parent, int nesting)
{
    Dwarf_Die die = die_child(debug, parent);

    for (; die; die = die_next(debug, die)) {
        switch (die_tag(debug, die)) {
        case DW_TAG_subprogram:
            add_die(debug, die, unit->base, die_offset(debug, die),
                    &unit->functions);
            break;
        case DW_TAG_namespace:
        case DW_TAG_module:
        case DW_TAG_class_type:
        case DW_TAG_structure_type:
            break;
        default:
            continue;
        }
        if (nesting < MAX_NESTING)
            add_functions_of(debug, unit, die, nesting + 1);
    }
}

/* Turns the rows of the line table into spans. */
static void add_lines(struct debug *debug, struct unit *unit,
                      Dwarf_Signed n_rows)
{
    Dwarf_Addr previous = 0;
    Dwarf_Signed row = -1; /* the row that `previous` is of; -1 = none */

    for (Dwarf_Signed i = 0; i < n_rows; i++) {
        Dwarf_Bool is_end;
        Dwarf_Addr address;

        if (!is_ok(debug,
                   dwarf_lineaddr(unit->rows[i], &address, &debug->error)) ||
            !is_ok(debug, dwarf_lineendsequence(unit->rows[i], &is_end,
                                                &debug->error)))
            return;
        if (row >= 0)
            spans_add(&unit->lines, previous, address, (uint64_t)row);
        row = is_end ? -1 : i;
        previous = address;
    }
}

static void unit_index(struct debug *debug, struct unit *unit)
{
    Dwarf_Die die = die_at(debug, unit->die);
    Dwarf_Unsigned version;
    Dwarf_Small n_tables;
    Dwarf_Half offset_size;
    Dwarf_Signed n_rows;

    unit->is_indexed = true;
    if (!die)
        return;
    dwarf_get_version_of_die(die, &unit->version, &offset_size);
    add_functions_of(debug, unit, die, 0);
    spans_sort(&unit->functions);
    if (!is_ok(debug, dwarf_srcfiles(die, &unit->files, &unit->n_files,
                                     &debug->error)))
        unit->n_files = 0;
    if (is_ok(debug, dwarf_srclines_b(die, &version, &n_tables, &unit->context,
                                      &debug->error)) &&
        is_ok(debug, dwarf_srclines_from_linecontext(unit->context, &unit->rows,
                                                     &n_rows, &debug->error)))
        add_lines(debug, unit, n_rows);
    if (unit->context &&
        !is_ok(debug, dwarf_srclines_comp_dir(unit->context, &unit->folder,
                                              &debug->error)))
        unit->folder = NULL;
    spans_sort(&unit->lines);
    dwarf_dealloc_die(die);
}

/* Adds the unit whose header was read last. */
static void add_unit(struct debug *debug)
{
    struct unit *units =
        realloc(debug->units, (debug->n_units + 1) * sizeof *units);
    struct unit unit = {0};
    Dwarf_Die die;
    Dwarf_Addr base;

    if (!units)
        return;
    debug->units = units;
    if (!is_ok(debug,
               dwarf_siblingof_b(debug->dwarf, NULL, 1, &die, &debug->error)))
        return;
    unit.die = die_offset(debug, die);
    if (is_ok(debug, dwarf_lowpc(die, &base, &debug->error)))
        unit.base = base;
    add_die(debug, die, unit.base, debug->n_units, &debug->spans);
    units[debug->n_units++] = unit;
    dwarf_dealloc_die(die);
}

static void debug_close(struct debug *debug)
{
    if (!debug)
        return;
    for (size_t i = 0; i < debug->n_units; i++) {
        struct unit *unit = &debug->units[i];

        if (unit->context)
            dwarf_srclines_dealloc_b(unit->context);
        for (Dwarf_Signed k = 0; k < unit->n_files; k++)
            dwarf_dealloc(debug->dwarf, unit->files[k], DW_DLA_STRING);
        if (unit->n_files)
            dwarf_dealloc(debug->dwarf, unit->files, DW_DLA_LIST);
        free(unit->functions.items);
        free(unit->lines.items);
    }
    free(debug->units);
    free(debug->spans.items);
    dwarf_finish(debug->dwarf, &debug->error);
    free(debug);
}

/* Opens a file's DWARF. NULL = it has none. */
static struct debug *debug_open(const char *path)
{
    struct debug *debug = calloc(1, sizeof *debug);
    Dwarf_Unsigned next;
    Dwarf_Unsigned length;
    Dwarf_Unsigned type_offset;
    Dwarf_Off abbreviations;
    Dwarf_Half halves[5];
    Dwarf_Sig8 signature;

    if (!debug)
        return NULL;
    if (!is_ok(debug, dwarf_init_path(
                          path, NULL, 0, DW_DLC_READ, DW_GROUPNUMBER_ANY, NULL,
                          NULL, &debug->dwarf, NULL, 0, NULL, &debug->error))) {
        free(debug);
        return NULL;
    }
    while (is_ok(debug,
                 dwarf_next_cu_header_d(debug->dwarf, 1, &length, &halves[0],
                                        &abbreviations, &halves[1], &halves[2],
                                        &halves[3], &signature, &type_offset,
                                        &next, &halves[4], &debug->error)))
        add_unit(debug);
    spans_sort(&debug->spans);
    if (debug->spans.count > 0)
        return debug;
    debug_close(debug);
    return NULL;
}

/* ---- Addresses ---- */

/* libdwarf puts the folder of the compilation before a name that is not
 * absolute. Where that folder is not absolute either (Debian's C library) the
 * name already has it: "./stdlib/./stdlib/qsort.c". */
static const char *without_folder(const struct unit *unit, const char *file)
{
    size_t size = unit->folder ? strlen(unit->folder) : 0;

    if (size > 0 && unit->folder[0] != '/' &&
        strncmp(file, unit->folder, size) == 0 && file[size] == '/' &&
        strncmp(file + size + 1, unit->folder, size) == 0)
        return file + size + 1;
    return file;
}

static const char *unit_file(const struct unit *unit, Dwarf_Unsigned number)
{
    Dwarf_Unsigned index = unit->version >= 5 ? number : number - 1;

    return index < (Dwarf_Unsigned)unit->n_files
               ? without_folder(unit, unit->files[index])
               : NULL;
}

/* Steps into the inlined call, or the block, that an address lies in. Frees
 * the DIE. NULL = there is none. */
static Dwarf_Die step_inwards(struct debug *debug, const struct unit *unit,
                              Dwarf_Die parent, uint64_t address)
{
    Dwarf_Die die = die_child(debug, parent);

    dwarf_dealloc_die(parent);
    for (; die; die = die_next(debug, die)) {
        Dwarf_Half tag = die_tag(debug, die);

        if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) &&
            die_covers(debug, unit, die, address))
            return die;
    }
    return NULL;
}

/* Finds the function at an address and what is inlined there. Returns the
 * number of levels. */
static size_t find_levels(struct debug *debug, const struct unit *unit,
                          uint64_t address, struct level *levels)
{
    const struct span *span = spans_find(&unit->functions, address);
    Dwarf_Die die = span ? die_at(debug, span->value) : NULL;
    size_t n_levels = 0;

    if (!die)
        return 0;
    levels[n_levels++] = (struct level){.die = span->value};
    while ((die = step_inwards(debug, unit, die, address))) {
        if (die_tag(debug, die) != DW_TAG_inlined_subroutine)
            continue;
        if (n_levels == ALLOCTRACE_MAX_SYMBOLS) {
            dwarf_dealloc_die(die);
            break;
        }
        levels[n_levels++] = (struct level){
            .die = die_offset(debug, die),
            .line = (uint32_t)die_number(debug, die, DW_AT_call_line),
            .file = unit_file(unit, die_number(debug, die, DW_AT_call_file)),
        };
    }
    return n_levels;
}

/* Looks an address up in the line table. */
static void find_line(struct debug *debug, const struct unit *unit,
                      uint64_t address, struct alloctrace_symbol *symbol)
{
    const struct span *span = spans_find(&unit->lines, address);
    Dwarf_Unsigned line;
    char *file;

    if (!span)
        return;
    if (is_ok(debug,
              dwarf_lineno(unit->rows[span->value], &line, &debug->error)))
        symbol->line = (uint32_t)line;
    if (is_ok(debug,
              dwarf_linesrc(unit->rows[span->value], &file, &debug->error)))
        /* Freed with everything else at the end. */
        symbol->file = without_folder(unit, file);
}

static size_t debug_resolve(struct debug *debug, uint64_t address,
                            struct alloctrace_symbol *symbols)
{
    const struct span *span = spans_find(&debug->spans, address);
    struct level levels[ALLOCTRACE_MAX_SYMBOLS];
    struct unit *unit;
    size_t n_levels;

    if (!span)
        return 0;
    unit = &debug->units[span->value];
    if (!unit->is_indexed)
        unit_index(debug, unit);
    n_levels = find_levels(debug, unit, address, levels);
    if (n_levels == 0)
        return 0;
    /* A level's line is where the level inside was called. */
    find_line(debug, unit, address, &symbols[0]);
    for (size_t i = 0; i < n_levels; i++) {
        const struct level *level = &levels[n_levels - 1 - i];

        symbols[i].function = function_name(debug, level->die);
        if (i + 1 < n_levels) {
            symbols[i + 1].file = level->file;
            symbols[i + 1].line = level->line;
        }
    }
    return n_levels;
}

/* ---- Modules ---- */

/* Opens the separate debug information of a build id, if there is any. */
static void open_separate(struct module_names *names)
{
    const char *id = names->module->build_id;
    char path[sizeof DEBUG_FOLDER + 160];

    if (strlen(id) < 3 || strlen(id) > 128 ||
        strspn(id, "0123456789abcdef") != strlen(id))
        return;
    snprintf(path, sizeof path, "%s/%.2s/%s.debug", DEBUG_FOLDER, id, id + 2);
    names->debug_elf = at_elf_open(path, id);
    if (names->debug_elf && !names->debug)
        names->debug = debug_open(path);
}

/* What is known of a module; NULL without memory. */
static struct module_names *find_module(struct symbolizer *symbolizer,
                                        const struct alloctrace_module *module)
{
    struct module_names *names = symbolizer->modules;

    while (names && names->module != module)
        names = names->next;
    if (names)
        return names;
    names = calloc(1, sizeof *names);
    if (!names)
        return NULL;
    names->module = module;
    names->elf = at_elf_open(module->path, module->build_id);
    if (names->elf)
        names->debug = debug_open(module->path);
    open_separate(names);
    names->next = symbolizer->modules;
    symbolizer->modules = names;
    return names;
}

/* Names the function at an address by a symbol table, if there is one. */
static void name_function(struct at_elf *elf, uint64_t address,
                          struct alloctrace_symbol *symbol)
{
    if (!elf || symbol->function)
        return;
    symbol->function = at_elf_function(elf, address);
    symbol->is_sole =
        symbol->function && at_elf_is_sole(elf, symbol->function);
}

static size_t resolve(void *data, const struct alloctrace_module *module,
                      uint64_t address, struct alloctrace_symbol *symbols)
{
    struct module_names *names = find_module(data, module);
    size_t n_symbols = 0;

    if (!names)
        return 0;
    if (names->debug)
        n_symbols = debug_resolve(names->debug, address, symbols);
    if (n_symbols > 0)
        return n_symbols;
    name_function(names->debug_elf, address, &symbols[0]);
    name_function(names->elf, address, &symbols[0]);
    return symbols[0].function ? 1 : 0;
}

int alloctrace_snapshot_symbolize(alloctrace_snapshot *snapshot)
{
    AT_UNTRACED;
    struct symbolizer symbolizer = {0};
    int result = alloctrace_snapshot_resolve(snapshot, resolve, &symbolizer);

    while (symbolizer.modules) {
        struct module_names *names = symbolizer.modules;

        symbolizer.modules = names->next;
        debug_close(names->debug);
        at_elf_close(names->elf);
        at_elf_close(names->debug_elf);
        free(names);
    }
    return result;
}
