/* SPDX-License-Identifier: MIT */
/*
 * What grew between two moments? Takes two snapshots, compares them by line
 * and prints the three lines that changed most. With two names of files the
 * snapshots are dumped as well, for offline.c and for the command.
 *
 *     alloctrace-gcc -g -O2 grow.c -o grow
 *     ./grow [BEFORE AFTER]
 *
 * Or, without the wrapper:
 *
 *     gcc -g -O2 $(alloctrace cflags) grow.c -o grow $(alloctrace ldflags)
 *
 * It prints:
 *
 *     grow.c:57: size=500 KiB (+400 KiB), count=1000 (+800), average=512 B
 *     grow.c:54: size=8192 B (+4096 B), count=1 (+0), average=8192 B
 *     grow.c:72: size=100 B (+0 B), count=1 (+0), average=100 B
 */
#include <alloctrace/analysis.h>

#include <stdio.h>
#include <stdlib.h>

static void **sessions;
static size_t capacity;
static size_t n_sessions;

/* Ends the program if the library could not do what was asked of it. */
static void check(int code)
{
    if (code < 0) {
        fprintf(stderr, "grow: %s\n", alloctrace_strerror(code));
        exit(1);
    }
}

static void *need(void *block)
{
    if (!block)
        exit(1);
    return block;
}

/* Answers requests; but nobody ends the sessions that it begins. */
static void serve(int n_requests)
{
    for (int i = 0; i < n_requests; i++) {
        char *answer = need(malloc(4096));

        if (n_sessions == capacity) {
            capacity = capacity ? 2 * capacity : 512;
            /* before: 1 x 4096 B, after: 1 x 8192 B */
            sessions = need(realloc(sessions, capacity * sizeof *sessions));
        }
        /* before: 200 x 512 B, after: 1000 x 512 B */
        sessions[n_sessions++] = need(malloc(512));
        snprintf(answer, 4096, "%d", i);
        free(answer);
    }
}

int main(int argc, char **argv)
{
    alloctrace_snapshot *before;
    alloctrace_snapshot *after;
    alloctrace_statistics *changes;
    void *settings;

    check(alloctrace_start(ALLOCTRACE_ALL_FRAMES));
    /* before: 1 x 100 B, after: 1 x 100 B */
    settings = need(malloc(100));
    serve(200);
    check(alloctrace_take_snapshot(&before));
    serve(800);
    check(alloctrace_take_snapshot(&after));

    check(alloctrace_snapshot_compare_to(after, before, NULL, &changes));
    for (size_t i = 0; i < 3; i++) {
        char line[256];

        alloctrace_statistics_format(changes, i, 0, line, sizeof line);
        puts(line);
    }
    if (argc == 3) {
        check(alloctrace_snapshot_dump(before, argv[1], NULL));
        check(alloctrace_snapshot_dump(after, argv[2], NULL));
    }
    alloctrace_statistics_free(changes);
    alloctrace_snapshot_free(before);
    alloctrace_snapshot_free(after);
    free(settings);
    return 0;
}
