/* SPDX-License-Identifier: MIT */
/*
 * The C library's functions that map memory, for ALLOCTRACE_MMAP=1: each tells
 * mapping.c what the real one did. What the C library maps itself does not
 * come here, as it calls its own functions by other names: memory for malloc,
 * stacks of threads, loaded files. brk and sbrk are the allocator's.
 *
 * An object of its own, which is not linked into static programs, as flow.c.
 * The names are weak: a program may bring its own.
 *
 * The real functions are looked up before the program's first constructor.
 * Until then the calls, which may be an allocator's that is being set up, go
 * to the system directly.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mapping.h"

#define EXPORT __attribute__((visibility("default"), weak))

static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static void *(*real_mmap64)(void *, size_t, int, int, int, off64_t);
static int (*real_munmap)(void *, size_t);
static void *(*real_mremap)(void *, size_t, size_t, int, ...);

#define FIND(name) (*(void **)&real_##name = dlsym(RTLD_NEXT, #name))

__attribute__((constructor(101))) static void find_all(void)
{
    const int saved = errno;

    FIND(mmap);
    FIND(mmap64);
    FIND(munmap);
    FIND(mremap);
    errno = saved;
}

/* As the C library does it where it has not been replaced. */
static void *map_directly(void *address, size_t size, int protection,
                          int flags, int fd, off64_t offset)
{
#ifdef SYS_mmap2
    if ((offset & 4095) || offset < 0 || offset >> 12 > UINT32_MAX) {
        errno = EINVAL;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap2, address, size, protection, flags, fd,
                           (long)(offset >> 12));
#elif defined __s390__ /* it takes its arguments from memory */
    const unsigned long arguments[] = {
        (unsigned long)address, size, (unsigned long)protection,
        (unsigned long)flags, (unsigned long)fd, (unsigned long)offset};

    return (void *)syscall(SYS_mmap, arguments);
#else
    return (void *)syscall(SYS_mmap, address, size, protection, flags, fd,
                           offset);
#endif
}

static void end_mmap(const void *block, size_t size)
{
    struct mapping_change change = {0};

    if (block != MAP_FAILED) {
        change.block = block;
        change.size = size;
    }
    __alloctrace_mapping_end(change);
}

EXPORT void *mmap(void *address, size_t size, int protection, int flags,
                  int fd, off_t offset)
{
    const int is_traced = __alloctrace_mapping_begin(
        __builtin_return_address(0), "mmap");
    void *const block =
        real_mmap
            ? real_mmap(address, size, protection, flags, fd, offset)
            : map_directly(address, size, protection, flags, fd, offset);

    if (is_traced)
        end_mmap(block, size);
    return block;
}

EXPORT void *mmap64(void *address, size_t size, int protection, int flags,
                    int fd, off64_t offset)
{
    const int is_traced = __alloctrace_mapping_begin(
        __builtin_return_address(0), "mmap64");
    void *const block =
        real_mmap64
            ? real_mmap64(address, size, protection, flags, fd, offset)
            : map_directly(address, size, protection, flags, fd, offset);

    if (is_traced)
        end_mmap(block, size);
    return block;
}

EXPORT int munmap(void *block, size_t size)
{
    const int is_traced = __alloctrace_mapping_begin(NULL, "munmap");
    const int error = real_munmap ? real_munmap(block, size)
                                  : (int)syscall(SYS_munmap, block, size);

    if (is_traced)
        __alloctrace_mapping_end(
            (struct mapping_change){.old = block,
                                    .old_size = error ? 0 : size});
    return error;
}

/* With MREMAP_DONTUNMAP, and an old size of 0, the old block stays. */
static void end_mremap(const void *old, size_t old_size, const void *block,
                       size_t size, int flags)
{
    struct mapping_change change = {0};

    if (block != MAP_FAILED)
        change = (struct mapping_change){old, old_size, block, size};
#ifdef MREMAP_DONTUNMAP
    if (flags & MREMAP_DONTUNMAP)
        change.old_size = 0;
#endif
    (void)flags;
    __alloctrace_mapping_end(change);
}

EXPORT void *mremap(void *old, size_t old_size, size_t size, int flags, ...)
{
    const int is_traced = __alloctrace_mapping_begin(
        __builtin_return_address(0), "mremap");
    void *target = NULL;
    void *block;
    va_list arguments;

    va_start(arguments, flags);
    if (flags & ~MREMAP_MAYMOVE) /* or there is no such argument */
        target = va_arg(arguments, void *);
    va_end(arguments);
    block = real_mremap
                ? real_mremap(old, old_size, size, flags, target)
                : (void *)syscall(SYS_mremap, old, old_size, size, flags,
                                  target);
    if (is_traced)
        end_mremap(old, old_size, block, size, flags);
    return block;
}
