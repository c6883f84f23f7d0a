/* SPDX-License-Identifier: MIT */
/* Formatting into a caller's buffer. Signal-safe; keeps no state. */
#include "runtime.h"

void text_init(struct text *text, char *buffer, size_t size)
{
    text->bytes = buffer;
    text->size = size;
    text->used = 0;
    buffer[0] = '\0';
}

void text_add_char(struct text *text, char c)
{
    if (text->used + 1 < text->size) {
        text->bytes[text->used++] = c;
        text->bytes[text->used] = '\0';
    }
}

void text_add(struct text *text, const char *string)
{
    while (*string)
        text_add_char(text, *string++);
}

static void add_digits(struct text *text, uint64_t number, unsigned base)
{
    char digits[20];
    size_t n = 0;

    do
        digits[n++] = "0123456789abcdef"[number % base];
    while (number /= base);
    while (n > 0)
        text_add_char(text, digits[--n]);
}

void text_add_number(struct text *text, uint64_t number)
{
    add_digits(text, number, 10);
}

void text_add_hex(struct text *text, uint64_t number)
{
    add_digits(text, number, 16);
}

bool text_is_full(const struct text *text)
{
    return text->used + 1 >= text->size;
}
