/* SPDX-License-Identifier: MIT */
#include "block.h"
#include "check_alloctrace.h"
#include "event.h"
#include "paths.h"

/* An account that no hot path uses. */
static struct account *some_account(unsigned i)
{
    return account_at(0) + 1 + i;
}

START_TEST(blocks_8_bytes_apart_share_no_entry)
{
    char *const memory = arena_map(4096);

    ck_assert(account_init());
    at_is_narrow = false;
    at_odd_mask = BLOCK_ODD_OTHERS;
    for (unsigned i = 0; i < 64; i++)
        ck_assert(block_put(memory + 8 * i, some_account(i), i));
    for (unsigned i = 0; i < 64; i++) {
        const struct taken taken = block_remove(memory + 8 * i);

        ck_assert_ptr_eq(taken.account, some_account(i));
        ck_assert_uint_eq(taken.size, i);
    }
}
END_TEST

/* Blocks of glibc four words apart, at odd multiples of 8 where it does so;
 * in front of each, the word that glibc writes there. */
START_TEST(blocks_of_glibc_four_words_apart_share_no_entry)
{
    const size_t distance = 4 * sizeof(size_t);
    char *const first = (char *)arena_map(4096) + 2 * sizeof(size_t);
    const uintptr_t leaf = (uintptr_t)arena_map(BLOCK_LEAF_SIZE * 4);

    ck_assert(account_init());
    for (unsigned i = 0; i < 64; i++)
        *narrow_slot(leaf - ((uintptr_t)first >> BLOCK_GRANULE_BITS) * 4,
                     (uintptr_t)first + distance * i) +=
            narrow_entry(some_account(i), i);
    for (unsigned i = 0; i < 64; i++) {
        const uint32_t entry =
            *narrow_slot(leaf - ((uintptr_t)first >> BLOCK_GRANULE_BITS) * 4,
                         (uintptr_t)first + distance * i);

        ck_assert_ptr_eq(narrow_account(entry), some_account(i));
        ck_assert_uint_eq(narrow_slack(entry), i);
    }
}
END_TEST

/* Of sizes, alignments and ways that make glibc write the word in front of a
 * block differently: at the top of the heap, mapped, split, aligned. */
START_TEST(the_size_of_each_block_of_the_heap_is_known)
{
    sites_announce();
    for (size_t size = 0; size < 300000; size += 1 + size / 7) {
        char *const a = __alloctrace_malloc(size, site(0));
        char *const b = __alloctrace_memalign(256, size, site(1));
        char *const c = __alloctrace_calloc(1, size, site(2));

        ck_assert_uint_eq(figures_at(0).live_bytes, size);
        ck_assert_uint_eq(block_get(a).size, size);
        ck_assert_uint_eq(block_get(b).size, size);
        ck_assert_uint_eq(block_get(c).size, size);
        __alloctrace_free(b);
        __alloctrace_free(a);
        __alloctrace_free(c);
        ck_assert_uint_eq(figures_at(0).live_bytes, 0);
    }
    ck_assert_uint_eq(figures_at(1).live_bytes, 0);
}
END_TEST

/* Sanitizers bring an allocator of their own. */
START_TEST(glibc_and_only_glibc_is_recognised)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    ck_assert_uint_eq(at_odd_mask, BLOCK_ODD_OTHERS);
#else
    ck_assert_uint_eq(at_odd_mask, BLOCK_ODD_GLIBC);
#endif
}
END_TEST

START_TEST(the_same_is_counted_whichever_map_a_block_is_in)
{
    void *blocks[100];

    sites_announce();
    at_odd_mask = BLOCK_ODD_OTHERS;
    for (unsigned i = 0; i < 100; i++)
        blocks[i] = __alloctrace_malloc(1 + i % 50, site(0));
    ck_assert_uint_eq(figures_at(0).live_blocks, 100);
    for (unsigned i = 0; i < 100; i++)
        __alloctrace_free(blocks[i]);
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
    ck_assert_uint_eq(figures_at(0).live_bytes, 0);
}
END_TEST

START_TEST(an_address_that_was_never_near_a_block_is_not_known)
{
    sites_announce();
    ck_assert_ptr_null(block_get((void *)(UINTPTR_MAX / 2)).account);
    ck_assert_ptr_null(block_get((void *)UINTPTR_MAX).account);
    ck_assert_ptr_null(block_get(NULL).account);
}
END_TEST

START_TEST(a_wide_entry_gives_back_account_and_size)
{
    const uint64_t sizes[] = {0, 1, WIDE_SIZE_MAX};

    ck_assert(account_init());
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t entry = wide_entry(some_account(i), sizes[i]);

        ck_assert_ptr_eq(wide_account(entry), some_account(i));
        ck_assert_uint_eq(wide_size(entry), sizes[i]);
    }
}
END_TEST

/* About the size from which blocks are mapped, and far beyond. */
START_TEST(large_blocks_keep_their_exact_size)
{
    const size_t sizes[] = {131000, 135000, 4194304,
                            sizeof(size_t) == 8 ? SIZE_MAX >> 31 : SIZE_MAX / 4};
    uint64_t sum = 0;

    sites_announce();
    for (unsigned i = 0; i < 4; i++) {
        void *const block = __alloctrace_malloc(sizes[i], site(0));

        ck_assert_ptr_nonnull(block);
        sum += sizes[i];
        ck_assert_uint_eq(figures_at(0).live_bytes, sizes[i]);
        __alloctrace_free(block);
        ck_assert_uint_eq(figures_at(0).live_bytes, 0);
    }
    ck_assert_uint_eq(figures_at(0).total_bytes, sum);
}
END_TEST

/* More than a wide entry can say. */
START_TEST(a_block_beyond_all_measure_is_counted_as_dropped)
{
    static char block[16];
    struct account *account;

    sites_announce();
    account = event_find_site(site(0), 0);
    ck_assert_ptr_nonnull(account);
    if (!wide_holds(SIZE_MAX))
        event_add_other(account, block, SIZE_MAX / 2);
    ck_assert_uint_eq(at_dropped_blocks, !wide_holds(SIZE_MAX));
    ck_assert_uint_eq(figures_at(0).total_blocks, 0);
}
END_TEST

CHECK_MAIN("block", blocks_8_bytes_apart_share_no_entry,
           blocks_of_glibc_four_words_apart_share_no_entry,
           the_size_of_each_block_of_the_heap_is_known,
           glibc_and_only_glibc_is_recognised,
           the_same_is_counted_whichever_map_a_block_is_in,
           an_address_that_was_never_near_a_block_is_not_known,
           a_wide_entry_gives_back_account_and_size,
           large_blocks_keep_their_exact_size,
           a_block_beyond_all_measure_is_counted_as_dropped)
