/* SPDX-License-Identifier: MIT */
/* Numbers for texts and lines: found again, and told apart. */
#include "memo.h"

#include <stdio.h>
#include <string.h>

#include "check_alloctrace.h"

static struct memo memo;

static void ck_assert_number(const char *text, uint32_t line, uint32_t expected)
{
    uint32_t number = UINT32_MAX;

    ck_assert(memo_find(&memo, text, line, &number));
    ck_assert_uint_eq(number, expected);
}

static void ck_assert_missing(const char *text, uint32_t line)
{
    uint32_t number;

    ck_assert(!memo_find(&memo, text, line, &number));
}

START_TEST(texts_that_read_the_same_are_one)
{
    const char copy[] = "a.c";

    memo = (struct memo){0};
    ck_assert_missing("a.c", 0);
    ck_assert_int_eq(memo_add(&memo, "a.c", 0, 7), 0);
    ck_assert_number(copy, 0, 7);
    ck_assert_missing("a.cc", 0);
    ck_assert_missing("", 0);
    memo_fini(&memo);
}
END_TEST

START_TEST(lines_tell_entries_apart)
{
    memo = (struct memo){0};
    ck_assert_int_eq(memo_add(&memo, "a.c", 1, 10), 0);
    ck_assert_int_eq(memo_add(&memo, "a.c", UINT32_MAX, 11), 0);
    ck_assert_number("a.c", 1, 10);
    ck_assert_number("a.c", UINT32_MAX, 11);
    ck_assert_missing("a.c", 2);
    memo_fini(&memo);
}
END_TEST

START_TEST(by_address_copies_are_others)
{
    const char text[] = "a.c";
    const char copy[] = "a.c";

    memo = (struct memo){.is_by_address = true};
    ck_assert_int_eq(memo_add(&memo, text, 3, 5), 0);
    ck_assert_number(text, 3, 5);
    ck_assert_missing(copy, 3);
    memo_fini(&memo);
}
END_TEST

static void find_many(bool is_by_address)
{
    static char texts[20000][8];

    memo = (struct memo){.is_by_address = is_by_address};
    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(texts[i], sizeof texts[i], "f%u", i);
        ck_assert_missing(texts[i], i % 3);
        ck_assert_int_eq(memo_add(&memo, texts[i], i % 3, i), 0);
    }
    for (uint32_t i = 0; i < 20000; i++)
        ck_assert_number(texts[i], i % 3, i);
    memo_fini(&memo);
    ck_assert_missing(texts[0], 0);
}

START_TEST(many_are_all_found_again)
{
    find_many(false);
    find_many(true);
}
END_TEST

CHECK_MAIN("memo", texts_that_read_the_same_are_one, lines_tell_entries_apart,
           by_address_copies_are_others, many_are_all_found_again)
