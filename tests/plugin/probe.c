/* SPDX-License-Identifier: MIT */
/*
 * A runtime that checks instead of tracing, so that the plugin's tests need
 * no other. On each allocation by an entry it walks the frames, takes every
 * hash apart and makes sure that each key belongs to an announced unit.
 *
 * Linked to a program that defines probe_traceback it hands over the
 * traceback; else it prints it, one line an allocation, innermost first:
 *
 *     malloc inner:12 < outer:30 < main:7
 *     new_array inner:12 < main:7                   an operator of C++
 *     pool_alloc(24) inner:12 < main:7              an allocator of the
 *     pool_realloc(48) resized inner:12 < main:7    program's own, the size
 *     free of pool_alloc                            and its deallocator
 *
 * With PROBE_OBJECTS=1 in the environment each record is shown on a line of
 * its own with what it says of the object, the place being that of its file:
 *
 *     conn.c:12 struct conn (24), list->first, R
 *
 * with ? for what is unknown and R if the result is returned; behind those of
 * one allocation, innermost first, there is an empty line.
 *
 * PROBE_QUIET=1 in the environment: check, print nothing. At the end of the
 * program the stack must be empty, unless it sets probe_may_end_deep.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloctrace/abi.h"
#include "probe.h"

enum { MAX_MODULES = 64, MAX_DEPTH = 1000000, TEXT_SIZE = 1 << 16 };

struct thread {
    struct alloctrace_shadow_frame *top; /* innermost frame; the plugin knows it */
};

struct module {
    const struct alloctrace_unit *begin;
    const struct alloctrace_unit *end;
};

static struct alloctrace_shadow_frame sentinel = {NULL, 0x9e3779b97f4a7c15u};
__thread struct thread __alloctrace_thread
    __attribute__((tls_model("initial-exec"))) = {&sentinel};

static struct module modules[MAX_MODULES];
static int n_modules;

int probe_may_end_deep;
unsigned long probe_count;
long probe_live;

/* What is shown of one allocation; a thread's, for tests have threads. */
static __thread char text[TEXT_SIZE];
static __thread size_t text_size;

static void fail(const char *message)
{
    static const char prefix[] = "probe: ";

    (void)!write(2, prefix, sizeof prefix - 1);
    (void)!write(2, message, strlen(message));
    (void)!write(2, "\n", 1);
    _exit(99);
}

static const char *string_at(const alloctrace_offset *field)
{
    return *field ? (const char *)field + *field : NULL;
}

static const struct alloctrace_site *
unit_sites(const struct alloctrace_unit *unit)
{
    return (const void *)string_at(&unit->sites);
}

/* The record of KEY. */
static const struct alloctrace_site *site_find(uint64_t key)
{
    for (int i = 0; i < n_modules; i++)
        for (const struct alloctrace_unit *unit = modules[i].begin;
             unit < modules[i].end; unit++) {
            const uint64_t distance = key - unit->key;

            if (distance % ALLOCTRACE_KEY_STRIDE == 0 &&
                distance / ALLOCTRACE_KEY_STRIDE < unit->n_sites)
                return unit_sites(unit) + distance / ALLOCTRACE_KEY_STRIDE;
        }
    fail("a key is no site's");
    return NULL;
}

/* A caller that a record names: is it a record? */
static void site_check(const struct alloctrace_site *site)
{
    for (int i = 0; i < n_modules; i++)
        for (const struct alloctrace_unit *unit = modules[i].begin;
             unit < modules[i].end; unit++)
            if (site >= unit_sites(unit) &&
                site < unit_sites(unit) + unit->n_sites &&
                ((const char *)site - (const char *)unit_sites(unit)) %
                        ALLOCTRACE_SITE_SIZE == 0)
                return;
    fail("a caller is no record");
}

static void text_add(const char *string)
{
    const size_t n = strlen(string);

    if (text_size + n + 1 < TEXT_SIZE) {
        memcpy(text + text_size, string, n + 1);
        text_size += n;
    }
}

static void text_add_number(unsigned number)
{
    char digits[12];
    char *p = digits + sizeof digits;

    *--p = '\0';
    do
        *--p = '0' + number % 10;
    while (number /= 10);
    text_add(p);
}

/* What SITE says of the allocated object, on a line. */
static void object_show(const struct alloctrace_site *site)
{
    const char *file = strrchr(string_at(&site->file), '/');

    text_add(file ? file + 1 : string_at(&site->file));
    text_add(":");
    text_add_number(site->line);
    text_add(" ");
    text_add(site->type ? string_at(&site->type) : "?");
    if (site->type_size) {
        text_add(" (");
        text_add_number(site->type_size);
        text_add(")");
    }
    text_add(", ");
    text_add(site->target ? string_at(&site->target) : "?");
    text_add(site->flags & ALLOCTRACE_SITE_RETURNED ? ", R\n" : "\n");
}

