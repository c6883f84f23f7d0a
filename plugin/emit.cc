/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the unit's site records as assembly text: abi.h's fields in order,
 * strings in the section that linkers merge, distances between them as
 * 32-bit differences that the linker resolves for good. Sections are pushed
 * and popped, so that GCC's idea of the current section stays true.
 */
#include "gcc.h"

#include "alloctrace/abi.h"
#include "emit.h"
#include "module.h"
#include "outline.h"
#include "site.h"

#define STRING_LABEL ".Lalloctrace_string"

/* Text as the assembler's .string wants it. */
static void string_write(FILE *out, const char *text)
{
    fputs("\t.string\t\"", out);
    for (; *text != '\0'; text++) {
        const unsigned char c = *text;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ' || c >= 0x7f)
            fprintf(out, "\\%03o", c);
        else
            putc(c, out);
    }
    fputs("\"\n", out);
}

static void strings_write(FILE *out)
{
    unsigned n;

    at_site_string(0, &n);
    fputs("\t.pushsection\t.rodata.str1.1,\"aMS\",%progbits,1\n", out);
    for (unsigned i = 1; i < n; i++) {
        fprintf(out, STRING_LABEL "%u:\n", i);
        string_write(out, at_site_string(i, NULL));
    }
    fputs("\t.popsection\n", out);
}

/* Orders the numbers of records by function, then by place in its source. */
static int place_compare(const void *a, const void *b)
{
    unsigned n;
    const struct site *sites = at_sites(&n);
    const struct site *x = &sites[*(const unsigned *)a];
    const struct site *y = &sites[*(const unsigned *)b];

    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->function != y->function)
        return x->function < y->function ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return strcmp(at_site_string(x->callee, NULL),
                  at_site_string(y->callee, NULL));
}

/*
 * Number the places within each function. The records of one place (it may
 * be inlined into several callers) get one number, whatever they have else.
 */
static unsigned *places_number(const struct site *sites, unsigned n)
{
    unsigned *order = XNEWVEC(unsigned, n);
    unsigned *ordinals = XNEWVEC(unsigned, n);

    for (unsigned i = 0; i < n; i++)
        order[i] = i;
    qsort(order, n, sizeof order[0], place_compare);
    for (unsigned i = 0; i < n; i++) {
        const struct site *site = &sites[order[i]];
        const struct site *before = i > 0 ? &sites[order[i - 1]] : NULL;

        if (before == NULL || site->file != before->file ||
            site->function != before->function)
            ordinals[order[i]] = 1;
        else
            ordinals[order[i]] =
                ordinals[order[i - 1]] +
                (place_compare(&order[i - 1], &order[i]) != 0);
    }
    free(order);
    return ordinals;
}

/* As two halves: not every target's assembler has a name for 8 bytes. */
static void quad_write(FILE *out, uint64_t value)
{
    const unsigned low = value & 0xffffffff;
    const unsigned high = value >> 32;

    fprintf(out, "\t.long\t0x%x, 0x%x\n", BYTES_BIG_ENDIAN ? high : low,
            BYTES_BIG_ENDIAN ? low : high);
}

static void string_offset_write(FILE *out, unsigned string)
{
    if (string == 0)
        fputs("\t.long\t0\n", out);
    else
        fprintf(out, "\t.long\t" STRING_LABEL "%u-.\n", string);
}

/* Where each of abi.h's fields comes from; a new field does not compile. */
struct site_source {
    const struct site *site;
    unsigned ordinal;
};

static void write_file(FILE *out, const struct site_source *source)
{
    string_offset_write(out, source->site->file);
}

static void write_function(FILE *out, const struct site_source *source)
{
    string_offset_write(out, source->site->function);
}

static void write_caller(FILE *out, const struct site_source *source)
{
    if (source->site->caller == 0)
        fputs("\t.long\t0\n", out);
    else
        fprintf(out, "\t.long\t" SITES_LABEL "+%u-.\n",
                (source->site->caller - 1) * ALLOCTRACE_SITE_SIZE);
}

static void write_callee(FILE *out, const struct site_source *source)
{
    string_offset_write(out, source->site->callee);
}

static void write_type(FILE *out, const struct site_source *source)
{
    string_offset_write(out, source->site->type);
}

static void write_target(FILE *out, const struct site_source *source)
{
    string_offset_write(out, source->site->target);
}

