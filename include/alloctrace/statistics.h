/* SPDX-License-Identifier: MIT */
/*
 * Statistics: traces summed up by a key, and compared.
 * Part of alloctrace/analysis.h, which says what holds for every function.
 */
#ifndef ALLOCTRACE_STATISTICS_H
#define ALLOCTRACE_STATISTICS_H

#include "traceback.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Groups of traces, summed up and sorted. */
typedef struct alloctrace_statistics alloctrace_statistics;

/*
 * What traces are grouped by: GROUPING(NAME, value, name). Values never
 * change. The first, second and fourth are tracemalloc's, with its keys:
 *
 * filename   file of the most recent frame
 * lineno     file and line of the most recent frame
 * function   function and file of the most recent frame
 * traceback  files and lines of all frames that are kept
 * type       type of the allocated objects, as far as it is known from the
 *            frames that the allocation was handed on through
 * domain     number of the domain
 * thread     number of the thread that allocated
 * module     loaded file that the most recent frame's code is in
 */
#define ALLOCTRACE_GROUPINGS(GROUPING) \
    GROUPING(FILENAME, 1, filename)    \
    GROUPING(LINENO, 2, lineno)        \
    GROUPING(FUNCTION, 3, function)    \
    GROUPING(TRACEBACK, 4, traceback)  \
    GROUPING(TYPE, 5, type)            \
    GROUPING(DOMAIN, 6, domain)        \
    GROUPING(THREAD, 7, thread)        \
    GROUPING(MODULE, 8, module)

/* The same as constants: ALLOCTRACE_BY_LINENO and so on. */
enum alloctrace_grouping {
#define ALLOCTRACE_GROUPING_ENUM(NAME, value, name) \
    ALLOCTRACE_BY_##NAME = value,
    ALLOCTRACE_GROUPINGS(ALLOCTRACE_GROUPING_ENUM)
#undef ALLOCTRACE_GROUPING_ENUM
};

/* Which blocks are counted: METRIC(NAME, value, name). Temporary ones (see
 * alloctrace_detail) are known only if the dump has details. */
#define ALLOCTRACE_METRICS(METRIC) \
    METRIC(LIVE, 1, live)          \
    METRIC(TOTAL, 2, total)        \
    METRIC(PEAK, 3, peak)          \
    METRIC(TEMPORARY, 4, temporary)

/* The same as constants: ALLOCTRACE_METRIC_LIVE and so on. */
enum alloctrace_metric {
#define ALLOCTRACE_METRIC_ENUM(NAME, value, name) \
    ALLOCTRACE_METRIC_##NAME = value,
    ALLOCTRACE_METRICS(ALLOCTRACE_METRIC_ENUM)
#undef ALLOCTRACE_METRIC_ENUM
};

/* How to sum up. All zero but `size` means by line, live. */
struct alloctrace_statistics_options {
    size_t size;  /* sizeof (struct alloctrace_statistics_options) */
    int group_by; /* enum alloctrace_grouping; 0 = ALLOCTRACE_BY_LINENO */
    int metric;   /* enum alloctrace_metric; 0 = ALLOCTRACE_METRIC_LIVE */
    int cumulative; /* count a trace for every frame of its traceback, not for
                       the most recent one only; by filename, lineno, function
                       and module */
    unsigned flags; /* ALLOCTRACE_LIKE_CPYTHON, ALLOCTRACE_IGNORE_LINES */
};

/* One group. */
struct alloctrace_statistic {
    int64_t size;          /* bytes; may be below 0 by thread */
    int64_t count;         /* blocks; likewise */
    const char *key;       /* file, function, type, module's path, name of the
                              thread or domain; "" for a traceback */
    uint32_t line;         /* by line; else 0 */
    uint32_t number;       /* of the domain or thread; else 0 */
    uint32_t traceback;    /* number of the first traceback in the group: of the
                              older snapshot if size and count are 0 */
    const char *type;      /* of all objects in the group; "" = unknown */
    int has_several_types; /* they have not all the same, and `type` is "" */
    int has_several_ways;  /* they came through different wrappers; 0 if
                              cumulative */
    int64_t size_diff;     /* bytes more than in the older snapshot; 0 without
                              one */
    int64_t count_diff;    /* blocks more; likewise */
};

/*
 * Sums up the traces by a key, sorted as tracemalloc sorts them: descending
 * by size, then count, then key. Groups without a block and a byte are left
 * out, but for blocks of no bytes. `options` may be NULL. Two runs over the same
 * file give the same.
 *
 * Cumulative: a trace counts once for each key that its kept frames have. With
 * ALLOCTRACE_LIKE_CPYTHON it counts once for each frame, so that recursion and
 * several lines of one file are counted several times. Without a traceback
 * limit this takes time in proportion to the tracebacks, however deep they are;
 * with one, to the kept frames.
 *
 * With ALLOCTRACE_IGNORE_LINES a group by line may have places of several
 * lines; it has the line of one of them.
 *
 * Owner: the caller frees it with alloctrace_statistics_free.
 * Returns: 0, ALLOCTRACE_EBAD_ARGUMENT (an option, an unknown flag, or
 * cumulative by another key; or temporary blocks, but the dump has no details)
 * or ALLOCTRACE_ENO_MEMORY.
 * Mirrors Snapshot.statistics.
 */
