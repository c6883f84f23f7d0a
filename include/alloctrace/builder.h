/* SPDX-License-Identifier: MIT */
/*
 * Snapshots that are built by hand, and merged ones.
 * Part of alloctrace/analysis.h, which says what holds for every function.
 */
#ifndef ALLOCTRACE_BUILDER_H
#define ALLOCTRACE_BUILDER_H

#include "traceback.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* A snapshot that is being built. */
typedef struct alloctrace_builder alloctrace_builder;

/*
 * Begins a snapshot: for tests, for converters, and to merge others. It has no
 * traces yet, and its process is unknown.
 *
 * Equal strings, frames, call paths and traces are kept once, so that memory is
 * bounded by what differs.
 *
 * Owner: the caller ends it with alloctrace_builder_finish or
 * alloctrace_builder_free.
 * Returns: 0 or ALLOCTRACE_ENO_MEMORY.
 */
alloctrace_nodiscard int alloctrace_builder_create(alloctrace_builder **builder);

/* Throws a builder away. NULL is accepted. */
void alloctrace_builder_free(alloctrace_builder *builder);

/*
 * Says what was traced; texts are copied. traceback_limit is that of the
 * snapshot, 0 if it is not set: paths are kept whole whatever it says.
 *
 * Returns: 0 or ALLOCTRACE_ENO_MEMORY.
 */
alloctrace_nodiscard int
alloctrace_builder_set_process(alloctrace_builder *builder,
                               const struct alloctrace_process *process);

/* Adds a module, a thread or a named domain, or finds it if there is an equal
 * one; `id` gets its number (of a domain it is given). Returns: 0 or
 * ALLOCTRACE_ENO_MEMORY. */
alloctrace_nodiscard int
alloctrace_builder_add_module(alloctrace_builder *builder,
                              const struct alloctrace_module *module,
                              uint32_t *id);
alloctrace_nodiscard int
alloctrace_builder_add_thread(alloctrace_builder *builder,
                              const struct alloctrace_thread *thread,
                              uint32_t *id);
alloctrace_nodiscard int
alloctrace_builder_name_domain(alloctrace_builder *builder, uint32_t domain,
                               const char *name);

/*
 * Adds one live block, as tracemalloc has it: a tuple of its domain, its size,
 * its frames (the most recent first) and how many frames there were before a
 * limit (0: as many as are given). Of frames file, line, column, function, type,
 * type_size, target, kind, flags, is_inlined and module count (a module that
 * was got of a builder or snapshot; it is copied); NULL texts are unknown. No
 * frames are the one that is "<unknown>", line 0.
 *
 * The block counts in live, total and peak figures.
 *
 * Returns: 0, ALLOCTRACE_EBAD_ARGUMENT (a total below the number of frames) or
 * ALLOCTRACE_ENO_MEMORY.
 */
alloctrace_nodiscard int
alloctrace_builder_add(alloctrace_builder *builder, uint32_t domain,
                       uint64_t size, const struct alloctrace_frame *frames,
                       size_t n_frames, uint64_t total_nframe);

/* The same for many blocks at once: with all figures of a trace, its domain,
 * and its thread as alloctrace_builder_add_thread numbers it. Its traceback is
 * ignored. Returns: as alloctrace_builder_add. */
alloctrace_nodiscard int
alloctrace_builder_add_trace(alloctrace_builder *builder,
                             const struct alloctrace_trace *trace,
                             const struct alloctrace_frame *frames,
                             size_t n_frames, uint64_t total_nframe);

/*
 * Adds all that a snapshot has: merges it. Figures of equal call paths, threads
 * of one name and domains are added up, whole-program figures as well. A peak
 * that comes of this is the sum of peaks, which need not have been at the same
 * time. What the merged processes have in common (program, host, limit, ...)
 * is kept, else it is unknown; it began when the first of them did. Attributes
 * are kept where all snapshots that were added so far have the same. Single
 * blocks are added only with a number of processes of one.
 *
 * Takes memory in proportion to what is new in the snapshot.
 *
 * Returns: 0 or ALLOCTRACE_ENO_MEMORY; then the builder can only be freed.
 */
alloctrace_nodiscard int
alloctrace_builder_add_snapshot(alloctrace_builder *builder,
                                const alloctrace_snapshot *snapshot);

/*
 * Ends the builder, which is freed whatever happens, and gives what was built.
 * Traces stand in the order in which they were met first.
 *
 * Owner: the caller frees the snapshot with alloctrace_snapshot_free.
 * Returns: 0 or ALLOCTRACE_ENO_MEMORY.
 */
alloctrace_nodiscard int
alloctrace_builder_finish(alloctrace_builder *builder,
                          alloctrace_snapshot **snapshot);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
