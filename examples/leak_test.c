/* SPDX-License-Identifier: MIT */
/*
 * A test that fails when a unit leaks, and says where. Traced memory before
 * and after is enough to know that something is left; two snapshots tell what.
 *
 *     alloctrace-gcc -g -O2 leak_test.c -o leak_test
 *     ./leak_test
 *
 * Or, without the wrapper:
 *
 *     gcc -g -O2 $(alloctrace cflags) leak_test.c -o leak_test \
 *         $(alloctrace ldflags)
 *
 * Built without the plugin it tests the units, but finds no leak. Ends with
 * status 1, as one of the units leaks, and prints:
 *
 *     joins_two_names: right
 *     compares_copies: leaks
 *       left behind: size=18 B, count=1
 *       File "leak_test.c", line 148
 *         n_failed += !run("compares_copies", compares_copies);
 *       File "leak_test.c", line 126
 *         is_right = unit();
 *       File "leak_test.c", line 68
 *         char *right = copy("seventeen letters");
 *       File "leak_test.c", line 62
 *         return strdup(text);
 */
#include <alloctrace/analysis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program if the library could not do what was asked of it. */
static void check(int code)
{
    if (code < 0) {
        fprintf(stderr, "leak_test: %s\n", alloctrace_strerror(code));
        exit(2);
    }
}

/* The units under test. */

static int joins_two_names(void)
{
    char *name = malloc(32);
    int is_right;

    if (!name)
        return 0;
    snprintf(name, 32, "%s %s", "Ada", "Lovelace");
    is_right = !strcmp(name, "Ada Lovelace");
    free(name);
    return is_right;
}

static char *copy(const char *text)
{
    /* after: 1 x 18 B */
    return strdup(text);
}

static int compares_copies(void)
{
    char *left = copy("seventeen letters");
    char *right = copy("seventeen letters");
    int is_right = left && right && !strcmp(left, right);

    free(left);
    return is_right;
}

/* ---- */

static uint64_t traced_memory(void)
{
    uint64_t current;

    alloctrace_get_traced_memory(&current, NULL);
    return current;
}

/* Prints who holds more than before, with whole call paths. */
static void print_growth(const alloctrace_snapshot *before,
                         const alloctrace_snapshot *after)
{
    struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = ALLOCTRACE_BY_TRACEBACK};
    alloctrace_statistics *changes;

    check(alloctrace_snapshot_compare_to(after, before, &options, &changes));
    for (size_t i = 0; i < alloctrace_statistics_count(changes); i++) {
        const struct alloctrace_statistic *change =
            alloctrace_statistics_get(changes, i);
        alloctrace_traceback *traceback;
        char *text;

        if (change->size_diff <= 0)
            continue;
        check(alloctrace_statistics_traceback(changes, i, &traceback));
        check(alloctrace_traceback_format(traceback, ALLOCTRACE_NO_LIMIT, 0, 0,
                                          &text));
        printf("  left behind: size=%lld B, count=%lld\n%s",
               (long long)change->size_diff, (long long)change->count_diff,
               text);
        alloctrace_text_free(text);
        alloctrace_traceback_free(traceback);
    }
    alloctrace_statistics_free(changes);
}

/* Runs a unit. Returns: 1 if it gave the right answer and left nothing. */
static int run(const char *name, int (*unit)(void))
{
    alloctrace_snapshot *before = NULL;
    alloctrace_snapshot *after = NULL;
    uint64_t size;
    int is_right;
    int has_leaked;

    if (alloctrace_is_tracing())
        check(alloctrace_take_snapshot(&before));
    size = traced_memory();
    is_right = unit();
    has_leaked = traced_memory() != size;
    /* Before anything is printed: stdio has a buffer, that it allocates. */
    if (has_leaked)
        check(alloctrace_take_snapshot(&after));
    printf("%s: %s\n", name,
           !is_right    ? "wrong"
           : has_leaked ? "leaks"
                        : "right");
    if (has_leaked)
        print_growth(before, after);
    alloctrace_snapshot_free(before);
    alloctrace_snapshot_free(after);
    return is_right && !has_leaked;
}

int main(void)
{
    int n_failed = 0;

    check(alloctrace_start(ALLOCTRACE_ALL_FRAMES));
    n_failed += !run("joins_two_names", joins_two_names);
    n_failed += !run("compares_copies", compares_copies);
    return n_failed ? 1 : 0;
}
