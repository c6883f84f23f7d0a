/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "check_alloctrace.h"
#include "runtime.h"

#define PATH "request.tmp"

/* Is there a dump? It is taken away. */
static bool is_written(void)
{
    return unlink(PATH) == 0;
}

START_TEST(a_dump_that_nobody_asked_for_is_written)
{
    is_written();
    ck_assert_int_eq(request_dump_unasked(PATH, "interval"), 0);
    ck_assert(is_written());
}
END_TEST

/* Who waited for the dump at the end is as late as who comes after it. */
START_TEST(nothing_unasked_is_begun_after_the_dump_at_the_end)
{
    request_finish("exit");
    ck_assert_int_eq(request_dump_unasked(PATH, "interval"), 0);
    ck_assert(!is_written());
    ck_assert_int_eq(init_dump(PATH, "request"), 0);
    ck_assert(is_written());
}
END_TEST

START_TEST(a_child_of_fork_begins_anew)
{
    request_finish("exit");
    request_forked();
    ck_assert_int_eq(request_dump_unasked(PATH, "interval"), 0);
    ck_assert(is_written());
}
END_TEST

CHECK_MAIN("request", a_dump_that_nobody_asked_for_is_written,
           nothing_unasked_is_begun_after_the_dump_at_the_end,
           a_child_of_fork_begins_anew)
