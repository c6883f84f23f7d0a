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
        ck_assert(index_add(&index, hash_of(id), id, hash_of));
    for (uint32_t id = 1; id <= 50000; id++)
        ck_assert_uint_eq(index_find(&index, hash_of(id), is_same, &id), id);
    ck_assert_uint_eq(index_find(&index, hash_of(other), is_same, &other), 0);
}
END_TEST

CHECK_MAIN("index", what_was_added_is_found_and_nothing_else)
