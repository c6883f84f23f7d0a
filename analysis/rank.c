/* SPDX-License-Identifier: MIT */
/*
 * Order without hashing: numbers keys by their place in sorted order. Equal
 * keys get equal ranks, so that one sort tells both which keys are the same
 * and how they compare, and grouping is then a walk over an array. Time
 * n log n whatever the file says.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* A key and where it came from. */
struct ranked_number {
    uint64_t key;
    size_t index;
};

struct ranked_text {
    const char *key; /* not owned */
    size_t index;
};

static int compare_numbers(const void *left, const void *right)
{
    const struct ranked_number *a = left;
    const struct ranked_number *b = right;

    return (a->key > b->key) - (a->key < b->key);
}

static int compare_texts(const void *left, const void *right)
{
    const struct ranked_text *a = left;
    const struct ranked_text *b = right;

    return a->key == b->key ? 0 : strcmp(a->key, b->key);
}

int at_rank_numbers(const uint64_t *keys, size_t count, uint32_t *ranks,
                    uint32_t *n_ranks)
{
    struct ranked_number *items = calloc(count + 1, sizeof *items);
    uint32_t rank = 0;

    if (!items)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < count; i++)
        items[i] = (struct ranked_number){keys[i], i};
    qsort(items, count, sizeof *items, compare_numbers);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && items[i].key != items[i - 1].key)
            rank++;
        ranks[items[i].index] = rank;
    }
    if (n_ranks)
        *n_ranks = count ? rank + 1 : 0;
    free(items);
    return 0;
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
