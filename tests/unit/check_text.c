/* SPDX-License-Identifier: MIT */
#include "check_alloctrace.h"
#include "runtime.h"

START_TEST(numbers_are_decimal_or_hexadecimal)
{
    char buffer[64];
    struct text text;

    text_init(&text, buffer, sizeof buffer);
    text_add_number(&text, UINT64_MAX);
    text_add_char(&text, ' ');
    text_add_number(&text, 0);
    text_add_char(&text, ' ');
    text_add_hex(&text, 0xdeadbeef);
    ck_assert_str_eq(buffer, "18446744073709551615 0 deadbeef");
}
END_TEST

START_TEST(text_that_does_not_fit_is_cut_and_says_so)
{
    char buffer[6] = "xxxxx";
    struct text text;

    text_init(&text, buffer, 5);
    text_add(&text, "abc");
    ck_assert(!text_is_full(&text));
    text_add(&text, "def");
    ck_assert_str_eq(buffer, "abcd");
    ck_assert(text_is_full(&text));
}
END_TEST

CHECK_MAIN("text", numbers_are_decimal_or_hexadecimal,
           text_that_does_not_fit_is_cut_and_says_so)
