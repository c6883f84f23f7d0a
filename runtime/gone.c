/* SPDX-License-Identifier: MIT */
/*
 * Modules that were unloaded, and the places that are theirs: their records
 * were copied when they were met (place.c), but the list of loaded files that
 * a dump is written with knows them no more, and other files may lie where
 * they lay. So what a file was is noted before it goes, if anything was
 * allocated there; a file that comes and goes a thousand times is noted once.
 *
 * Places of code without records are not noted: nobody says when it goes.
 *
 * Under at_lock and the dump lock.
 */
#include <string.h>

#include "runtime.h"

struct vector at_gone = {.element_size = sizeof(struct module)};

static uint32_t find(const struct module *module)
{
    for (uint32_t id = 1; id <= at_gone.n; id++) {
        const struct module *const gone = vector_at(&at_gone, id);

        if (strcmp(gone->path, module->path) == 0 &&
            gone->build_id_size == module->build_id_size &&
            memcmp(gone->build_id, module->build_id, module->build_id_size) ==
                0)
            return id;
    }
    return 0;
}

/* 0: no memory. */
static uint32_t intern(const struct module *module)
{
    const uint32_t id = find(module);
    const uint32_t path = id ? 0 : string_intern(module->path);
    struct module gone = *module;

    if (!path)
        return id;
    gone.path = ((const struct string *)vector_at(&at_strings, path))->bytes;
    return vector_add(&at_gone, &gone);
}

static bool is_in(const struct place *place, const struct module *module)
{
    return place->kind != 0 && place->address >= module->begin &&
           place->address < module->end;
}

/* Places whose file it is get its number, unless they have one: those of a
 * file that is loaded again are known by the records that were met first. */
static void mark_places(const struct module *module)
{
    uint32_t gone = 0;

    for (uint32_t id = 1; id <= at_places.n; id++) {
        struct place *const place = vector_at(&at_places, id);

        if (place->gone || !is_in(place, module))
            continue;
        if (!gone)
            gone = intern(module);
        count_set(&place->gone, gone);
    }
}

void gone_add(const void *address)
{
    uint32_t id;

    module_read();
    id = module_of((uintptr_t)address);
    if (id)
        mark_places(module_at(id));
}
