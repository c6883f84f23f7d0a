/* SPDX-License-Identifier: MIT */
#include <sys/mman.h>
#include <time.h>

#include "check_alloctrace.h"
#include "paths.h"


/* Interns an allocation at site i below the frames that are linked. */
static uint32_t intern(unsigned i)
{
    const struct alloctrace_shadow_frame *const top = __alloctrace_thread.top;

    return recover_path(top->hash * ALLOCTRACE_HASH_K + site(i), top,
                        site(i), true)
        .id;
}

/* The lines of a traceback, most recent first; 0-terminated. */
static const uint32_t *lines_of(uint32_t id)
{
    static uint32_t lines[16];
    unsigned n = 0;

    for (; id && n < 15; id = traceback_at(id)->parent)
        lines[n++] =
            ((struct place *)vector_at(&at_places, traceback_at(id)->place))
                ->line;
    lines[n] = 0;
    return lines;
}

START_TEST(a_path_is_recovered_frame_by_frame)
{
    struct alloctrace_shadow_frame outer;
    struct alloctrace_shadow_frame inner;
    const uint32_t *lines;

    sites_announce();
    push(&outer, 10);
    push(&inner, 20);
    lines = lines_of(intern(30));
    ck_assert_uint_eq(lines[0], 31);
    ck_assert_uint_eq(lines[1], 21);
    ck_assert_uint_eq(lines[2], 11);
    ck_assert_uint_eq(lines[3], 0);
    ck_assert_uint_eq(at_bad_frames, 0);
}
END_TEST

START_TEST(paths_share_what_they_have_in_common)
{
    struct alloctrace_shadow_frame outer;
    uint32_t n;

    sites_announce();
    push(&outer, 10);
    const uint32_t first = intern(30);
    n = at_tracebacks.n;
    const uint32_t second = intern(31);
    ck_assert_uint_ne(first, second);
    ck_assert_uint_eq(traceback_at(first)->parent,
                      traceback_at(second)->parent);
    ck_assert_uint_eq(at_tracebacks.n, n + 1);
    ck_assert_uint_eq(intern(30), first);
}
END_TEST

START_TEST(order_of_the_frames_matters)
{
    struct alloctrace_shadow_frame a;
    struct alloctrace_shadow_frame b;

    sites_announce();
    push(&a, 1);
    push(&b, 2);
    const uint32_t forth = intern(3);
    pop(&b);
    pop(&a);
    push(&a, 2);
    push(&b, 1);
    ck_assert_uint_ne(intern(3), forth);
}
END_TEST

START_TEST(an_empty_stack_is_a_path_of_one_frame)
{
    const uint32_t *lines;

    sites_announce();
    lines = lines_of(intern(4));
    ck_assert_uint_eq(lines[0], 5);
    ck_assert_uint_eq(lines[1], 0);
}
END_TEST

START_TEST(a_million_levels_of_recursion_are_kept)
{
    enum { DEPTH = 1000000 };
    struct alloctrace_shadow_frame *const frames =
        mmap(NULL, DEPTH * sizeof *frames, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t id;
    uint32_t depth = 0;

    sites_announce();
    for (unsigned i = DEPTH; i > 0; i--) /* as a stack: downwards */
        push(&frames[i - 1], 7);
    for (id = intern(8); id; id = traceback_at(id)->parent)
        depth++;
    ck_assert_uint_eq(depth, DEPTH + 1);
    ck_assert_uint_eq(at_bad_frames, 0);
}
END_TEST

/* A function that was never called on the way must not be looked for along all
 * of it: that took half a minute, with 100,000 levels, in place of a second. */
START_TEST(a_new_path_costs_the_same_at_any_depth)
{
    enum { DEPTH = 100000 };
    static char name[] = "leaf";
    struct alloctrace_shadow_frame *const frames =
        mmap(NULL, DEPTH * sizeof *frames, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t id = 0;

    sites[8].function = (alloctrace_offset)(name - (char *)&sites[8].function);
    sites_announce();
    for (unsigned i = DEPTH; i > 0; i--) {
        push(&frames[i - 1], 7);
        id = intern(8);
        ck_assert_uint_eq(traceback_at(id)->n_repeats, 1);
    }
    ck_assert_uint_eq(traceback_at(id)->depth, DEPTH + 1);
    ck_assert_uint_gt(place_at(traceback_at(id)->place)->function, 0);
    ck_assert_uint_lt((unsigned)(clock() / CLOCKS_PER_SEC), 10);
}
END_TEST

START_TEST(garbage_in_a_frame_is_unknown_and_counted)
{
    struct alloctrace_shadow_frame outer;
    struct alloctrace_shadow_frame inner;
    const uint32_t *lines;

    sites_announce();
    push(&outer, 10);
    outer.hash = 0x123456789abcdef;
    push(&inner, 20);
    lines = lines_of(intern(30));
    ck_assert_uint_eq(lines[0], 31);
    ck_assert_uint_eq(lines[1], 21);
    ck_assert_uint_eq(lines[2], 0); /* the unknown place has no line */
    ck_assert_uint_eq(at_bad_frames, 1);
}
END_TEST

START_TEST(a_frame_on_a_stack_that_is_gone_is_not_read)
{
    char *const stack = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct alloctrace_shadow_frame *const gone = (void *)stack;
    struct alloctrace_shadow_frame inner;

    sites_announce();
    push(gone, 10);
    push(&inner, 20);
    munmap(stack, 4096);
    const uint64_t key = 42; /* as its hash cannot be computed any more */
    ck_assert_uint_gt(recover_path(key, &inner, site(30), true).id, 0);
    ck_assert_uint_ge(at_bad_frames, 1);
}
END_TEST

START_TEST(frames_that_go_in_circles_end)
{
    struct alloctrace_shadow_frame a;
    struct alloctrace_shadow_frame b;

    sites_announce();
    push(&a, 1);
    push(&b, 2);
    a.parent = &b;
    ck_assert_uint_gt(intern(3), 0);
    ck_assert_uint_ge(at_bad_frames, 1);
}
END_TEST

CHECK_MAIN("traceback", a_path_is_recovered_frame_by_frame,
           paths_share_what_they_have_in_common, order_of_the_frames_matters,
           an_empty_stack_is_a_path_of_one_frame,
           a_million_levels_of_recursion_are_kept,
           a_new_path_costs_the_same_at_any_depth,
           garbage_in_a_frame_is_unknown_and_counted,
           a_frame_on_a_stack_that_is_gone_is_not_read,
           frames_that_go_in_circles_end)
