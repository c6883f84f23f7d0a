/* SPDX-License-Identifier: MIT */
/*
 * Statistics as they are printed: for people in report.c, for programs (JSON,
 * CSV) in listing.c. What cannot be printed for want of memory is
 * ALLOCTRACE_ENO_MEMORY; errors of the file stay with the file.
 */
#ifndef ALLOCTRACE_REPORT_H
#define ALLOCTRACE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "out.h"

/* What is printed: the groups and how they were asked for. */
struct report {
    const alloctrace_snapshot *snapshot; /* not owned */
    alloctrace_statistics *statistics;   /* owned by who made the report */
    struct alloctrace_statistics_options options; /* none is 0 */
    size_t n_shown;                               /* groups to print */
};

/* The names of groupings and metrics; each list ends with NULL, and the
 * position of a name is its value less one. */
extern const char *const report_groupings[];
extern const char *const report_metrics[];
const char *report_group_by(const struct report *report);
const char *report_metric(const struct report *report);

/* Are the keys of a grouping frames? */
bool report_has_frames(int group_by);

/* A group's key as people read it: "lmem.c:192 luaM_malloc_". */
void report_place(const struct report *report, size_t index, char *text,
                  size_t size);

/* Each prints it all. Returns 0 or ALLOCTRACE_ENO_MEMORY. */
int report_print(const struct out *out, const struct report *report);
int report_json(FILE *file, const struct report *report);
int report_csv(FILE *file, const struct report *report);

#endif
