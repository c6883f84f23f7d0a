/* SPDX-License-Identifier: MIT */
/*
 * Call paths: frames and tracebacks, and their text.
 * Part of alloctrace/analysis.h, which says what holds for every function.
 */
#ifndef ALLOCTRACE_TRACEBACK_H
#define ALLOCTRACE_TRACEBACK_H

#include <limits.h>

#include "snapshot.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* A call path: frames. A sequence as in Python; see traceback_frame. */
typedef struct alloctrace_traceback alloctrace_traceback;

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
 * Owner: the caller frees it with alloctrace_traceback_free; frames, and what
 * they point to, live as long as it does.
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
 * folded. Paths that are kept as one traceback can differ in that.
 *
 * Returns: the number; with a limit that of the path that was met first,
 * otherwise of the longest. Mirrors Traceback.total_nframe; but there
 * tracebacks of different totals are never one, and the total ends at 65535.
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

/*
 * Gets the call path that allocated a live block of the calling process.
 * `domain` is 0 for blocks of malloc, else as in alloctrace_track.
 *
 * Context: not from a signal handler (alloctrace_dump_traceback can be).
 * Owner: as alloctrace_snapshot_traceback.
 * Returns: 0, ALLOCTRACE_ENOT_TRACING (also in a program without the runtime),
 * ALLOCTRACE_EUNKNOWN_BLOCK, ALLOCTRACE_ENO_MEMORY or ALLOCTRACE_EBUSY. Mirrors
 * tracemalloc.get_object_traceback; but the total number of frames is known.
 */
alloctrace_nodiscard int
alloctrace_get_object_traceback(unsigned domain, const void *block,
                                alloctrace_traceback **traceback);

/* ---- Walking without copying ---- */

/* A walk along a call path. Its members are the library's. */
struct alloctrace_walk {
    const alloctrace_snapshot *snapshot; /* not owned */
    uint64_t left;                       /* frames that are still to come */
    uint32_t traceback;                  /* the next frame's */
    uint32_t next;                       /* number of the next frame */
    struct alloctrace_frame frame;       /* what was got last */
};

/*
 * Begins a walk along the frames of a traceback's number, as far as the
 * traceback limit lets it; nothing is allocated. A walk needs no end; it must
 * not outlive the snapshot.
 */
void alloctrace_walk_begin(struct alloctrace_walk *walk,
                           const alloctrace_snapshot *snapshot,
                           uint32_t traceback_id);

/* Gets the next frame, the most recent first; it is good until the next call.
 * `via` is not set. Returns: NULL at the end. */
const struct alloctrace_frame *
alloctrace_walk_next(struct alloctrace_walk *walk);

/* ---- Comparing ---- */

/*
 * Orders frames by file (bytes) and line, as tracemalloc does; functions and
 * all else do not count. Returns: below 0, 0 or above 0.
 */
int alloctrace_frame_compare(const struct alloctrace_frame *left,
                             const struct alloctrace_frame *right);

/* Returns: a hash that is equal for frames that compare as equal. */
uint64_t alloctrace_frame_hash(const struct alloctrace_frame *frame);

/*
 * Orders tracebacks by their frames, the oldest first, as tracemalloc does;
 * total_nframe does not count. Returns: below 0, 0 or above 0.
 */
int alloctrace_traceback_compare(const alloctrace_traceback *left,
                                 const alloctrace_traceback *right);

/* Returns: a hash that is equal for tracebacks that compare as equal. */
uint64_t alloctrace_traceback_hash(const alloctrace_traceback *traceback);

/* Does a traceback have a frame that compares as equal? Returns: 1 or 0.
 * Mirrors `frame in traceback`. */
int alloctrace_traceback_contains(const alloctrace_traceback *traceback,
                                  const struct alloctrace_frame *frame);

/*
 * Copies a part of a traceback: from `start` up to but without `stop`, counted
 * as in alloctrace_traceback_frame; what lies outside is left out, as in
 * Python. It may have no frames. PTRDIFF_MAX as `stop` is the end. The total
 * stays that of the whole.
 *
 * Owner: the caller frees it with alloctrace_traceback_free.
 * Returns: 0 or ALLOCTRACE_ENO_MEMORY. Mirrors traceback[start:stop].
 */
alloctrace_nodiscard int
alloctrace_traceback_slice(const alloctrace_traceback *traceback,
                           ptrdiff_t start, ptrdiff_t stop,
                           alloctrace_traceback **slice);

/* ---- Text ---- */

/* Flags for what depends on them. */
enum alloctrace_flag {
    /* As CPython does where that is not what its documentation says, or no use
     * to a reader; each function says what that is. */
    ALLOCTRACE_LIKE_CPYTHON = 1,
    /* By line and by traceback: tell places apart by file, function and the
     * number of the call in its function, not by line, so that two builds can
     * be compared although lines have moved. */
    ALLOCTRACE_IGNORE_LINES = 2,
    /* Text of tracebacks: name functions as well ("..., in f"). */
    ALLOCTRACE_WITH_FUNCTIONS = 4
};

/* As `limit` of alloctrace_traceback_format: all frames. */
#define ALLOCTRACE_NO_LIMIT INT_MAX

/*
 * Writes "file:line" into `buffer`, cut off to fit, with a NUL if `size` is not
 * 0. Returns: the characters that it takes, without the NUL. Mirrors
 * str(frame).
 */
size_t alloctrace_frame_format(const struct alloctrace_frame *frame,
                               char *buffer, size_t size);

/*
 * Makes the text of a traceback: for each frame a line `  File "f", line n`,
 * and, if the source is there and the line not blank, a line of four spaces and
 * the source line without the blanks around it. Each line ends with a newline.
 * The oldest frame is first; if `most_recent_first` is set the order is turned
 * around, after the limit. Names are written as the file has them, control
 * characters included.
 *
 * `limit` above 0: that many of the most recent frames. Below 0: -limit of the
 * oldest ones; with ALLOCTRACE_LIKE_CPYTHON all but the -limit most recent ones
 * (its documentation says the former). 0: none.
 *
 * Context: reads source files, each once, looked for as the compiler saw them:
 * relative names in the current directory. Regular files in UTF-8 only, up to
 * 256 MiB; of others there are no source lines.
 * Owner: the caller frees `text` with alloctrace_text_free.
 * Returns: 0, ALLOCTRACE_EBAD_ARGUMENT (other flags than LIKE_CPYTHON and
 * WITH_FUNCTIONS) or ALLOCTRACE_ENO_MEMORY. Mirrors Traceback.format.
 */
alloctrace_nodiscard int
alloctrace_traceback_format(const alloctrace_traceback *traceback, int limit,
                            int most_recent_first, unsigned flags, char **text);

/* Frees a text that the library made. NULL is accepted. */
void alloctrace_text_free(char *text);

/*
 * Writes "file:line: size" of a trace into `buffer`, as alloctrace_frame_format
 * does: its most recent frame, the one that allocated, and its live bytes. With
 * ALLOCTRACE_LIKE_CPYTHON the frame is the oldest that is kept.
 *
 * Returns: as alloctrace_frame_format; 0 if there is no such trace. Mirrors
 * str(trace).
 */
size_t alloctrace_trace_format(const alloctrace_snapshot *snapshot,
                               size_t index, unsigned flags, char *buffer,
                               size_t size);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
