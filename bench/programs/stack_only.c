/* SPDX-License-Identifier: MIT */
/*
 * Stands in for the runtime, to measure the shadow stack alone: instrumented
 * code keeps its frames as ever, and each entry goes straight on to what it
 * stands for. Linked by bench/run.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* As alloctrace/abi.h has it. */
struct frame {
    struct frame *parent;
    uint64_t hash;
};

static struct frame sentinel = {NULL, 1};

/* As in the real runtime: exported, and so not relaxed to local-exec. */
__thread struct frame *__alloctrace_thread = &sentinel;

#define ENTRY(type, name, parameters, arguments)                              \
    type __alloctrace_##name parameters;                                      \
    type __alloctrace_##name parameters                                       \
    {                                                                         \
        (void)site;                                                           \
        return name arguments;                                                \
    }

ENTRY(void *, malloc, (size_t n, uint64_t site), (n))
ENTRY(void *, calloc, (size_t n, size_t size, uint64_t site), (n, size))
ENTRY(void *, realloc, (void *p, size_t n, uint64_t site), (p, n))
ENTRY(void *, reallocarray, (void *p, size_t n, size_t size, uint64_t site),
      (p, n, size))
ENTRY(void *, aligned_alloc, (size_t align, size_t n, uint64_t site),
      (align, n))
ENTRY(void *, memalign, (size_t align, size_t n, uint64_t site), (align, n))
ENTRY(int, posix_memalign, (void **p, size_t align, size_t n, uint64_t site),
      (p, align, n))
ENTRY(char *, strdup, (const char *s, uint64_t site), (s))
ENTRY(char *, strndup, (const char *s, size_t n, uint64_t site), (s, n))

void __alloctrace_free(void *p);
void __alloctrace_free(void *p)
{
    free(p);
}

void __alloctrace_module_add(const void *begin, const void *end,
                             uint32_t abi_version);
void __alloctrace_module_add(const void *begin, const void *end,
                             uint32_t abi_version)
{
    (void)begin;
    (void)end;
    (void)abi_version;
}

void __alloctrace_module_remove(const void *begin);
void __alloctrace_module_remove(const void *begin)
{
    (void)begin;
}

int alloctrace_dump(const char *path);
int alloctrace_dump(const char *path)
{
    (void)path;
    return 0;
}
