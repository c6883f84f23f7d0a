/* SPDX-License-Identifier: MIT */
/* See memo.h. */
#include "memo.h"

#include <stdlib.h>
#include <string.h>

#include "alloctrace/analysis.h"

#define FIRST_CAPACITY 256

static uint64_t mix(uint64_t hash)
{
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static uint64_t hash_of(const struct memo *memo, const char *text,
                        uint32_t line)
{
    uint64_t hash = line;

    if (memo->is_by_address)
        return mix(mix(hash) ^ (uintptr_t)text);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return mix(hash);
}

/* Where a text and line stand, or would. */
static struct memo_entry *slot_of(const struct memo *memo, const char *text,
                                  uint32_t line)
{
    size_t i = (size_t)hash_of(memo, text, line);

    for (;; i++) {
        struct memo_entry *const entry =
            &memo->entries[i & (memo->capacity - 1)];

        if (!entry->text ||
            (entry->line == line &&
             (entry->text == text ||
              (!memo->is_by_address && strcmp(entry->text, text) == 0))))
            return entry;
    }
}

bool memo_find(const struct memo *memo, const char *text, uint32_t line,
               uint32_t *number)
{
    const struct memo_entry *entry;

    if (!memo->capacity)
        return false;
    entry = slot_of(memo, text, line);
    if (!entry->text)
        return false;
    *number = entry->number;
    return true;
}

static int memo_grow(struct memo *memo)
{
    struct memo grown = {.capacity = memo->capacity ? 2 * memo->capacity
                                                    : FIRST_CAPACITY,
                         .count = memo->count,
                         .is_by_address = memo->is_by_address};

    grown.entries = calloc(grown.capacity, sizeof *grown.entries);
    if (!grown.entries)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < memo->capacity; i++) {
        const struct memo_entry *const entry = &memo->entries[i];

        if (entry->text)
            *slot_of(&grown, entry->text, entry->line) = *entry;
    }
    free(memo->entries);
    *memo = grown;
    return 0;
}

int memo_add(struct memo *memo, const char *text, uint32_t line,
             uint32_t number)
{
    if (memo->count >= memo->capacity / 2 && memo_grow(memo))
        return ALLOCTRACE_ENO_MEMORY;
    *slot_of(memo, text, line) = (struct memo_entry){text, line, number};
    memo->count++;
    return 0;
}

void memo_fini(struct memo *memo)
{
    free(memo->entries);
    *memo = (struct memo){0};
}