/* One site with all that was inlined around it. */
static void site_show(const struct alloctrace_site *site, const char *before)
{
    for (;;) {
        if (!string_at(&site->file) || !string_at(&site->function))
            fail("a record has no file or no function");
        if (getenv("PROBE_OBJECTS")) {
            object_show(site);
        } else {
            text_add(before);
            text_add(string_at(&site->function));
            text_add(":");
            text_add_number(site->line);
        }
        if (site->caller == 0)
            return;
        site = (const void *)((const char *)&site->caller + site->caller);
        site_check(site);
        if (site->kind != ALLOCTRACE_SITE_INLINED)
            fail("a caller is not of the kind INLINED");
        before = " < ";
    }
}

static const struct alloctrace_site *
frame_site(const struct alloctrace_shadow_frame *frame)
{
    return site_find(frame->hash - frame->parent->hash * ALLOCTRACE_HASH_K);
}

static void frames_show(const struct alloctrace_shadow_frame *frame)
{
    for (int i = 0; frame != &sentinel; i++) {
        if (i >= MAX_DEPTH)
            fail("the stack has no end");
        site_show(frame_site(frame), " < ");
        frame = frame->parent;
    }
}

/* Prints or hands over what stands in `text`. */
static void text_print(const char *what)
{
    if (probe_traceback) {
        probe_traceback(what, text);
    } else if (getenv("PROBE_OBJECTS")) {
        text_add("\n");
        (void)!write(1, text, text_size);
    } else if (!getenv("PROBE_QUIET")) {
        text_add("\n");
        (void)!write(1, what, strlen(what));
        (void)!write(1, " ", 1);
        (void)!write(1, text, text_size);
    }
}

/* Called with the site argument of an entry. */
static void allocation_note(const char *what, uint64_t word)
{
    const struct alloctrace_site *site =
        site_find(word & ~(uint64_t)ALLOCTRACE_OWN_FRAME);
    const struct alloctrace_shadow_frame *frame = __alloctrace_thread.top;
    const int saved = errno;

    __atomic_fetch_add(&probe_count, 1, __ATOMIC_RELAXED);
    text_size = 0;
    if (site->kind != ALLOCTRACE_SITE_ALLOC)
        fail("an allocation's record is not of the kind ALLOC");
    site_show(site, "");
    if (word & ALLOCTRACE_OWN_FRAME) {
        if (frame == &sentinel)
            fail("no frame, but OWN_FRAME");
        frame_site(frame);
        frame = frame->parent;
    }
    frames_show(frame);
    text_print(what);
    errno = saved;
}

void __alloctrace_module_add(const struct alloctrace_unit *begin,
                             const struct alloctrace_unit *end,
                             uint32_t abi_version)
{
    if (abi_version != ALLOCTRACE_ABI_VERSION)
        fail("another version of the ABI");
    if (begin >= end || n_modules == MAX_MODULES)
        fail("a module without records");
    modules[n_modules].begin = begin;
    modules[n_modules++].end = end;
}

void __alloctrace_module_remove(const struct alloctrace_unit *begin)
{
    for (int i = 0; i < n_modules; i++)
        if (modules[i].begin == begin) {
            modules[i] = modules[--n_modules];
            return;
        }
    fail("an unknown module is removed");
}

__attribute__((destructor)) static void end_check(void)
{
    if (!probe_may_end_deep && __alloctrace_thread.top != &sentinel)
        fail("the stack is not empty at the end");
}

