/* SPDX-License-Identifier: MIT */
/*
 * The commands. argv[0] of each is the command's name; each returns the exit
 * status. main.c has them in a table with their options.
 */
#ifndef ALLOCTRACE_COMMAND_H
#define ALLOCTRACE_COMMAND_H

#include "args.h"
#include "cmd_flags.h"
#include "out.h"

struct command {
    const char *name;
    const char *synopsis; /* operands and options, as in the manual */
    const char *help;     /* what it does: one line */
    int (*run)(int argc, char **argv);
    const struct option *options; /* NULL = has none, or its own help */
};

extern const struct option run_options[];
extern const struct option stats_options[];
extern const struct option info_options[];

int cmd_run(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_dump(int argc, char **argv);

/* Loads a dump and names its addresses. 0, or 2 after a message. */
int command_load(const char *path, alloctrace_snapshot **snapshot);

/* What a snapshot is of and its sums: two lines. */
void info_headline(const struct out *out, const alloctrace_snapshot *snapshot);

/* What could not be recorded, if anything: a line each. */
void info_warnings(const struct out *out, const alloctrace_snapshot *snapshot);

/* Does the dump say what was live at the peak? ALLOCTRACE_AT_PEAK=0 leaves it
 * out. */
bool stats_has_peak(const alloctrace_snapshot *snapshot);

/* A report for people: at most `limit` groups, 0 = all. 0 or 2. */
int stats_report(const struct out *out, const alloctrace_snapshot *snapshot,
                 const struct alloctrace_statistics_options *options,
                 uint64_t limit);

#endif
