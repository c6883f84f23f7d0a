/* SPDX-License-Identifier: MIT */
/* Allocates for pointers.c; is compiled without the plugin. */
#include <stdlib.h>

#include "pointers.h"

static void *volatile kept;

__attribute__((noipa)) struct node *plain_make(size_t size)
{
    struct node *const node = malloc(size);

    kept = malloc(1000);
    return node;
}

/* Has the name of the function in pointers.c that calls it. */
__attribute__((noipa)) static void *take(size_t size)
{
    void *const block = malloc(size);

    kept = malloc(2000);
    return block;
}

void *plain_take(size_t size)
{
    void *const block = take(size);

    __asm__ volatile("" : : : "memory"); /* no jump to take */
    return block;
}

__attribute__((noipa, optimize("O2"))) void *plain_pass(size_t size)
{
    return malloc(size);
}

struct node *plain_call(struct node *(*function)(int), int n)
{
    struct node *const node = function(n);

    __asm__ volatile("" : : : "memory");
    return node;
}
