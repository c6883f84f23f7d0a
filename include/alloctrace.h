/* SPDX-License-Identifier: MIT */
/*
 * alloctrace: tracemalloc for C. What a traced program may ask of the runtime
 * in its own process. Reading dumps is in alloctrace/analysis.h.
 *
 * A program can leave its calls in: in a unit that is compiled without the
 * plugin every function below is an empty inline that answers "not tracing".
 * Define ALLOCTRACE_API before including this file to call the library from
 * such a unit all the same (and link with -lalloctrace).
 *
 * Words: a *block* is one piece of memory that was allocated and not yet
 * freed; its *traceback* is the call path that allocated it, as *frames*
 * (file, line, function); *traced memory* is the sum of the sizes that were
 * asked for.
 *
 * Functions may be called from any thread at any time unless they say more.
 * None of them changes errno unless it says so.
 */
#ifndef ALLOCTRACE_H
#define ALLOCTRACE_H

#include <stddef.h>
#include <stdint.h>

#include "alloctrace/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Errors: ERROR(NAME, value, text). Values never change. */
#define ALLOCTRACE_ERRORS(ERROR)                                              \
    ERROR(NOT_TRACING, -1, "memory allocations are not being traced")         \
    ERROR(UNKNOWN_BLOCK, -2, "the block is not traced")                       \
    ERROR(BAD_ARGUMENT, -3, "an argument is out of range")                    \
    ERROR(NO_MEMORY, -4, "out of memory")                                     \
    ERROR(IO, -5, "the file could not be read or written")                    \
    ERROR(BAD_FILE, -6, "not a dump of alloctrace, or a damaged one")         \
    ERROR(BAD_VERSION, -7, "the dump has a version this library cannot read") \
    ERROR(BUSY, -8, "the call came from within the tracer itself")

/* What functions return: 0, or one of these, all below 0. */
enum alloctrace_error_code {
    ALLOCTRACE_OK = 0,
    ALLOCTRACE_ALREADY_TRACING = 1, /* alloctrace_start; no error */
#define ALLOCTRACE_ERROR_ENUM(NAME, value, text) ALLOCTRACE_E##NAME = value,
    ALLOCTRACE_ERRORS(ALLOCTRACE_ERROR_ENUM)
#undef ALLOCTRACE_ERROR_ENUM
};

/* For alloctrace_start: every frame. */
#define ALLOCTRACE_ALL_FRAMES 0

/* A stretch of the calling thread's work: see alloctrace_scope_begin, which
 * writes it whole. */
struct alloctrace_scope {
    uint64_t opaque[8]; /* the library's alone */
};

/* What happened in a scope. Units: blocks and requested bytes. */
struct alloctrace_scope_result {
    uint64_t allocations; /* blocks allocated; each resizing is one more */
    uint64_t bytes;       /* allocated in total, in their last sizes */
    uint64_t peak;        /* the highest that live bytes were above those at the
                           * beginning */
    int64_t net;          /* live bytes at the end less those at the beginning;
                           * below 0 if more was freed than allocated */
    uint64_t reserved[4]; /* 0 */
};

#if defined(__ALLOCTRACE__) || defined(ALLOCTRACE_API)

/*
 * Is the program being traced?
 *
 * Context: any thread; async-signal-safe.
 * Returns: 1 or 0. Mirrors tracemalloc.is_tracing.
 */
int alloctrace_is_tracing(void);

/*
 * Starts tracing, with at most `n_frames` frames a traceback (1 to 65535, or
 * ALLOCTRACE_ALL_FRAMES). Blocks that exist already are never known: freeing
 * them counts nothing, resizing them makes them known. If the program is being
 * traced already nothing changes, the number of frames neither; where that is
 * another one, ALLOCTRACE_ALREADY_TRACING says so, which is no error but above
 * 0. (CPython ignores it in silence: see ALLOCTRACE_LIKE_CPYTHON_API.)
 *
 * The program's own start and stop do not ask for a dump when it exits: there
 * is one if ALLOCTRACE was set when the program began, or ALLOCTRACE_DUMP was,
 * and it is being traced then.
 *
 * Context: any thread. Takes a lock that is held for microseconds, or while a
 * dump is written. From a signal handler as well: what would wait for the code
 * that the signal interrupted returns ALLOCTRACE_EBUSY. That is so for the
 * next three functions, too.
 * Returns: 0, ALLOCTRACE_ALREADY_TRACING (with another number of frames),
 * ALLOCTRACE_EBAD_ARGUMENT (the number, also when tracing),
 * ALLOCTRACE_ENO_MEMORY, ALLOCTRACE_EBUSY, or ALLOCTRACE_ENOT_TRACING in a
 * library that dlmopen has loaded apart. Mirrors tracemalloc.start.
 */
