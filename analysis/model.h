/* SPDX-License-Identifier: MIT */
/*
 * INTERNAL to analysis/: a loaded snapshot, and the prototypes of each file in
 * the order of the data flow. A file calls only files above it here.
 *
 *     input -> load, entry -> snapshot -> resolve, twin -> fold -> view -> filter
 *     bytes                     join         path -> statistics (groups.h)
 *                              write -> output
 *
 * Every table below is indexed by the number that the file gives its entries;
 * element 0 stands for "none" and is a whole entry, so that nothing needs to
 * ask: string 0 is "", frame 0 is the unknown frame, traceback 0 the unknown
 * frame alone. After loading all numbers are known to be in range, and
 *
 *     tracebacks[i].parent < i        frames[i].caller < i
 *
 * but for frames that resolving an address has added (at_frame, caller).
 */
#ifndef ALLOCTRACE_MODEL_H
#define ALLOCTRACE_MODEL_H

#include <stdarg.h>
#include <stdbool.h>

#include "alloctrace/analysis.h"

#include "untraced.h"

/* Frames of one call path that may come from one site, inlining included:
 * tracemalloc's limit for a whole traceback. Bounds the work a file can ask
 * for; GCC's own limits are far below. */
#define AT_MAX_CHAIN 65535

/*
 * A file of n bytes is loaded and looked at in time and memory in proportion to
 * n, so that what is small in it but stands for much is bounded: the frames
 * that the sites of tracebacks have, on average; and the bytes of names that
 * entries other than frames have, for each byte of the file.
 */
#define AT_CHAINS_PER_TRACEBACK 256
#define AT_CHAINS_FREE (UINT64_C(1) << 20)
#define AT_NAMES_PER_BYTE 16
#define AT_NAMES_FREE (UINT64_C(1) << 20)

/* Bytes of names of functions and files that are looked at, where all names
 * of a path would be compared or searched: more than a path has that a system
 * can open. */
#define AT_MAX_NAME 4096

/* The first number of a domain that the runtime gave it, for its name; those
 * below are the program's own choice. As in format.h. */
#define AT_FIRST_NAMED 0x80000000u

/* Storage of strings that never moves; a list, the newest first. */
struct at_piece {
    struct at_piece *next; /* owned */
    size_t size;           /* bytes in `text` */
    size_t used;           /* of them */
    char text[];           /* strings, each with its NUL */
};

/* All strings. Ids of equal strings may differ. */
struct at_strings {
    const char **text;       /* id => string, in one of the pieces */
    uint32_t count;          /* of ids, with 0, which is "" */
    uint32_t capacity;       /* of `text`, in strings */
    struct at_piece *pieces; /* owned */
};

/* One level of a call path. */
struct at_frame {
    uint64_t address;   /* of code that was not instrumented; else 0 */
    uint32_t module;    /* number of the module; 0 = unknown */
    uint32_t file;      /* string */
    uint32_t place;     /* string: what stands for the file by filename */
    uint32_t function;  /* string */
    uint32_t line;      /* 0 = unknown */
    uint32_t column;    /* 0 = unknown */
    uint32_t caller;    /* frame that this one was inlined into; 0 = none; above
                           its own number only if resolving added it */
    uint32_t callee;    /* string: what is called */
    uint32_t type;      /* string */
    uint32_t target;    /* string */
    uint32_t type_size; /* bytes of one object of `type`; 0 = unknown */
    uint32_t ordinal;   /* number of the site in its function; 0 = none */
    uint32_t n_chain;   /* frames from here through the last caller: >= 1 */
    uint16_t kind;      /* enum alloctrace_frame_kind */
    uint16_t flags;     /* ALLOCTRACE_FRAME_* */
};

/* One call path: a frame and the path of its caller. */
struct at_traceback {
    uint32_t parent; /* traceback; 0 = outermost */
    uint32_t frame;  /* innermost frame */
    uint64_t depth;  /* frames of the whole path, inlined ones included */
    uint64_t left_out; /* frames that it had besides: outside the limit, or
                          rounds of recursion; of the longest such path */
};

/* What a user said of a snapshot. */
struct at_attribute {
    struct alloctrace_attribute texts; /* in `owned` */
    char *owned;                       /* both, one behind the other */
};
struct at_attributes {
    struct at_attribute *items; /* owned; in the order of setting */
    size_t count;
    size_t capacity; /* attributes that there is room for */
};

/* What the file calls a trace by when it tells more about it. */
struct at_trace_name {
    uint32_t traceback;
    uint32_t thread;
    uint32_t domain;
};

