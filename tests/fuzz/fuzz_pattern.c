/* SPDX-License-Identifier: MIT */
/*
 * Target: patterns for names (analysis/glob.c) against fnmatch.translate of
 * CPython 3.11, followed step by step, and a table that says which beginnings
 * of the pattern match which beginnings of the name.
 *
 * The first byte of the input says how long the pattern is; the rest is the
 * name.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "model.h"

#define MAX_SIZE 96

/* An element of a pattern: what one byte may be, or any text. */
struct element {
    bool is_any_text;
    bool bytes[256];
};

/* What stands in brackets, as CPython puts it into a regular expression: bytes,
 * all of which mean themselves, and dashes between the ends of ranges. */
struct set {
    unsigned char bytes[MAX_SIZE];
    bool is_dash[MAX_SIZE];
    size_t size;
};

/* ---- Brackets ---- */

/* Parts of a text between the dashes that are no ends of ranges. */
struct chunks {
    unsigned char bytes[MAX_SIZE][MAX_SIZE];
    size_t size[MAX_SIZE];
    size_t count;
};

static size_t find_dash(const unsigned char *text, size_t from, size_t end)
{
    while (from < end && text[from] != '-')
        from++;
    return from < end ? from : SIZE_MAX;
}

static void chunk_add(struct chunks *chunks, const unsigned char *text,
                      size_t size)
{
    memcpy(chunks->bytes[chunks->count], text, size);
    chunks->size[chunks->count++] = size;
}

/* Cuts text[begin .. end - 1] at its dashes. */
static void chunks_cut(struct chunks *chunks, const unsigned char *text,
                       size_t begin, size_t end)
{
    size_t k = text[begin] == '!' ? begin + 2 : begin + 1;

    while ((k = find_dash(text, k, end)) != SIZE_MAX) {
        chunk_add(chunks, text + begin, k - begin);
        begin = k + 1;
        k += 3;
    }
    if (begin < end) {
        chunk_add(chunks, text + begin, end - begin);
    } else {
        const size_t last = chunks->count - 1;

        chunks->bytes[last][chunks->size[last]++] = '-';
    }
}

/* Takes out ranges that end before they begin. */
static void chunks_join(struct chunks *chunks)
{
    for (size_t k = chunks->count - 1; k > 0; k--) {
        unsigned char *const left = chunks->bytes[k - 1];
        size_t *const size = &chunks->size[k - 1];

        if (left[*size - 1] <= chunks->bytes[k][0])
            continue;
        --*size;
        memcpy(left + *size, chunks->bytes[k] + 1, chunks->size[k] - 1);
        *size += chunks->size[k] - 1;
        for (size_t i = k; i + 1 < chunks->count; i++) {
            memcpy(chunks->bytes[i], chunks->bytes[i + 1], MAX_SIZE);
            chunks->size[i] = chunks->size[i + 1];
        }
        chunks->count--;
    }
}

static void set_make(struct set *set, const unsigned char *text, size_t begin,
                     size_t end)
{
    static struct chunks chunks;

    set->size = 0;
    memset(set->is_dash, 0, sizeof set->is_dash);
    if (find_dash(text, begin, end) == SIZE_MAX) {
        memcpy(set->bytes, text + begin, end - begin);
        set->size = end - begin;
        return;
    }
    chunks.count = 0;
    chunks_cut(&chunks, text, begin, end);
    chunks_join(&chunks);
    for (size_t k = 0; k < chunks.count; k++) {
        if (k > 0)
            set->is_dash[set->size++] = true;
        memcpy(set->bytes + set->size, chunks.bytes[k], chunks.size[k]);
        set->size += chunks.size[k];
    }
}

/* Reads the regular expression's [...]. */
static void set_read(const struct set *set, struct element *element)
{
    const bool is_negated = set->size > 0 && set->bytes[0] == '!';
    size_t i = is_negated;

    if (set->size == 0) /* (?!) */
        return;
    while (i < set->size) {
        const unsigned char from = set->bytes[i];
        const bool is_range = i + 2 < set->size && set->is_dash[i + 1];
        const unsigned char to = is_range ? set->bytes[i + 2] : from;

        REQUIRE(!set->is_dash[i] && from <= to);
        for (unsigned byte = from; byte <= to; byte++)
            element->bytes[byte] = true;
        i += is_range ? 3 : 1;
    }
    for (unsigned byte = 0; is_negated && byte < 256; byte++)
        element->bytes[byte] = !element->bytes[byte];
}

