/* SPDX-License-Identifier: MIT */
/* See pickle.h. What the instructions mean is told by Python's own
 * pickletools.py. */
#include "pickle.h"

#include <string.h>

#include "out.h"

/* Instructions with operands, which are little-endian. */
enum {
    PROTO = 0x80,            /* u8: version of the format */
    BININT1 = 'K',           /* u8 */
    BININT2 = 'M',           /* u16 */
    BININT = 'J',            /* s32 */
    LONG1 = 0x8a,            /* u8: bytes of the signed number that follows */
    SHORT_BINUNICODE = 0x8c, /* u8: bytes of the UTF-8 that follows */
    BINUNICODE = 'X',        /* u32: likewise */
    BINUNICODE8 = 0x8d,      /* u64: likewise */
    BINGET = 'h',            /* u8: number of a thing */
    LONG_BINGET = 'j',       /* u32: likewise */
    MEMOIZE = 0x94
};

static void put_bytes(struct pickle *pickle, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        putc_unlocked((int)(number >> (8 * i) & 0xff), pickle->file);
}

static void put_instruction(struct pickle *pickle, int instruction,
                            uint64_t operand, unsigned size)
{
    putc_unlocked(instruction, pickle->file);
    put_bytes(pickle, operand, size);
}

void pickle_begin(struct pickle *pickle, FILE *file)
{
    *pickle = (struct pickle){.file = file};
    put_instruction(pickle, PROTO, 4, 1);
}

void pickle_put(struct pickle *pickle, enum pickle_instruction instruction)
{
    putc_unlocked((int)instruction, pickle->file);
}

void pickle_number(struct pickle *pickle, uint64_t number)
{
    unsigned size = 5; /* bytes, with room for the sign */

    if (number <= UINT8_MAX) {
        put_instruction(pickle, BININT1, number, 1);
    } else if (number <= UINT16_MAX) {
        put_instruction(pickle, BININT2, number, 2);
    } else if (number <= INT32_MAX) {
        put_instruction(pickle, BININT, number, 4);
    } else {
        while (size < 9 && number >> (8 * size - 1))
            size++;
        put_instruction(pickle, LONG1, size, 1);
        put_bytes(pickle, number, size < 8 ? size : 8);
        if (size == 9)
            put_bytes(pickle, 0, 1);
    }
}

/* Bytes of a text in Python's UTF-8, where a byte that is none takes three. */
static size_t text_size(const char *text)
{
    size_t size = 0;

    while (*text) {
        const unsigned n = out_utf8_size(text);

        size += n ? n : 3;
        text += n ? n : 1;
    }
    return size;
}

/* The byte b as the surrogate U+DC00 + b. */
static void put_surrogate(struct pickle *pickle, unsigned char byte)
{
    put_instruction(pickle, 0xed, 0xb0 | byte >> 6, 1);
    put_bytes(pickle, 0x80 | (byte & 0x3f), 1);
}

void pickle_text(struct pickle *pickle, const char *text)
{
    const size_t size = text_size(text);

    if (size <= UINT8_MAX)
        put_instruction(pickle, SHORT_BINUNICODE, size, 1);
    else if (size <= UINT32_MAX)
        put_instruction(pickle, BINUNICODE, size, 4);
    else
        put_instruction(pickle, BINUNICODE8, size, 8);
    while (*text) {
        const unsigned n = out_utf8_size(text);

        if (n)
            fwrite(text, 1, n, pickle->file);
        else
            put_surrogate(pickle, (unsigned char)*text);
        text += n ? n : 1;
    }
}

uint32_t pickle_memoize(struct pickle *pickle)
{
    putc_unlocked(MEMOIZE, pickle->file);
    return pickle->n_memo++;
}

void pickle_get(struct pickle *pickle, uint32_t number)
{
    if (number <= UINT8_MAX)
        put_instruction(pickle, BINGET, number, 1);
    else
        put_instruction(pickle, LONG_BINGET, number, 4);
}