alloctrace_nodiscard int alloctrace_snapshot_statistics(
    const alloctrace_snapshot *snapshot,
    const struct alloctrace_statistics_options *options,
    alloctrace_statistics **statistics);

/*
 * Compares a snapshot with an older one: the groups of both, with their sizes
 * and counts in `snapshot` and how much more that is than in `old`. Groups
 * that did not change and such that are no more (size and count 0) are there as
 * well. Sorted as tracemalloc sorts them: descending by the differences in size
 * (without sign), size, the difference in count (without sign), count and key.
 *
 * The snapshots may be of different programs, machines and builds; keys are
 * compared as text. Numbers that differ from run to run stand for names: by
 * domain, those that the program made by name are told apart by name (numbers
 * from 0x80000000 on; others are numbers that it chose); by thread, all threads
 * of one name are one group, and so are those without.
 *
 * If the traceback limits differ, both are compared as far as the lower one
 * says, for nothing is known of more; with ALLOCTRACE_LIKE_CPYTHON each is as
 * its own limit says, as in tracemalloc. If only one of them is folded, the
 * other one is folded for the comparison.
 *
 * Owner: the caller frees it with alloctrace_statistics_free.
 * Returns: as alloctrace_snapshot_statistics; temporary blocks need details in
 * both. Mirrors Snapshot.compare_to.
 */
alloctrace_nodiscard int alloctrace_snapshot_compare_to(
    const alloctrace_snapshot *snapshot, const alloctrace_snapshot *old,
    const struct alloctrace_statistics_options *options,
    alloctrace_statistics **statistics);

/* Did they come from a comparison? Returns: 1 or 0. */
int alloctrace_statistics_is_diff(const alloctrace_statistics *statistics);

/*
 * Writes a group as text into `buffer`, as alloctrace_frame_format does:
 * "file:line: size=30 B, count=3, average=10 B", of a comparison "size=30 B (+4
 * B), count=3 (+1)"; no average without blocks. By function "function (file)"
 * stands in front, and where the key is no frame its name or number. By
 * traceback the frame is the most recent one, with ALLOCTRACE_LIKE_CPYTHON the
 * oldest that is kept. Mirrors str(statistic) and str(statistic_diff).
 *
 * Returns: as alloctrace_frame_format; 0 if there is no such group.
 */
size_t alloctrace_statistics_format(const alloctrace_statistics *statistics,
                                    size_t index, unsigned flags, char *buffer,
                                    size_t size);

/* Frees statistics. NULL is accepted. */
void alloctrace_statistics_free(alloctrace_statistics *statistics);

/* How many groups there are. */
size_t alloctrace_statistics_count(const alloctrace_statistics *statistics);

/* Gets a group, 0 = the first. Returns: NULL if there are not so many. */
const struct alloctrace_statistic *
alloctrace_statistics_get(const alloctrace_statistics *statistics,
                          size_t index);

/* Gets the sum of all traces, each counted once; its key is "". It is that of
 * all groups unless they are cumulative. Returns: never NULL. */
const struct alloctrace_statistic *
alloctrace_statistics_sum(const alloctrace_statistics *statistics);

/*
 * Gets the details of all traces of a group, whatever the metric; in a
 * comparison, of those that the newer snapshot has. Of a cumulative group it
 * takes time in proportion to the snapshot.
 *
 * Owner, returns: as alloctrace_snapshot_detail.
 */
alloctrace_nodiscard int
alloctrace_statistics_detail(const alloctrace_statistics *statistics,
                             size_t index, struct alloctrace_detail **detail);

/*
 * Gets the frames that are a group's key: one by file, line or function (with
 * line 0 where the line is no part of the key), all that are kept by
 * traceback, and none otherwise.
 *
 * Owner: as alloctrace_snapshot_traceback.
 * Returns: 0, ALLOCTRACE_EBAD_ARGUMENT (no such group) or
 * ALLOCTRACE_ENO_MEMORY. Mirrors Statistic.traceback.
 */
alloctrace_nodiscard int
alloctrace_statistics_traceback(const alloctrace_statistics *statistics,
                                size_t index, alloctrace_traceback **traceback);

/*
 * Gets the frames that folding left out between a group's first frame and
 * where it allocated: those of the trace with most bytes in the group. None
 * if nothing was left out of it, or if it is cumulative.
 *
 * Owner: as alloctrace_snapshot_traceback.
 * Returns: as alloctrace_statistics_traceback.
 */
alloctrace_nodiscard int
alloctrace_statistics_wrappers(const alloctrace_statistics *statistics,
                               size_t index, alloctrace_traceback **traceback);

/* ---- Text ---- */

/* Characters that alloctrace_format_size needs, with the NUL. */
#define ALLOCTRACE_SIZE_TEXT 32

/*
 * Writes a size for people: "1023 B", "10.0 KiB", "512 MiB", as tracemalloc
 * does, whatever the locale.
 *
 * Units: bytes; a double, so that averages are rounded once.
 * Returns: `text`. Mirrors tracemalloc._format_size(size, has_sign).
 */
const char *alloctrace_format_size(double size, int has_sign,
                                   char text[ALLOCTRACE_SIZE_TEXT]);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
