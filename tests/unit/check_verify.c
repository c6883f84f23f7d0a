/* SPDX-License-Identifier: MIT */
#include "check_alloctrace.h"
#include "paths.h"

START_TEST(paths_that_are_what_their_hash_says_are_no_collision)
{
    struct alloctrace_shadow_frame frame;

    sites_announce();
    for (unsigned round = 0; round < 3; round++) {
        push(&frame, 1);
        __alloctrace_free(__alloctrace_malloc(8, site(2)));
        pop(&frame);
    }
    ck_assert_uint_eq(figures_at(2).total_blocks, 3);
    ck_assert_uint_eq(at_collisions, 0);
}
END_TEST

START_TEST(two_paths_of_one_hash_are_found_out)
{
    struct alloctrace_shadow_frame a;
    struct alloctrace_shadow_frame b;
    struct alloctrace_shadow_frame other;

    sites_announce();
    push(&a, 1);
    push(&b, 2);
    __alloctrace_free(__alloctrace_malloc(8, site(3)));
    pop(&b);
    pop(&a);
    /* Another path, forged to the same hash. */
    push(&other, 4);
    other.hash = b.hash;
    __alloctrace_free(__alloctrace_malloc(8, site(3)));
    ck_assert_uint_eq(at_collisions, 1);
}
END_TEST

CHECK_MAIN("verify", paths_that_are_what_their_hash_says_are_no_collision,
           two_paths_of_one_hash_are_found_out)
