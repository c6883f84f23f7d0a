/* SPDX-License-Identifier: MIT */
/*
 * Patterns for names: Python's fnmatch.fnmatchcase, as fnmatch.translate of
 * CPython 3.11 defines it, over bytes. filter.c makes one of each pattern and
 * tests each name once.
 *
 * There is no escape and there are no classes: a backslash is a backslash, and
 * a bracket that nothing closes is a bracket. What brackets hold is read twice
 * in CPython, which makes a bracket of a regular expression of it; what follows
 * from that is kept:
 *
 *     [b-a]    a range the wrong way round is left out; what is empty then
 *              matches nothing, [!b-a] any byte
 *     [b-a!c]  what begins with ! once such ranges are left out is negated
 *     [a-c-e]  a dash behind a range is a dash
 *
 * Time: name times pattern at most, as only the last star is ever tried again.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Elements: the bytes themselves, and those. */
enum element {
    ANY_BYTE = 256,
    ANY_TEXT = 257,
    FIRST_SET = 258 /* and above: the numbers of sets, from there */
};

/* What stands in brackets while it is read. */
struct bracket {
    struct at_byte_set *set; /* not owned */
    bool is_negated;
    bool has_begun; /* something was read that is not left out */
};

static void set_add(struct at_byte_set *set, unsigned from, unsigned to)
{
    for (unsigned i = from; i <= to; i++)
        set->bits[i / 32] |= UINT32_C(1) << i % 32;
}

static bool set_has(const struct at_byte_set *set, unsigned byte)
{
    return set->bits[byte / 32] >> byte % 32 & 1;
}

static void bracket_add(struct bracket *bracket, unsigned char byte)
{
    if (!bracket->has_begun && byte == '!')
        bracket->is_negated = true;
    else
        set_add(bracket->set, byte, byte);
    bracket->has_begun = true;
}

static void bracket_add_range(struct bracket *bracket, unsigned char from,
                              unsigned char to)
{
    if (from > to)
        return;
    if (!bracket->has_begun && from == '!') {
        /* The regular expression has "^-z" then: all but a dash and a z. */
        bracket->is_negated = true;
        set_add(bracket->set, '-', '-');
        set_add(bracket->set, to, to);
    } else {
        set_add(bracket->set, from, to);
    }
    bracket->has_begun = true;
}

/* Reads what stands between two brackets: `text` up to `end`. */
static void bracket_read(struct at_byte_set *set, const unsigned char *text,
                         const unsigned char *end)
{
    struct bracket bracket = {.set = set};

    if (*text == '!') /* begins no range */
        bracket_add(&bracket, *text++);
    while (text < end) {
        if (end - text > 2 && text[1] == '-') {
            bracket_add_range(&bracket, text[0], text[2]);
            text += 3;
        } else {
            bracket_add(&bracket, *text++);
        }
    }
    for (size_t i = 0; bracket.is_negated && i < 8; i++)
        set->bits[i] = ~set->bits[i];
}

/* Where a bracket is closed whose inside begins at `text`; NULL: nowhere.
 * `last` is the last closing bracket of all, so that finding none is quick. */
static const unsigned char *bracket_end(const unsigned char *text,
                                        const unsigned char *end,
                                        const unsigned char *last)
{
    if (text < end && *text == '!')
        text++;
    if (text < end && *text == ']')
        text++;
    if (!last || text > last)
        return NULL;
    return memchr(text, ']', (size_t)(end - text));
}

static const unsigned char *last_of(const unsigned char *text, size_t size,
                                    unsigned char byte)
{
    while (size > 0)
        if (text[--size] == byte)
            return text + size;
    return NULL;
}

static void elements_read(struct at_pattern *pattern, const unsigned char *text,
                          size_t size)
{
    const unsigned char *const end = text + size;
    const unsigned char *const last = last_of(text, size, ']');
    const unsigned char *close;
    uint32_t *to = pattern->elements;
    uint32_t n_sets = 0;

    while (text < end) {
        const unsigned char byte = *text++;

        if (byte == '*') {
            if (to == pattern->elements || to[-1] != ANY_TEXT)
                *to++ = ANY_TEXT;
        } else if (byte == '?') {
            *to++ = ANY_BYTE;
        } else if (byte == '[' && (close = bracket_end(text, end, last))) {
            bracket_read(&pattern->sets[n_sets], text, close);
            *to++ = FIRST_SET + n_sets++;
            text = close + 1;
        } else {
            *to++ = byte;
        }
    }
    pattern->count = (size_t)(to - pattern->elements);
}

/* Bytes of a name that count. */
static size_t counted(const char *name, bool is_file)
{
    const size_t size = strlen(name);

    return size - (is_file && size >= 4 && !strcmp(name + size - 4, ".pyc"));
}

int at_pattern_init(struct at_pattern *pattern, const char *text, bool is_file)
{
    const size_t size = counted(text, is_file);
    size_t n_sets = 0;

    for (size_t i = 0; i < size; i++)
        n_sets += text[i] == ']';
    *pattern = (struct at_pattern){.is_file = is_file};
    if (size > UINT32_MAX - FIRST_SET)
        return ALLOCTRACE_ENO_MEMORY;
    pattern->elements = calloc(size + 1, sizeof *pattern->elements);
    pattern->sets = calloc(n_sets + 1, sizeof *pattern->sets);
    if (!pattern->elements || !pattern->sets) {
        at_pattern_fini(pattern);
        return ALLOCTRACE_ENO_MEMORY;
    }
    elements_read(pattern, (const unsigned char *)text, size);
    return 0;
}

void at_pattern_fini(struct at_pattern *pattern)
{
    free(pattern->elements);
    free(pattern->sets);
    *pattern = (struct at_pattern){0};
}

/* Does an element that is one byte match it? */
static bool element_matches(const struct at_pattern *pattern, uint32_t element,
                            unsigned char byte)
{
    if (element < ANY_BYTE)
        return element == byte;
    if (element >= FIRST_SET)
        return set_has(&pattern->sets[element - FIRST_SET], byte);
    return element == ANY_BYTE;
}

bool at_pattern_matches(const struct at_pattern *pattern, const char *name)
{
    const unsigned char *const text = (const unsigned char *)name;
    const size_t size = counted(name, pattern->is_file);
    size_t behind_star = 0; /* element that the last star is before; 0 = none */
    size_t resume = 0;      /* byte up to which that star reaches */
    size_t element = 0;
    size_t i = 0;

    while (i < size) {
        if (element < pattern->count &&
            pattern->elements[element] == ANY_TEXT) {
            behind_star = ++element;
            resume = i;
        } else if (element < pattern->count &&
                   element_matches(pattern, pattern->elements[element],
                                   text[i])) {
            element++;
            i++;
        } else if (behind_star) {
            element = behind_star;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (element < pattern->count && pattern->elements[element] == ANY_TEXT)
        element++;
    return element == pattern->count;
}
