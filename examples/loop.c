/* SPDX-License-Identifier: MIT */
/*
 * What does an iteration of a loop allocate? A benchmark without a library: two
 * ways to join words, each in a scope of its own.
 *
 *     alloctrace-gcc -g -O2 loop.c -o loop
 *     ./loop
 *
 * Or, without the wrapper:
 *
 *     gcc -g -O2 $(alloctrace cflags) loop.c -o loop $(alloctrace ldflags)
 *
 * It prints:
 *
 *     growing: 5.0 blocks, 80.0 B an iteration; 31 B at once, 0 B left
 *     measured: 1.0 blocks, 31.0 B an iteration; 31 B at once, 0 B left
 */
#include <alloctrace.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_ITERATIONS 100000

static const char *const words[] = {"what", "does", "a", "benchmark",
                                    "allocate"};
#define N_WORDS (sizeof words / sizeof *words)

static char *need(char *text)
{
    if (!text)
        exit(1);
    return text;
}

/* Makes room for each word as it comes. */
static char *join_growing(void)
{
    char *text = NULL;
    size_t size = 0;

    for (size_t i = 0; i < N_WORDS; i++) {
        const size_t length = strlen(words[i]);

        text = need(realloc(text, size + length + 1));
        memcpy(text + size, words[i], length);
        text[size + length] = i + 1 < N_WORDS ? ' ' : '\0';
        size += length + 1;
    }
    return text;
}

/* Adds the words up first. */
static char *join_measured(void)
{
    size_t size = 0;
    char *text;

    for (size_t i = 0; i < N_WORDS; i++)
        size += strlen(words[i]) + 1;
    text = need(malloc(size));
    size = 0;
    for (size_t i = 0; i < N_WORDS; i++) {
        const size_t length = strlen(words[i]);

        memcpy(text + size, words[i], length);
        text[size + length] = i + 1 < N_WORDS ? ' ' : '\0';
        size += length + 1;
    }
    return text;
}

static void measure(const char *name, char *join(void))
{
    struct alloctrace_scope scope;
    struct alloctrace_scope_result result;

    alloctrace_scope_begin(&scope);
    for (int i = 0; i < N_ITERATIONS; i++)
        free(join());
    if (alloctrace_scope_end(&scope, &result) < 0) {
        printf("%s: is not traced\n", name);
        return;
    }
    printf("%s: %.1f blocks, %.1f B an iteration; %" PRIu64
           " B at once, %" PRId64 " B left\n",
           name, (double)result.allocations / N_ITERATIONS,
           (double)result.bytes / N_ITERATIONS, result.peak, result.net);
}

int main(void)
{
    if (alloctrace_start(1) < 0)
        return 1;
    measure("growing", join_growing);
    measure("measured", join_measured);
    return 0;
}
