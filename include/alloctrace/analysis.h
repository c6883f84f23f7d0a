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
 * Context, for every function: may allocate with malloc, is not
 * async-signal-safe, keeps no global state. Different snapshots may be used by
 * different threads at once, and so may one, but by functions that take it
 * as const only. Nothing is printed, and no function ends the program.
 *
 * Owner, for every pointer that is not said to be the caller's: the handle it
 * was asked of, and it lives as long as the handle does. Structs returned so
 * may get more members at their ends in later versions.
 */
#ifndef ALLOCTRACE_ANALYSIS_H
#define ALLOCTRACE_ANALYSIS_H

#include <stddef.h>
#include <stdint.h>

#include "../alloctrace.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef alloctrace_nodiscard
#define alloctrace_nodiscard __attribute__((warn_unused_result))
#endif

#pragma GCC visibility push(default)

/* ---- Errors ---- */

/* The value of `offset` when no place in a file is meant. */
#define ALLOCTRACE_NO_OFFSET UINT64_MAX

/* Why a file was refused. The caller's. */
struct alloctrace_error {
    int code;          /* one of ALLOCTRACE_E*; 0 = none */
    uint64_t offset;   /* where in the file, in bytes, or NO_OFFSET */
    char message[232]; /* what is wrong: one line, no full stop, no newline */
};

/*
 * Says what an error code means.
 *
 * Context: any thread; async-signal-safe.
 * Returns: a constant text, also for a code that does not exist.
 */
const char *alloctrace_strerror(int code);

/* ---- Snapshots ---- */

/* An immutable copy of all traces of a process at one moment. */
typedef struct alloctrace_snapshot alloctrace_snapshot;

/* A call path: frames. A sequence as in Python; see traceback_frame. */
typedef struct alloctrace_traceback alloctrace_traceback;

/* Groups of traces, summed up and sorted. */
typedef struct alloctrace_statistics alloctrace_statistics;

/* What was traced. */
struct alloctrace_process {
    const char *program;      /* path of the executable; "" = unknown */
    const char *host;         /* name of the machine; "" = unknown */
    const char *writer;       /* version of the runtime that wrote the file */
    const char *reason;       /* why it was written: "exit", "request", ... */
    uint64_t start_ns;        /* when tracing started: ns since 1970, UTC */
    uint64_t dump_ns;         /* when the snapshot was taken, likewise */
    uint32_t pid;             /* number of the process */
    uint32_t word_bits;       /* 32 or 64, of the traced program */
    uint32_t traceback_limit; /* frames kept of a traceback; 0 = every one */
    uint32_t sequence;        /* number of this dump in its process, from 1 */
    uint64_t sample_bytes;    /* 0 = figures are exact; else estimates from one
                                 sample in so many bytes */
};

/* The whole program. What was dropped is in no trace. */
struct alloctrace_summary {
    uint64_t live_blocks;    /* allocated and not yet freed */
    uint64_t live_bytes;     /* their bytes */
    uint64_t total_blocks;   /* all that were ever allocated */
    uint64_t total_bytes;    /* their bytes */
    uint64_t peak_bytes;     /* highest value of live_bytes */
    uint64_t peak_slack;     /* how far the true peak may be away */
    uint64_t dropped_blocks; /* allocations that could not be recorded */
    uint64_t dropped_bytes;  /* their bytes */
    uint64_t unknown_frees;  /* frees of blocks that were not recorded */
    uint64_t overhead_bytes; /* the tracer's own memory */
    uint64_t bad_frames;     /* frames that could not be taken apart */
    uint64_t collisions;     /* call paths told apart wrongly, if verified */
    uint64_t cut_blocks;     /* counted under a prefix of their call path, as
                                there was no memory for more */
    uint64_t cut_bytes;      /* their bytes */
};

/* A file that was loaded into the process. */
struct alloctrace_module {
    const char *path;     /* as the system named it; "" = unknown */
    const char *build_id; /* hexadecimal digits; "" = it has none */
    uint64_t begin;       /* first address that it is mapped at */
    uint64_t end;         /* one past the last */
    uint64_t bias;        /* address in memory minus address in the file */
};

/* A thread, or several one after another that were given the same number. */
struct alloctrace_thread {
    const char *name; /* "" = unknown */
    uint32_t tid;     /* as the system numbers it; 0 = several */
};

/* A kind of memory that is counted apart; only those that were named. */
struct alloctrace_domain {
    const char *name; /* "" = unknown */
    uint32_t id;      /* as traces have it; differs from run to run */
};

