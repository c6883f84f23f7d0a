/* SPDX-License-Identifier: MIT */
/* What is printed for programs and for terminals. */
#include <stdio.h>
#include <string.h>

#include "check_alloctrace.h"
#include "out.h"

/* What a function prints of a text. */
static const char *printed(void (*print)(FILE *, const char *),
                           const char *text)
{
    static char result[256];
    FILE *file = fmemopen(result, sizeof result, "w");

    print(file, text);
    putc('\0', file);
    fclose(file);
    return result;
}

START_TEST(json_strings_are_valid_whatever_they_hold)
{
    static const char *const cases[][2] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\x01\n\x1b\x7f", "\"\\u0001\\u000a\\u001b\\u007f\""},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
         "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\xff", "\"\\ufffd\""},
        {"\xc3", "\"\\ufffd\""},            /* cut off */
        {"\xc3(", "\"\\ufffd(\""},          /* no continuation */
        {"\xe2\x82", "\"\\ufffd\\ufffd\""}, /* cut off */
        {"\xc0\xaf", "\"\\ufffd\\ufffd\""}, /* overlong */
        {"\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""}, /* surrogate */
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(printed(out_json_string, cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(csv_fields_are_quoted_where_they_must_be)
{
    ck_assert_str_eq(printed(out_csv_string, "plain text;"), "plain text;");
    ck_assert_str_eq(printed(out_csv_string, "a,b"), "\"a,b\"");
    ck_assert_str_eq(printed(out_csv_string, "a\"b"), "\"a\"\"b\"");
    ck_assert_str_eq(printed(out_csv_string, "a\nb"), "\"a\nb\"");
}
END_TEST

START_TEST(text_gives_a_terminal_no_orders)
{
    ck_assert_str_eq(printed(out_text, "a\x1b[31m\r\n\x7f"
                                       "b\xc3\xa4"),
                     "a?[31m???b\xc3\xa4");
}
END_TEST

START_TEST(amounts_are_readable)
{
    ck_assert_str_eq(out_size(-102400), "-100 KiB");
    ck_assert_str_eq(out_mean(10, 3), "3 B");
    ck_assert_str_eq(out_mean(10, 0), "");
    ck_assert_str_eq(out_mean(INT64_MIN, -1), "8388608 TiB");
    ck_assert_str_eq(out_blocks(1), "1 block");
    ck_assert_str_eq(out_blocks(0), "0 blocks");
    ck_assert_str_eq(out_blocks(-2), "-2 blocks");
}
END_TEST

CHECK_MAIN("out", json_strings_are_valid_whatever_they_hold,
           csv_fields_are_quoted_where_they_must_be,
           text_gives_a_terminal_no_orders, amounts_are_readable)
