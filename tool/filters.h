/* SPDX-License-Identifier: MIT */
/*
 * The options that say which traces a command looks at. In a command:
 *
 *     const struct option x_options[] = {..., FILTER_OPTIONS, {NULL}};
 *
 *     args_parse(&args, x_options, ...)
 *     filters_read(&filters, &args, argv[0])    2 after a message, or 0
 *     filters_apply(&filters, view, &filtered)  for each snapshot, after folding
 *     filters_print(&out, view, filtered, metric)
 *     filters_fini(&filters)
 *
 * Of includes of one kind one must match, and of every kind that is given; no
 * exclude may match.
 */
#ifndef ALLOCTRACE_FILTERS_H
#define ALLOCTRACE_FILTERS_H

#include "args.h"
#include "out.h"

/* What is asked of traces. */
struct filter_item; /* see filters.c */
struct filters {
    struct filter_item *items; /* owned: in the order of the command line */
    size_t count;              /* of them; 0 = nothing is asked */
    int all_frames;            /* --all-frames */
};

#define FILTER_OPTIONS                                                        \
    {"--include", "PATTERN[:LINE]", NULL},                                    \
        {"--exclude", "PATTERN[:LINE]",                                       \
         "only, or all but, what was allocated in files whose names match "   \
         "(and in that line): * is any text, ? any character, [seq] one of "  \
         "seq, [!seq] any other. All of these options may be given several "  \
         "times: of the includes of one kind one must match, and no exclude"}, \
        {"--include-function", "PATTERN", NULL},                              \
        {"--exclude-function", "PATTERN", "likewise, by the function"},       \
        {"--include-module", "PATTERN", NULL},                                \
        {"--exclude-module", "PATTERN",                                       \
         "by the path of the program or library"},                            \
        {"--include-type", "PATTERN", NULL},                                  \
        {"--exclude-type", "PATTERN",                                         \
         "by the type of what was allocated"},          \
        {"--include-thread", "PATTERN", NULL},                                \
        {"--exclude-thread", "PATTERN", "by the name of the thread"},         \
        {"--include-domain", "DOMAIN", NULL},                                 \
        {"--exclude-domain", "DOMAIN", "by the domain, its number or name"},  \
        {"--domain", "DOMAIN", "the same as --include-domain"},               \
    {                                                                         \
        "--all-frames", NULL,                                                 \
            "let files, functions and modules match anywhere on the call "    \
            "path, not only where it allocated"                               \
    }

/* Reads them. Call filters_fini afterwards, whatever is returned: 0, or 2
 * after a message. */
int filters_read(struct filters *filters, const struct args *args,
                 const char *command);
void filters_fini(struct filters *filters);

/* Makes a snapshot of what passes; `*filtered` is NULL if nothing is asked.
 * The caller frees it. Returns 0 or ALLOCTRACE_ENO_MEMORY. */
int filters_apply(const struct filters *filters,
                  const alloctrace_snapshot *snapshot,
                  alloctrace_snapshot **filtered);

/* One line: how many of a snapshot's traces and bytes passed. `metric` is an
 * enum alloctrace_metric. */
int filters_print(const struct out *out, const alloctrace_snapshot *snapshot,
                  const alloctrace_snapshot *filtered, int metric);

#endif