/* The compiler calls the entries; nobody else declares them. */
#define NOTED(type, name, parameters, arguments)                              \
    type __alloctrace_##name parameters                                       \
    {                                                                         \
        allocation_note(#name, site);                                         \
        return name arguments;                                                \
    }

NOTED(void *, malloc, (size_t n, uint64_t site), (n))
NOTED(void *, calloc, (size_t n, size_t size, uint64_t site), (n, size))
NOTED(void *, realloc, (void *p, size_t n, uint64_t site), (p, n))
NOTED(void *, reallocarray, (void *p, size_t n, size_t size, uint64_t site),
      (p, n, size))
NOTED(void *, aligned_alloc, (size_t align, size_t n, uint64_t site),
      (align, n))
NOTED(void *, memalign, (size_t align, size_t n, uint64_t site), (align, n))
NOTED(int, posix_memalign,
      (void **p, size_t align, size_t n, uint64_t site), (p, align, n))
NOTED(void *, valloc, (size_t n, uint64_t site), (n))
NOTED(void *, pvalloc, (size_t n, uint64_t site), (n))
NOTED(char *, strdup, (const char *s, uint64_t site), (s))
NOTED(char *, strndup, (const char *s, size_t n, uint64_t site), (s, n))

void __alloctrace_free(void *p)
{
    free(p);
}

/* C++'s operators: each entry is given the real one, and calls it below a
 * frame that stands for its caller's call, as the runtime does. Exceptions
 * leave that frame behind. */
static void frame_link(struct alloctrace_shadow_frame *frame, uint64_t word)
{
    frame->parent = __alloctrace_thread.top;
    if (word & ALLOCTRACE_OWN_FRAME)
        frame->parent = frame->parent->parent;
    frame->hash = frame->parent->hash * ALLOCTRACE_HASH_K +
                  (word & ~(uint64_t)ALLOCTRACE_OWN_FRAME);
    __alloctrace_thread.top = frame;
}

#define OPERATOR_NEW(name, parameters, types, arguments)                      \
    void *__alloctrace_operator_##name parameters                             \
    {                                                                         \
        struct alloctrace_shadow_frame *const top = __alloctrace_thread.top;  \
        struct alloctrace_shadow_frame frame;                                 \
        void *block;                                                          \
                                                                              \
        allocation_note(#name, site);                                         \
        frame_link(&frame, site);                                             \
        block = ((void *(*)types)real)arguments;                              \
        __alloctrace_thread.top = top;                                        \
        probe_live += block != NULL;                                          \
        return block;                                                         \
    }
#define NEW(name)                                                             \
    OPERATOR_NEW(name, (size_t n, uint64_t site, void *real), (size_t), (n))
#define NEW_NOTHROW(name)                                                     \
    OPERATOR_NEW(name,                                                        \
                 (size_t n, const void *t, uint64_t site, void *real),     \
                 (size_t, const void *), (n, t))
#define NEW_ALIGNED(name)                                                     \
    OPERATOR_NEW(name, (size_t n, size_t a, uint64_t site, void *real),    \
                 (size_t, size_t), (n, a))
#define NEW_ALIGNED_NOTHROW(name)                                             \
    OPERATOR_NEW(name, (size_t n, size_t a, const void *t, uint64_t site,  \
                        void *real),                                          \
                 (size_t, size_t, const void *), (n, a, t))

NEW(new)
NEW(new_array)
NEW_NOTHROW(new_nothrow)
NEW_NOTHROW(new_array_nothrow)
NEW_ALIGNED(new_aligned)
NEW_ALIGNED(new_array_aligned)
NEW_ALIGNED_NOTHROW(new_aligned_nothrow)
NEW_ALIGNED_NOTHROW(new_array_aligned_nothrow)

#define OPERATOR_DELETE(name, parameters, types, arguments)                   \
    void __alloctrace_operator_##name parameters                              \
    {                                                                         \
        probe_live -= p != NULL;                                              \
        ((void (*)types)real)arguments;                                       \
    }
#define DELETE(name)                                                          \
    OPERATOR_DELETE(name, (void *p, void *real), (void *), (p))
#define DELETE_WITH(name)                                                     \
    OPERATOR_DELETE(name, (void *p, uintptr_t a, void *real),                 \
                    (void *, uintptr_t), (p, a))
#define DELETE_WITH_TWO(name)                                                 \
    OPERATOR_DELETE(name, (void *p, uintptr_t a, uintptr_t b, void *real),    \
                    (void *, uintptr_t, uintptr_t), (p, a, b))

DELETE(delete)
DELETE(delete_array)
DELETE_WITH(delete_sized)
DELETE_WITH(delete_array_sized)
DELETE_WITH(delete_nothrow)
DELETE_WITH(delete_array_nothrow)
DELETE_WITH(delete_aligned)
DELETE_WITH(delete_array_aligned)
DELETE_WITH_TWO(delete_sized_aligned)
DELETE_WITH_TWO(delete_array_sized_aligned)
DELETE_WITH_TWO(delete_aligned_nothrow)
DELETE_WITH_TWO(delete_array_aligned_nothrow)

/* The program's own allocators. A block is its own token. */
void *__alloctrace_custom_take(void *block)
{
    return block;
}

void __alloctrace_custom_alloc(void *block, size_t size, uint64_t site,
                               const char *name, void *token)
{
    char what[256];

    if (!block)
        return;
    if (size == ALLOCTRACE_SIZE_UNKNOWN)
        snprintf(what, sizeof what, "%s(?)", name);
    else
        snprintf(what, sizeof what, "%s(%zu)%s", name, size,
                 token ? " resized" : "");
    allocation_note(what, site);
}

void __alloctrace_custom_free(void *block, const char *name)
{
    if (!block)
        return;
    text_size = 0;
    text_add("of ");
    text_add(name ? name : "any");
    text_print("free");
}
