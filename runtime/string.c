/* SPDX-License-Identifier: MIT */
/*
 * Names, interned by content, so that a name outlives its module and a dump
 * holds it once. Under at_lock.
 */
#include <string.h>

#include "runtime.h"

struct vector at_strings = {.element_size = sizeof(struct string)};
static struct index strings; /* content => id */

uint32_t string_hash(const char *bytes, size_t size)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
    return hash;
}

static bool is_same(uint32_t id, const void *key)
{
    const struct string *const string = vector_at(&at_strings, id);
    const struct string *const wanted = key;

    return string->hash == wanted->hash && string->size == wanted->size &&
           memcmp(string->bytes, wanted->bytes, wanted->size) == 0;
}

static const char *copy(const char *bytes, size_t size)
{
    char *const memory = arena_alloc(size + 1);

    if (memory)
        memcpy(memory, bytes, size);
    return memory;
}

uint32_t string_intern(const char *bytes)
{
    struct string wanted = {.bytes = bytes};
    uint32_t id;

    if (!bytes)
        return 0;
    wanted.size = (uint32_t)strlen(bytes);
    wanted.hash = string_hash(bytes, wanted.size);
    id = index_find(&strings, wanted.hash, is_same, &wanted);
    if (id)
        return id;
    wanted.bytes = copy(bytes, wanted.size);
    id = wanted.bytes ? vector_add(&at_strings, &wanted) : 0;
    if (id)
        index_add(&strings, wanted.hash, id);
    return id;
}
