/* SPDX-License-Identifier: MIT */
#include "check_alloctrace.h"
#include "runtime.h"

/* Elements are their own ids; hashes collide in threes on purpose. */
static uint64_t hash_of(uint32_t id)
{
    return id / 3;
}

static bool is_same(uint32_t id, const void *key)
{
    return id == *(const uint32_t *)key;
}

START_TEST(what_was_added_is_found_and_nothing_else)
{
    static struct index index;
    uint32_t other = 50001;

    ck_assert_uint_eq(index_find(&index, hash_of(1), is_same, &other), 0);
    for (uint32_t id = 1; id <= 50000; id++)
        ck_assert(index_add(&index, hash_of(id), id));
    for (uint32_t id = 1; id <= 50000; id++)
        ck_assert_uint_eq(index_find(&index, hash_of(id), is_same, &id), id);
    ck_assert_uint_eq(index_find(&index, hash_of(other), is_same, &other), 0);
}
END_TEST

static unsigned n_looks;

static uint64_t own_hash_of(uint32_t id)
{
    return id * UINT64_C(0x9fb21c651e98df25);
}

static bool is_same_and_counted(uint32_t id, const void *key)
{
    n_looks++;
    return is_same(id, key);
}

/* Elements lie anywhere in memory: what other slots there are on the way must
 * be told apart without them. */
START_TEST(only_the_element_that_is_meant_is_looked_at)
{
    static struct index index;
    const uint32_t n = 50000;

    for (uint32_t id = 1; id <= n; id++)
        ck_assert(index_add(&index, own_hash_of(id), id));
    for (uint32_t id = 1; id <= n; id++)
        ck_assert_uint_eq(
            index_find(&index, own_hash_of(id), is_same_and_counted, &id), id);
    ck_assert_uint_eq(n_looks, n);
    for (uint32_t id = n + 1; id <= 2 * n; id++)
        ck_assert_uint_eq(
            index_find(&index, own_hash_of(id), is_same_and_counted, &id), 0);
    ck_assert_uint_le(n_looks, n + 1); /* 32 bits may be the same by chance */
}
END_TEST

CHECK_MAIN("index", what_was_added_is_found_and_nothing_else,
           only_the_element_that_is_meant_is_looked_at)
