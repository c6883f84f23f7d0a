/* SPDX-License-Identifier: MIT */
/*
 * Filters: which traces are looked at.
 * Part of alloctrace/analysis.h, which says what holds for every function.
 */
#ifndef ALLOCTRACE_FILTER_H
#define ALLOCTRACE_FILTER_H

#include "snapshot.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* As line or domain of a filter: any. */
#define ALLOCTRACE_ANY (-1)

/*
 * What traces are kept, or thrown away. A trace matches a filter if it has all
 * that the filter asks for; a member of NULL or ALLOCTRACE_ANY asks for
 * nothing. Make it with alloctrace_filter_make or alloctrace_domain_filter_make
 * and change members afterwards, so that members that later versions add ask
 * for nothing.
 *
 * File, line, function and module must be those of one frame: of the most
 * recent one, or of any that is kept if `all_frames` is set.
 *
 * Patterns are those of Python's fnmatch.fnmatchcase: * is any text (slashes
 * too), ? any byte, [seq] any byte in seq, [!seq] any other; the whole name
 * must match. The empty pattern matches the empty name. A file name's ".pyc"
 * counts as ".py", as in tracemalloc. Names that are not known are empty, but
 * for files (see struct alloctrace_frame).
 */
struct alloctrace_filter {
    size_t size;   /* sizeof (struct alloctrace_filter) */
    int inclusive; /* 1 = keep what matches, 0 = throw it away */
    int all_frames; /* 1 = any frame may match, 0 = the most recent one */
    const char *filename_pattern; /* for the frame's file */
    int64_t lineno;               /* of the frame; 0 = an unknown line */
    int64_t domain;               /* number of the domain */
    const char *function_pattern; /* for the frame's function */
    const char *module_pattern;   /* for the path of the loaded file */
    const char *type_pattern;     /* for the type of what was allocated */
    const char *thread_pattern;   /* for the name of the thread */
};

/* Makes a filter that asks for a file name only. Mirrors
 * Filter(inclusive, filename_pattern); `lineno`, `all_frames` and `domain` are
 * members to be set. */
static inline struct alloctrace_filter
alloctrace_filter_make(int inclusive, const char *filename_pattern)
{
    struct alloctrace_filter filter = {
        sizeof(struct alloctrace_filter),
        inclusive,
        0,
        filename_pattern,
        ALLOCTRACE_ANY,
        ALLOCTRACE_ANY,
        NULL,
        NULL,
        NULL,
        NULL,
    };

    return filter;
}

/* Makes a filter that asks for a domain only. Mirrors
 * DomainFilter(inclusive, domain). */
static inline struct alloctrace_filter
alloctrace_domain_filter_make(int inclusive, uint32_t domain)
{
    struct alloctrace_filter filter = alloctrace_filter_make(inclusive, NULL);

    filter.domain = domain;
    return filter;
}

/*
 * Makes a snapshot of the traces that filters let through: those that match one
 * of the inclusive filters, if there is one, and none of the exclusive ones.
 * With no filters it is a copy. What is left of blocks and details goes with
 * the traces (a block, if a trace is left that has its traceback and domain);
 * process, summary and attributes stay those of the whole program, and so do
 * the types and the folded paths of what is left.
 *
 * The filters stand side by side; all have the `size` of the first. A smaller
 * size than today's asks for nothing in the members that are missing; of a
 * larger one what this version does not know must be zeros. Nothing of them is
 * needed afterwards. Of a folded snapshot the folded paths are looked at, and
 * the result is folded.
 *
 * Takes time in proportion to traces, tracebacks and frames for each filter, and
 * to each name times its pattern at most.
 *
 * Owner: the caller frees it with alloctrace_snapshot_free; `snapshot` is not
 * changed, may be freed before, but not resolved any more.
 * Returns: 0, ALLOCTRACE_EBAD_ARGUMENT (a size, a line or a domain; filters are
 * NULL, though there are some) or ALLOCTRACE_ENO_MEMORY. Mirrors
 * Snapshot.filter_traces.
 */
alloctrace_nodiscard int
alloctrace_snapshot_filter_traces(const alloctrace_snapshot *snapshot,
                                  const struct alloctrace_filter *filters,
                                  size_t n_filters,
                                  alloctrace_snapshot **filtered);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
