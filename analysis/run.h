/* SPDX-License-Identifier: MIT */
/*
 * INTERNAL to analysis/: sorted runs of call paths and traces, by which files
 * are merged in bounded memory.
 *
 *     builder -> preorder -> run (a file) -> confluence -> gather -> write
 *
 * A run lists the tree of call paths in preorder: each path is followed by its
 * traces, by thread and domain, and then by the paths that go on from it, by
 * frame. Such a list is sorted by the whole path, although an item says no
 * more than how deep it is and what comes last. And several can be merged
 * without knowing their paths: as none is read beyond what was written so far,
 * the next item of each goes on from the path that was written last or from
 * one outside it, so that the deepest of them comes first (at_item_compare).
 */
#ifndef ALLOCTRACE_RUN_H
#define ALLOCTRACE_RUN_H

#include "build.h"

/* In the order in which they follow a path. */
enum at_item_kind { AT_ITEM_TRACE, AT_ITEM_PATH };

/* One line of a run. */
struct at_item {
    enum at_item_kind kind;
    uint32_t depth;    /* of a path, from 1, in call sites; of a trace that of
                          its path and 1, hence 1 of one without a path */
    uint32_t frame;    /* of a path: its last one */
    uint32_t n_sizes;  /* of a trace: classes of sizes */
    uint64_t left_out; /* of a path */
    struct alloctrace_trace trace; /* of a trace, but for its path */
    struct at_tally tally;         /* likewise; is_there = false: none */
    struct at_item_size {
        uint64_t blocks;
        uint64_t bytes;
        uint32_t number;                  /* of the class */
    } sizes[ALLOCTRACE_SIZE_CLASS_COUNT]; /* ascending */
};

/* Where items come from, in order. The first member of what is one. */
struct at_source {
    struct at_item item; /* the next one */
    bool is_end;         /* there is none */
    /* Goes on to the next item. Returns 0, ALLOCTRACE_EIO or
     * ALLOCTRACE_ENO_MEMORY. */
    int (*next)(struct at_source *source);
};

/* Where they go to. The first member likewise. */
struct at_sink {
    /* Returns as above. */
    int (*put)(struct at_sink *sink, const struct at_item *item);
};

/* preorder.c: the call paths and traces of a builder as a source. */
struct at_preorder {
    struct at_source source;
    const alloctrace_builder *builder;
    uint32_t *paths;  /* owned: position in preorder => traceback; 0 => 0 */
    uint32_t *first;  /* owned: position => its first trace in `traces` */
    uint32_t *traces; /* owned: sorted */
    uint32_t position;
    uint32_t next_trace; /* in `traces` */
};

/* Changes `depth` of the builder's tracebacks, and the order of its sizes:
 * nothing can be added afterwards, until at_intern_clear_paths. */
int at_preorder_init(struct at_preorder *preorder, alloctrace_builder *builder);
void at_preorder_fini(struct at_preorder *preorder);

/* run.c: runs in temporary files, which have no name. */

struct at_run {
    struct at_source source;
    struct at_sink sink;
    int fd;          /* owned */
    uint8_t *buffer; /* owned; NULL = neither read nor written just now */
    size_t at;       /* bytes of it that are taken or filled */
    size_t end;      /* while reading: bytes that there are */
    uint32_t depth;  /* of the item before */
    int failure;     /* errno of what went wrong; 0 = nothing */
};

/* Begins an empty run in a folder. Returns 0, ALLOCTRACE_EIO with `failure`
 * set, or ALLOCTRACE_ENO_MEMORY. */
int at_run_create(struct at_run *run, const char *folder);
void at_run_fini(struct at_run *run);

/* Ends writing; reading begins. Returns likewise. */
int at_run_finish(struct at_run *run);
int at_run_rewind(struct at_run *run);

/* confluence.c: several sources => one. */

/* Below 0, 0 or above 0. */
int at_item_compare(const struct at_item *left, const struct at_item *right);

/* Gives a sink all items of sources, which stand on their first ones; equal
 * ones are added up. The array is changed. Returns what a source or the sink
 * does. */
int at_confluence(struct at_source **sources, size_t n, struct at_sink *sink);

#endif
