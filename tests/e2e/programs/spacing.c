/* SPDX-License-Identifier: MIT */
/*
 * An allocator that places its blocks as close as it can, without headers:
 * every SPACING bytes (8 or 16). What -D adds:
 *
 *     EAGER    it maps memory in a constructor that runs before others
 *     NESTED   its calloc, realloc and posix_memalign call malloc and free by
 *              their names, as simple allocators do
 *     ROUNDED  malloc_usable_size says more than was asked for
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef SPACING
#define SPACING 8
#endif
#define CHUNK ((size_t)65536) /* blocks of one size, at multiples of this */
#define SMALL 4096
#define EXPORT __attribute__((visibility("default")))
#ifdef NESTED
#define OWN(name) name
#else
#define OWN(name) own_##name
#endif

size_t malloc_usable_size(void *block);

struct chunk {
    size_t size;  /* of its blocks; of the one block of a large chunk */
    size_t mapped; /* bytes; 0 in chunks of small blocks */
    char padding[48];
};

static void *free_blocks[SMALL / SPACING + 1];
static char *fresh[SMALL / SPACING + 1]; /* unused part of the newest chunk */
static char lock;

static void take(void)
{
    while (__atomic_test_and_set(&lock, __ATOMIC_ACQUIRE))
        continue;
}

static void leave(void)
{
    __atomic_clear(&lock, __ATOMIC_RELEASE);
}

static struct chunk *chunk_of(const void *block)
{
    return (struct chunk *)((uintptr_t)block & ~(CHUNK - 1));
}

/* A mapping of that size at a multiple of CHUNK. */
static struct chunk *map(size_t size)
{
    char *const pages = mmap(NULL, size + CHUNK, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const size_t before = (size_t)(-(uintptr_t)pages & (CHUNK - 1));

    if (pages == MAP_FAILED)
        return NULL;
    if (before)
        munmap(pages, before);
    munmap(pages + before + size, CHUNK - before);
    return (struct chunk *)(pages + before);
}

static void *large(size_t alignment, size_t size)
{
    const size_t offset = alignment > sizeof(struct chunk)
                              ? alignment
                              : sizeof(struct chunk);
    const size_t mapped = (offset + size + 4095) & ~(size_t)4095;
    struct chunk *const chunk = size > SIZE_MAX / 2 ? NULL : map(mapped);

    if (!chunk) {
        errno = ENOMEM;
        return NULL;
    }
    chunk->size = size;
    chunk->mapped = mapped;
    return (char *)chunk + offset;
}

static void *small(size_t size)
{
    const size_t kind = (size + SPACING - 1) / SPACING + !size;
    void *block;

    take();
    block = free_blocks[kind];
    if (block) {
        free_blocks[kind] = *(void **)block;
    } else {
        if (!fresh[kind] || (uintptr_t)fresh[kind] % CHUNK == 0 ||
            CHUNK - (uintptr_t)fresh[kind] % CHUNK < kind * SPACING) {
            struct chunk *const chunk = map(CHUNK);

            if (chunk)
                chunk->size = kind * SPACING;
            fresh[kind] = chunk ? (char *)(chunk + 1) : NULL;
        }
        block = fresh[kind];
        if (block)
            fresh[kind] += kind * SPACING;
    }
    leave();
    return block;
}

static void *own_malloc(size_t size)
{
    return size <= SMALL ? small(size) : large(1, size);
}

static void own_free(void *block)
{
    struct chunk *const chunk = chunk_of(block);

    if (!block)
        return;
    if (chunk->mapped) {
        munmap(chunk, chunk->mapped);
        return;
    }
    take();
    *(void **)block = free_blocks[chunk->size / SPACING];
    free_blocks[chunk->size / SPACING] = block;
    leave();
}

EXPORT void *malloc(size_t size)
{
    return own_malloc(size);
}

EXPORT void free(void *block)
{
    own_free(block);
}

EXPORT void *calloc(size_t n, size_t size)
{
    size_t bytes;
    void *block = NULL;

    if (!__builtin_mul_overflow(n, size, &bytes))
        block = OWN(malloc)(bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

EXPORT void *realloc(void *block, size_t size)
{
    void *const moved = OWN(malloc)(size);
    const size_t before = block ? chunk_of(block)->size : 0;

    if (!moved)
        return NULL;
    memcpy(moved, block ? block : moved, before < size ? before : size);
    OWN(free)(block);
    return moved;
}

EXPORT int posix_memalign(void **block, size_t alignment, size_t size)
{
    *block = alignment <= SPACING ? OWN(malloc)(size) : large(alignment, size);
    return *block ? 0 : ENOMEM;
}

EXPORT void *memalign(size_t alignment, size_t size)
{
    return alignment <= SPACING ? OWN(malloc)(size) : large(alignment, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORT size_t malloc_usable_size(void *block)
{
#ifdef ROUNDED
    return block ? chunk_of(block)->size + 1000 : 0;
#else
    return block ? chunk_of(block)->size : 0;
#endif
}

#ifdef EAGER
__attribute__((constructor(101))) static void begin(void)
{
    free(malloc(100000));
    free(calloc(10, 10));
}
#endif