static void write_type_size(FILE *out, const struct site_source *source)
{
    fprintf(out, "\t.long\t%u\n", source->site->type_size);
}

static void write_line(FILE *out, const struct site_source *source)
{
    fprintf(out, "\t.long\t%u\n", source->site->line);
}

static void write_column(FILE *out, const struct site_source *source)
{
    fprintf(out, "\t.short\t%u\n", source->site->column);
}

static void write_ordinal(FILE *out, const struct site_source *source)
{
    fprintf(out, "\t.short\t%u\n",
            source->ordinal <= 65535 ? source->ordinal : 0);
}

static void write_kind(FILE *out, const struct site_source *source)
{
    fprintf(out, "\t.byte\t%u\n", source->site->kind);
}

static void write_flags(FILE *out, const struct site_source *source)
{
    fprintf(out, "\t.byte\t%u\n", source->site->flags);
}

static void write_reserved(FILE *out, const struct site_source *)
{
    fputs("\t.short\t0\n", out);
}

static void sites_write(FILE *out)
{
    unsigned n;
    const struct site *sites = at_sites(&n);
    unsigned *ordinals = places_number(sites, n);

    fprintf(out, "\t.pushsection\t" ALLOCTRACE_SITES_SECTION
                 ",\"a\",%%progbits\n\t.balign\t%d\n" SITES_LABEL ":\n",
            ALLOCTRACE_SITE_ALIGN);
    for (unsigned i = 0; i < n; i++) {
        const struct site_source source = {&sites[i], ordinals[i]};

#define WRITE_FIELD(type, name) write_##name(out, &source);
        ALLOCTRACE_SITE_FIELDS(WRITE_FIELD)
#undef WRITE_FIELD
    }
    fputs("\t.popsection\n", out);
    free(ordinals);
}

/* FNV-1a, from HASH on. */
static uint64_t bytes_hash(uint64_t hash, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) *
               HOST_WIDE_INT_UC(0x100000001b3);
    return hash;
}

/*
 * The unit's key: even, the same for the same records, and with 63 random
 * bits so different for others that ranges of keys do not meet.
 */
static uint64_t unit_key(const struct site *sites, unsigned n)
{
    uint64_t hash = HOST_WIDE_INT_UC(0xcbf29ce484222325);
    unsigned n_strings;

    at_site_string(0, &n_strings);
    for (unsigned i = 1; i < n_strings; i++) {
        const char *text = at_site_string(i, NULL);

        hash = bytes_hash(hash, text, strlen(text) + 1);
    }
    hash = bytes_hash(hash, sites, n * sizeof *sites);
    hash = (hash ^ hash >> 32) * HOST_WIDE_INT_UC(0x9e3779b97f4a7c15);
    return (hash ^ hash >> 29) & ~(uint64_t)1;
}

static void keys_write(FILE *out, uint64_t unit)
{
    unsigned n;
    const struct site_key *keys = at_site_keys(&n);

    if (n == 0)
        return;
    fputs("\t.pushsection\t.rodata.alloctrace,\"a\",%progbits\n"
          "\t.balign\t8\n" KEYS_LABEL ":\n", out);
    for (unsigned i = 0; i < n; i++)
        quad_write(out, unit +
                        (uint64_t)keys[i].site * ALLOCTRACE_KEY_STRIDE +
                        keys[i].addend);
    fputs("\t.popsection\n", out);
}

/* struct alloctrace_unit of abi.h. */
static void unit_write(FILE *out, uint64_t key, unsigned n_sites)
{
    fprintf(out, "\t.pushsection\t" ALLOCTRACE_UNITS_SECTION
                 ",\"a\",%%progbits\n\t.balign\t%d\n",
            ALLOCTRACE_UNIT_ALIGN);
    quad_write(out, key);
    fprintf(out, "\t.long\t" SITES_LABEL "-.\n\t.long\t%u\n"
                 "\t.popsection\n", n_sites);
}

void at_emit(FILE *out)
{
    const struct site *sites;
    uint64_t key;
    unsigned n;

    at_sites_close();
    sites = at_sites(&n);
    if (n == 0)
        return;
    key = unit_key(sites, n);
    strings_write(out);
    sites_write(out);
    keys_write(out, key);
    unit_write(out, key, n);
    at_outline_write(out);
    at_module_write(out);
}
