/* SPDX-License-Identifier: MIT */
/*
 * Sizes for people, by tracemalloc's rule: steps of 1024; a whole number below
 * 10240 of a unit, one decimal below 100 of it. Owns nothing.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

static const char *const unit_names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
#define LAST_UNIT (sizeof unit_names / sizeof *unit_names - 1)

/* Formats with one decimal and a point, which printf leaves to the locale. */
static void format_decimal(double value, int has_sign, char *text,
                           size_t text_size)
{
    int length = snprintf(text, text_size, has_sign ? "%+.1f" : "%.1f", value);
    size_t whole = strspn(text, "+-0123456789");
    char digit = text[length - 1];

    text[whole] = '.';
    text[whole + 1] = digit;
    text[whole + 2] = '\0';
}

const char *alloctrace_format_size(double size, int has_sign,
                                   char text[ALLOCTRACE_SIZE_TEXT])
{
    AT_UNTRACED;
    char number[ALLOCTRACE_SIZE_TEXT - 4];
    size_t unit = 0;

    while (fabs(size) >= 10 * 1024 && unit < LAST_UNIT) {
        size /= 1024;
        unit++;
    }
    if (unit > 0 && fabs(size) < 100)
        format_decimal(size, has_sign, number, sizeof number);
    else
        snprintf(number, sizeof number, has_sign ? "%+.0f" : "%.0f", size);
    snprintf(text, ALLOCTRACE_SIZE_TEXT, "%.*s %s", (int)sizeof number - 1,
             number, unit_names[unit]);
    return text;
}