/* More about a trace; fields as in format.h. */
struct at_detail {
    struct at_trace_name name;
    uint32_t trace; /* position of the trace */
    uint64_t temporary_blocks;
    uint64_t temporary_bytes;
    uint64_t resized_blocks;
    uint64_t resized_in_place;
    uint64_t moved_bytes;
    uint64_t grown_bytes;
    uint64_t shrunk_bytes;
    uint64_t smallest;
    uint64_t largest;
};

/* A trace's blocks of one class of sizes. */
struct at_size {
    struct at_trace_name name;
    uint32_t trace;  /* position of the trace */
    uint32_t number; /* of the class: below ALLOCTRACE_SIZE_CLASS_COUNT */
    uint64_t blocks;
    uint64_t bytes;
};

/*
 * A snapshot may be made of another one, its *base*, and then has the same
 * tables but for those that differ: a table is its own exactly if it is not
 * the base's. It holds a reference on the base, which thus outlives it; what
 * is referred to is never changed, so that the tables may be shared by
 * threads.
 */
struct alloctrace_snapshot {
    uint32_t references;       /* atomic: the user's, and of what was made of
                                  this; freed with the last one */
    alloctrace_snapshot *base; /* holds a reference; NULL = all is its own */
    alloctrace_snapshot *raw;  /* of a folded snapshot: what was folded, with
                                  the same traces in the same order; holds a
                                  reference; NULL = nothing was folded */
    struct alloctrace_process process;
    struct alloctrace_summary summary;
    struct at_strings strings;
    const char **arguments;            /* 0 .. n_arguments - 1 */
    struct alloctrace_module *modules; /* by number; 0 = none */
    struct alloctrace_thread *threads; /* by number; 0 = none */
    struct alloctrace_domain *domains; /* 0 .. n_domains - 1: those that have
                                          names, as the file has them */
    struct at_frame *frames;           /* by number; 0 = unknown */
    struct at_traceback *tracebacks;   /* by number; 0 = unknown */
    struct alloctrace_trace *traces;   /* 0 .. n_traces - 1 */
    struct at_detail *details;         /* by trace: 0 .. n_details - 1 */
    struct at_size *sizes;             /* by trace, then class: .. n_sizes - 1 */
    uint32_t n_arguments;
    uint32_t n_domains;
    uint32_t n_modules; /* with number 0, as the three below */
    uint32_t n_threads;
    uint32_t n_frames;
    uint32_t n_tracebacks;
    uint32_t n_traces;
    uint32_t n_details;
    uint32_t n_sizes;
    bool has_details;   /* the program was asked to count them */
    uint64_t max_depth; /* highest `depth` of a traceback */
    struct alloctrace_block *blocks; /* 0 .. n_blocks - 1, as the file has
                                        them */
    uint64_t n_blocks;
    struct at_attributes attributes; /* always its own */
    uint64_t names_left;  /* while it is loaded: bytes that names may still
                             have, each counted for each entry that has it */
    uint64_t chains_left; /* likewise: frames of the sites of tracebacks */
    const char **wrappers; /* functions that folding left out, most bytes
                              first */
    size_t n_wrappers;
};

struct alloctrace_traceback {
    alloctrace_snapshot *snapshot; /* whose strings and modules the frames
                                      have; holds a reference, or NULL */
    uint64_t total_nframe;            /* before the limit */
    size_t count;                     /* frames kept: at least one */
    struct alloctrace_frame frames[]; /* the most recent first */
};

/* fault.c: filling in errors. */

/* Describes a failure in `error`, which may be NULL. Returns `code`. */
int at_fault(struct alloctrace_error *error, int code, uint64_t offset,
             const char *format, ...) __attribute__((format(printf, 4, 5)));
int at_fault_list(struct alloctrace_error *error, int code, uint64_t offset,
                  const char *format, va_list arguments);
int at_fault_memory(struct alloctrace_error *error);

/* input.c: the bytes of a dump, which are read twice. */

struct at_input {
    const uint8_t *at;     /* the next byte */
    const uint8_t *end;    /* of the bytes that are in memory */
    const uint8_t *hashed; /* those before it are in the checksum; <= `at` */
    uint64_t checksum;     /* so far */
    uint64_t end_offset;   /* place of `end` in the dump */
    uint64_t size;         /* of the dump */
    uint64_t base;         /* where it begins in the file */
    const uint8_t *bytes;  /* the whole dump; NULL = it is in a file */
    uint8_t *buffer;       /* owned: the window, or the whole dump; or NULL */
    int fd;                /* the file; -1 = it is in memory */
    bool is_owner;         /* closes the file */
};

