/* SPDX-License-Identifier: MIT */
/* Scripts: what is done with a file, taken from the file. See fuzz.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloctrace/format.h"
#include "fuzz.h"

void fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

static uint64_t number_at(const uint8_t *bytes, int size)
{
    uint64_t number = 0;

    while (size-- > 0)
        number = number << 8 | bytes[size];
    return number;
}

void script_find(struct script *script, const uint8_t *file, size_t size)
{
    size_t offset = ALLOCTRACE_HEADER_SIZE;

    *script = (struct script){file, 0};
    while (offset < size && size - offset >= ALLOCTRACE_RECORD_HEADER_SIZE) {
        const uint64_t tag = number_at(file + offset, 4);
        const uint64_t length = number_at(file + offset + 8, 8);

        offset += ALLOCTRACE_RECORD_HEADER_SIZE;
        if (length > size - offset)
            return;
        if (tag == SCRIPT_TAG)
            *script = (struct script){file + offset, (size_t)length};
        offset += (size_t)length;
        offset += (size_t)(-length & 7);
    }
}

uint8_t script_byte(struct script *script)
{
    if (script->left == 0)
        return 0;
    script->left--;
    return *script->bytes++;
}

uint32_t script_word(struct script *script)
{
    uint32_t word = 0;

    for (int i = 0; i < 4; i++)
        word = word << 8 | script_byte(script);
    return word;
}

uint64_t script_number(struct script *script, uint64_t count)
{
    const uint8_t choice = script_byte(script);

    switch (choice) {
    case 255:
        return UINT64_MAX;
    case 254:
        return UINT32_MAX;
    case 253:
        return count;
    case 252:
        return count + 1;
    case 251:
        return count - 1;
    case 250:
        return script_word(script);
    default:
        return choice;
    }
}

const char *script_text(struct script *script, char text[SCRIPT_TEXT])
{
    size_t size = script_byte(script);

    if (size >= SCRIPT_TEXT)
        return NULL;
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)script_byte(script);
        if (!text[i])
            size = i;
    }
    text[size] = '\0';
    return text;
}
