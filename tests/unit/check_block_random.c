/* SPDX-License-Identifier: MIT */
/*
 * Live blocks never share an entry of the block map, whatever their spacing:
 * random heaps against a plain set of the entries that they were given.
 */
#include <stdlib.h>

#include "check_alloctrace.h"
#include "paths.h"

#define N_BLOCKS 100000

static uint64_t *slots[N_BLOCKS];

/* No word in front of these blocks can be read: all are in the wide maps,
 * which number granules as the narrow one does. */
static const struct account *some_account(void)
{
    sites_announce();
    __alloctrace_free(__alloctrace_malloc(1, site(0)));
    at_is_narrow = false;
    return ledger_at(1)->chunks->accounts;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *const x = *(uint64_t *const *)a;
    const uint64_t *const y = *(uint64_t *const *)b;

    return (x > y) - (x < y);
}

/* Blocks one after another, each `least` or a few words more behind the one
 * before, now and then far away; across the borders of leaves as well. */
static void fill(uintptr_t at, unsigned least, unsigned unit)
{
    const struct account *const account = some_account();
    const uintptr_t leaf = (uintptr_t)1 << BLOCK_LEAF_BITS;

    for (unsigned i = 0; i < N_BLOCKS; i++) {
        ck_assert(block_put((void *)at, account, i));
        slots[i] = wide_slot(at);
        ck_assert_ptr_nonnull(slots[i]);
        at += least + (uintptr_t)unit * (rand() % 4 ? 0 : rand() % 5);
        if (rand() % 20000 == 0) /* shortly before a border */
            at = ((at / leaf + 2) * leaf - 64 * unit) / unit * unit +
                 at % unit;
    }
    qsort(slots, N_BLOCKS, sizeof *slots, compare);
    for (unsigned i = 1; i < N_BLOCKS; i++)
        ck_assert_ptr_ne(slots[i - 1], slots[i]);
}

START_TEST(of_others_at_any_multiple_of_8)
{
    srand(1);
    at_odd_mask = BLOCK_ODD_OTHERS;
    fill(0x10000000, 8, 8);
}
END_TEST

START_TEST(of_others_at_multiples_of_16)
{
    srand(2);
    at_odd_mask = BLOCK_ODD_OTHERS;
    fill(0x10000010, 16, 16);
}
END_TEST

START_TEST(of_glibc_at_least_four_words_apart)
{
    const unsigned word = sizeof(void *);

    srand(3);
    at_odd_mask = BLOCK_ODD_GLIBC;
    fill(0x10000000 + 2 * word, 4 * word, 2 * word);
}
END_TEST

/* What was entered comes back, for all of them at once. */
START_TEST(each_entry_is_its_own_blocks)
{
    static char memory[64 * 1024] __attribute__((aligned(64)));
    const size_t n = sizeof memory / 8;
    const struct account *const account = some_account();

    at_odd_mask = BLOCK_ODD_OTHERS;
    for (size_t i = 0; i < n; i++)
        ck_assert(block_put(memory + 8 * i, account, 1 + i * 7 % 1000));
    for (size_t i = 0; i < n; i++) {
        const struct taken taken = block_get(memory + 8 * i);

        ck_assert_ptr_eq(taken.account, account);
        ck_assert_uint_eq(taken.size, 1 + i * 7 % 1000);
    }
    for (size_t i = 0; i < n; i += 2)
        block_remove(memory + 8 * i);
    for (size_t i = 0; i < n; i++)
        ck_assert(!block_get(memory + 8 * i).account == !(i % 2));
}
END_TEST

CHECK_MAIN("block_random", of_others_at_any_multiple_of_8,
           of_others_at_multiples_of_16, of_glibc_at_least_four_words_apart,
           each_entry_is_its_own_blocks)
