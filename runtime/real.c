/* SPDX-License-Identifier: MIT */
/*
 * The allocator that serves the calls: the one that would have served them
 * without us. If the program defines malloc itself, ours (weak) is not linked
 * and its malloc is the one; else it is the next definition after ours, which
 * may be a preloaded allocator; in a static program without either it is the
 * C library's by its other name.
 *
 * dlsym may allocate on its first call. Until the real functions are known
 * such calls are served from a small pool, which is never given back.
 */
#define _GNU_SOURCE
#define AT_NAMES_THE_ALLOCATOR
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "hooks.h"
#include "runtime.h"

#define POOL_SIZE 65536
#define POOL_ALIGNMENT 16

extern void *dlsym_weak(void *, const char *) __asm__("dlsym")
    __attribute__((weak));
extern int dladdr_weak(const void *, Dl_info *) __asm__("dladdr")
    __attribute__((weak));
extern const char *gnu_get_libc_version(void) __attribute__((weak));
/* Not weak: in a static program this is what brings the C library's allocator,
 * for our own malloc leaves nothing undefined that would. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t) __attribute__((weak));
extern void *__libc_realloc(void *, size_t) __attribute__((weak));
extern void __libc_free(void *) __attribute__((weak));
extern void *__libc_memalign(size_t, size_t) __attribute__((weak));

static char pool[POOL_SIZE] __attribute__((aligned(POOL_ALIGNMENT)));
static size_t pool_used;
static bool is_known; /* at_real holds the real functions */

static void *pool_take(size_t size)
{
    char *const block = pool + pool_used;

    size = (size + POOL_ALIGNMENT - 1) & ~(size_t)(POOL_ALIGNMENT - 1);
    if (size > POOL_SIZE - pool_used)
        return NULL;
    pool_used += size;
    return block;
}

static bool is_in_pool(const void *block)
{
    return (uintptr_t)block - (uintptr_t)pool < POOL_SIZE;
}

/* First calls: find the real function, then hand the call on. */
static void *first_malloc(size_t size)
{
    real_init();
    return is_known ? at_real.malloc_fn(size) : pool_take(size);
}

static void *first_calloc(size_t n, size_t size)
{
    size_t bytes;

    real_init();
    if (is_known)
        return at_real.calloc_fn(n, size);
    return __builtin_mul_overflow(n, size, &bytes) ? NULL : pool_take(bytes);
}

static void *first_realloc(void *block, size_t size)
{
    real_init();
    if (is_known)
        return at_real.realloc_fn(block, size);
    return block ? NULL : pool_take(size);
}

static void first_free(void *block)
{
    real_init();
    if (is_known)
        at_real.free_fn(block);
}

static void *first_aligned(size_t alignment, size_t size)
{
    real_init();
    return is_known ? at_real.memalign_fn(alignment, size) : NULL;
}

static int first_posix_memalign(void **block, size_t alignment, size_t size)
{
    real_init();
    return is_known ? at_real.posix_memalign_fn(block, alignment, size)
                    : ENOMEM;
}

static void *first_valloc(size_t size)
{
    real_init();
    return is_known ? at_real.valloc_fn(size) : NULL;
}

static void *first_pvalloc(size_t size)
{
    real_init();
    return is_known ? at_real.pvalloc_fn(size) : NULL;
}

struct real at_real = {
    first_malloc,         first_calloc,  first_realloc,
    first_free,           first_aligned, first_aligned,
    first_posix_memalign, first_valloc,  first_pvalloc, NULL,
};

/* Blocks of the pool outlive it: seen by free and realloc ever after. */
static struct real behind_pool;

static void pool_free(void *block)
{
    if (!is_in_pool(block))
        behind_pool.free_fn(block);
}

static void *pool_realloc(void *block, size_t size)
{
    void *moved;
    size_t left;

    if (!is_in_pool(block))
        return behind_pool.realloc_fn(block, size);
    moved = behind_pool.malloc_fn(size);
    left = (size_t)(pool + POOL_SIZE - (char *)block);
    if (moved)
        memcpy(moved, block, size < left ? size : left);
    return moved;
}