int alloctrace_start(int n_frames);

/*
 * Stops tracing and forgets everything that was traced; traced memory is 0.
 * Write a dump before, if one is wanted. From here on the program is as fast
 * as if it had not been traced; the memory of the tables is kept for the next
 * start. No error when the program is not being traced.
 *
 * Context: as alloctrace_start.
 * Returns: 0 or ALLOCTRACE_EBUSY. Mirrors tracemalloc.stop.
 */
int alloctrace_stop(void);

/*
 * Forgets all blocks of all domains and goes on tracing: traced memory, its
 * peak and all totals start at 0. Freeing a block that was forgotten counts
 * nothing. What other threads allocate at the same time is forgotten or counted,
 * each block wholly. Does nothing when the program is not being traced.
 *
 * Context: as alloctrace_start; takes as long as the block map is large, now
 * and then, without holding up others.
 * Returns: 0, ALLOCTRACE_ENO_MEMORY (then nothing was forgotten) or
 * ALLOCTRACE_EBUSY. Mirrors tracemalloc.clear_traces.
 */
int alloctrace_clear_traces(void);

/*
 * Makes the peak of traced memory what is traced now, and what was live at the
 * peak what is live now; no trace is touched. Does nothing when the program is
 * not being traced.
 *
 * Context: as alloctrace_start. With several threads the peak is known to
 * within 32 KiB a thread; see docs/design.md, "Peak".
 * Returns: 0 or ALLOCTRACE_EBUSY. Mirrors tracemalloc.reset_peak.
 */
int alloctrace_reset_peak(void);

/*
 * From here on what the calling thread allocates is not traced, until
 * alloctrace_resume: for code that is there to look at the program, not a part
 * of it. (The functions of alloctrace/analysis.h do this themselves.) Other
 * threads go on being traced, also those that it starts meanwhile.
 *
 * Pauses nest; as many resumes end them, and one too many does nothing. A child
 * of fork is in the pauses of the thread that forked, and a signal handler in
 * those of the thread it runs on; it must end those that it begins.
 *
 * Blocks that were traced before stay so: in a pause as well freeing one ends
 * its trace, and so does resizing one, for what it becomes was allocated in the
 * pause. A block that was allocated in a pause may be freed at any time, which
 * counts nothing; resizing it outside of a pause makes it traced. What is
 * tracked (alloctrace_track), and what is not allocated by the calling thread,
 * is not concerned.
 *
 * Context: any thread; async-signal-safe. An allocation in a pause takes a
 * little longer than outside of one.
 */
void alloctrace_pause(void);

/* Ends the pause that alloctrace_pause began last. Context: the same. */
void alloctrace_resume(void);

/*
 * Says how many frames of a traceback are kept.
 *
 * Context: any thread; async-signal-safe.
 * Returns: the limit (0 = every frame), or ALLOCTRACE_ENOT_TRACING. Mirrors
 * tracemalloc.get_traceback_limit, as its documentation has it; see
 * ALLOCTRACE_LIKE_CPYTHON_API.
 */
int alloctrace_get_traceback_limit(void);

/*
 * The same, of the last start when the program is not being traced.
 *
 * Context: any thread; async-signal-safe.
 * Returns: the limit (0 = every frame); 1 before the first start.
 */
int alloctrace_get_last_traceback_limit(void);

/*
 * Reads the size of traced memory now and at its highest.
 *
 * Units: requested bytes, summed over all threads and all domains: a pool's
 * blocks are counted beside the memory that the pool itself took.
 * Context: any thread; async-signal-safe. Either pointer may be NULL. Exact
 * while one thread allocates; with several see docs/design.md, "Peak".
 * Returns: 0; both are 0 when not tracing. Mirrors
 * tracemalloc.get_traced_memory.
 */
int alloctrace_get_traced_memory(uint64_t *current, uint64_t *peak);

/*
 * Says how much memory the tracer itself holds.
 *
 * Units: bytes obtained from the system (not all of them need be resident).
 * Context: any thread; async-signal-safe.
 * Returns: the bytes. Mirrors
 * tracemalloc.get_tracemalloc_memory.
 */
