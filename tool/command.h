/* SPDX-License-Identifier: MIT */
/*
 * The commands. argv[0] of each is the command's name; each returns the exit
 * status. main.c has them in a table with their options.
 */
#ifndef ALLOCTRACE_COMMAND_H
#define ALLOCTRACE_COMMAND_H

#include "args.h"
#include "cmd_flags.h"
#include "filters.h"
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
extern const struct option merge_options[];

int cmd_run(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_merge(int argc, char **argv);
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

/* What is to be printed of a dump. */
struct stats_choice {
    struct alloctrace_statistics_options options;
    uint64_t limit; /* groups at most; 0 = all */
    int format;     /* enum out_format */
    bool is_folded;   /* account wrappers to their callers */
    bool has_details; /* print temporary blocks, reallocs, sizes */
    struct filters filters; /* of the folded traces, if they are folded; owned
                               by who made the choice */
};

/* Prints it. Returns 0, or 2 after a message. */
int stats_report(const struct out *out, const alloctrace_snapshot *snapshot,
                 const struct stats_choice *choice);

/* The options of each command that prints where memory came from. */
#define FOLD_OPTIONS                                                        \
    {"--fold-wrappers", NULL,                                               \
     "account what wrappers hand on (xmalloc, operator new, the inside of " \
     "the C++ library) to their callers (default for text)"},               \
    {                                                                       \
        "--no-fold-wrappers", NULL,                                         \
            "account it to the functions that call the allocator (default " \
            "for "                                                          \
            "json and csv)"                                                 \
    }

/* Reads those: `fallback` without them. Returns 0, or 2 after a message. */
int stats_read_fold(const struct args *args, const char *command, bool fallback,
                    bool *is_folded);

#endif