/* For C libraries that offer no more than memalign by a name we can reach. */
static int derived_posix_memalign(void **block, size_t alignment, size_t size)
{
    const int saved = errno;
    void *const memory = at_real.memalign_fn(alignment, size);

    errno = saved;
    if (memory)
        *block = memory;
    return memory ? 0 : ENOMEM;
}

static void *derived_valloc(size_t size)
{
    return at_real.memalign_fn(os_page_size(), size);
}

static void *derived_pvalloc(size_t size)
{
    const size_t page = os_page_size();

    return at_real.memalign_fn(page, (size + page - 1) & ~(page - 1));
}

/* For another copy of the runtime that stands before this one. */
at_export void *__alloctrace_next(const char *name);

void *__alloctrace_next(const char *name)
{
    void *next = dlsym_weak ? dlsym_weak(RTLD_NEXT, name) : NULL;

    __asm__("" : "+r"(next)); /* no tail call: it is known by who calls it */
    return next;
}

#define LIBRARY_NAME "liballoctrace.so"

static bool is_other_copy(const void *function)
{
    const char *slash;
    Dl_info info;

    if (!function || !dladdr_weak || !dladdr_weak(function, &info) ||
        !info.dli_fname)
        return false;
    slash = strrchr(info.dli_fname, '/');
    return strncmp(slash ? slash + 1 : info.dli_fname, LIBRARY_NAME,
                   sizeof LIBRARY_NAME - 1) == 0;
}

/* A program that has the runtime may have the library as well, whose hooks
 * are not for it to call: what is behind them only the library can ask. */
static void *find_next(const char *name)
{
    void *const next = __alloctrace_next(name);
    void *ask;

    if (!is_other_copy(next))
        return next;
    ask = __alloctrace_next("__alloctrace_next");
    return ask ? ((void *(*)(const char *))ask)(name) : next;
}

/* The definition that would be in force without us. */
static void *find(const char *name, void *current, const void *ours,
                  void *other_name)
{
    void *next;

    if (current && current != ours)
        return current;
    next = find_next(name);
    return next ? next : other_name;
}

#define FIND(real, name, other_name) \
    real.name##_fn =                 \
        find(#name, (void *)name, (void *)hook_##name, (void *)other_name)

void real_init(void)
{
    static bool is_running;
    struct real real;

    if (is_known || is_running)
        return;
    is_running = true;
    FIND(real, malloc, __libc_malloc);
    FIND(real, calloc, __libc_calloc);
    FIND(real, realloc, __libc_realloc);
    FIND(real, free, __libc_free);
    FIND(real, memalign, __libc_memalign);
    FIND(real, aligned_alloc, __libc_memalign);
    FIND(real, posix_memalign, derived_posix_memalign);
    FIND(real, valloc, derived_valloc);
    FIND(real, pvalloc, derived_pvalloc);
    real.usable_size_fn = dlsym_weak ? dlsym_weak(RTLD_NEXT,
                                                  "malloc_usable_size")
                                     : NULL;
    if (pool_used > 0) {
        behind_pool = real;
        real.free_fn = pool_free;
        real.realloc_fn = pool_realloc;
    }
    at_real = real;
    is_known = true;
}

/* In a static program the C library calls its own free, not the hook. */
bool real_has_hidden_frees(void)
{
    return (void *)free != (void *)hook_free;
}

/* The names alone prove nothing: tcmalloc defines __libc_malloc as well. */
bool real_is_glibc(void)
{
    Dl_info allocator;
    Dl_info library;

    return dladdr_weak && gnu_get_libc_version &&
           dladdr_weak((void *)at_real.malloc_fn, &allocator) &&
           dladdr_weak((void *)gnu_get_libc_version, &library) &&
           allocator.dli_fbase == library.dli_fbase;
}
