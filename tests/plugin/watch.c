/* SPDX-License-Identifier: MIT */
/*
 * Prints what the real runtime knows of each block that an entry returned, in
 * the probe's form (probe.c), so that one expectation serves both:
 *
 *     malloc inner:12 < outer:30 < main:7
 *
 * A program that defines probe_traceback is handed it. Linked with --wrap for
 * each entry. What the runtime could not tell is "?".
 */
#define _GNU_SOURCE
#define ALLOCTRACE_API
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alloctrace.h"
#include "probe.h"

enum { TEXT_SIZE = 1 << 16, SHOWN_SIZE = 1 << 16 };

int probe_may_end_deep;
unsigned long probe_count;

static __thread char text[TEXT_SIZE];
static __thread char shown[SHOWN_SIZE];
static __thread size_t shown_size;

static void add(const char *bytes, size_t n)
{
    if (shown_size + n < sizeof shown) {
        memcpy(shown + shown_size, bytes, n);
        shown_size += n;
    }
}

/* `  File "a.c", line 7, in f [tail call]` becomes `f:7`. */
static void line_show(const char *line, const char *end)
{
    static const char before_line[] = "\", line ";
    static const char before_name[] = ", in ";
    const char *number = memmem(line, end - line, before_line,
                                sizeof before_line - 1);
    const char *name = number ? memmem(number, end - number, before_name,
                                       sizeof before_name - 1)
                              : NULL;
    const char *name_end;

    if (!name) {
        add("?", 1);
        return;
    }
    name += sizeof before_name - 1;
    name_end = memmem(name, end - name, " [tail call]", 12);
    add(name, (name_end ? name_end : end) - name);
    add(":", 1);
    number += sizeof before_line - 1;
    add(number, strcspn(number, ","));
}

/* The traceback of BLOCK into `text`; its size. */
static size_t traceback_read(const void *block)
{
    const int fd = memfd_create("traceback", 0);
    ssize_t n = 0;

    if (alloctrace_dump_traceback(fd, block) == 0)
        n = pread(fd, text, sizeof text - 1, 0);
    close(fd);
    return n > 0 ? n : 0;
}

static void show(const char *what, const void *block)
{
    const int saved = errno;
    const size_t n = traceback_read(block);
    const char *line = memchr(text, '\n', n);
    const char *separator = " ";

    __atomic_fetch_add(&probe_count, 1, __ATOMIC_RELAXED);
    shown_size = 0;
    add(what, strlen(what));
    if (!n)
        add(" nothing", 8);
    for (line = n ? line + 1 : text; line < text + n;) {
        const char *const end = memchr(line, '\n', text + n - line);

        if (!end)
            break;
        add(separator, strlen(separator));
        line_show(line, end);
        separator = " < ";
        line = end + 1;
    }
    if (probe_traceback) {
        add("", 1);
        probe_traceback(what, shown + strlen(what) + 1);
    } else if (!getenv("PROBE_QUIET")) {
        add("\n", 1);
        (void)!write(1, shown, shown_size);
    }
    errno = saved;
}

#define WATCHED(name, parameters, arguments)       \
    void *__real___alloctrace_##name parameters;   \
    void *__wrap___alloctrace_##name parameters;   \
    void *__wrap___alloctrace_##name parameters    \
    {                                              \
        void *const block = __real___alloctrace_##name arguments; \
                                                   \
        show(#name, block);                        \
        return block;                              \
    }

WATCHED(malloc, (size_t n, uint64_t site), (n, site))
WATCHED(calloc, (size_t n, size_t size, uint64_t site), (n, size, site))
WATCHED(realloc, (void *p, size_t n, uint64_t site), (p, n, site))
WATCHED(reallocarray, (void *p, size_t n, size_t size, uint64_t site),
        (p, n, size, site))
WATCHED(aligned_alloc, (size_t align, size_t n, uint64_t site),
        (align, n, site))
WATCHED(memalign, (size_t align, size_t n, uint64_t site), (align, n, site))
WATCHED(valloc, (size_t n, uint64_t site), (n, site))
WATCHED(pvalloc, (size_t n, uint64_t site), (n, site))
WATCHED(strdup, (const char *s, uint64_t site), (s, site))
WATCHED(strndup, (const char *s, size_t n, uint64_t site), (s, n, site))

int __real___alloctrace_posix_memalign(void **p, size_t align, size_t n,
                                       uint64_t site);
int __wrap___alloctrace_posix_memalign(void **p, size_t align, size_t n,
                                       uint64_t site);
int __wrap___alloctrace_posix_memalign(void **p, size_t align, size_t n,
                                       uint64_t site)
{
    const int error = __real___alloctrace_posix_memalign(p, align, n, site);

    show("posix_memalign", error ? NULL : *p);
    return error;
}
