/* SPDX-License-Identifier: MIT */
#include "check_alloctrace.h"
#include "runtime.h"

/* The cache never looks at accounts: a number stands for one. */
static struct account *account_of(uint64_t key)
{
    return (struct account *)(uintptr_t)(64 * key);
}

/* Keys as hashes are: any bits may be those that differ. */
static uint64_t key_of(uint64_t i)
{
    return (i + 1) * UINT64_C(0x8000000100000003);
}

START_TEST(what_is_found_is_what_was_added)
{
    struct cache cache = {0};
    unsigned n_found = 0;

    at_options.max_memory = 1 << 20;
    ck_assert_ptr_null(cache_find(&cache, key_of(0)));
    for (uint64_t i = 0; i < 200000; i++)
        cache_add(&cache, key_of(i), account_of(i + 1));
    for (uint64_t i = 0; i < 200000; i++) {
        const struct account *const found = cache_find(&cache, key_of(i));

        ck_assert(!found || found == account_of(i + 1));
        n_found += found != NULL;
    }
    ck_assert_uint_ge(n_found, 4096);
    ck_assert_uint_le(n_found, 16384);
}
END_TEST

START_TEST(what_is_in_use_stays)
{
    struct cache cache = {0};

    at_options.max_memory = 1 << 20;
    for (uint64_t i = 0; i < 10; i++)
        cache_add(&cache, key_of(i), account_of(i + 1));
    for (uint64_t i = 10; i < 200000; i++) {
        cache_add(&cache, key_of(i), account_of(i + 1));
        ck_assert_ptr_eq(cache_find(&cache, key_of(i % 10)),
                         account_of(i % 10 + 1));
    }
}
END_TEST

START_TEST(its_memory_is_bounded_even_where_there_is_none)
{
    struct cache cache = {0};
    uint64_t before;

    at_options.max_memory = 0;
    before = arena_bytes();
    for (uint64_t i = 0; i < 200000; i++) {
        cache_add(&cache, key_of(i), account_of(i + 1));
        ck_assert_ptr_eq(cache_find(&cache, key_of(i)), account_of(i + 1));
    }
    ck_assert_uint_le(arena_bytes() - before, 2 * 8192);
}
END_TEST

CHECK_MAIN("cache", what_is_found_is_what_was_added, what_is_in_use_stays,
           its_memory_is_bounded_even_where_there_is_none)
