/* SPDX-License-Identifier: MIT */
/* See path.h. Built without the plugin; allocates nothing by the entries. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "path.h"
#include "probe.h"

enum { MAX_NODES = 1 << 20, TEXT_SIZE = 1 << 16 };

struct node {
    int parent; /* 0 = none */
    const char *function;
    int line;
};

int path_budget = 400;
int path_allows_gaps;

static struct node nodes[MAX_NODES];
static int n_nodes = 1;
static int expected;
static int is_expecting;
static char text[TEXT_SIZE];

int path_call(int parent, const char *function, int line)
{
    if (n_nodes == MAX_NODES) {
        fputs("path: too many calls\n", stderr);
        _exit(98);
    }
    nodes[n_nodes].parent = parent;
    nodes[n_nodes].function = function;
    nodes[n_nodes].line = line;
    return n_nodes++;
}

void *path_target;

int path_protect(int (*f)(int, int), int up, int n)
{
    void *const outer = path_target;
    volatile int result = 0;
    jmp_buf here;

    path_target = here;
    if (setjmp(here) == 0)
        result = f(up, n);
    path_target = outer;
    return result;
}

void path_leave(void)
{
    if (path_target)
        longjmp(path_target, 1);
}

void path_expect(int parent, const char *function, int line)
{
    expected = path_call(parent, function, line);
    is_expecting = 1;
}

/* Whether FOUND is what is expected, some parts behind the first left out. */
static int is_with_gaps(const char *found)
{
    int node = expected;

    for (; node != 0; node = nodes[node].parent) {
        char part[64];
        const int n = snprintf(part, sizeof part, "%s:%d",
                               nodes[node].function, nodes[node].line);

        if (strncmp(found, part, n) == 0 &&
            (found[n] == '\0' || found[n] == ' ')) {
            found += n;
            if (*found == ' ')
                found += 3;
        } else if (node == expected) {
            return 0;
        }
    }
    return *found == '\0';
}

void probe_traceback(const char *what, const char *found)
{
    size_t size = 0;

    text[0] = '\0';
    for (int node = expected; node != 0; node = nodes[node].parent)
        size += snprintf(text + size, TEXT_SIZE - size, "%s%s:%d",
                         size ? " < " : "", nodes[node].function,
                         nodes[node].line);
    if (is_expecting &&
        (strcmp(text, found) == 0 ||
         (path_allows_gaps && is_with_gaps(found)))) {
        is_expecting = 0;
        return;
    }
    printf("%s\nexpected %s\n   found %s\n", what, is_expecting ? text : "-",
           found);
    fflush(stdout);
    _exit(1);
}