uint64_t alloctrace_get_overhead_memory(void);

/*
 * Writes a dump of everything traced so far to a file.
 *
 * `path` may hold the patterns of ALLOCTRACE_DUMP (%p, %e, %h, %n, %%). The
 * dump is written to a temporary name beside it and then renamed, so that
 * there is a whole file under the name or none.
 *
 * Each dump of a process has a number (%n); dumps that are asked for at the
 * same time are written one after the other. Other threads go on meanwhile:
 * each counter is read once, when its turn comes. The program's signal
 * handlers do not run on the calling thread until it returns.
 *
 * Context: any thread, any signal handler; does not allocate with malloc. A
 * handler that interrupts a thread which is inside alloctrace_track or
 * alloctrace_untrack, or writes a dump, gets ALLOCTRACE_EIO with errno EBUSY.
 * Returns: 0, ALLOCTRACE_ENOT_TRACING or ALLOCTRACE_EIO (then errno says why
 * and no file was left behind).
 */
int alloctrace_dump(const char *path);

/*
 * The same to a file descriptor: a file that the program has opened, a pipe, a
 * socket. It is written from where the descriptor stands and is not closed; one
 * that does not wait (O_NONBLOCK) is waited for. A reader who is gone is an
 * error (EPIPE) and no signal. After an error a part of the dump may have been
 * written; who reads it can tell, for its end is missing.
 *
 * Only dumps to files by name have numbers: of this one, and of those below,
 * the number is 0, and %n does not count them.
 *
 * Context: as alloctrace_dump. Other dumps wait until this one is written,
 * which takes as long as its reader does.
 * Returns: 0, ALLOCTRACE_ENOT_TRACING or ALLOCTRACE_EIO (then errno says why).
 */
int alloctrace_dump_fd(int fd);

/*
 * The same to memory, for alloctrace_snapshot_load_bytes (which
 * alloctrace_take_snapshot of alloctrace/analysis.h does with it). The memory
 * is mapped for it; it is not counted as the program's, nor as the tracer's.
 * `size` is that of the dump in bytes.
 *
 * Context: as alloctrace_dump.
 * Owner: the caller gives it back with alloctrace_dump_memory_free. A child of
 * fork has a copy.
 * Returns: 0, ALLOCTRACE_ENOT_TRACING, ALLOCTRACE_ENO_MEMORY or
 * ALLOCTRACE_EBUSY (from a handler, where alloctrace_dump gives EBUSY).
 */
int alloctrace_dump_memory(void **bytes, size_t *size);

/*
 * Gives back what alloctrace_dump_memory or alloctrace_dump_block gave, of
 * `size` bytes. NULL is accepted.
 *
 * Context: any thread; async-signal-safe.
 */
void alloctrace_dump_memory_free(void *bytes, size_t size);

/*
 * A dump of one live block, to memory: its trace, of one block, and what that
 * refers to, and nothing else but the process and the loaded files; `size` is in
 * bytes. `domain` is
 * 0 for blocks of malloc, else as in alloctrace_track, or as traces have it for
 * domains with names; not those of "mmap". `block` is where the block begins,
 * which may be NULL in another domain than 0. (In domain 0 an address that is a
 * multiple of a word within a block's first four words may be taken for the
 * block.)
 *
 * Context: as alloctrace_dump; from a handler ALLOCTRACE_EBUSY as well for
 * tracked blocks if it interrupted the runtime.
 * Owner: as alloctrace_dump_memory.
 * Returns: as alloctrace_dump_memory, or ALLOCTRACE_EUNKNOWN_BLOCK. What
 * alloctrace_get_object_traceback of alloctrace/analysis.h is made of.
 */
int alloctrace_dump_block(unsigned domain, const void *block, void **bytes,
                          size_t *size);

/*
 * Writes the traceback of one block to a file descriptor, as text: a line
 * "Memory block allocated at (most recent call first):", then one line a
 * frame. For debuggers and for messages about damaged memory. Knows blocks of
 * malloc and those that are tracked in any domain; of several at one address
 * that of malloc, else the smallest.
 *
 * Context: any thread; async-signal-safe. (A signal handler that interrupts
 * the runtime itself finds blocks of malloc only.)
 * Returns: 0, ALLOCTRACE_ENOT_TRACING or ALLOCTRACE_EUNKNOWN_BLOCK (then
 * nothing was written). Mirrors _PyMem_DumpTraceback.
 */
