/* SPDX-License-Identifier: MIT */
/*
 * Snapshots: taking, loading and dumping them, and looking into them.
 * Part of alloctrace/analysis.h, which says what holds for every function.
 */
#ifndef ALLOCTRACE_SNAPSHOT_H
#define ALLOCTRACE_SNAPSHOT_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* An immutable copy of all traces of a process at one moment. */
typedef struct alloctrace_snapshot alloctrace_snapshot;

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
    uint32_t sequence;        /* number of this dump in its process, from 1; 0 =
                                 it has none (it has no name either) */
    uint64_t sample_bytes;    /* 0 = figures are exact; else estimates from one
                                 sample in so many bytes */
    uint32_t n_processes;     /* merged into this snapshot; usually 1 */
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
 * takes time in proportion to the file's size, and memory for what is in it but
 * not for the file. A file that changes meanwhile is an error. A pipe may be put
 * into a temporary file in TMPDIR first. `error` may be NULL.
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

/*
 * Writes a snapshot to a file that alloctrace_snapshot_load reads; "-" is
 * standard output. The file is written under a temporary name beside it and
 * then renamed, so that there is a whole file under the name or none; what
 * exists and is no regular file (a pipe, /dev/null) is written directly. Takes
 * a buffer and 1.5 bits an entry of memory, but for folded snapshots.
 *
 * Traces, tracebacks, attributes, blocks and details are the same when it is
 * loaded again, and so are names that resolving gave to addresses; numbers of
 * strings and frames may be others, and what no trace refers to may be gone. A
 * folded snapshot is loaded as a plain one with the same paths, whose first
 * frames say the type that their traces are grouped under; its wrappers are
 * forgotten.
 *
 * `error` may be NULL. Returns: 0, ALLOCTRACE_EIO (then no file was left
 * behind, and `error` says why) or ALLOCTRACE_ENO_MEMORY. Mirrors
 * tracemalloc.Snapshot.dump.
 */
alloctrace_nodiscard int
alloctrace_snapshot_dump(const alloctrace_snapshot *snapshot, const char *path,
                         struct alloctrace_error *error);

/*
 * Frees a snapshot. What was made of it (filtered and folded snapshots,
 * tracebacks, statistics) keeps what it needs and is freed on its own. NULL is
 * accepted.
 */
void alloctrace_snapshot_free(alloctrace_snapshot *snapshot);

/* Says which process it was, and when. Returns: never NULL. */
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

/* Says how much the whole program allocated, and what was dropped. Returns:
 * never NULL. */
const struct alloctrace_summary *
alloctrace_snapshot_summary(const alloctrace_snapshot *snapshot);

/*
 * Says how many frames of each traceback are kept.
 *
 * Returns: the limit; 0 = every frame. Mirrors Snapshot.traceback_limit.
 */
uint32_t
alloctrace_snapshot_traceback_limit(const alloctrace_snapshot *snapshot);

/* How many there are: `get` takes 0 .. count - 1 for arguments, traces and
 * domains, and the numbers 1 .. count for modules, threads and tracebacks. */
size_t alloctrace_snapshot_argument_count(const alloctrace_snapshot *snapshot);
size_t alloctrace_snapshot_trace_count(const alloctrace_snapshot *snapshot);
size_t alloctrace_snapshot_domain_count(const alloctrace_snapshot *snapshot);
size_t alloctrace_snapshot_module_count(const alloctrace_snapshot *snapshot);
size_t alloctrace_snapshot_thread_count(const alloctrace_snapshot *snapshot);
size_t alloctrace_snapshot_traceback_count(const alloctrace_snapshot *snapshot);

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

/*
 * Says what the traces allocated, as statistics by type have it: `types` gets a
 * name for each trace, in their order; "" = unknown.
 *
 * Owner: the caller frees the array with free; the names are the snapshot's.
 * Returns: 0 or ALLOCTRACE_ENO_MEMORY.
 */
alloctrace_nodiscard int
alloctrace_snapshot_trace_types(const alloctrace_snapshot *snapshot,
                                const char ***types);

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

/* ---- This process ---- */

/*
 * Takes a snapshot of the calling process, if it is being traced. Other
 * threads go on meanwhile: each counter is read once, when its turn comes.
 * What this and all other functions of this library allocate for themselves
 * is not counted as the program's.
 *
 * Context: not from a signal handler.
 * Owner: the caller frees it with alloctrace_snapshot_free.
 * Returns: 0, ALLOCTRACE_ENOT_TRACING (also in a program without the runtime),
 * ALLOCTRACE_ENO_MEMORY or ALLOCTRACE_EBUSY. Mirrors
 * tracemalloc.take_snapshot.
 */
alloctrace_nodiscard int
alloctrace_take_snapshot(alloctrace_snapshot **snapshot);

/* ---- Single blocks ---- */

/* One block that was live. */
struct alloctrace_block {
    uint64_t address;   /* in the traced program */
    uint64_t size;      /* bytes that were asked for */
    uint32_t traceback; /* number of the traceback; 0 = unknown */
    uint32_t domain;    /* 0 = malloc */
};

/*
 * How many live blocks the file lists one by one (ALLOCTRACE_BLOCKS=1); 0 if
 * it does not.
 */
uint64_t
alloctrace_snapshot_block_count(const alloctrace_snapshot *snapshot);

/* Gets a block. They stand in the order of the file. Returns: NULL if there
 * are not so many. */
const struct alloctrace_block *
alloctrace_snapshot_block(const alloctrace_snapshot *snapshot, uint64_t index);

/* ---- Attributes ---- */

/* What a user wants to be known of a snapshot: a key and a value, texts. */
struct alloctrace_attribute {
    const char *key;   /* not empty */
    const char *value; /* any text */
};

/*
 * Sets an attribute of a snapshot; it replaces that of the same key, and a
 * `value` of NULL removes it. Attributes are kept by dump and load, and what is
 * made of a snapshot starts with those that it has. Both texts are copied.
 *
 * Returns: 0, ALLOCTRACE_EBAD_ARGUMENT (an empty key) or
 * ALLOCTRACE_ENO_MEMORY. Mirrors setting an attribute of a Snapshot.
 */
alloctrace_nodiscard int
alloctrace_snapshot_set_attribute(alloctrace_snapshot *snapshot,
                                  const char *key, const char *value);

/* Finds an attribute. Returns: its value, until it is set anew; NULL if there
 * is none. */
const char *
alloctrace_snapshot_get_attribute(const alloctrace_snapshot *snapshot,
                                  const char *key);

/* How many attributes there are, and each of them in the order in which they
 * were set. Returns: NULL if there are not so many. */
size_t alloctrace_snapshot_attribute_count(const alloctrace_snapshot *snapshot);
const struct alloctrace_attribute *
alloctrace_snapshot_attribute(const alloctrace_snapshot *snapshot,
                              size_t index);

/* ---- Details ---- */

/* Blocks by requested size: `from` through `to` bytes. The classes are 0, 1, 2,
 * 3 to 4, 5 to 8 and so on. */
struct alloctrace_size_class {
    uint64_t from;   /* smallest size, in bytes */
    uint64_t to;     /* largest size, in bytes */
    uint64_t blocks; /* that were ever allocated: at least one */
    uint64_t bytes;  /* that they were asked for */
};

/* How many classes of sizes there are. */
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
    /* Ascending; fewer blocks than in total if some could not be sorted in. */
    __extension__ struct alloctrace_size_class sizes[];
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
 * Owner: the caller frees it with alloctrace_snapshot_free. `snapshot` may be
 * freed before, but not resolved any more.
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

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
