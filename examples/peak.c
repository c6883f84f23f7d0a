/* SPDX-License-Identifier: MIT */
/*
 * What was live when memory was at its peak? The peak is over when one looks;
 * a snapshot knows it nevertheless: the same traces, by another metric.
 *
 *     alloctrace-gcc -g -O2 peak.c -o peak
 *     ./peak
 *
 * Or, without the wrapper:
 *
 *     gcc -g -O2 $(alloctrace cflags) peak.c -o peak $(alloctrace ldflags)
 *
 * It prints:
 *
 *     1000 B now, 300000 B at the peak
 *     live:
 *       peak.c:57: size=1000 B, count=1, average=1000 B
 *     at the peak:
 *       peak.c:51: size=195 KiB, count=1, average=195 KiB
 *       peak.c:49: size=97.7 KiB, count=1, average=97.7 KiB
 */
#include <alloctrace/analysis.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program if the library could not do what was asked of it. */
static void check(int code)
{
    if (code < 0) {
        fprintf(stderr, "peak: %s\n", alloctrace_strerror(code));
        exit(1);
    }
}

static char *need(char *block)
{
    if (!block)
        exit(1);
    return block;
}

/* Sorts what it copies to two blocks beside the input; ends with less. */
static char *build_index(void)
{
    /* peak: 1 x 100000 B */
    char *input = need(calloc(1, 100000));
    /* peak: 1 x 200000 B */
    char *sorted = need(malloc(200000));
    char *index;

    memcpy(sorted, input, 100000);
    free(input);
    /* live: 1 x 1000 B */
    index = need(malloc(1000));
    memcpy(index, sorted, 1000);
    free(sorted);
    return index;
}

static void print(const char *title, const alloctrace_snapshot *snapshot,
                  int metric)
{
    struct alloctrace_statistics_options options = {.size = sizeof options,
                                                    .metric = metric};
    alloctrace_statistics *statistics;

    check(alloctrace_snapshot_statistics(snapshot, &options, &statistics));
    puts(title);
    for (size_t i = 0; i < alloctrace_statistics_count(statistics); i++) {
        char line[256];

        alloctrace_statistics_format(statistics, i, 0, line, sizeof line);
        printf("  %s\n", line);
    }
    alloctrace_statistics_free(statistics);
}

int main(void)
{
    alloctrace_snapshot *snapshot;
    uint64_t current;
    uint64_t peak;
    char *index;

    check(alloctrace_start(ALLOCTRACE_ALL_FRAMES));
    index = build_index();
    alloctrace_get_traced_memory(&current, &peak);
    check(alloctrace_take_snapshot(&snapshot));
    printf("%" PRIu64 " B now, %" PRIu64 " B at the peak\n", current, peak);
    print("live:", snapshot, ALLOCTRACE_METRIC_LIVE);
    print("at the peak:", snapshot, ALLOCTRACE_METRIC_PEAK);
    alloctrace_snapshot_free(snapshot);
    free(index);
    return 0;
}