/* Both begin at the first byte. `bytes` must outlive the input. Returns 0,
 * ALLOCTRACE_EIO or ALLOCTRACE_ENO_MEMORY. */
int at_input_open(struct at_input *input, const char *path,
                  struct alloctrace_error *error);
void at_input_open_bytes(struct at_input *input, const void *bytes,
                         size_t size);
void at_input_close(struct at_input *input);
void at_input_rewind(struct at_input *input);

/* The checksum of what stands `n_back` bytes before the next byte, which is
 * in memory still, and is a multiple of 8 from the first one. */
uint64_t at_input_checksum(struct at_input *input, size_t n_back);

/* Brings the next `size` bytes into memory, AT_MAX_ENTRY_SIZE at most; `at` is
 * theirs then. Returns 0 or ALLOCTRACE_EIO: that the dump is long enough was
 * checked before, or it has become shorter. */
int at_input_want(struct at_input *input, size_t size,
                  struct alloctrace_error *error);

/* Goes on behind the next `size` bytes, and copies them if `to` is not NULL.
 * Returns as at_input_want. */
int at_input_copy(struct at_input *input, char *to, uint64_t size,
                  struct alloctrace_error *error);

static inline uint64_t at_input_offset(const struct at_input *input)
{
    return input->end_offset - (uint64_t)(input->end - input->at);
}

/* strtab.c: the strings. All return 0 or ALLOCTRACE_ENO_MEMORY. */

/* Makes room for `count` more ids and for one piece of `size` bytes. */
int at_strings_reserve(struct at_strings *strings, uint64_t count,
                       uint64_t size);

/* Adds a copy of `size` bytes, in which there is no NUL, and a NUL. */
int at_strings_add(struct at_strings *strings, const char *text, size_t size,
                   uint32_t *string_id);

/* Adds a string of `size` bytes, which the caller then writes to `copy`; the
 * NUL is there already. */
int at_strings_make(struct at_strings *strings, size_t size, char **copy,
                    uint32_t *string_id);
void at_strings_fini(struct at_strings *strings);

/* rank.c: order without hashing. All return 0 or ALLOCTRACE_ENO_MEMORY. */

/* Numbers `keys` by their order: equal keys get equal ranks, from 0 without
 * gaps; `n_ranks` (or NULL) gets how many there are. */
int at_rank_numbers(const uint64_t *keys, size_t count, uint32_t *ranks,
                    uint32_t *n_ranks);
int at_rank_texts(const char *const *texts, size_t count, uint32_t *ranks);

/* What is sorted, and what goes with it. */
struct at_keyed {
    uint64_t key;
    uint32_t index;
};

/* Room for `count` items and as many more to sort them. The caller frees it.
 * NULL: no memory. */
struct at_keyed *at_keyed_create(size_t count);

/* Sorts by key, ascending; equal ones keep their order. `scratch` has room for
 * as many. Returns which of the two holds the result. */
struct at_keyed *at_sort(struct at_keyed *items, struct at_keyed *scratch,
                         size_t count);

/* glob.c: patterns for names. */

struct at_byte_set {
    uint32_t bits[8]; /* by byte */
};

/* A pattern, taken apart. */
struct at_pattern {
    uint32_t *elements;       /* owned: bytes and what stands for bytes */
    size_t count;             /* of them */
    struct at_byte_set *sets; /* owned: what brackets match */
    bool is_file;             /* ".pyc" at the end counts as ".py" */
};

/* Reads a pattern; it is not needed afterwards. Returns 0 or
 * ALLOCTRACE_ENO_MEMORY. */
int at_pattern_init(struct at_pattern *pattern, const char *text, bool is_file);
void at_pattern_fini(struct at_pattern *pattern);

/* Does the pattern match a whole name? */
bool at_pattern_matches(const struct at_pattern *pattern, const char *name);

/* attribute.c: attributes. */

/* Adds one whose key is not there yet: this is not looked up. */
int at_attributes_add(struct at_attributes *attributes, const char *key,
                      const char *value);

/* Finds out whether two have the same key. All return 0 or
 * ALLOCTRACE_ENO_MEMORY. */
int at_attributes_check(const struct at_attributes *attributes,
                        bool *is_unique);

