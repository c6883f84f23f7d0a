/* SPDX-License-Identifier: MIT */
/* Sizes for people: the table of tracemalloc.md, 1.9. */
#include <locale.h>
#include <stdint.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"

static const struct {
    double size;
    const char *text;
    const char *signed_text;
} cases[] = {
    {0, "0 B", "+0 B"},
    {99, "99 B", "+99 B"},
    {1024, "1024 B", "+1024 B"},
    {10239, "10239 B", "+10239 B"},
    {10240, "10.0 KiB", "+10.0 KiB"},
    {-5000, "-5000 B", "-5000 B"},
    {-102400, "-100 KiB", "-100 KiB"},
    {102399, "100.0 KiB", "+100.0 KiB"},
    {102400, "100 KiB", "+100 KiB"},
    {1048576, "1024 KiB", "+1024 KiB"},
    {10485760, "10.0 MiB", "+10.0 MiB"},
    {104857600, "100 MiB", "+100 MiB"},
    {10737418240.0, "10.0 GiB", "+10.0 GiB"},
    {2000 * 1099511627776.0 + 5, "2000 TiB", "+2000 TiB"},
    {(double)INT64_MIN, "-8388608 TiB", "-8388608 TiB"},
    {2501.4, "2501 B", "+2501 B"},
};

START_TEST(sizes_are_those_of_tracemalloc)
{
    char text[ALLOCTRACE_SIZE_TEXT];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_str_eq(alloctrace_format_size(cases[i].size, 0, text),
                         cases[i].text);
        ck_assert_str_eq(alloctrace_format_size(cases[i].size, 1, text),
                         cases[i].signed_text);
    }
}
END_TEST

START_TEST(a_locale_changes_nothing)
{
    char text[ALLOCTRACE_SIZE_TEXT];

    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        setlocale(LC_ALL, "C");
    ck_assert_str_eq(alloctrace_format_size(15360, 0, text), "15.0 KiB");
}
END_TEST

CHECK_MAIN("units", sizes_are_those_of_tracemalloc, a_locale_changes_nothing)
