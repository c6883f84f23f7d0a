/* SPDX-License-Identifier: MIT */
/*
 * How much memory does one subsystem hold? Filters choose traces by the file
 * or the function that allocated, or by any function on the way there.
 *
 *     alloctrace-gcc -g -O2 subsystem.c -o subsystem
 *     ./subsystem
 *
 * Or, without the wrapper:
 *
 *     gcc -g -O2 $(alloctrace cflags) subsystem.c -o subsystem \
 *         $(alloctrace ldflags)
 *
 * It prints:
 *
 *     in this file                 size=5664 B, count=4
 *     allocated by image_*         size=64 B, count=1
 *     by image_* and what it calls size=5064 B, count=2
 *     by all others                size=600 B, count=2
 */
#include <alloctrace/analysis.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program if the library could not do what was asked of it. */
static void check(int code)
{
    if (code < 0) {
        fprintf(stderr, "subsystem: %s\n", alloctrace_strerror(code));
        exit(1);
    }
}

/* The program: an image and a cache, both of which use buffers. */

struct image {
    void *pixels;
    char name[56];
};

struct image *image;
void *cache[2];

static void *buffer_create(size_t size)
{
    /* image: 1 x 5000 B, cache: 2 x 300 B */
    void *buffer = malloc(size);

    if (!buffer)
        exit(1);
    return buffer;
}

static void image_load(void)
{
    /* direct: 1 x 64 B */
    image = malloc(sizeof *image);
    if (!image)
        exit(1);
    image->pixels = buffer_create(5000);
}

static void cache_fill(void)
{
    cache[0] = buffer_create(300);
    cache[1] = buffer_create(300);
}

/* Prints how much of a snapshot a filter lets through. */
static void print(const char *title, const alloctrace_snapshot *snapshot,
                  const struct alloctrace_filter *filter)
{
    alloctrace_snapshot *part;
    alloctrace_statistics *statistics;
    const struct alloctrace_statistic *sum;

    check(alloctrace_snapshot_filter_traces(snapshot, filter, 1, &part));
    check(alloctrace_snapshot_statistics(part, NULL, &statistics));
    sum = alloctrace_statistics_sum(statistics);
    printf("%-28s size=%" PRId64 " B, count=%" PRId64 "\n", title, sum->size,
           sum->count);
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(part);
}

int main(void)
{
    alloctrace_snapshot *snapshot;
    struct alloctrace_filter filter;

    check(alloctrace_start(ALLOCTRACE_ALL_FRAMES));
    image_load();
    cache_fill();
    check(alloctrace_take_snapshot(&snapshot));

    filter = alloctrace_filter_make(1, "*subsystem.c");
    print("in this file", snapshot, &filter);

    filter = alloctrace_filter_make(1, NULL);
    filter.function_pattern = "image_*";
    print("allocated by image_*", snapshot, &filter);

    filter.all_frames = 1;
    print("by image_* and what it calls", snapshot, &filter);

    filter.inclusive = 0;
    print("by all others", snapshot, &filter);

    alloctrace_snapshot_free(snapshot);
    free(cache[0]);
    free(cache[1]);
    free(image->pixels);
    free(image);
    return 0;
}
