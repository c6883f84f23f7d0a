/* SPDX-License-Identifier: MIT */
/*
 * Attributes: what a user wants to be known of a snapshot, texts by key. There
 * are few, so that a list in the order of setting will do. Each snapshot has a
 * list of its own, also if it shares all else with another.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Position of a key; the count if it is not there. */
static size_t attribute_find(const struct at_attributes *attributes,
                             const char *key)
{
    size_t i = 0;

    while (i < attributes->count && strcmp(attributes->items[i].texts.key, key))
        i++;
    return i;
}

static void attribute_remove(struct at_attributes *attributes, size_t index)
{
    struct at_attribute *const items = attributes->items;

    if (index == attributes->count)
        return;
    free(items[index].owned);
    attributes->count--;
    memmove(items + index, items + index + 1,
            (attributes->count - index) * sizeof *items);
}

/* Copies both texts side by side. */
static int attribute_init(struct at_attribute *attribute, const char *key,
                          const char *value)
{
    const size_t key_size = strlen(key) + 1;
    const size_t value_size = strlen(value) + 1;
    char *const owned = malloc(key_size + value_size);

    if (!owned)
        return ALLOCTRACE_ENO_MEMORY;
    memcpy(owned, key, key_size);
    memcpy(owned + key_size, value, value_size);
    *attribute = (struct at_attribute){{owned, owned + key_size}, owned};
    return 0;
}

/* Makes room for an attribute behind the others. */
static int attributes_grow(struct at_attributes *attributes)
{
    const size_t capacity = attributes->capacity * 2 + 4;
    struct at_attribute *items;

    if (attributes->count < attributes->capacity)
        return 0;
    if (capacity > SIZE_MAX / 2 / sizeof *items)
        return ALLOCTRACE_ENO_MEMORY;
    items = realloc(attributes->items, capacity * sizeof *items);
    if (!items)
        return ALLOCTRACE_ENO_MEMORY;
    attributes->items = items;
    attributes->capacity = capacity;
    return 0;
}

int at_attributes_add(struct at_attributes *attributes, const char *key,
                      const char *value)
{
    if (attributes_grow(attributes) ||
        attribute_init(&attributes->items[attributes->count], key, value))
        return ALLOCTRACE_ENO_MEMORY;
    attributes->count++;
    return 0;
}

int at_attributes_set(struct at_attributes *attributes, const char *key,
                      const char *value)
{
    const size_t index = attribute_find(attributes, key);
    struct at_attribute made;

    if (!value) {
        attribute_remove(attributes, index);
        return 0;
    }
    if (index == attributes->count)
        return at_attributes_add(attributes, key, value);
    /* The value may be the old one's own. */
    if (attribute_init(&made, key, value))
        return ALLOCTRACE_ENO_MEMORY;
    free(attributes->items[index].owned);
    attributes->items[index] = made;
    return 0;
}

int at_attributes_check(const struct at_attributes *attributes,
                        bool *is_unique)
{
    const size_t n = attributes->count;
    const char **const keys = calloc(n + 1, sizeof *keys);
    uint32_t *const ranks = calloc(n + 1, sizeof *ranks);
    int result = ALLOCTRACE_ENO_MEMORY;

    if (keys && ranks) {
        for (size_t i = 0; i < n; i++)
            keys[i] = attributes->items[i].texts.key;
        result = at_rank_texts(keys, n, ranks);
    }
    /* Ranks have no gaps: if all are different, one is n - 1. */
    *is_unique = n == 0;
    for (size_t i = 0; !result && i < n; i++)
        *is_unique = *is_unique || ranks[i] == n - 1;
    free(keys);
    free(ranks);
    return result;
}

int at_attributes_copy(struct at_attributes *to,
                       const struct at_attributes *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (at_attributes_add(to, from->items[i].texts.key,
                              from->items[i].texts.value))
            return ALLOCTRACE_ENO_MEMORY;
    return 0;
}

void at_attributes_fini(struct at_attributes *attributes)
{
    for (size_t i = 0; i < attributes->count; i++)
        free(attributes->items[i].owned);
    free(attributes->items);
    *attributes = (struct at_attributes){0};
}

int alloctrace_snapshot_set_attribute(alloctrace_snapshot *snapshot,
                                      const char *key, const char *value)
{
    AT_UNTRACED;

    if (!key || !*key)
        return ALLOCTRACE_EBAD_ARGUMENT;
    return at_attributes_set(&snapshot->attributes, key, value);
}

const char *
alloctrace_snapshot_get_attribute(const alloctrace_snapshot *snapshot,
                                  const char *key)
{
    const size_t index = attribute_find(&snapshot->attributes, key);

    return index < snapshot->attributes.count
               ? snapshot->attributes.items[index].texts.value
               : NULL;
}

size_t alloctrace_snapshot_attribute_count(const alloctrace_snapshot *snapshot)
{
    return snapshot->attributes.count;
}

const struct alloctrace_attribute *
alloctrace_snapshot_attribute(const alloctrace_snapshot *snapshot, size_t index)
{
    return index < snapshot->attributes.count
               ? &snapshot->attributes.items[index].texts
               : NULL;
}
