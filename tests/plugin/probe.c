/* SPDX-License-Identifier: MIT */
/*
 * A runtime that checks instead of tracing, so that the plugin's tests need
 * no other. On each allocation by an entry it walks the frames, takes every
 * hash apart and makes sure that each site lies in an announced section.
 *
 * Linked to a program that defines probe_traceback it hands over the
 * traceback; else it prints it, one line an allocation, innermost first:
 *
 *     malloc inner:12 < outer:30 < main:7
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
    const struct alloctrace_site *begin;
    const struct alloctrace_site *end;
};

static struct alloctrace_shadow_frame sentinel = {NULL, 0x9e3779b97f4a7c15u};
__thread struct thread __alloctrace_thread
    __attribute__((tls_model("initial-exec"))) = {&sentinel};

static struct module modules[MAX_MODULES];
static int n_modules;

int probe_may_end_deep;
unsigned long probe_count;

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

static void site_check(const struct alloctrace_site *site)
{
    for (int i = 0; i < n_modules; i++)
        if (site >= modules[i].begin && site < modules[i].end &&
            ((const char *)site - (const char *)modules[i].begin) %
                    ALLOCTRACE_SITE_SIZE == 0)
            return;
    fail("a site is no record");
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
        site_check(site);
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
        if (site->kind != ALLOCTRACE_SITE_INLINED)
            fail("a caller is not of the kind INLINED");
        before = " < ";
    }
}

static const struct alloctrace_site *
frame_site(const struct alloctrace_shadow_frame *frame)
{
    return (const void *)(uintptr_t)(frame->hash - frame->parent->hash *
                                                       ALLOCTRACE_HASH_K);
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

/* Called with the site argument of an entry. */
static void allocation_note(const char *what, const void *argument)
{
    const uintptr_t word = (uintptr_t)argument;
    const struct alloctrace_site *site =
        (const void *)(word & ~(uintptr_t)ALLOCTRACE_OWN_FRAME);
    const struct alloctrace_shadow_frame *frame = __alloctrace_thread.top;
    const int saved = errno;

    __atomic_fetch_add(&probe_count, 1, __ATOMIC_RELAXED);
    text_size = 0;
    site_check(site);
    if (site->kind != ALLOCTRACE_SITE_ALLOC)
        fail("an allocation's record is not of the kind ALLOC");
    site_show(site, "");
    if (word & ALLOCTRACE_OWN_FRAME) {
        if (frame == &sentinel)
            fail("no frame, but OWN_FRAME");
        site_check(frame_site(frame));
        frame = frame->parent;
    }
    frames_show(frame);
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
    errno = saved;
}

void __alloctrace_module_add(const struct alloctrace_site *begin,
                             const struct alloctrace_site *end,
                             uint32_t abi_version)
{
    if (abi_version != ALLOCTRACE_ABI_VERSION)
        fail("another version of the ABI");
    if (begin >= end || n_modules == MAX_MODULES)
        fail("a module without records");
    modules[n_modules].begin = begin;
    modules[n_modules++].end = end;
}

void __alloctrace_module_remove(const struct alloctrace_site *begin)
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

NOTED(void *, malloc, (size_t n, const void *site), (n))
NOTED(void *, calloc, (size_t n, size_t size, const void *site), (n, size))
NOTED(void *, realloc, (void *p, size_t n, const void *site), (p, n))
NOTED(void *, reallocarray, (void *p, size_t n, size_t size, const void *site),
      (p, n, size))
NOTED(void *, aligned_alloc, (size_t align, size_t n, const void *site),
      (align, n))
NOTED(void *, memalign, (size_t align, size_t n, const void *site), (align, n))
NOTED(int, posix_memalign,
      (void **p, size_t align, size_t n, const void *site), (p, align, n))
NOTED(void *, valloc, (size_t n, const void *site), (n))
NOTED(void *, pvalloc, (size_t n, const void *site), (n))
NOTED(char *, strdup, (const char *s, const void *site), (s))
NOTED(char *, strndup, (const char *s, size_t n, const void *site), (s, n))

void __alloctrace_free(void *p)
{
    free(p);
}