/* What one thread allocated from one traceback in one domain. */
struct alloctrace_trace {
    uint32_t traceback;   /* number of the traceback; 0 = unknown */
    uint32_t thread;      /* number of the thread; 0 = unknown */
    uint32_t domain;      /* 0 = malloc */
    int64_t live_blocks;  /* below 0 if others' blocks were freed: sum up */
    int64_t live_bytes;   /* likewise */
    int64_t total_blocks; /* all that were ever allocated */
    int64_t total_bytes;  /* their bytes */
    int64_t peak_blocks;  /* live at the peak of the whole program */
    int64_t peak_bytes;   /* their bytes */
};

/*
 * Loads a dump from a file; "-" is standard input.
 *
 * Everything in the file is checked, so that what was loaded can be trusted;
 * takes time in proportion to the file's size. `error` may be NULL.
 *
 * Owner: the caller frees the snapshot with alloctrace_snapshot_free.
 * Returns: 0; ALLOCTRACE_EIO (cannot be read), ALLOCTRACE_EBAD_FILE (not a
 * dump, or damaged), ALLOCTRACE_EBAD_VERSION (written by a newer alloctrace)
 * or ALLOCTRACE_ENO_MEMORY, and then `error` says more and `snapshot` is
 * untouched. Mirrors tracemalloc.Snapshot.load.
 */
alloctrace_nodiscard int
alloctrace_snapshot_load(const char *path, alloctrace_snapshot **snapshot,
                         struct alloctrace_error *error);

/*
 * Loads a dump that is in memory. `bytes` need not outlive the call.
 *
 * Returns: as alloctrace_snapshot_load.
 */
alloctrace_nodiscard int
alloctrace_snapshot_load_bytes(const void *bytes, size_t size,
                               alloctrace_snapshot **snapshot,
                               struct alloctrace_error *error);

/*
 * Reads a whole file into memory, whatever it holds; "-" is standard input.
 *
 * Owner: the caller frees `bytes` with free.
 * Returns: 0, ALLOCTRACE_EIO or ALLOCTRACE_ENO_MEMORY, and then `error` (may
 * be NULL) says more.
 */
alloctrace_nodiscard int alloctrace_read_file(const char *path, void **bytes,
                                              size_t *size,
                                              struct alloctrace_error *error);

/* Frees a snapshot and everything that was asked of it. NULL is accepted. */
void alloctrace_snapshot_free(alloctrace_snapshot *snapshot);

/* Says which process it was, and when. */
const struct alloctrace_process *
alloctrace_snapshot_process(const alloctrace_snapshot *snapshot);

/*
 * Says how exact a number of bytes is that a snapshot gives: live, total or at
 * the peak, of the program, a group or a trace.
 *
 * Returns: the standard error, at most, as a share of `size`; 0 if every block
 * was traced, 1 or more if the number says little. Of blocks that are larger
 * than the sampling period it is less than that.
 */
double alloctrace_snapshot_error(const alloctrace_snapshot *snapshot,
                                 int64_t size);

/* Says how much the whole program allocated, and what was dropped. */
const struct alloctrace_summary *
alloctrace_snapshot_summary(const alloctrace_snapshot *snapshot);

/*
 * Says how many frames of each traceback are kept.
 *
 * Returns: the limit; 0 = every frame. Mirrors Snapshot.traceback_limit.
 */
uint32_t
alloctrace_snapshot_traceback_limit(const alloctrace_snapshot *snapshot);

/* ---- Details ---- */

/* Blocks by requested size: `from` through `to` bytes. The classes are 0, 1, 2,
 * 3 to 4, 5 to 8 and so on. */
struct alloctrace_size_class {
    uint64_t from;
    uint64_t to;
    uint64_t blocks; /* that were ever allocated: at least one */
    uint64_t bytes;  /* that they were asked for */
};

#define ALLOCTRACE_SIZE_CLASS_COUNT 66

/*
 * More about what was allocated, if ALLOCTRACE_DETAIL=1 asked the program for
 * it. All figures are of total blocks, whether they are live or not.
 *
 * A temporary block was freed by the thread that allocated it, and before that
 * thread allocated anything else. A realloc counts as a free and an allocation
 * there; here it is also counted for the path that the old block came from.
 */
