/* SPDX-License-Identifier: MIT */
/*
 * The list of words of words.h. The commands that use it end within
 * milliseconds and can do nothing useful without memory, so running out of it
 * ends the program with the tool's status for unusable input.
 */
#define _GNU_SOURCE /* vasprintf */

#include "words.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A word of only these is printed without quotes. The asterisk is among them:
 * the shell takes quotes in the output of $(...) literally, and the words that
 * hold one begin with -Wl, and match no file.
 */
#define PLAIN_CHARACTERS                                             \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" \
    "_-+=./:,@%*"

static void *not_null(void *memory)
{
    if (!memory) {
        fputs("alloctrace: out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

/* Appends a word and takes it over. */
static void add_owned(struct words *words, char *word)
{
    if (words->count + 2 > words->capacity) {
        words->capacity = 2 * words->capacity + 16;
        words->word = not_null(
            realloc(words->word, words->capacity * sizeof *words->word));
    }
    words->word[words->count++] = word;
    words->word[words->count] = NULL;
}

void words_init(struct words *words)
{
    *words = (struct words){0};
}

void words_fini(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->word[i]);
    free(words->word);
    words_init(words);
}

void words_add(struct words *words, const char *word)
{
    add_owned(words, not_null(strdup(word)));
}

void words_addf(struct words *words, const char *format, ...)
{
    va_list arguments;
    char *word = NULL;

    va_start(arguments, format);
    if (vasprintf(&word, format, arguments) < 0)
        word = NULL;
    va_end(arguments);
    add_owned(words, not_null(word));
}

static bool is_space(char c)
{
    return c && strchr(" \t\n\r\f\v", c);
}

/* Copies one word from *text to `word` without its quotes; moves *text. */
static void take_word(const char **text, char *word)
{
    char quote = 0;
    const char *p = *text;

    for (; *p && (quote || !is_space(*p)); p++) {
        if (*p == '\\' && p[1])
            *word++ = *++p;
        else if (quote && *p == quote)
            quote = 0;
        else if (!quote && (*p == '\'' || *p == '"'))
            quote = *p;
        else
            *word++ = *p;
    }
    *word = 0;
    *text = p;
}

void words_add_text(struct words *words, const char *text)
{
    char *word = not_null(malloc(strlen(text) + 1));

    for (;;) {
        while (is_space(*text))
            text++;
        if (!*text)
            break;
        take_word(&text, word);
        words_add(words, word);
    }
    free(word);
}

static void print_quoted(const char *word)
{
    if (*word && !word[strspn(word, PLAIN_CHARACTERS)]) {
        fputs(word, stdout);
        return;
    }
    putchar('\'');
    for (; *word; word++) {
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    }
    putchar('\'');
}

void words_print(const struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (i)
            putchar(' ');
        print_quoted(words->word[i]);
    }
    putchar('\n');
}