/* Copies all; `to` is empty. */
int at_attributes_copy(struct at_attributes *to,
                       const struct at_attributes *from);
int at_attributes_set(struct at_attributes *attributes, const char *key,
                      const char *value);
void at_attributes_fini(struct at_attributes *attributes);

/* snapshot.c: ownership and access. */

/* Makes a snapshot with the entries 0 of all tables and room for as many more
 * as the counts say. Returns NULL when memory runs out. */
struct at_counts {
    uint64_t strings;
    uint64_t string_bytes; /* NULs included */
    uint64_t arguments;
    uint64_t modules;
    uint64_t threads;
    uint64_t domains;
    uint64_t frames;
    uint64_t tracebacks;
    uint64_t traces;
    uint64_t details;
    uint64_t sizes;
    uint64_t blocks;
};
alloctrace_snapshot *at_snapshot_create(const struct at_counts *counts);

/* Makes a snapshot with the tables of another, of which some may be replaced
 * then. Returns NULL when memory runs out. */
alloctrace_snapshot *at_snapshot_derive(const alloctrace_snapshot *base);

/* Takes one more reference, which alloctrace_snapshot_free gives back. That a
 * snapshot is referred to changes nothing that its reader could see. */
alloctrace_snapshot *at_snapshot_retain(const alloctrace_snapshot *snapshot);

/* May what its frames say be changed: does nothing else use them? */
bool at_snapshot_is_sole(const alloctrace_snapshot *snapshot);

static inline const char *at_text(const alloctrace_snapshot *snapshot,
                                  uint32_t string_id)
{
    return snapshot->strings.text[string_id];
}

/* join.c: more about traces. */

/* Finds the trace of each detail and size. Once, after loading. Returns 0,
 * ALLOCTRACE_EBAD_FILE (there is no such trace) or ALLOCTRACE_ENO_MEMORY. */
int at_details_join(alloctrace_snapshot *snapshot);

/* What was temporary of a trace; zeros without details. */
struct at_temporary {
    uint64_t blocks;
    uint64_t bytes;
};
struct at_temporary at_trace_temporary(const alloctrace_snapshot *snapshot,
                                       uint32_t trace);

/* Sums up the details of `count` traces: those whose positions are given, or
 * the first. Returns as alloctrace_snapshot_detail. */
int at_detail_sum(const alloctrace_snapshot *snapshot, const uint32_t *traces,
                  size_t count, struct alloctrace_detail **detail);

/* output.c: a file that is being written. */

struct at_output {
    char *path;        /* owned: its name in the end; NULL = written directly */
    char *temporary;   /* owned: its name until then; NULL likewise */
    int fd;            /* of the file */
    bool is_owner;     /* closes it: it is not standard output */
    int failure;       /* errno of what went wrong first; 0 = nothing */
    uint8_t *buffer;   /* owned */
    size_t used;       /* bytes in the buffer */
    uint64_t written;  /* bytes that have left it */
    uint64_t checksum; /* of these, as format.h has it */
};

/* Begins a file; nothing stands under its name yet. Returns 0, ALLOCTRACE_EIO
 * or ALLOCTRACE_ENO_MEMORY. */
int at_output_open(struct at_output *output, const char *path,
                   struct alloctrace_error *error);

/* Room for the next `size` bytes, AT_MAX_ENTRY_SIZE at most, for the caller to
 * fill. What goes wrong shows in the end. */
uint8_t *at_output_take(struct at_output *output, size_t size);
void at_output_put(struct at_output *output, const void *bytes, size_t size);

/* Zeros up to a multiple of 8. */
void at_output_pad(struct at_output *output);

/* The checksum of all bytes so far, a multiple of 8. */
uint64_t at_output_checksum(struct at_output *output);
static inline uint64_t at_output_offset(const struct at_output *output)
{
    return output->written + output->used;
}

/* Ends the file: it gets its name, or vanishes if something went wrong.
 * Returns 0 or ALLOCTRACE_EIO. */
int at_output_close(struct at_output *output, struct alloctrace_error *error);

/* twin.c: addresses that stand for the call of the site outside them. */

/* Leaves them out of the paths: the numbers of tracebacks and frames stay, and
 * at_snapshot_measure is wanted. Says for the `n_frames` frames of the file
 * whether the name of an address is that of one function only. Returns 0 or
 * ALLOCTRACE_ENO_MEMORY. */
int at_twins_drop(alloctrace_snapshot *snapshot, const bool *is_sole,
                  uint32_t n_frames);

/* resolve.c: names for addresses. Before folding. */