struct alloctrace_detail {
    uint64_t total_blocks;     /* as in the traces */
    uint64_t total_bytes;      /* likewise */
    uint64_t temporary_blocks; /* that many of them */
    uint64_t temporary_bytes;  /* their bytes */
    uint64_t resized_blocks;   /* reallocs of these blocks */
    uint64_t resized_in_place; /* that left the block where it was */
    uint64_t moved_bytes;      /* that the others copied */
    uint64_t grown_bytes;      /* new sizes less old ones, where larger */
    uint64_t shrunk_bytes;     /* old sizes less new ones, where smaller */
    uint64_t smallest;         /* requested size; 0 without blocks */
    uint64_t largest;          /* likewise */
    size_t n_sizes;            /* classes that have blocks */
    struct alloctrace_size_class sizes[]; /* ascending; fewer blocks than in
                                total if some could not be sorted in */
};

/* Does the dump hold details? Returns: 1 or 0. */
int alloctrace_snapshot_has_details(const alloctrace_snapshot *snapshot);

/*
 * Gets the details of a trace, or of all traces together. Of a folded
 * snapshot they are those of the whole one.
 *
 * Owner: the caller frees them with alloctrace_detail_free.
 * Returns: 0, ALLOCTRACE_EBAD_ARGUMENT (the dump has no details; no such
 * trace) or ALLOCTRACE_ENO_MEMORY.
 */
alloctrace_nodiscard int
alloctrace_snapshot_detail(const alloctrace_snapshot *snapshot, size_t index,
                           struct alloctrace_detail **detail);
alloctrace_nodiscard int
alloctrace_snapshot_detail_sum(const alloctrace_snapshot *snapshot,
                               struct alloctrace_detail **detail);

/* Frees details. NULL is accepted. */
void alloctrace_detail_free(struct alloctrace_detail *detail);

/* How many there are: `get` takes 0 .. count - 1 for arguments, traces and
 * domains, and the numbers 1 .. count for modules, threads and tracebacks. */
size_t alloctrace_snapshot_argument_count(const alloctrace_snapshot *snapshot);
size_t alloctrace_snapshot_trace_count(const alloctrace_snapshot *snapshot);
size_t alloctrace_snapshot_domain_count(const alloctrace_snapshot *snapshot);
size_t alloctrace_snapshot_module_count(const alloctrace_snapshot *snapshot);
size_t alloctrace_snapshot_thread_count(const alloctrace_snapshot *snapshot);
size_t alloctrace_snapshot_traceback_count(const alloctrace_snapshot *snapshot);

/*
 * How many live blocks the file lists one by one (ALLOCTRACE_BLOCKS=1); 0 if
 * it does not. They are not kept.
 */
uint64_t
alloctrace_snapshot_block_count(const alloctrace_snapshot *snapshot);

/*
 * Gets one of the program's arguments; the first is the program's name.
 *
 * Returns: the argument; NULL if there are not so many.
 */
const char *alloctrace_snapshot_argument(const alloctrace_snapshot *snapshot,
                                         size_t index);

/*
 * Gets a trace. Traces stand in the order of the file; a traceback and domain
 * that several threads allocated from has a trace for each of them.
 *
 * Returns: the trace; NULL if there are not so many. Mirrors
 * Snapshot.traces[index].
 */
const struct alloctrace_trace *
alloctrace_snapshot_trace(const alloctrace_snapshot *snapshot, size_t index);

/* Gets a module by its number. Returns: NULL if there is none. */
const struct alloctrace_module *
alloctrace_snapshot_module(const alloctrace_snapshot *snapshot,
                           uint32_t module_id);

/* Gets a thread by its number. Returns: NULL if there is none. */
const struct alloctrace_thread *
alloctrace_snapshot_thread(const alloctrace_snapshot *snapshot,
                           uint32_t thread_id);

/* Gets a domain that has a name. Files that were written before domains had
 * names have none. Returns: NULL if there are not so many. */
const struct alloctrace_domain *
alloctrace_snapshot_domain(const alloctrace_snapshot *snapshot, size_t index);

/*
 * Finds the name of a domain by its number. Takes time in proportion to the
 * domains that have names, of which a program has few.
 *
 * Returns: the first name that the file has for it; "malloc" for 0 if it has
 * none; "" for others.
 */
const char *alloctrace_snapshot_domain_name(const alloctrace_snapshot *snapshot,
                                            uint32_t id);

/* ---- Wrappers ---- */

/*
 * Makes a snapshot whose tracebacks begin at the frame that answers for what
 * was allocated: the functions that only handed it on (xmalloc, operator new)
 * are left out, and so is the inside of the C++ library. Everything that
 * reads snapshots can be asked of it; paths that nothing was left out of keep
 * their numbers. The rule stands in docs/design.md.
 *
 * Takes time in proportion to the frames. Resolve addresses before.
 *
 * Owner: the caller frees it with alloctrace_snapshot_free, before `snapshot`,
 * which it refers to and which must not be resolved meanwhile.
 * Returns: 0, ALLOCTRACE_EBAD_ARGUMENT (it is a folded one) or
 * ALLOCTRACE_ENO_MEMORY.
 */
