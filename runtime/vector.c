/* SPDX-License-Identifier: MIT */
/*
 * struct vector: elements stay where they are, so readers need no lock. Part
 * k starts at element (FIRST << k) - FIRST + 1 and has FIRST << k of them.
 */
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

void *vector_add(struct vector *vector)
{
    uint32_t offset;
    const unsigned part = part_of(vector->n + 1, &offset);

    if (part >= VECTOR_PARTS)
        return NULL;
    if (!vector->parts[part]) {
        vector->parts[part] = arena_alloc(vector_cost(vector));
        if (!vector->parts[part])
            return NULL;
    }
    /* Release: who sees the number sees the part and, as elements are
     * published through ids under at_lock, the element. */
    __atomic_store_n(&vector->n, vector->n + 1, __ATOMIC_RELEASE);
    return vector_at(vector, vector->n);
}
