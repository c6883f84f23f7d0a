/* SPDX-License-Identifier: MIT */
/*
 * Which patterns match which names, for patterns.py. Reads from standard input
 * names, a line that says "--", and patterns; each line is a name or pattern
 * in hexadecimal digits. Writes a line for each pattern: "1" or "0" for each
 * name. "file" as argument tests file names, else functions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "dumpfile.h"

/* Reads a line of digits into `text`. Returns 0 at the end of a part. */
static int read_text(char *text, size_t size)
{
    char line[4096];
    size_t n = 0;

    if (!fgets(line, sizeof line, stdin) || strncmp(line, "--", 2) == 0)
        return 0;
    for (; line[2 * n] > ' ' && n + 1 < size; n++) {
        unsigned byte;

        if (sscanf(line + 2 * n, "%2x", &byte) != 1)
            exit(2);
        text[n] = (char)byte;
    }
    text[n] = '\0';
    return 1;
}

/* A snapshot with a trace for each name: of its number in bytes. */
static alloctrace_snapshot *read_names(int is_file)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot = NULL;
    char name[2048];

    dumpfile_init(&dump);
    for (int64_t n = 0; read_text(name, sizeof name); n++) {
        struct dumpframe frame = {.file = "a.c", .function = name, .kind = 2};

        if (is_file)
            frame.file = name;
        dumpfile_trace(
            &dump, dumpfile_traceback(&dump, 0, dumpfile_frame(&dump, frame)),
            0, 0, 1, n);
    }
    dumpfile_finish(&dump);
    if (alloctrace_snapshot_load_bytes(dump.file.data, dump.file.size,
                                       &snapshot, NULL))
        exit(2);
    dumpfile_fini(&dump);
    return snapshot;
}

static void print_matches(const alloctrace_snapshot *snapshot, int is_file,
                          const char *pattern)
{
    const size_t n = alloctrace_snapshot_trace_count(snapshot);
    struct alloctrace_filter filter =
        alloctrace_filter_make(1, is_file ? pattern : NULL);
    alloctrace_snapshot *matching;
    char *const line = calloc(n + 2, 1);

    if (!is_file)
        filter.function_pattern = pattern;
    if (!line ||
        alloctrace_snapshot_filter_traces(snapshot, &filter, 1, &matching))
        exit(2);
    memset(line, '0', n);
    for (size_t i = 0; i < alloctrace_snapshot_trace_count(matching); i++)
        line[alloctrace_snapshot_trace(matching, i)->live_bytes] = '1';
    puts(line);
    free(line);
    alloctrace_snapshot_free(matching);
}

int main(int argc, char **argv)
{
    const int is_file = argc > 1 && strcmp(argv[1], "file") == 0;
    alloctrace_snapshot *const snapshot = read_names(is_file);
    char pattern[2048];

    while (read_text(pattern, sizeof pattern))
        print_matches(snapshot, is_file, pattern);
    alloctrace_snapshot_free(snapshot);
    return fflush(stdout) ? 2 : 0;
}
