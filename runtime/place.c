/* SPDX-License-Identifier: MIT */
/*
 * Places: copies of the site records that call paths name, and return
 * addresses. A copy costs about 50 bytes and its names; it keeps a dump
 * readable after dlclose. Under at_lock.
 */
#include "runtime.h"

struct vector at_places = {.element_size = sizeof(struct place)};
static struct index places; /* address => id */

static bool is_same(uint32_t id, const void *key)
{
    const struct place *const place = vector_at(&at_places, id);

    return place->address == *(const uint64_t *)key;
}

static uint64_t hash_of(uint32_t id)
{
    return ((const struct place *)vector_at(&at_places, id))->address;
}

static struct place copy_record(const struct alloctrace_site *site)
{
    return (struct place){
        .address = (uintptr_t)site,
        .file = string_intern(site_string(&site->file)),
        .function = string_intern(site_string(&site->function)),
        .callee = string_intern(site_string(&site->callee)),
        .type = string_intern(site_string(&site->type)),
        .target = string_intern(site_string(&site->target)),
        .type_size = site->type_size,
        .line = site->line,
        .column = site->column,
        .ordinal = site->ordinal,
        .kind = site->kind,
        .flags = site->flags,
    };
}

static uint32_t add(struct place copy)
{
    struct place *const place = vector_add(&at_places);

    if (!place)
        return 0;
    *place = copy;
    index_add(&places, copy.address, at_places.n, hash_of);
    return at_places.n;
}

/* The chain of inlined callers, outermost first so that ids ascend. */
static uint32_t intern_record(const struct alloctrace_site *site)
{
    const uint64_t address = (uintptr_t)site;
    uint32_t id = index_find(&places, address, is_same, &address);
    struct place copy;

    if (id)
        return id;
    copy = copy_record(site);
    if (site_caller(site))
        copy.caller = intern_record(site_caller(site));
    return add(copy);
}

uint32_t place_intern(uint64_t address, bool is_record)
{
    const uint32_t id = index_find(&places, address, is_same, &address);

    if (id)
        return id;
    if (is_record)
        return intern_record(site_at(address));
    return add((struct place){.address = address});
}
