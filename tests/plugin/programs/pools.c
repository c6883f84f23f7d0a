/* SPDX-License-Identifier: MIT */
/* Allocators of the program's own, known by attributes: what they are called,
 * which argument is the size, and what gives their blocks back. Their calls
 * are seen where they stand, inlined or not. */
// needs: probe
// flags: -fno-optimize-sibling-calls -fno-ipa-icf
#include <stddef.h>
#include <stdio.h>

#include "probe.h"

static char memory[4096];
static size_t used;

struct pool {
    int unused;
};

void pool_free(struct pool *pool, void *p);
void *pool_alloc(struct pool *pool, size_t n)
    __attribute__((malloc(pool_free, 2), alloc_size(2)));
void *pool_calloc(struct pool *pool, size_t n, size_t size)
    __attribute__((malloc(pool_free, 2), alloc_size(2, 3)));
struct pool *pool_open(void) __attribute__((malloc(pool_free, 2)));
void *pool_resize(void *p, size_t n) __attribute__((alloc_size(2)));
/* Declared before the attribute: two allocators with one deallocator each. */
void page_free(void *p);
void *page_alloc(size_t n) __attribute__((malloc(page_free), alloc_size(1)));

typedef void *grabber(size_t n) __attribute__((alloc_size(1)));

struct methods {
    grabber *grab;
};

void pool_free(struct pool *pool, void *p)
{
    (void)pool;
    (void)p;
}

void *pool_alloc(struct pool *pool, size_t n)
{
    (void)pool;
    used += n;
    return memory + used - n;
}

void *pool_calloc(struct pool *pool, size_t n, size_t size)
{
    return pool_alloc(pool, n * size); /* @inside */
}

struct pool *pool_open(void)
{
    static struct pool pool;

    return &pool;
}

void *pool_resize(void *p, size_t n)
{
    return n > 100 ? NULL : p;
}

void page_free(void *p)
{
    (void)p;
}

void *page_alloc(size_t n)
{
    used += n;
    return memory + used - n;
}

/* Inlined: the place of the mark is in it, with its caller behind. */
static inline __attribute__((always_inline)) void *wrapper(struct pool *pool)
{
    return pool_alloc(pool, 7); /* @wrapper */
}

/* Its result is thrown away; the size is no constant. */
__attribute__((noinline)) static void drop(struct pool *pool, size_t n)
{
    pool_alloc(pool, n * 2); /* @drop */
}

/* As it was called it would be a jump: nothing is lost of it. */
__attribute__((noinline)) static void *last(size_t n)
{
    return page_alloc(n); /* @last */
}

__attribute__((noinline)) static void *indirect(const struct methods *methods)
{
    return methods->grab(5); /* @indirect */
}

/* Named after where it comes from, whether GCC keeps the copy or not. */
__attribute__((noipa)) static void *copied(grabber *given)
{
    grabber *const kept = given;

    return kept(6); /* @copied */
}

static void *grab(size_t n)
{
    return memory + n;
}

int main(void)
{
    struct pool *pool = pool_open(); /* @open */
    const struct methods methods = {grab};
    void *p = pool_alloc(pool, 24); /* @alloc */
    void *q = pool_calloc(pool, 3, 5); /* @calloc */

    p = pool_resize(p, 48); /* @resize */
    if (pool_resize(p, 101)) /* fails */
        return 1;
    pool_free(pool, p);
    pool_free(pool, q);
    pool_free(pool, wrapper(pool)); /* @call_wrapper */
    drop(pool, 5); /* @call_drop */
    page_free(last(9)); /* @call_last */
    p = indirect(&methods); /* @call_indirect */
    p = copied(grab); /* @call_copied */
    printf("%d\n", p != NULL);
    return 0;
}
// expect: pool_open(?) main@open
// expect: pool_alloc(24) main@alloc
// expect: pool_alloc(15) pool_calloc@inside < main@calloc
// expect: pool_calloc(15) main@calloc
// expect: pool_resize(48) resized main@resize
// expect: free of any
// expect: free of any
// expect: pool_alloc(7) wrapper@wrapper < main@call_wrapper
// expect: free of any
// expect: pool_alloc(10) drop@drop < main@call_drop
// expect: page_alloc(9) last@last < main@call_last
// expect: free of page_alloc
// expect: *grab(5) indirect@indirect < main@call_indirect
// expect: *given(6) copied@copied < main@call_copied
// expect: 1
