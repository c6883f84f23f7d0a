/* SPDX-License-Identifier: MIT */
/*
 * INTERNAL to analysis/: snapshots that are made rather than loaded, by hand or
 * of others. What is equal stands once: each table has an index that finds an
 * entry by what it says.
 *
 *     hashing -> intern -> builder -> merge (domains, tally, common)
 *
 * Files that do not fit into memory are merged by gather.c (run.h).
 */
#ifndef ALLOCTRACE_BUILD_H
#define ALLOCTRACE_BUILD_H

#include "model.h"

/* hashing.c: hash tables. All return 0 or ALLOCTRACE_ENO_MEMORY. */

/* The random key of a hash; one for each builder. */
struct at_seed {
    uint64_t key[2];
};
void at_seed_init(struct at_seed *seed);
uint32_t at_hash(const struct at_seed *seed, const void *data, size_t size);

/* Finds the numbers of entries, which stand in a table elsewhere. */
struct at_slot {
    uint32_t hash;   /* of the entry */
    uint32_t number; /* of it; 0 = free */
};
struct at_index {
    struct at_slot *slots; /* owned */
    size_t n_slots;        /* a power of two, or 0 */
    uint32_t count;        /* of entries */
};

/* Is the entry of that number in a table the one with the key? */
typedef bool at_equality(const void *table, uint32_t number, const void *key);

/* Returns 0 if there is none. */
uint32_t at_index_find(const struct at_index *index, uint32_t hash,
                       at_equality *is_equal, const void *table,
                       const void *key);

/* Makes room for one more, and adds one that is not there. */
int at_index_reserve(struct at_index *index);
void at_index_put(struct at_index *index, uint32_t hash, uint32_t number);
void at_index_clear(struct at_index *index);
void at_index_fini(struct at_index *index);

/* Makes a table half as large again. NULL: no memory. */
void *at_grown(void *table, uint32_t *capacity, size_t entry_size);

/* Words => number; unused words are 0. */
struct at_words {
    uint64_t words[5];
};
struct at_map {
    struct at_index index; /* numbers are positions plus one */
    struct at_map_entry {
        struct at_words key;
        uint32_t value;
    } *entries;        /* owned; index.count of them */
    uint32_t capacity; /* of `entries` */
};

/* Returns NULL if the key is not there; good until one is added. */
uint32_t *at_map_find(const struct at_map *map,
                            const struct at_seed *seed,
                            const struct at_words *key);

/* Adds a key that is not there. */
int at_map_add(struct at_map *map, const struct at_seed *seed,
               const struct at_words *key, uint32_t value);
void at_map_fini(struct at_map *map);

/* intern.c: what is equal stands once. All return 0 or ALLOCTRACE_ENO_MEMORY,
 * and then have changed nothing. */
struct at_intern {
    alloctrace_snapshot *snapshot; /* whose tables are filled; owned. Not
                                      labelled, not measured */
    struct at_seed seed;
    struct at_index strings; /* each by number */
    struct at_index frames;
    struct at_index tracebacks;
    struct at_index traces; /* by position plus one */
    uint32_t unknown;       /* the frame of which nothing is known; 0 = none
                               yet */
    uint32_t n_max_frames;  /* entries that there is room for */
    uint32_t n_max_tracebacks;
    uint32_t n_max_traces;
};
int at_intern_init(struct at_intern *intern);
void at_intern_fini(struct at_intern *intern);

/* Forgets all call paths and traces, but keeps the memory for others. */
void at_intern_clear_paths(struct at_intern *intern);

/* NULL is "". */
int at_intern_string(struct at_intern *intern, const char *text,
                     uint32_t *string_id);

/* `place` and `n_chain` do not count: they follow from the rest. The number is
 * never 0, not even of an unknown frame, so that it can be a caller. */
int at_intern_frame(struct at_intern *intern, const struct at_frame *frame,
                    uint32_t *frame_id);

/* `cut`: frames that a limit took of the path that ends here; paths that
 * differ in it only are different ones. */
int at_intern_traceback(struct at_intern *intern, uint32_t parent,
                        uint32_t frame, uint64_t cut, uint32_t *traceback_id);
int at_intern_trace(struct at_intern *intern, const struct at_trace_name *name,
                    uint32_t *position);

/* Adds up the figures, modulo 2^64. */
void at_trace_add(struct alloctrace_trace *sum,
                  const struct alloctrace_trace *trace);

/* builder.c: snapshots by hand, and merged ones. */

/* Details of a trace that is being built; zeros if it has none. */
struct at_tally {
    struct at_detail detail; /* `name` and `trace` are set in the end */
    bool is_there;
    bool has_range; /* `smallest` and `largest` mean something */
};

struct alloctrace_builder {
    struct at_intern intern;
    struct at_map modules; /* see alloctrace_builder_add_module */
    struct at_map threads; /* name (string), system's number => number */
    struct at_map thread_names; /* string => the first thread of that name */
    struct at_map domain_numbers; /* that are taken => see domains.c */
    struct at_map domain_names;   /* see domains.c */
    struct at_tally *tallies;     /* owned: by trace, if `has_details` */
    struct at_size *sizes;        /* owned; without names, by no order */
    struct at_index size_index;   /* finds them by trace and class */
    uint32_t n_max_modules;       /* entries that there is room for */
    uint32_t n_max_threads;
    uint32_t n_max_domains;
    uint32_t n_max_tallies;
    uint32_t n_tallies; /* of traces; the others have none */
    uint32_t n_max_sizes;
    uint32_t n_sizes;
    uint32_t next_domain;  /* none below is free but AT_FIRST_NAMED is above */
    uint32_t n_processes;  /* of all snapshots that were added */
    bool is_process_given; /* alloctrace_builder_set_process said what it is */
    bool has_own_traces;   /* some were not those of a snapshot */
    bool has_snapshots;    /* some were */
    bool has_details;      /* these have, all of them */
};

/* Interns a text. Returns 0 or ALLOCTRACE_ENO_MEMORY, as what follows. */
int at_builder_text(alloctrace_builder *builder, const char *text,
                    const char **copy);

/* Settles what is said of the process: nothing is added any more. */
void at_process_finish(alloctrace_builder *builder);

/* domains.c: numbers of domains. */

/* Notes that a number is in use. `name` is set to where its name stands, a
 * string, 0 = none; good until the next is taken. */
int at_domain_take(alloctrace_builder *builder, uint32_t domain,
                   uint32_t **name);

/* Gives a domain of another snapshot its number in what is built. NULL or "":
 * it has no name. */
int at_domain_merge(alloctrace_builder *builder, uint32_t domain,
                    const char *name, uint32_t *merged);

/* tally.c: details of what is built. */

/* Adds the details of a snapshot, of whose traces `positions` are those in
 * what is built. */
int at_tally_merge(alloctrace_builder *builder,
                   const alloctrace_snapshot *snapshot,
                   const uint32_t *positions);
int at_tally_finish(alloctrace_builder *builder);
void at_tally_add(struct at_tally *tally, const struct at_detail *detail,
                  bool has_range);

/* Forgets the details of all traces that there are, or that there will be. */
void at_tally_clear(alloctrace_builder *builder);
void at_tally_drop(alloctrace_builder *builder);

/* common.c: what merged snapshots have in common. */
int at_common_merge(alloctrace_builder *builder,
                    const alloctrace_snapshot *snapshot);

#endif