alloctrace_nodiscard int
alloctrace_snapshot_fold_wrappers(const alloctrace_snapshot *snapshot,
                                  alloctrace_snapshot **folded);

/* How many functions a folded snapshot is without; 0 for others. */
size_t alloctrace_snapshot_wrapper_count(const alloctrace_snapshot *snapshot);

/* Gets the name of one of them: that which handed most bytes on is 0. Those
 * of the C++ library are not listed. Returns: NULL if there are not so many. */
const char *alloctrace_snapshot_wrapper(const alloctrace_snapshot *snapshot,
                                        size_t index);

/* ---- Tracebacks ---- */

/* What a frame is doing. Numbers as in the file (and in abi.h). */
enum alloctrace_frame_kind {
    ALLOCTRACE_FRAME_ADDRESS = 0, /* code that was not instrumented */
    ALLOCTRACE_FRAME_CALL = 1,    /* a call that may reach an allocation */
    ALLOCTRACE_FRAME_ALLOC = 2,   /* a direct call that allocates */
    ALLOCTRACE_FRAME_INLINED = 3  /* a call that was inlined */
};

/* Flags of a frame, as in the file (and in abi.h). */
#define ALLOCTRACE_FRAME_TAIL 1        /* the call is a tail call */
#define ALLOCTRACE_FRAME_RETURNED 2    /* its result may be returned */
#define ALLOCTRACE_FRAME_CALLEE_HERE 4 /* the callee is instrumented, too */

/*
 * One level of a call path. A function that left by a tail call, or that was
 * not instrumented, is no frame; `via` is what is known of it: the function
 * that this frame called, if that is not the next frame inwards.
 */
struct alloctrace_frame {
    const char *file;     /* "<unknown>", "[libc.so.6+0x1f4]" if not known */
    const char *function; /* "" = unknown */
    const char *via;      /* function called that has no frame; NULL = none */
    const char *type;     /* of the allocated object; "" = unknown */
    const char *target;   /* what the result is stored in; "" = unknown */
    const struct alloctrace_module *module; /* NULL = unknown */
    uint64_t address;   /* of code that was not instrumented; else 0 */
    uint32_t type_size; /* bytes of one object of `type`; 0 = unknown */
    uint32_t line;      /* from 1; 0 = unknown */
    uint32_t column;    /* from 1; 0 = unknown */
    uint32_t kind;      /* enum alloctrace_frame_kind */
    uint32_t flags;     /* ALLOCTRACE_FRAME_* */
    int is_inlined;     /* its code was inlined into the next frame outwards */
    int is_via_tail;    /* `via` left by a tail call; else uninstrumented */
    int is_library;     /* its code stands in a header of the C++ library */
};

/*
 * Gets the call path of a traceback's number, as far as the traceback limit
 * lets it. 0 and numbers that do not exist have one frame, "<unknown>", line
 * 0, as in tracemalloc.
 *
 * Owner: the caller frees it with alloctrace_traceback_free; frames live as
 * long as it does, what they point to as long as the snapshot.
 * Returns: 0 or ALLOCTRACE_ENO_MEMORY. Mirrors Trace.traceback.
 */
alloctrace_nodiscard int
alloctrace_snapshot_traceback(const alloctrace_snapshot *snapshot,
                              uint32_t traceback_id,
                              alloctrace_traceback **traceback);

/* Frees a traceback. NULL is accepted. */
void alloctrace_traceback_free(alloctrace_traceback *traceback);

/* How many frames it has: at least one. Mirrors len(traceback). */
size_t alloctrace_traceback_count(const alloctrace_traceback *traceback);

/*
 * Says how many frames it had before the limit, and before recursion was
 * folded. Paths that are kept as one traceback can differ in that: with a
 * limit it is the number of the one that was met first, otherwise of the
 * longest.
 *
 * Mirrors Traceback.total_nframe; but there tracebacks of different totals are
 * never one, and the total ends at 65535.
 */
uint64_t
alloctrace_traceback_total_nframe(const alloctrace_traceback *traceback);

/*
 * Gets a frame. As in tracemalloc 0 is the oldest and count - 1 the most
 * recent; below 0 it counts from the other end: -1 is the most recent.
 *
 * Returns: the frame; NULL if there is none. Mirrors traceback[index].
 */
