/* SPDX-License-Identifier: MIT */
/*
 * A list of words that grows: the command line of a compiler while it is
 * being put together, or the words of a response file.
 */
#ifndef ALLOCTRACE_WORDS_H
#define ALLOCTRACE_WORDS_H

#include <stddef.h>

struct words {
    char **word;     /* the words and, behind the last, NULL; owned */
    size_t count;    /* of words, without the NULL */
    size_t capacity; /* of `word`, in pointers */
};

/* Makes an empty list. A list of zeros is one as well. */
void words_init(struct words *words);

/* Frees the list and its words. */
void words_fini(struct words *words);

/* Appends a copy of a word. Ends the program when memory runs out. */
void words_add(struct words *words, const char *word);

/* Appends a word that is put together as printf does. */
void words_addf(struct words *words, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends the words of `text`: separated by white space, with quotes and
 * backslashes as the compiler reads them in a response file. */
void words_add_text(struct words *words, const char *text);

/* Prints the words on one line of standard output, quoted for a shell. */
void words_print(const struct words *words);

#endif
