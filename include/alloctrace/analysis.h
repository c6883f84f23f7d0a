/* SPDX-License-Identifier: MIT */
/*
 * Reading dumps of alloctrace: what the command `alloctrace` is built on, for
 * any program. Needs the C library only, and neither the runtime nor the
 * machine that the dump was written on.
 *
 *     alloctrace_snapshot *snapshot;
 *     alloctrace_statistics *statistics;
 *     struct alloctrace_error error;
 *
 *     if (alloctrace_snapshot_load("lua.alloctrace", &snapshot, &error))
 *         die(error.message);
 *     if (alloctrace_snapshot_statistics(snapshot, NULL, &statistics))
 *         die("out of memory");
 *     for (size_t i = 0; i < alloctrace_statistics_count(statistics); i++) {
 *         const struct alloctrace_statistic *statistic =
 *             alloctrace_statistics_get(statistics, i);
 *         printf("%s:%u: %lld B\n", statistic->key, statistic->line,
 *                (long long)statistic->size);
 *     }
 *     alloctrace_statistics_free(statistics);
 *     alloctrace_snapshot_free(snapshot);
 *
 * Words are tracemalloc's: a *snapshot* holds *traces* (what was allocated
 * from one *traceback*, that is, one call path of *frames*); *statistics* sum
 * traces up by a key. *Live* is what is allocated and not yet freed, *total*
 * everything since the start, *peak* what was live when the program's live
 * bytes were at their highest. Sizes are the bytes that were asked for.
 *
 * Numbers of strings, modules, frames, tracebacks and threads are those of
 * the file: from 1; 0 means none.
 *
 * Linking: `alloctrace-gcc prog.c` (also alloctrace-g++, -static, libraries)
 * links what is used of the library. Without the wrappers: -lalloctrace-analysis
 * -lm; what needs libdwarf is in -lalloctrace-symbol -ldwarf -lelf.
 *
 * Context, for every function: may allocate with malloc (which is not traced,
 * as in alloctrace_pause), is not async-signal-safe, keeps no global state.
 * Different snapshots may be used by different threads at once, and so may one,
 * but by functions that take it as const only. Nothing is printed, and no
 * function ends the program.
 *
 * Owner, for every pointer that is not said to be the caller's: the handle it
 * was asked of, and it lives as long as the handle does. Structs returned so
 * may get more members at their ends in later versions.
 */
#ifndef ALLOCTRACE_ANALYSIS_H
#define ALLOCTRACE_ANALYSIS_H

#include "builder.h"    /* snapshots by hand, merging */
#include "error.h"      /* what went wrong */
#include "filter.h"     /* which traces are looked at */
#include "resolve.h"    /* names for addresses */
#include "snapshot.h"   /* take, load, dump, look into */
#include "statistics.h" /* sum up, compare */
#include "traceback.h"  /* frames, tracebacks, text */

#endif
