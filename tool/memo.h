/* SPDX-License-Identifier: MIT */
/*
 * Numbers for texts and for lines of files: a hash table that finds what was
 * met before. Texts are not copied; they must outlive the table.
 */
#ifndef ALLOCTRACE_MEMO_H
#define ALLOCTRACE_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text with a line; empty if `text` is NULL. */
struct memo_entry {
    const char *text; /* not owned */
    uint32_t line;
    uint32_t number; /* what it was given */
};

struct memo {
    struct memo_entry *entries; /* owned; at most half of them are in use */
    size_t capacity;            /* a power of two, or 0 */
    size_t count;               /* in use */
    bool is_by_address; /* texts are equal if they stand at one address, not if
                           they read the same: quicker */
};

/* Finds the number of a text and line. Returns whether there is one. */
bool memo_find(const struct memo *memo, const char *text, uint32_t line,
               uint32_t *number);

/* Adds what is not there yet. Returns 0 or ALLOCTRACE_ENO_MEMORY. */
int memo_add(struct memo *memo, const char *text, uint32_t line,
             uint32_t number);

void memo_fini(struct memo *memo);

#endif
