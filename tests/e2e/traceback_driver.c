/* SPDX-License-Identifier: MIT */
/*
 * The text of call paths in the way of CPython, for tracebacks.py. Each line
 * of standard input is a limit ("-" for none), 1 to have the most recent frame
 * first or 0, and frames, the most recent first: the file's name in
 * hexadecimal digits, a colon and a line. Writes a text in hexadecimal digits
 * for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "dumpfile.h"

/* Reads the digits up to a colon. Returns what is behind it. */
static char *read_name(char *digits, char *name)
{
    for (; *digits != ':'; digits += 2) {
        unsigned byte;

        if (sscanf(digits, "%2x", &byte) != 1)
            exit(2);
        *name++ = (char)byte;
    }
    *name = '\0';
    return digits + 1;
}

/* Adds the frames that are left on a line as a path. Returns its number. */
static uint32_t read_path(struct dumpfile *dump)
{
    uint32_t frames[64];
    uint32_t path = 0;
    size_t n = 0;

    for (char *word; (word = strtok(NULL, " \n"));) {
        char name[512];
        char *const line = read_name(word, name);

        frames[n++] = dumpfile_frame(
            dump, (struct dumpframe){.file = name,
                                     .line = (uint32_t)strtoul(line, NULL, 10),
                                     .kind = 2});
    }
    while (n > 0)
        path = dumpfile_traceback(dump, path, frames[--n]);
    return path;
}

static void print_text(struct dumpfile *dump, uint32_t path, int limit,
                       int is_recent_first)
{
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;
    char *text;

    dumpfile_finish(dump);
    if (alloctrace_snapshot_load_bytes(dump->file.data, dump->file.size,
                                       &snapshot, NULL) ||
        alloctrace_snapshot_traceback(snapshot, path, &traceback) ||
        alloctrace_traceback_format(traceback, limit, is_recent_first,
                                    ALLOCTRACE_LIKE_CPYTHON, &text))
        exit(2);
    for (const char *c = text; *c; c++)
        printf("%02x", (unsigned char)*c);
    putchar('\n');
    alloctrace_text_free(text);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}

int main(void)
{
    static char line[65536];

    while (fgets(line, sizeof line, stdin)) {
        const char *const limit = strtok(line, " \n");
        const char *const first = strtok(NULL, " \n");
        struct dumpfile dump;

        dumpfile_init(&dump);
        print_text(&dump, read_path(&dump),
                   strcmp(limit, "-") ? atoi(limit) : ALLOCTRACE_NO_LIMIT,
                   atoi(first));
        dumpfile_fini(&dump);
    }
    return fflush(stdout) ? 2 : 0;
}