/* Gives each frame that is a bare address, and each unknown one, a name made
 * from its module: "[libc.so.6+0x1f4]". Once, after loading. */
int at_snapshot_label(alloctrace_snapshot *snapshot);

/* Is the name of a frame's file one that at_snapshot_label made? */
static inline bool at_is_label(const struct at_frame *frame)
{
    return frame->address && frame->place != frame->file;
}

/* fold.c: which frame answers for a path. */

/* Where a path begins once the wrappers are left out. */
struct at_fold {
    uint32_t traceback; /* the path itself, or one outside it */
    uint32_t frame;     /* in that traceback's site */
    uint32_t type;      /* string: of what the path allocates; may be "" */
};

/* Folds all paths; the result is by traceback. Of a folded snapshot they are
 * what a reader of its dump would make of them. The caller frees it. NULL: no
 * memory. */
struct at_fold *at_fold_paths(const alloctrace_snapshot *snapshot);

/* Strings that are the types of what traces allocated, by trace; folded or
 * not, they are the same. The caller frees them. NULL: no memory. */
uint32_t *at_trace_types(const alloctrace_snapshot *snapshot);

/* Does a frame stand in a header of the C++ library? */
bool at_is_library(const alloctrace_snapshot *snapshot,
                   const struct at_frame *frame);

/* view.c: folded snapshots. */

/* Did a traceback of a snapshot have wrappers, which it is now without? */
static inline bool at_is_folded(const alloctrace_snapshot *snapshot,
                                uint32_t traceback_id)
{
    return snapshot->raw && traceback_id >= snapshot->raw->n_tracebacks;
}

/* Gives a folded snapshot its list of wrappers: of those that its traces came
 * through. `folds` are of what was folded. Returns 0 or ALLOCTRACE_ENO_MEMORY.
 */
int at_wrappers_find(alloctrace_snapshot *view, const struct at_fold *folds);

/* path.c: call paths. */

/* Works out how deep each traceback is. After loading and resolving. */
void at_snapshot_measure(alloctrace_snapshot *snapshot);

/* Walks a path outwards: the frames of one site, then those of its parent. */
struct at_walk {
    const alloctrace_snapshot *snapshot;
    uint32_t traceback; /* the next frame's; meaningless at the end */
    uint32_t frame;     /* the next frame */
    uint64_t left;      /* frames that are still to come */
};
void at_walk_begin(struct at_walk *walk, const alloctrace_snapshot *snapshot,
                   uint32_t traceback_id);
static inline void at_walk_next(struct at_walk *walk)
{
    const alloctrace_snapshot *snapshot = walk->snapshot;

    walk->left--;
    walk->frame = snapshot->frames[walk->frame].caller;
    if (!walk->frame) {
        walk->traceback = snapshot->tracebacks[walk->traceback].parent;
        walk->frame = snapshot->tracebacks[walk->traceback].frame;
    }
}

/* Frames kept of a path: its depth, but for the limit. */
uint64_t at_kept_frames(const alloctrace_snapshot *snapshot,
                        uint32_t traceback_id);

/* Makes a traceback of the `count` most recent frames of a path, of which
 * there are as many. Returns 0 or ALLOCTRACE_ENO_MEMORY. */
int at_path_begin(const alloctrace_snapshot *snapshot, uint32_t traceback_id,
                  uint64_t count, alloctrace_traceback **traceback);

/* A traceback of `count` empty frames. NULL: no memory. */
alloctrace_traceback *at_traceback_create(size_t count);

/* source.c: lines of source files. */

/* A line that is wanted, and then what it says. */
struct at_source_line {
    const char *file; /* not owned */
    uint32_t line;    /* from 1; 0 = unknown, which no file has */
    size_t index;     /* the caller's */
    char *text;       /* owned: without the blanks around it; NULL = the file or
                         the line is not there, or blank */
};

/* Finds what lines say; sorts `lines` by file and line, so that each file is
 * read once. The caller frees the texts, whatever is returned: 0 or
 * ALLOCTRACE_ENO_MEMORY. */
int at_source_find(struct at_source_line *lines, size_t count);

/* select.c: some of a snapshot's traces. */

/* Makes a snapshot of those traces, by position, of which `is_kept` is true,
 * with their details, sizes and blocks. Owner, returns: as
 * alloctrace_snapshot_filter_traces. */
int at_snapshot_select(const alloctrace_snapshot *snapshot, const bool *is_kept,
                       alloctrace_snapshot **selected);

#endif
