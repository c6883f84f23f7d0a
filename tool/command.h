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
extern const struct option diff_options[];
extern const struct option info_options[];
extern const struct option merge_options[];
extern const struct option export_options[];

int cmd_run(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_export(int argc, char **argv);

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

/* Reads it, filters and all: the caller ends it with filters_fini in either
 * case. Returns 0, or 2 after a message. */
int stats_read(const struct args *args, const char *command,
               struct stats_choice *choice);

/* Does a dump hold what is asked for? Returns 0, or 2 after a message. */
int stats_check(const char *path, const alloctrace_snapshot *snapshot,
                const struct stats_choice *choice);

/* Folds and filters what a dump holds, as far as that is asked for: `*view` is
 * what was folded or the snapshot itself, `*part` what passed the filters or
 * NULL. The caller frees both. Returns 0 or ALLOCTRACE_ENO_MEMORY. */
int stats_view(alloctrace_snapshot *snapshot, const struct stats_choice *choice,
               alloctrace_snapshot **view, alloctrace_snapshot **part);

/* Prints a report in the format that was chosen, and frees what it owns.
 * Returns 0, or 2 after a message: if `error`, or memory ran out. */
struct report;
int stats_print(const struct out *out, struct report *report,
                const struct stats_choice *choice, int error);

/* What makes a comparison doubtful, if anything: a line. */
void diff_print_doubts(const struct out *out, const struct report *report);

/* Prints it. Returns 0, or 2 after a message. */
int stats_report(const struct out *out, const alloctrace_snapshot *snapshot,
                 const struct stats_choice *choice);

/* The options of what sums up. */
#define STATS_OPTIONS                                                          \
    {"--group-by", "KEY",                                                      \
     "filename, lineno (default), function, traceback, type, domain, thread "  \
     "or module"},                                                             \
        {"--metric", "METRIC",                                                 \
         "live (default), total, peak or temporary (freed before the thread "  \
         "allocated again; needs ALLOCTRACE_DETAIL=1)"},                       \
        {"--cumulative", NULL,                                                 \
         "count what was allocated for every place on its call path, not "     \
         "only where it was allocated (by filename, lineno, function, "        \
         "module)"},                                                           \
        {"--ignore-lines", NULL,                                               \
         "by lineno and traceback: tell places apart by file, function and "   \
         "the number of the call in its function, not by line, so that lines " \
         "may move between builds"},                                           \
        {"--details", NULL,                                                    \
         "print temporary blocks, reallocs and a histogram of sizes for each " \
         "group (needs ALLOCTRACE_DETAIL=1; json always has them)"},           \
        {"--limit", "N",                                                       \
         "groups to print; 0: all; default 20 for text, else all"},            \
        FOLD_OPTIONS, FILTER_OPTIONS,                                          \
    {                                                                          \
        "--format", "FORMAT", "text (default), json or csv"                    \
    }

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
