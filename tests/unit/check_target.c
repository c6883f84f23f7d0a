/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_alloctrace.h"
#include "runtime.h"

static struct target target;

START_TEST(patterns_are_expanded)
{
    char expected[64];

    ck_assert_int_eq(target_open(&target, "x.%p.%n.%e.%%.%z", 7), 0);
    sprintf(expected, "x.%d.7.check_target.%%.%%z", (int)getpid());
    ck_assert_str_eq(target.path, expected);
    ck_assert_int_eq(target_close(&target, EIO), EIO);
}
END_TEST

START_TEST(the_name_appears_only_when_the_file_is_whole)
{
    unlink("whole.tmp");
    ck_assert_int_eq(target_open(&target, "whole.tmp", 1), 0);
    ck_assert_int_eq(access("whole.tmp", F_OK), -1);
    ck_assert_int_eq(target_close(&target, 0), 0);
    ck_assert_int_eq(access("whole.tmp", F_OK), 0);
    ck_assert_int_eq(access(target.temporary, F_OK), -1);
    unlink("whole.tmp");
}
END_TEST

START_TEST(after_an_error_nothing_is_left)
{
    ck_assert_int_eq(target_open(&target, "broken.tmp", 1), 0);
    ck_assert_int_eq(target_close(&target, ENOSPC), ENOSPC);
    ck_assert_int_eq(access("broken.tmp", F_OK), -1);
    ck_assert_int_eq(access(target.temporary, F_OK), -1);
}
END_TEST

START_TEST(what_is_no_regular_file_is_written_directly)
{
    struct stat status;

    unlink("pipe.tmp");
    ck_assert_int_eq(mkfifo("pipe.tmp", 0600), 0);
    ck_assert_int_eq(target_open(&target, "/dev/null", 1), 0);
    ck_assert(!target.is_temporary);
    ck_assert_int_eq(target_close(&target, EIO), EIO);
    ck_assert_int_eq(stat("/dev/null", &status), 0);
    ck_assert_int_eq(os_kind("pipe.tmp"), 2);
    unlink("pipe.tmp");
}
END_TEST

START_TEST(a_name_that_is_too_long_is_refused)
{
    static char name[5000];

    memset(name, 'x', sizeof name - 1);
    ck_assert_int_eq(target_open(&target, name, 1), ENAMETOOLONG);
}
END_TEST

CHECK_MAIN("target", patterns_are_expanded,
           the_name_appears_only_when_the_file_is_whole,
           after_an_error_nothing_is_left,
           what_is_no_regular_file_is_written_directly,
           a_name_that_is_too_long_is_refused)
