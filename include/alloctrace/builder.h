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
 * bounded by what differs; they are found by a hash with a random key, so that
 * nobody can make that slow. Which numbers they get depends on nothing but the
 * order in which they came.
 *
 * Owner: the caller ends it with alloctrace_builder_finish or
 * alloctrace_builder_free.
 * Returns: 0 or ALLOCTRACE_ENO_MEMORY.
 */
alloctrace_nodiscard int alloctrace_builder_create(alloctrace_builder **builder);

/* Throws a builder away. NULL is accepted. */
void alloctrace_builder_free(alloctrace_builder *builder);

/*
 * Says what was traced; texts are copied, NULL is unknown. This counts whatever
 * merged snapshots say, but for an n_processes of 0, in place of which theirs
 * are counted. traceback_limit is that of the snapshot, 0 if it is not set:
 * paths are kept whole whatever it says.
 *
 * Returns: 0 or ALLOCTRACE_ENO_MEMORY.
 */
alloctrace_nodiscard int
alloctrace_builder_set_process(alloctrace_builder *builder,
                               const struct alloctrace_process *process);

/*
 * Adds a module, a thread or a named domain, or finds it if there is an equal
 * one; `id` gets its number (of a domain it is given). Modules are equal if
 * path and build id are, and have the addresses of the first; if neither is
 * known, the addresses make them equal. Threads are equal if name and `tid`
 * are. A domain keeps the first name that it is given.
 *
 * Returns: 0 or ALLOCTRACE_ENO_MEMORY.
 */
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
 * type_size, target, kind, flags, is_inlined, address and module count (a
 * module that was got of a builder or snapshot; it is copied, and the address
 * moves with it); NULL texts are unknown, and an address without a place gets
 * its module's name for a file. No frames are the one that is "<unknown>", line
 * 0.
 *
 * Paths of equal frames and different totals are different tracebacks.
 *
 * The block counts in live, total and peak figures. These are kept modulo 2^64:
 * what is 2^63 or more is below 0 in an int64_t and right as a uint64_t.
 *
 * Returns: 0, ALLOCTRACE_EBAD_ARGUMENT (a total below the number of frames; more
 * than 65535 frames inlined into one another) or ALLOCTRACE_ENO_MEMORY.
 */
alloctrace_nodiscard int
alloctrace_builder_add(alloctrace_builder *builder, uint32_t domain,
                       uint64_t size, const struct alloctrace_frame *frames,
                       size_t n_frames, uint64_t total_nframe);

/* The same for many blocks at once: with all figures of a trace, its domain,
 * and its thread as alloctrace_builder_add_thread numbers it. Its traceback is
 * ignored. Returns: as alloctrace_builder_add; ALLOCTRACE_EBAD_ARGUMENT for a
 * thread of another number as well. */
alloctrace_nodiscard int
alloctrace_builder_add_trace(alloctrace_builder *builder,
                             const struct alloctrace_trace *trace,
                             const struct alloctrace_frame *frames,
                             size_t n_frames, uint64_t total_nframe);

/*
 * Adds all that a snapshot has: merges it. Figures of equal traces are added up,
 * whole-program figures as well. A peak that comes of this is the sum of peaks,
 * which need not have been at the same time. What is equal:
 *
 * call paths  whose frames are, whatever a limit or recursion left out: that
 *             differs from run to run, and the most is kept. Paths are added
 *             whole, and those of a folded snapshot as they were before (fold
 *             the result); frames that no trace has are left behind
 * threads     of one name; `tid` is 0 if they differ in it
 * modules     as for alloctrace_builder_add_module; addresses move to the first
 *             of them
 * domains     of one number. Those that the runtime numbered, from 0x80000000
 *             on, are told apart by name instead, and keep their number if no
 *             other one has it already
 *
 * What the merged processes have in common (program, host, word_bits, ...) is
 * kept, else it is unknown; they began when the first of them did, and were
 * dumped when the last was. Their number is added up. traceback_limit is 0 if
 * one is, else the largest, and sample_bytes the largest, too, so that
 * alloctrace_snapshot_error is still an upper bound. Arguments are kept if they
 * are equal, and attributes where all snapshots that were added so far have the
 * same. Details are kept if all snapshots have them, and all traces came with
 * snapshots. Single blocks are kept as long as they are those of one process, as
 * addresses of different ones mean nothing together.
 *
 * Takes time in proportion to the snapshot, and keeps memory in proportion to
 * what is new in it.
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

/* ---- Merging files ---- */

/* How to merge. All zero but `size` is good for most. */
struct alloctrace_merge_options {
    size_t size;         /* sizeof (struct alloctrace_merge_options) */
    uint64_t max_memory; /* bytes for call paths and traces; what does not fit
                            goes to temporary files. 0 = 256 MiB */
    const char *folder;  /* for these; NULL = that of the output, or /var/tmp
                            where there can be no files */
    /* Is told of a file that cannot be read. Returns 0 to go on without it,
     * else merging ends. NULL: it ends. What it allocates is traced, if the
     * program is. */
    int (*skip)(void *data, const char *path,
                const struct alloctrace_error *error);
    void *data; /* for `skip` */
};

/*
 * Merges dumps, of which there may be tens of thousands, into a new one. That
 * holds what alloctrace_builder_add_snapshot makes of them, but no single
 * blocks, and its traces stand in the order of their call paths. It is written
 * as by alloctrace_snapshot_dump, after all others were read; so it may even
 * replace one of them. "-" is standard input or output.
 *
 * Memory is that of `max_memory`, of the largest of the dumps when it is
 * loaded, and of their strings and frames, equal ones counted once.
 *
 * `options`, `path` and `error` may be NULL. `path` gets the path that failed:
 * one of `paths`, or `output`; NULL if it was none of them.
 *
 * Owner: the texts are the caller's, that of `path` as well.
 * Returns: 0; ALLOCTRACE_EIO, ALLOCTRACE_EBAD_FILE, ALLOCTRACE_EBAD_VERSION (as
 * alloctrace_snapshot_load and alloctrace_snapshot_dump; also if no file is left
 * after skipping), ALLOCTRACE_EBAD_ARGUMENT (no paths; an option) or
 * ALLOCTRACE_ENO_MEMORY, and then there is no new file.
 */
alloctrace_nodiscard int
alloctrace_merge(const char *const *paths, size_t n_paths, const char *output,
                 const struct alloctrace_merge_options *options,
                 const char **path, struct alloctrace_error *error);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
