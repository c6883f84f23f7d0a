/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_alloctrace.h"
#include "runtime.h"

/* `pattern` with ".%n" put in. */
static const char *numbered(const char *pattern)
{
    static char buffer[64];

    strcpy(buffer, pattern);
    ck_assert(pattern_insert(buffer, sizeof buffer, ".%n"));
    return buffer;
}

START_TEST(a_part_goes_before_the_suffix_of_the_last_component)
{
    ck_assert_str_eq(numbered("/a/b.dump"), "/a/b.%n.dump");
    ck_assert_str_eq(numbered("b.c.dump"), "b.c.%n.dump");
    ck_assert_str_eq(numbered("/a.d/b"), "/a.d/b.%n");
    ck_assert_str_eq(numbered("b"), "b.%n");
    ck_assert_str_eq(numbered("b."), "b.%n.");
}
END_TEST

START_TEST(a_hidden_file_is_all_name)
{
    ck_assert_str_eq(numbered(".dump"), ".dump.%n");
    ck_assert_str_eq(numbered("/a/.dump"), "/a/.dump.%n");
    ck_assert_str_eq(numbered(".b.dump"), ".b.%n.dump");
}
END_TEST

START_TEST(a_pattern_is_left_alone_when_there_is_no_room)
{
    char buffer[8] = "abc.d";

    ck_assert(!pattern_insert(buffer, sizeof buffer, ".%n"));
    ck_assert_str_eq(buffer, "abc.d");
    ck_assert(pattern_insert(buffer, sizeof buffer, ".1"));
    ck_assert_str_eq(buffer, "abc.1.d");
}
END_TEST

START_TEST(a_letter_counts_behind_a_percent_sign_of_its_own)
{
    ck_assert(pattern_has("a.%p", 'p'));
    ck_assert(pattern_has("%%%p", 'p'));
    ck_assert(!pattern_has("a.%%p", 'p'));
    ck_assert(!pattern_has("p.%e", 'p'));
    ck_assert(!pattern_has("p%", 'p'));
    ck_assert(!pattern_has("", 'p'));
}
END_TEST

CHECK_MAIN("pattern", a_part_goes_before_the_suffix_of_the_last_component,
           a_hidden_file_is_all_name,
           a_pattern_is_left_alone_when_there_is_no_room,
           a_letter_counts_behind_a_percent_sign_of_its_own)
