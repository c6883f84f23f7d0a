/* SPDX-License-Identifier: MIT */
#include "block.h"
#include "check_alloctrace.h"
#include "event.h"
#include "paths.h"

START_TEST(blocks_8_bytes_apart_share_no_entry)
{
    uint64_t *seen[64];

    at_odd_mask = BLOCK_ODD_OTHERS;
    for (unsigned i = 0; i < 64; i++) {
        seen[i] = block_slot_create(0x10000 + 8 * i);
        for (unsigned k = 0; k < i; k++)
            ck_assert_ptr_ne(seen[i], seen[k]);
    }
}
END_TEST

/* On arm they may lie at odd multiples of 8. */
START_TEST(blocks_of_glibc_four_words_apart_share_no_entry)
{
    const uintptr_t first = sizeof(void *) == 8 ? 0x10010 : 0x10008;
    uint64_t *seen[64];

    at_odd_mask = BLOCK_ODD_GLIBC;
    for (unsigned i = 0; i < 64; i++) {
        seen[i] = block_slot_create(first + 4 * sizeof(void *) * i);
        for (unsigned k = 0; k < i; k++)
            ck_assert_ptr_ne(seen[i], seen[k]);
    }
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

START_TEST(an_address_that_was_never_near_a_block_has_no_entry)
{
    ck_assert_ptr_null(block_slot(UINTPTR_MAX / 2));
    ck_assert_ptr_null(block_slot(UINTPTR_MAX));
}
END_TEST

START_TEST(an_entry_gives_back_account_and_size)
{
    struct account *const account = arena_alloc_aligned(64);
    const size_t sizes[] = {0, 1, 4194302};

    for (unsigned i = 0; i < 3; i++) {
        const uint64_t entry = block_entry(account, sizes[i]);

        ck_assert_ptr_eq(block_account(entry), account);
        ck_assert_uint_eq(entry & BLOCK_SIZE_MASK, sizes[i]);
    }
}
END_TEST

/* Sizes at the edge of what an entry holds, and far beyond. */
START_TEST(large_blocks_keep_their_exact_size)
{
    const size_t sizes[] = {4194302, 4194303, 4194304,
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

/* The allocator may put the next block where the size stood. */
START_TEST(a_large_block_leaves_nothing_behind)
{
    const uintptr_t granule = (uintptr_t)1 << BLOCK_GRANULE_BITS;
    char *const memory = arena_map(3 << 22);
    struct account *account;

    sites_announce();
    free(__alloctrace_malloc(1, site(0)));
    account = event_find_site(site(0), 0);
    ck_assert_ptr_nonnull(account);
    event_add(account, memory, 5000000);
    ck_assert_uint_eq(event_take(memory).size, 5000000);
    ck_assert_uint_eq(*block_slot((uintptr_t)memory + granule), 0);
    event_add(account, memory + granule, 5000000);
    ck_assert_uint_eq(event_take(memory + granule).size, 5000000);
}
END_TEST

CHECK_MAIN("block", blocks_8_bytes_apart_share_no_entry,
           blocks_of_glibc_four_words_apart_share_no_entry,
           glibc_and_only_glibc_is_recognised,
           the_same_is_counted_whichever_map_a_block_is_in,
           an_address_that_was_never_near_a_block_has_no_entry,
           an_entry_gives_back_account_and_size,
           large_blocks_keep_their_exact_size,
           a_large_block_leaves_nothing_behind)