int alloctrace_dump_traceback(int fd, const void *block);

/*
 * Tells that the calling thread leaves its machine stack for another one. For
 * coroutine and fiber libraries that switch stacks with code of their own;
 * swapcontext, setcontext and longjmp need no such call.
 *
 *     from->frame = alloctrace_switch_stack(to->frame);
 *     switch_registers(from, to);
 *
 * `next` is what an earlier call returned when that stack was left, or NULL
 * for a stack that nothing runs on yet: what runs there has no caller. The
 * stack may be resumed by another thread. A stack that is thrown away needs
 * no call.
 *
 * A function that calls this has no frame of its own in tracebacks; keep it
 * small, and noinline.
 *
 * Context: any thread; async-signal-safe.
 * Returns: what is to be passed when the stack that is left is resumed; never
 * NULL; in a program without the plugin always NULL.
 */
void *alloctrace_switch_stack(void *next);

/*
 * Traces a block of memory that did not come from malloc: of a pool, a device,
 * a mapping. It is counted with the call path of this call, in a domain of
 * the program's choice, from 0 to 2147483647. (Domains above are those with
 * names.) Domain 0 is the C library's heap: a block that malloc gave out is in
 * it already and is updated; it ends when it is freed or untracked.
 *
 * A block that is tracked already in the domain is updated: it gets the new
 * size and call path. The same address may be tracked in several domains.
 * `block` is a key that is never followed; any address and NULL will do, and a
 * size of 0 is allowed. alloctrace_dump_traceback finds it.
 *
 * Units: bytes, counted in alloctrace_get_traced_memory as well.
 * Context: any thread; not from a signal handler.
 * Returns: 0, ALLOCTRACE_ENOT_TRACING, ALLOCTRACE_EBAD_ARGUMENT (the domain)
 * or ALLOCTRACE_ENO_MEMORY. Mirrors PyTraceMalloc_Track.
 */
int alloctrace_track(unsigned domain, const void *block, size_t size);

/*
 * Forgets a block that was tracked. One that is not tracked is no error.
 *
 * Context: any thread; not from a signal handler.
 * Returns: 0, ALLOCTRACE_ENOT_TRACING or ALLOCTRACE_EBAD_ARGUMENT (the
 * domain). Mirrors PyTraceMalloc_Untrack.
 */
int alloctrace_untrack(unsigned domain, const void *block);

/*
 * Counts what the calling thread allocates from here to alloctrace_scope_end,
 * for benchmarks and tests: how many blocks and bytes, how much at once, and
 * what is left.
 *
 *     struct alloctrace_scope scope;
 *     struct alloctrace_scope_result result;
 *
 *     alloctrace_scope_begin(&scope);
 *     work();
 *     if (alloctrace_scope_end(&scope, &result) == 0)
 *         printf("%" PRIu64 " blocks\n", result.allocations);
 *
 * Counted is what is traced of what this thread does, in all domains. A block
 * that it frees counts whoever allocated it, and whenever; one that another
 * thread frees does not. realloc is a free of the old block and an allocation of
 * the new one. What is allocated in a pause, and what was dropped for want of
 * memory, is not counted. Where blocks are sampled the figures are estimates, as
 * all are then.
 *
 * Scopes nest to any depth; what an inner one counts is in the outer one as
 * well. A scope that is not ended (by longjmp, or an exception) ends with the
 * one around it; one begun at the same address takes its place. `scope` need not
 * stay readable after that. A signal handler must end the scopes it begins. A
 * child of fork is in the scopes of the thread that forked.
 *
 * Context: any thread; async-signal-safe. Takes a few nanoseconds, the first one
 * of a thread and those deeper than any before some microseconds. While a scope
 * is open an allocation takes some 10 nanoseconds longer, a free does not.
 * Returns: 0, ALLOCTRACE_ENOT_TRACING, ALLOCTRACE_ENO_MEMORY, or
 * ALLOCTRACE_EBUSY (from a signal handler that interrupted the runtime). After
 * an error nothing is open, and alloctrace_scope_end answers
 * ALLOCTRACE_ENOT_TRACING.
 */
int alloctrace_scope_begin(struct alloctrace_scope *scope);

