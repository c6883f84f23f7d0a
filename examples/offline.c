/* SPDX-License-Identifier: MIT */
/*
 * Reads dumps: prints the lines that hold most of one, or that changed most
 * between two. Needs the analysis only: neither the plugin nor the runtime,
 * and not the machine that the dumps were written on.
 *
 *     gcc -g -O2 offline.c -o offline -lalloctrace-analysis -lm
 *     ./offline FILE
 *     ./offline OLD NEW
 *
 * Of what grow.c dumps, `./offline after.alloctrace` prints:
 *
 *     grow.c:57: size=500 KiB, count=1000, average=512 B
 *     grow.c:54: size=8192 B, count=1, average=8192 B
 *     grow.c:72: size=100 B, count=1, average=100 B
 */
#include <alloctrace/analysis.h>

#include <stdio.h>
#include <stdlib.h>

#define LINES 3

static alloctrace_snapshot *load(const char *path)
{
    alloctrace_snapshot *snapshot;
    struct alloctrace_error error;

    if (alloctrace_snapshot_load(path, &snapshot, &error)) {
        fprintf(stderr, "offline: %s: %s\n", path, error.message);
        exit(1);
    }
    return snapshot;
}

static void print(const alloctrace_statistics *statistics)
{
    size_t count = alloctrace_statistics_count(statistics);

    for (size_t i = 0; i < count && i < LINES; i++) {
        char line[256];

        alloctrace_statistics_format(statistics, i, 0, line, sizeof line);
        puts(line);
    }
}

int main(int argc, char **argv)
{
    alloctrace_statistics *statistics;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *old = NULL;
    int code;

    if (argc != 2 && argc != 3) {
        fputs("usage: offline FILE, or offline OLD NEW\n", stderr);
        return 2;
    }
    if (argc == 3)
        old = load(argv[1]);
    snapshot = load(argv[argc - 1]);
    code =
        old ? alloctrace_snapshot_compare_to(snapshot, old, NULL, &statistics)
            : alloctrace_snapshot_statistics(snapshot, NULL, &statistics);
    if (code) {
        fprintf(stderr, "offline: %s\n", alloctrace_strerror(code));
        return 1;
    }
    print(statistics);
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(snapshot);
    alloctrace_snapshot_free(old);
    return 0;
}
