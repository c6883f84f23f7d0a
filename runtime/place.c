/* SPDX-License-Identifier: MIT */
/*
 * Places: copies of the site records that call paths name, and return
 * addresses. A copy costs about 60 bytes and its names; it keeps a dump
 * readable after dlclose. Under at_lock.
 */
#include "runtime.h"

struct vector at_places = {.element_size = sizeof(struct place)};
static struct index places; /* key => id */

static bool is_same(uint32_t id, const void *key)
{
    const struct place *const place = vector_at(&at_places, id);

    return place->key == *(const uint64_t *)key;
}

static struct place copy_record(uint64_t key,
                                const struct alloctrace_site *site)
{
    return (struct place){
        .key = key,
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

/* Names the function that holds the code, for comparison alone: what others
 * it was inlined into stands at the end of the chain. */
static uint32_t body_of(const struct place *place)
{
    const uint32_t body =
        place->function * 0x9e3779b1u ^ place->file * 0x85ebca77u;

    return place->function && !body ? 1 : body;
}

static void complete(struct place *place)
{
    const struct place *const caller =
        place->caller ? place_at(place->caller) : NULL;

    place->n_frames = caller ? caller->n_frames + 1 : 1;
    place->body = caller ? caller->body : body_of(place);
}

static uint32_t add(struct place copy)
{
    uint32_t id;

    complete(&copy);
    id = vector_add(&at_places, &copy);
    if (id)
        index_add(&places, copy.key, id);
    return id;
}

/* The chain of inlined callers, outermost first so that ids ascend. They are
 * records of the same unit, which gives them their keys. */
static uint32_t intern_record(uint64_t key, const struct alloctrace_site *site)
{
    const struct alloctrace_site *const caller = site_caller(site);
    uint32_t id = index_find(&places, key, is_same, &key);
    struct place copy;

    if (id)
        return id;
    copy = copy_record(key, site);
    if (caller)
        copy.caller = intern_record(
            key + (uint64_t)(caller - site) * ALLOCTRACE_KEY_STRIDE, caller);
    return add(copy);
}

uint32_t place_of_site(uint64_t key)
{
    const uint32_t id = index_find(&places, key, is_same, &key);
    const struct alloctrace_site *site;

    if (id)
        return id;
    site = site_find(key);
    return site ? intern_record(key, site) : 0;
}

uint32_t place_of_address(uint64_t address)
{
    const uint32_t id = index_find(&places, address, is_same, &address);

    return id ? id : add((struct place){.key = address, .address = address});
}

uint32_t place_unknown(void)
{
    return place_of_address(0);
}
