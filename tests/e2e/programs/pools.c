/* SPDX-License-Identifier: MIT */
/*
 * Allocators of a program's own: a pool in chunks of malloc's, wrappers of
 * malloc, one of the pool, a resource that is tracked by hand. With
 * -DATTRIBUTES they say so themselves, else options have to.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloctrace.h"

#ifdef ATTRIBUTES
#define ALLOCATES(n) __attribute__((malloc(pool_free, 1), alloc_size(n)))
#define WRAPS(...) __attribute__((alloc_size(__VA_ARGS__), malloc))
#define RESIZES __attribute__((alloc_size(2)))
#else
#define ALLOCATES(n)
#define WRAPS(...)
#define RESIZES
#endif

#define CHUNK 8192
#define SLOT 96 /* bytes of a block in the pool */

static char *chunk;
static size_t used = CHUNK;
static void *free_list;

void pool_free(void *p);
void *pool_alloc(size_t n) ALLOCATES(1);
void *pool_resize(void *p, size_t n) RESIZES;
void *pool_zeroed(size_t n) ALLOCATES(1);
void *checked_malloc(size_t n) WRAPS(1);
void *checked_calloc(size_t n, size_t size) WRAPS(1, 2);

/* Last in, first out: addresses come back soon. */
void pool_free(void *p)
{
    if (!p)
        return;
    memcpy(p, &free_list, sizeof free_list);
    free_list = p;
}

void *pool_alloc(size_t n)
{
    void *p = free_list;

    if (n > SLOT)
        return NULL;
    if (p) {
        memcpy(&free_list, p, sizeof free_list);
        return p;
    }
    if (used + SLOT > CHUNK) {
        chunk = malloc(CHUNK); /* @chunk */
        used = 0;
    }
    used += SLOT;
    return chunk + used - SLOT;
}

/* Gives back another block, or fails. */
void *pool_resize(void *p, size_t n)
{
    void *q = n <= SLOT ? pool_alloc(n) : NULL; /* @resize_inside */

    if (q && p) {
        memmove(q, p, n);
        pool_free(p);
    }
    return q;
}

/* Hands on what the pool gave. */
void *pool_zeroed(size_t n)
{
    void *p = pool_alloc(n); /* @zeroed_inside */

    return p ? memset(p, 0, n) : NULL;
}

void *checked_malloc(size_t n)
{
    void *p = malloc(n); /* @checked */

    if (!p)
        abort();
    return p;
}

void *checked_calloc(size_t n, size_t size)
{
    return memset(checked_malloc(n * size), 0, n * size); /* @calloc_inside */
}

static void *free_elsewhere(void *p)
{
    pool_free(p);
    return NULL;
}

static void many(void)
{
    void *blocks[300];

    for (int i = 0; i < 300; i++)
        blocks[i] = pool_alloc(80); /* @many */
    for (int i = 0; i < 300; i++)
        pool_free(blocks[i]);
}

int main(void)
{
    void *first = pool_alloc(10); /* @first */
    void *kept = pool_zeroed(20); /* @zeroed */
    void *text = checked_malloc(30); /* @malloc */
    void *table = checked_calloc(4, 10); /* @calloc */
    int resource = 0;
    pthread_t thread;

    first = pool_resize(first, 40); /* @resize */
    if (pool_resize(first, 1000)) /* too large: it stays */
        return 1;
    many(); /* @call_many */
    alloctrace_track(7, &resource, 5000); /* @track */
    alloctrace_track(7, &resource, 50); /* @update */
    alloctrace_track(8, &resource, 1); /* @other */
    alloctrace_untrack(8, &resource);
    pthread_create(&thread, NULL, free_elsewhere, pool_alloc(60)); /* @thread */
    pthread_join(thread, NULL);
    free(text);
    free(table);
    printf("%d\n", kept != NULL);
    return 0;
}
