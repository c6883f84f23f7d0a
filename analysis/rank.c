/* SPDX-License-Identifier: MIT */
/*
 * Order without hashing: numbers keys by their place in sorted order. Equal
 * keys get equal ranks, so that one sort tells both which keys are the same
 * and how they compare, and grouping is then a walk over an array. Numbers
 * are sorted byte by byte, in linear time; texts in n log n comparisons,
 * whatever the file says.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Fewer keys than this are inserted one by one. */
#define FEW_KEYS 24

#define DIGIT_BITS 8
#define DIGITS (1 << DIGIT_BITS)

struct ranked_text {
    const char *key; /* not owned */
    size_t index;
};

static int compare_texts(const void *left, const void *right)
{
    const struct ranked_text *a = left;
    const struct ranked_text *b = right;

    return a->key == b->key ? 0 : strcmp(a->key, b->key);
}

static void insert_all(struct at_keyed *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct at_keyed item = items[i];
        size_t at = i;

        for (; at > 0 && items[at - 1].key > item.key; at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

/* Sorts by one digit, from one array into another. */
static void sort_digit(const struct at_keyed *from, struct at_keyed *to,
                       size_t count, unsigned shift)
{
    size_t next[DIGITS] = {0};
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        next[from[i].key >> shift & (DIGITS - 1)]++;
    for (size_t digit = 0; digit < DIGITS; digit++) {
        const size_t n = next[digit];

        next[digit] = at;
        at += n;
    }
    for (size_t i = 0; i < count; i++)
        to[next[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
}

struct at_keyed *at_sort(struct at_keyed *items, struct at_keyed *scratch,
                         size_t count)
{
    uint64_t varying = 0; /* bits in which keys differ */

    if (count < FEW_KEYS) {
        insert_all(items, count);
        return items;
    }
    for (size_t i = 1; i < count; i++)
        varying |= items[i].key ^ items[0].key;
    for (unsigned shift = 0; shift < 64 && varying >> shift;) {
        struct at_keyed *const from = items;

        if (!(varying >> shift & 1)) {
            shift++;
            continue;
        }
        sort_digit(from, scratch, count, shift);
        items = scratch;
        scratch = from;
        shift += DIGIT_BITS;
    }
    return items;
}

int at_rank_numbers(const uint64_t *keys, size_t count, uint32_t *ranks,
                    uint32_t *n_ranks)
{
    struct at_keyed *const room = at_keyed_create(count);
    const struct at_keyed *items;
    uint32_t rank = 0;

    if (!room)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < count; i++)
        room[i] = (struct at_keyed){keys[i], (uint32_t)i};
    items = at_sort(room, room + count, count);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && items[i].key != items[i - 1].key)
            rank++;
        ranks[items[i].index] = rank;
    }
    if (n_ranks)
        *n_ranks = count ? rank + 1 : 0;
    free(room);
    return 0;
}

struct at_keyed *at_keyed_create(size_t count)
{
    if (count > SIZE_MAX / 2 / sizeof(struct at_keyed) - 1)
        return NULL;
    return malloc((2 * count + 1) * sizeof(struct at_keyed));
}

int at_rank_texts(const char *const *texts, size_t count, uint32_t *ranks)
{
    struct ranked_text *items = calloc(count + 1, sizeof *items);
    uint32_t rank = 0;

    if (!items)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < count; i++)
        items[i] = (struct ranked_text){texts[i], i};
    qsort(items, count, sizeof *items, compare_texts);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_texts(&items[i], &items[i - 1]))
            rank++;
        ranks[items[i].index] = rank;
    }
    free(items);
    return 0;
}