/* ---- Patterns ---- */

/* Where the bracket ends that begins before `i`; `size`: nowhere. */
static size_t bracket_end(const unsigned char *text, size_t size, size_t i)
{
    if (i < size && text[i] == '!')
        i++;
    if (i < size && text[i] == ']')
        i++;
    while (i < size && text[i] != ']')
        i++;
    return i;
}

static size_t pattern_read(const unsigned char *text, size_t size,
                           struct element *elements)
{
    size_t n = 0;

    for (size_t i = 0; i < size;) {
        const unsigned char byte = text[i++];
        struct element *const element = &elements[n++];
        const size_t end = bracket_end(text, size, i);

        memset(element, 0, sizeof *element);
        if (byte == '*') {
            element->is_any_text = true;
        } else if (byte == '?') {
            memset(element->bytes, 1, sizeof element->bytes);
        } else if (byte == '[' && end < size) {
            struct set set;

            set_make(&set, text, i, end);
            set_read(&set, element);
            i = end + 1;
        } else {
            element->bytes[byte] = true;
        }
    }
    return n;
}

/* Row by row: row[i] says whether the elements so far match i bytes. */
static bool matches(const struct element *elements, size_t n_elements,
                    const unsigned char *name, size_t size)
{
    bool row[MAX_SIZE + 1] = {true};

    for (size_t k = 0; k < n_elements; k++) {
        bool next[MAX_SIZE + 1] = {false};

        for (size_t i = 0; i <= size; i++)
            next[i] = elements[k].is_any_text
                          ? row[i] || (i > 0 && next[i - 1])
                          : i > 0 && row[i - 1] &&
                                elements[k].bytes[name[i - 1]];
        memcpy(row, next, sizeof row);
    }
    return row[size];
}

/* tracemalloc takes ".pyc" at the end of a name for ".py". */
static size_t without_c(const char *text, bool is_file)
{
    const size_t size = strlen(text);

    if (is_file && size >= 4 && strcmp(text + size - 4, ".pyc") == 0)
        return size - 1;
    return size;
}

static bool expected(const char *pattern, const char *name, bool is_file)
{
    static struct element elements[MAX_SIZE];
    const size_t n =
        pattern_read((const unsigned char *)pattern,
                     without_c(pattern, is_file), elements);

    return matches(elements, n, (const unsigned char *)name,
                   without_c(name, is_file));
}

static void check(const char *text, const char *name, bool is_file)
{
    struct at_pattern pattern;
    bool is_match;

    meter_begin(strlen(text) + strlen(name));
    REQUIRE(at_pattern_init(&pattern, text, is_file) == 0);
    is_match = at_pattern_matches(&pattern, name);
    at_pattern_fini(&pattern);
    meter_end();
    if (is_match != expected(text, name, is_file))
        fprintf(stderr, "\"%s\" on \"%s\" is %d\n", text, name, is_match);
    REQUIRE(is_match == expected(text, name, is_file));
}

/* Copies a text up to a zero byte, cut off to fit. */
static void take_text(char text[MAX_SIZE], const uint8_t *data, size_t size)
{
    if (size > MAX_SIZE - 1)
        size = MAX_SIZE - 1;
    memcpy(text, data, size);
    text[size] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char pattern[MAX_SIZE];
    char name[MAX_SIZE];
    size_t n_pattern;

    if (size == 0)
        return 0;
    n_pattern = data[0] < size - 1 ? data[0] : size - 1;
    take_text(pattern, data + 1, n_pattern);
    take_text(name, data + 1 + n_pattern, size - 1 - n_pattern);
    for (int is_file = 0; is_file < 2; is_file++) {
        check(pattern, name, is_file);
        check(name, name, is_file);
        check(pattern, pattern, is_file);
    }
    return 0;
}
