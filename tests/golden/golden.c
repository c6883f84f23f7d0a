/* SPDX-License-Identifier: MIT */
/*
 * What the dumps of this folder are of. Who reads it knows every figure that
 * they must have; see README.md.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* 16 bytes, or 8 where pointers have 32 bits. */
struct node {
    struct node *next;
    long value;
};

void *kept[8];

/* A wrapper: what it gives is its caller's. */
__attribute__((noinline)) static struct node *make_node(struct node *next)
{
    struct node *const node = malloc(sizeof *node); /* 3 live */

    if (node)
        node->next = next;
    return node;
}

/* Code that is inlined into main. */
__attribute__((always_inline)) static inline void *make_text(void)
{
    void *const text = malloc(10); /* 10 B, then resized */

    return realloc(text, 100); /* 100 B live */
}

/* Four levels deep, and the innermost one allocates. */
__attribute__((noinline)) static void *descend(int depth)
{
    void *block;

    if (depth == 0)
        return malloc(1); /* 1 B live */
    block = descend(depth - 1);
    kept[7] = block; /* so that it is no tail call */
    return block;
}

/* An allocator of the program's own, without an end. */
static char pool[256];
static size_t used;

void pool_free(void *block);
void *pool_alloc(size_t size)
    __attribute__((malloc, malloc(pool_free, 1), alloc_size(1)));

__attribute__((noinline)) void pool_free(void *block)
{
    __asm__ volatile("" : : "r"(block) : "memory");
}

__attribute__((noinline)) void *pool_alloc(size_t size)
{
    used += size;
    return pool + used - size;
}

static void *work(void *unused)
{
    kept[0] = calloc(2, 20); /* 40 B live, another thread's */
    return unused;
}

int main(void)
{
    struct node *list = NULL;
    pthread_t worker;

    for (int i = 0; i < 3; i++)
        list = make_node(list);
    kept[1] = list;
    kept[2] = make_text();
    for (int i = 0; i < 5; i++) {
        kept[3] = malloc(7); /* 5 in total, 35 B, none of them live */
        free(kept[3]);
    }
    kept[4] = descend(3);
    kept[5] = pool_alloc(24); /* 24 B live, in a domain of its own */
    kept[6] = pool_alloc(8);  /* freed at once */
    pool_free(kept[6]);
    if (pthread_create(&worker, NULL, work, NULL) == 0)
        pthread_join(worker, NULL);
    return 0;
}
