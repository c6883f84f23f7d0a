/* SPDX-License-Identifier: MIT */
/* A library that is loaded and unloaded. Two of them differ in NUMBER. */
#include <stdlib.h>

#ifndef NUMBER
#define NUMBER 1
#endif
#define JOIN(a, b) a##b
#define NAME(number) JOIN(allocate_, number)

/* Uses what it allocates, so that it answers for it. */
static __attribute__((noinline)) void NAME(NUMBER)(char **block, size_t size)
{
    *block = malloc(size);
    if (*block)
        **block = NUMBER;
}

void *plugin_make(size_t size);

void *plugin_make(size_t size)
{
    char *block;

    NAME(NUMBER)(&block, size);
    return block;
}
