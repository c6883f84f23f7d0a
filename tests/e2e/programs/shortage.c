/* SPDX-License-Identifier: MIT */
/*
 * Fills the memory that it may have in the way that its argument names, until
 * it is refused more, and twice again. Prints how many bytes it holds then.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 65536

static void *volatile last;
static unsigned long n_bytes;

static int by_malloc(size_t size)
{
    last = malloc(size);
    return last ? 0 : errno;
}

static int by_calloc(size_t size)
{
    last = calloc(size / 16, 16);
    return last ? 0 : errno;
}

static int by_realloc(size_t size)
{
    last = realloc(NULL, size);
    return last ? 0 : errno;
}

static int by_aligned_alloc(size_t size)
{
    last = aligned_alloc(64, size);
    return last ? 0 : errno;
}

static int by_posix_memalign(size_t size)
{
    void *block = NULL;
    const int error = posix_memalign(&block, 64, size);

    last = block;
    return error;
}

static int by_strdup(size_t size)
{
    static char string[BLOCK];

    memset(string, 'x', size - 1);
    last = strdup(string);
    return last ? 0 : errno;
}

/* What is refused for other reasons than want of memory. */
static int is_refused_otherwise(void)
{
    void *block = NULL;
    volatile size_t huge = (size_t)PTRDIFF_MAX + 1;

    last = malloc(huge);
    if (last)
        return 0;
    last = calloc(huge, 16);
    if (last)
        return 0;
    last = realloc(malloc(1), 0);
    return !last && posix_memalign(&block, 3, 8) == EINVAL;
}

static const struct {
    const char *name;
    int (*function)(size_t);
} ways[] = {{"malloc", by_malloc},
            {"calloc", by_calloc},
            {"realloc", by_realloc},
            {"aligned_alloc", by_aligned_alloc},
            {"posix_memalign", by_posix_memalign},
            {"strdup", by_strdup}};

static void fill(int (*take)(size_t))
{
    int error = 0;

    while (!error) {
        error = take(BLOCK);
        if (!error)
            n_bytes += BLOCK;
    }
    /* So that not a page is left for anyone. */
    while (take(1024) == 0)
        n_bytes += 1024;
    printf("%lu %d %d\n", n_bytes, error, take(BLOCK) == error);
}

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ];

    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            fill(ways[i].function);
    if (argc > 1 && strcmp(argv[1], "otherwise") == 0)
        printf("%d\n", is_refused_otherwise());
    return 3;
}
