/* SPDX-License-Identifier: MIT */
/*
 * What the runtime says to a person: one line on standard error a fault, in
 * one write so that lines do not mix. Signal-safe.
 */
#include <stdarg.h>

#include "runtime.h"

#define STANDARD_ERROR 2

void message(const char *first, ...)
{
    char buffer[1024];
    struct text text;
    va_list parts;

    text_init(&text, buffer, sizeof buffer - 1);
    text_add(&text, "alloctrace: ");
    va_start(parts, first);
    for (const char *part = first; part; part = va_arg(parts, const char *))
        text_add(&text, part);
    va_end(parts);
    buffer[text.used] = '\n';
    os_write(STANDARD_ERROR, buffer, text.used + 1);
}