/*
 * Ends a scope, and all that were begun in it and are still open. `result` may
 * be NULL; after an error it is all zeros.
 *
 * Context: any thread; async-signal-safe. Takes a few nanoseconds.
 * Returns: 0; ALLOCTRACE_ENOT_TRACING if it could not be begun, or tracing was
 * stopped or all traces were cleared since; ALLOCTRACE_EBAD_ARGUMENT if it is
 * not open any more, or is another thread's.
 */
int alloctrace_scope_end(struct alloctrace_scope *scope,
                         struct alloctrace_scope_result *result);

#else /* compiled without the plugin: nothing is traced */

static inline int alloctrace_is_tracing(void) { return 0; }
static inline int alloctrace_start(int n_frames)
{
    return n_frames < 0 || n_frames > 65535 ? ALLOCTRACE_EBAD_ARGUMENT : 0;
}
static inline int alloctrace_stop(void) { return 0; }
static inline int alloctrace_clear_traces(void) { return 0; }
static inline int alloctrace_reset_peak(void) { return 0; }
static inline void alloctrace_pause(void) { }
static inline void alloctrace_resume(void) { }
static inline int alloctrace_get_traceback_limit(void)
{
    return ALLOCTRACE_ENOT_TRACING;
}
static inline int alloctrace_get_last_traceback_limit(void) { return 1; }
static inline int alloctrace_get_traced_memory(uint64_t *current,
                                               uint64_t *peak)
{
    if (current)
        *current = 0;
    if (peak)
        *peak = 0;
    return 0;
}
static inline uint64_t alloctrace_get_overhead_memory(void) { return 0; }
static inline int alloctrace_dump(const char *path)
{
    (void)path;
    return ALLOCTRACE_ENOT_TRACING;
}
static inline int alloctrace_dump_fd(int fd)
{
    (void)fd;
    return ALLOCTRACE_ENOT_TRACING;
}
static inline int alloctrace_dump_memory(void **bytes, size_t *size)
{
    (void)bytes;
    (void)size;
    return ALLOCTRACE_ENOT_TRACING;
}
static inline void alloctrace_dump_memory_free(void *bytes, size_t size)
{
    (void)bytes;
    (void)size;
}
static inline int alloctrace_dump_block(unsigned domain, const void *block,
                                        void **bytes, size_t *size)
{
    (void)domain;
    (void)block;
    (void)bytes;
    (void)size;
    return ALLOCTRACE_ENOT_TRACING;
}
static inline int alloctrace_dump_traceback(int fd, const void *block)
{
    (void)fd;
    (void)block;
    return ALLOCTRACE_ENOT_TRACING;
}
static inline void *alloctrace_switch_stack(void *next)
{
    (void)next;
    return NULL;
}
static inline int alloctrace_track(unsigned domain, const void *block,
                                   size_t size)
{
    (void)domain;
    (void)block;
    (void)size;
    return ALLOCTRACE_ENOT_TRACING;
}
static inline int alloctrace_untrack(unsigned domain, const void *block)
{
    (void)domain;
    (void)block;
    return ALLOCTRACE_ENOT_TRACING;
}
static inline int alloctrace_scope_begin(struct alloctrace_scope *scope)
{
    (void)scope;
    return ALLOCTRACE_ENOT_TRACING;
}
static inline int alloctrace_scope_end(struct alloctrace_scope *scope,
                                       struct alloctrace_scope_result *result)
{
    const struct alloctrace_scope_result nothing = {0, 0, 0, 0, {0, 0, 0, 0}};

    (void)scope;
    if (result)
        *result = nothing;
    return ALLOCTRACE_ENOT_TRACING;
}

#endif

/*
 * Define this before including the file, and two functions do what CPython's
 * do, where that is not what its documentation says, or not of much help:
 *
 * alloctrace_start refuses 0 frames (start(0) is a ValueError), and answers 0
 * when the program is being traced with another number of frames;
 * alloctrace_get_traceback_limit answers the last limit when it is not being
 * traced, and 1 before the first start.
 */
#ifdef ALLOCTRACE_LIKE_CPYTHON_API
static inline int alloctrace_start_like_cpython(int n_frames)
{
    const int result =
        n_frames == 0 ? ALLOCTRACE_EBAD_ARGUMENT : alloctrace_start(n_frames);

    return result == ALLOCTRACE_ALREADY_TRACING ? 0 : result;
}
#define alloctrace_start alloctrace_start_like_cpython
#define alloctrace_get_traceback_limit alloctrace_get_last_traceback_limit
#endif

#ifdef __cplusplus
}
#endif

#endif
