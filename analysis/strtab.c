/* SPDX-License-Identifier: MIT */
/*
 * The strings of a snapshot: id => NUL-terminated text. Texts stand in pieces
 * that never move, so that a pointer handed out stays good while more strings
 * are added. Loading reserves one piece for the whole file.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Size of the pieces that strings added after loading share. */
#define PIECE_SIZE ((size_t)16 * 1024)

static int piece_add(struct at_strings *strings, size_t size)
{
    struct at_piece *piece;

    if (size > SIZE_MAX - sizeof *piece)
        return ALLOCTRACE_ENO_MEMORY;
    piece = malloc(sizeof *piece + size);
    if (!piece)
        return ALLOCTRACE_ENO_MEMORY;
    piece->next = strings->pieces;
    piece->size = size;
    piece->used = 0;
    strings->pieces = piece;
    return 0;
}

static int ids_reserve(struct at_strings *strings, uint64_t capacity)
{
    const char **text;

    if (capacity <= strings->capacity)
        return 0;
    if (capacity > UINT32_MAX || capacity > SIZE_MAX / sizeof *text)
        return ALLOCTRACE_ENO_MEMORY;
    text = realloc(strings->text, (size_t)capacity * sizeof *text);
    if (!text)
        return ALLOCTRACE_ENO_MEMORY;
    strings->text = text;
    strings->capacity = (uint32_t)capacity;
    return 0;
}

int at_strings_reserve(struct at_strings *strings, uint64_t count,
                       uint64_t size)
{
    if (count > UINT32_MAX || size > SIZE_MAX)
        return ALLOCTRACE_ENO_MEMORY;
    if (ids_reserve(strings, strings->count + count))
        return ALLOCTRACE_ENO_MEMORY;
    return piece_add(strings, (size_t)size);
}

int at_strings_make(struct at_strings *strings, size_t size, char **copy,
                    uint32_t *string_id)
{
    struct at_piece *piece = strings->pieces;

    if (strings->count == strings->capacity &&
        ids_reserve(strings, (uint64_t)strings->capacity * 2 + 16))
        return ALLOCTRACE_ENO_MEMORY;
    if (!piece || piece->size - piece->used <= size) {
        if (size == SIZE_MAX ||
            piece_add(strings, size < PIECE_SIZE ? PIECE_SIZE : size + 1))
            return ALLOCTRACE_ENO_MEMORY;
        piece = strings->pieces;
    }
    assert(piece->size - piece->used > size);
    *copy = piece->text + piece->used;
    (*copy)[size] = '\0';
    piece->used += size + 1;
    *string_id = strings->count;
    strings->text[strings->count++] = *copy;
    return 0;
}

int at_strings_add(struct at_strings *strings, const char *text, size_t size,
                   uint32_t *string_id)
{
    char *copy;

    if (at_strings_make(strings, size, &copy, string_id))
        return ALLOCTRACE_ENO_MEMORY;
    memcpy(copy, text, size);
    return 0;
}

void at_strings_fini(struct at_strings *strings)
{
    while (strings->pieces) {
        struct at_piece *next = strings->pieces->next;

        free(strings->pieces);
        strings->pieces = next;
    }
    free(strings->text);
    *strings = (struct at_strings){0};
}
