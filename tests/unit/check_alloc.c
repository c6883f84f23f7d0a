/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check_alloctrace.h"
#include "paths.h"

#define HUGE (SIZE_MAX / 2 + 1)

START_TEST(sizes_are_those_asked_for)
{
    sites_announce();
    __alloctrace_calloc(1111, 1113, site(0));
    ck_assert_uint_eq(figures_at(0).live_bytes, 1236543);
    __alloctrace_malloc(0, site(1));
    ck_assert_uint_eq(figures_at(1).live_blocks, 1);
    ck_assert_uint_eq(figures_at(1).live_bytes, 0);
}
END_TEST

START_TEST(realloc_moves_the_trace_to_its_own_site)
{
    void *block;

    sites_announce();
    block = __alloctrace_malloc(10, site(0));
    block = __alloctrace_realloc(block, 100000, site(1));
    ck_assert_uint_eq(figures_at(0).live_bytes, 0);
    ck_assert_uint_eq(figures_at(1).live_bytes, 100000);
    ck_assert_uint_eq(peak_bytes(), 100000); /* never both */
}
END_TEST

START_TEST(realloc_of_nothing_is_malloc_and_to_nothing_is_free)
{
    void *block;

    sites_announce();
    block = __alloctrace_realloc(NULL, 10, site(0));
    ck_assert_uint_eq(figures_at(0).live_bytes, 10);
    ck_assert_ptr_null(__alloctrace_realloc(block, 0, site(1)));
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
    ck_assert_uint_eq(figures_at(1).total_blocks, 0);
}
END_TEST

START_TEST(a_failed_realloc_changes_nothing)
{
    void *block;

    sites_announce();
    block = __alloctrace_malloc(10, site(0));
    ck_assert_ptr_null(__alloctrace_realloc(block, HUGE, site(1)));
    ck_assert_ptr_null(__alloctrace_reallocarray(block, HUGE, 64, site(1)));
    ck_assert_uint_eq(figures_at(0).live_bytes, 10);
    ck_assert_uint_eq(figures_at(0).live_blocks, 1);
    ck_assert_uint_eq(figures_at(1).total_blocks, 0);
    __alloctrace_free(block);
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
}
END_TEST

START_TEST(an_allocation_that_fails_is_not_counted)
{
    void *block = NULL;

    sites_announce();
    ck_assert_ptr_null(__alloctrace_malloc(HUGE, site(0)));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_null(__alloctrace_calloc(HUGE, HUGE, site(0)));
    ck_assert_int_ne(__alloctrace_posix_memalign(&block, 3, 8, site(0)), 0);
    ck_assert_uint_eq(figures_at(0).total_blocks, 0);
}
END_TEST

START_TEST(aligned_blocks_are_aligned_and_known)
{
    void *block;

    sites_announce();
    ck_assert_int_eq(__alloctrace_posix_memalign(&block, 4096, 100, site(0)),
                     0);
    ck_assert_uint_eq((uintptr_t)block % 4096, 0);
    ck_assert_uint_eq(figures_at(0).live_bytes, 100);
    __alloctrace_free(block);
    ck_assert_uint_eq(figures_at(0).live_bytes, 0);
}
END_TEST

START_TEST(duplicated_strings_count_their_terminator)
{
    char *copy;

    sites_announce();
    copy = __alloctrace_strdup("four", site(0));
    ck_assert_str_eq(copy, "four");
    ck_assert_uint_eq(figures_at(0).live_bytes, 5);
    copy = __alloctrace_strndup("four", 2, site(1));
    ck_assert_str_eq(copy, "fo");
    ck_assert_uint_eq(figures_at(1).live_bytes, 3);
}
END_TEST

START_TEST(blocks_that_are_not_known_are_freed_and_counted_apart)
{
    sites_announce();
    __alloctrace_free(__alloctrace_malloc(1, site(0)));
    __alloctrace_free(malloc(10)); /* not through an entry */
    __alloctrace_free(NULL);
    ck_assert_uint_eq(ledger_at(1)->unknown_frees, 1);
    /* tracemalloc: such a block becomes known when it is resized. */
    __alloctrace_realloc(malloc(10), 20, site(1));
    ck_assert_uint_eq(figures_at(1).live_bytes, 20);
}
END_TEST

START_TEST(errno_survives_the_first_allocation_of_a_path)
{
    sites_announce();
    errno = 4711;
    __alloctrace_malloc(8, site(3));
    ck_assert_int_eq(errno, 4711);
}
END_TEST

START_TEST(own_frame_means_the_path_starts_at_its_parent)
{
    struct alloctrace_shadow_frame frame;
    uint32_t n_before;

    sites_announce();
    n_before = ledger_at(1)->table_used;
    __alloctrace_malloc(8, site(0));
    push(&frame, 1);
    __alloctrace_malloc(8, site(0) + ALLOCTRACE_OWN_FRAME);
    pop(&frame);
    ck_assert_uint_eq(ledger_at(1)->table_used, n_before + 1);
    ck_assert_uint_eq(figures_at(0).total_blocks, 2);
}
END_TEST

CHECK_MAIN("alloc", sizes_are_those_asked_for,
           realloc_moves_the_trace_to_its_own_site,
           realloc_of_nothing_is_malloc_and_to_nothing_is_free,
           a_failed_realloc_changes_nothing,
           an_allocation_that_fails_is_not_counted,
           aligned_blocks_are_aligned_and_known,
           duplicated_strings_count_their_terminator,
           blocks_that_are_not_known_are_freed_and_counted_apart,
           errno_survives_the_first_allocation_of_a_path,
           own_frame_means_the_path_starts_at_its_parent)
