/* SPDX-License-Identifier: MIT */
/*
 * Allocates through pointers to functions, as programs do whose allocator can
 * be replaced. Each size stands for one way.
 */
#include <stdlib.h>

#include "pointers.h"

static void *(*volatile allocate)(size_t) = malloc;
static void *(*volatile allocate_zeroed)(size_t, size_t) = calloc;
static void *(*volatile reallocate)(void *, size_t) = realloc;
static void *(*volatile pass)(size_t) = plain_pass;
static void *(*volatile foreign_take)(size_t) = plain_take;
static struct node *(*volatile make)(size_t) = plain_make;
static struct node *volatile kept;

/* A call that cannot become a jump. */
__attribute__((noinline)) static struct node *take(size_t size)
{
    struct node *const node = foreign_take(size);

    kept = node;
    return node;
}

/* A call that is a jump where the compiler makes jumps. */
__attribute__((noinline)) static struct node *jump(size_t size)
{
    return allocate(size);
}

static inline __attribute__((always_inline)) struct node *inlined(size_t size)
{
    struct node *const node = allocate(size);

    kept = node;
    return node;
}

/* Is three times in its own path, twice through code that is not
 * instrumented. */
__attribute__((noinline)) static struct node *nested(int n)
{
    struct node *const node =
        n > 0 ? plain_call(nested, n - 1) : allocate(606);

    kept = node;
    return node;
}

int main(void)
{
    struct node *node;

    node = allocate(101);
    kept = node;
    node = allocate_zeroed(1, 202);
    kept = node;
    node = reallocate(NULL, 303);
    kept = node;
    kept = inlined(404);
    node = jump(505);
    kept = node;
    kept = nested(2);
    node = pass(707);
    kept = node;
    kept = make(808);
    kept = take(909);
    return 0;
}