const struct alloctrace_frame *
alloctrace_traceback_frame(const alloctrace_traceback *traceback,
                           ptrdiff_t index);

/* ---- Statistics ---- */

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
};

/* One group. */
struct alloctrace_statistic {
    int64_t size;          /* bytes; may be below 0 by thread */
    int64_t count;         /* blocks; likewise */
    const char *key;       /* file, function, type, module's path, name of the
                              thread or domain; "" for a traceback */
    uint32_t line;         /* by line; else 0 */
    uint32_t number;       /* of the domain or thread; else 0 */
    uint32_t traceback;    /* number of the first traceback in the group */
    const char *type;      /* of all objects in the group; "" = unknown */
    int has_several_types; /* they have not all the same, and `type` is "" */
    int has_several_ways;  /* they came through different wrappers */
};

/*
 * Sums up the traces by a key, sorted as tracemalloc sorts them: descending
 * by size, then count, then key. Groups without a block and a byte are left
 * out. `options` may be NULL. Two runs over the same file give the same.
 *
 * Owner: the caller frees it with alloctrace_statistics_free, before the
 * snapshot.
 * Returns: 0, ALLOCTRACE_EBAD_ARGUMENT (an option; or temporary blocks, but
 * the dump has no details) or ALLOCTRACE_ENO_MEMORY.
 * Mirrors Snapshot.statistics.
 */
alloctrace_nodiscard int alloctrace_snapshot_statistics(
    const alloctrace_snapshot *snapshot,
    const struct alloctrace_statistics_options *options,
    alloctrace_statistics **statistics);

/* Frees statistics. NULL is accepted. */
void alloctrace_statistics_free(alloctrace_statistics *statistics);

/* How many groups there are. */
size_t alloctrace_statistics_count(const alloctrace_statistics *statistics);

/* Gets a group, 0 = the first. Returns: NULL if there are not so many. */
const struct alloctrace_statistic *
alloctrace_statistics_get(const alloctrace_statistics *statistics,
                          size_t index);

/* Gets the sum of all groups; its key is "". */
const struct alloctrace_statistic *
alloctrace_statistics_sum(const alloctrace_statistics *statistics);

/*
 * Gets the details of all traces of a group, whatever the metric.
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
 * if nothing was left out of it.
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

/* ---- Names for addresses ---- */

/* One level of what an address stands for. The resolver's. */
struct alloctrace_symbol {
    const char *file;     /* NULL = unknown */
    const char *function; /* NULL = unknown */
    uint32_t line;        /* 0 = unknown */
};

/* Levels that a resolver may give for one address. */
#define ALLOCTRACE_MAX_SYMBOLS 64

/*
 * Names an address: fills `symbols`, the innermost inlined function first, up
 * to ALLOCTRACE_MAX_SYMBOLS; what it points to need last until the next call
 * only. `address` is where the code stands in the module's file.
 *
 * Returns: how many there are; 0 = unknown.
 */
typedef size_t alloctrace_resolver(void *data,
                                   const struct alloctrace_module *module,
                                   uint64_t address,
                                   struct alloctrace_symbol *symbols);

/*
 * Asks a resolver for the names of all frames that are addresses only, and
 * keeps them in the snapshot. Tracebacks and statistics made before do not
 * have them.
 *
 * An address is that behind a call, so that the resolver is asked for the
 * byte before it.
 *
 * Returns: 0; ALLOCTRACE_ENO_MEMORY, then some frames have no names; or
 * ALLOCTRACE_EBAD_ARGUMENT (a folded snapshot).
 */
alloctrace_nodiscard int
alloctrace_snapshot_resolve(alloctrace_snapshot *snapshot,
                            alloctrace_resolver *resolver, void *data);

/*
 * The same with what the modules' files say, if they are still there and have
 * the build id they had: DWARF for functions, files and lines, else the
 * symbol tables for functions. In liballoctrace-symbol, which needs libdwarf
 * and libelf.
 *
 * Context: reads files.
 * Returns: as alloctrace_snapshot_resolve. A module that cannot be read is no
 * error; its frames stay addresses.
 */
alloctrace_nodiscard int
alloctrace_snapshot_symbolize(alloctrace_snapshot *snapshot);

/*
 * Says whether a program's file was instrumented, by its section of site
 * records. In liballoctrace-symbol.
 *
 * Returns: 1 or 0; ALLOCTRACE_EIO or ALLOCTRACE_EBAD_FILE (no ELF file).
 */
int alloctrace_is_instrumented(const char *path);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
