/* SPDX-License-Identifier: MIT */
/*
 * struct vector: elements stay where they are and are counted when they are
 * whole, so readers need no lock. Part k starts at element
 * (FIRST << k) - FIRST + 1 and has FIRST << k of them.
 */
#include <string.h>

#include "runtime.h"

static unsigned part_of(uint32_t id, uint32_t *offset)
{
    const uint32_t at = id - 1 + (1u << VECTOR_FIRST_LOG2);
    const unsigned part = 31 - (unsigned)__builtin_clz(at) - VECTOR_FIRST_LOG2;

    *offset = at - (1u << (part + VECTOR_FIRST_LOG2));
    return part;
}

void *vector_at(const struct vector *vector, uint32_t id)
{
    uint32_t offset;
    const unsigned part = part_of(id, &offset);

    return (char *)vector->parts[part] + (size_t)offset * vector->element_size;
}

size_t vector_cost(const struct vector *vector)
{
    uint32_t offset;
    const unsigned part = part_of(vector->n + 1, &offset);

    return part < VECTOR_PARTS && !vector->parts[part]
               ? ((size_t)1 << (part + VECTOR_FIRST_LOG2)) *
                     vector->element_size
               : 0;
}

uint32_t vector_count(const struct vector *vector)
{
    /* Acquire: pairs with the release in vector_add. */
    return __atomic_load_n(&vector->n, __ATOMIC_ACQUIRE);
}

uint32_t vector_add(struct vector *vector, const void *element)
{
    uint32_t offset;
    const unsigned part = part_of(vector->n + 1, &offset);

    if (part >= VECTOR_PARTS)
        return 0;
    if (!vector->parts[part]) {
        vector->parts[part] = arena_alloc(vector_cost(vector));
        if (!vector->parts[part])
            return 0;
    }
    memcpy(vector_at(vector, vector->n + 1), element, vector->element_size);
    /* Release: who counts the element, in another thread or in a signal
     * handler, finds it whole. */
    __atomic_store_n(&vector->n, vector->n + 1, __ATOMIC_RELEASE);
    return vector->n;
}
