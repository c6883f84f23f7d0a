/* SPDX-License-Identifier: MIT */
/*
 * Statistics as they are printed: for people in report.c and table.c, for
 * programs (JSON, CSV) in listing.c. What cannot be printed for want of memory
 * is ALLOCTRACE_ENO_MEMORY; errors of the file stay with the file.
 */
#ifndef ALLOCTRACE_REPORT_H
#define ALLOCTRACE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "location.h"
#include "out.h"

/* What is printed: the groups and how they were asked for. */
struct report {
    const alloctrace_snapshot *snapshot; /* folded or not, filtered or not; not
                                            owned */
    const alloctrace_snapshot *whole;    /* what was filtered; NULL = nothing
                                            was; not owned */
    const alloctrace_snapshot *old;      /* what it is compared with, as
                                            `snapshot`; NULL = nothing */
    const alloctrace_snapshot *old_whole; /* what that was filtered from, as
                                             `whole` */
    alloctrace_statistics *statistics;   /* owned by who made the report */
    struct alloctrace_statistics_options options; /* none is 0 */
    size_t *listed;  /* owned likewise: the groups that there are to print; NULL
                        = all */
    size_t n_listed; /* of them */
    size_t n_shown;  /* those that are printed: the first ones */
    bool is_folded;   /* wrappers are accounted to their callers */
    bool has_details; /* text, CSV: print each group's details */
};

/* The group that is printed in a place, 0 .. n_shown - 1. */
static inline size_t report_index(const struct report *report, size_t place)
{
    return report->listed ? report->listed[place] : place;
}

/* The names of groupings and metrics; each list ends with NULL, and the
 * position of a name is its value less one. */
extern const char *const report_groupings[];
extern const char *const report_metrics[];
const char *report_group_by(const struct report *report);
const char *report_metric(const struct report *report);

/* Are the keys of a grouping frames? */
bool report_has_frames(int group_by);

/* A group's key as people read it: "lmem.c:192 luaM_malloc_", in at most
 * `room` columns if that is not 0. */
void report_place(const struct report *report, size_t index, size_t room,
                  char text[LOCATION_SIZE]);

/* What part of all bytes these are: per cent. */
double report_share(const struct report *report, int64_t size);

/* A change: "+12.0 KiB"; "0 B" if there is none. */
const char *report_change(int64_t bytes, char text[ALLOCTRACE_SIZE_TEXT]);

/* The groups in rows, with a line that says what the columns are. Returns 0 or
 * ALLOCTRACE_ENO_MEMORY. */
int report_table(const struct out *out, const struct report *report);

/* Each prints it all. Returns 0 or ALLOCTRACE_ENO_MEMORY. */
int report_print(const struct out *out, const struct report *report);
int report_json(FILE *file, const struct report *report);
int report_csv(FILE *file, const struct report *report);

/* The members of a frame in JSON, without the braces around them. */
void report_json_frame(FILE *file, const struct alloctrace_frame *frame);

/* The functions of a path, oldest first, as one field of CSV. Returns 0 or
 * ALLOCTRACE_ENO_MEMORY. */
int report_csv_path(FILE *file, const alloctrace_traceback *traceback);

#endif
