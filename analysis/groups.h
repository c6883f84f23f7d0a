/* SPDX-License-Identifier: MIT */
/*
 * INTERNAL to analysis/: what statistics and comparisons are made of, and the
 * prototypes of their files in the order of the data flow.
 *
 *     sides -> type -> key, pathtree -> sum or cumulate -> stats -> statistic
 *
 * A comparison sums up two snapshots side by side: their keys are ranked
 * together, so that equal keys have equal ranks, and each side has its own
 * sums. Nothing of the snapshots is copied.
 */
#ifndef ALLOCTRACE_GROUPS_H
#define ALLOCTRACE_GROUPS_H

#include "model.h"

/* In place of a trace's or frame's position: there is none. */
#define AT_NONE UINT32_MAX

/* ---- Sides ---- */

/* The snapshot that is looked at (side 0) or the older one (side 1). The last
 * four say where its entries begin in arrays that hold those of all sides, one
 * side behind the other. */
struct at_side {
    const alloctrace_snapshot *snapshot; /* not owned */
    uint32_t limit;                      /* frames kept of a path; 0 = all */
    uint32_t first_trace;
    uint32_t first_frame;
    uint32_t first_traceback;
    uint32_t first_string;
};

/* All sides, with the sums of their entries: all below UINT32_MAX. */
struct at_sides {
    struct at_side side[2];
    uint32_t count; /* 1 or 2 */
    uint32_t n_traces;
    uint32_t n_frames;
    uint32_t n_tracebacks;
    uint32_t n_strings;
};

/* sides.c: what is summed up together. */

/* `old` may be NULL. Paths of both sides are kept as far as the lower limit
 * says, or each as its own says if `has_own_limits`. Returns 0, or
 * ALLOCTRACE_ENO_MEMORY if both together are too large. */
int at_sides_init(struct at_sides *sides, const alloctrace_snapshot *snapshot,
                  const alloctrace_snapshot *old, bool has_own_limits);

/* Frames kept of a path, and whether that differs from all of them for any. */
static inline uint64_t at_side_kept(const struct at_side *side,
                                    uint32_t traceback_id)
{
    const uint64_t depth = side->snapshot->tracebacks[traceback_id].depth;

    return side->limit && side->limit < depth ? side->limit : depth;
}

static inline bool at_side_is_limited(const struct at_side *side)
{
    return side->limit && side->limit < side->snapshot->max_depth;
}

/* Names of domains by number, for many look-ups. */
struct at_domain_names {
    const alloctrace_snapshot *snapshot; /* not owned */
    struct at_keyed *ids; /* owned: domains by number; of one the first name
                             first */
};
int at_domain_names_init(struct at_domain_names *names,
                         const alloctrace_snapshot *snapshot);
void at_domain_names_fini(struct at_domain_names *names);

/* Returns the position among the snapshot's domains, or AT_NONE. */
uint32_t at_domain_find(const struct at_domain_names *names, uint32_t id);

/* ---- Types ---- */

/* Types of all sides, numbered by the order of their names. */
struct at_types {
    uint32_t *of[2];   /* owned: by side and trace; NULL = type 0 all of it */
    const char **text; /* owned: number => name; in the snapshots */
    uint32_t count;    /* at least 1 */
};

/* type.c: of what type traces are. Returns 0 or ALLOCTRACE_ENO_MEMORY;
 * at_types_fini is allowed in either case. */
int at_types_init(struct at_types *types, const struct at_sides *sides);
void at_types_fini(struct at_types *types);

static inline uint32_t at_type_of(const struct at_types *types, uint32_t side,
                                  uint32_t trace)
{
    return types->of[side] ? types->of[side][trace] : 0;
}

/* ---- Keys ---- */

/* pathtree.c: which paths are equal, and their order. */

/* Ranks the paths of all traces in tracemalloc's order, oldest frame first:
 * equal paths get equal ranks, from 0 without gaps. `place` orders the frames
 * of all sides. `ranks` is by trace. */
int at_rank_paths(const struct at_sides *sides, const uint32_t *place,
                  uint32_t *ranks, uint32_t *n_ranks);

/* key.c: what traces are grouped by. `flags` as in the options. All return 0
 * or ALLOCTRACE_ENO_MEMORY. */

/* Is it a grouping by what one frame says? */
bool at_is_by_frame(int group_by);

/* Ranks the frames of all sides by the key of such a grouping. */
int at_rank_frames(const struct at_sides *sides, int group_by, unsigned flags,
                   uint32_t *ranks, uint32_t *n_ranks);

/* Ranks the traces of all sides by the key of any grouping. */
int at_rank_traces(const struct at_sides *sides, int group_by, unsigned flags,
                   const struct at_types *types, uint32_t *ranks,
                   uint32_t *n_ranks);

/* ---- Sums ---- */

/* In place of a type's number: there are several. */
#define AT_SEVERAL_TYPES UINT32_MAX

/* What traces of one side with one key have in common. Sums wrap around modulo
 * 2^64, as only a forged file can make them do. */
struct at_group {
    uint64_t size;  /* bytes; two's complement */
    uint64_t count; /* blocks; likewise */
    uint32_t trace; /* the first; AT_NONE = nothing was added yet */
    uint32_t type;  /* number, or AT_SEVERAL_TYPES; none yet as `trace` */
};

/* Adds what stands in `more`, if anything. */
static inline void at_group_add(struct at_group *group,
                                const struct at_group *more)
{
    if (more->trace == AT_NONE)
        return;
    group->size += more->size;
    group->count += more->count;
    if (group->trace == AT_NONE)
        group->type = more->type;
    else if (group->type != more->type)
        group->type = AT_SEVERAL_TYPES;
    if (more->trace < group->trace)
        group->trace = more->trace;
}

/* How traces of one group came through wrappers. */
struct at_way {
    int64_t most;     /* bytes of the trace with most */
    uint32_t largest; /* that trace, the first of equals; AT_NONE: none yet */
    uint32_t first;   /* the first trace */
    bool has_several; /* not all came through functions of the same names */
};

/* What is needed to sum up, and what comes of it. */
struct at_summing {
    struct at_sides sides;
    struct alloctrace_statistics_options options; /* checked; none is 0 */
    struct at_types types;
    uint32_t *ranks; /* owned: trace => rank; cumulative: frame => rank */
    uint32_t n_ranks;
    struct at_group *groups[2]; /* owned: by side and rank */
    struct at_way *ways[2];     /* owned: likewise; NULL = not folded, or
                                   cumulative */
    struct at_group sums[2];    /* of all traces of a side */
};

/* sum.c: sums by rank. Both fill in `sums` as well. */

/* What the metric counts of a trace. */
struct at_amount {
    int64_t bytes;
    int64_t blocks;
};

static inline struct at_amount
at_trace_amount(const alloctrace_snapshot *snapshot, int metric, uint32_t index)
{
    const struct alloctrace_trace *const trace = &snapshot->traces[index];
    struct at_temporary temporary;

    switch (metric) {
    case ALLOCTRACE_METRIC_LIVE:
        return (struct at_amount){trace->live_bytes, trace->live_blocks};
    case ALLOCTRACE_METRIC_TOTAL:
        return (struct at_amount){trace->total_bytes, trace->total_blocks};
    case ALLOCTRACE_METRIC_PEAK:
        return (struct at_amount){trace->peak_bytes, trace->peak_blocks};
    default:
        temporary = at_trace_temporary(snapshot, index);
        return (struct at_amount){(int64_t)temporary.bytes,
                                  (int64_t)temporary.blocks};
    }
}

/* One trace alone: as a group, of which there is nothing if the metric counts
 * nothing of it. */
static inline struct at_group at_trace_group(const struct at_summing *summing,
                                             uint32_t side, uint32_t trace)
{
    const struct at_amount amount =
        at_trace_amount(summing->sides.side[side].snapshot,
                        summing->options.metric, trace);

    if (!amount.bytes && !amount.blocks)
        return (struct at_group){.trace = AT_NONE};
    return (struct at_group){
        .size = (uint64_t)amount.bytes,
        .count = (uint64_t)amount.blocks,
        .trace = trace,
        .type = at_type_of(&summing->types, side, trace),
    };
}

/* `count` groups to which nothing was added. NULL: no memory. */
struct at_group *at_groups_create(size_t count);

/* Frames between where a trace allocated and where its path begins now. */
uint64_t at_wrappers_count(const alloctrace_snapshot *snapshot, uint32_t trace);

/* Sums up each side into its groups. 0 or ALLOCTRACE_ENO_MEMORY. */
int at_sum(struct at_summing *summing);

/* cumulate.c: sums over all frames of paths. */

/* Likewise, a trace for each key that its kept frames have. */
int at_cumulate(struct at_summing *summing);

/* Tells which of a side's tracebacks have a frame with a rank that is kept.
 * The caller frees it. NULL: no memory. */
bool *at_tracebacks_with(const struct at_side *side, const uint32_t *ranks,
                         uint32_t rank);

/* ---- Results ---- */

struct alloctrace_statistics {
    alloctrace_snapshot *snapshots[2]; /* by side; hold references; the second
                                          is NULL unless this is a comparison */
    uint32_t limits[2];                /* frames kept of paths, by side */
    int group_by;                      /* enum alloctrace_grouping */
    size_t count;                      /* groups */
    struct alloctrace_statistic sum;   /* of all traces, each once */
    uint32_t *largest;  /* owned: by group, its trace with most bytes, of the
                           side that `traceback` is of; NULL = not folded */
    uint32_t *keys;     /* owned: by group, a frame that has the key (of all
                           sides); NULL = not cumulative */
    uint32_t *ranks;    /* owned, cumulative with details only: frame => rank */
    /* Owned; NULL if there are no details, or cumulative. The traces of group i
     * are members[first[i]] to those of the next one. */
    uint32_t *members;
    uint32_t *first;
    struct alloctrace_statistic groups[]; /* sorted */
};

/* Of which side is a group's first traceback? Of the older one if there is
 * nothing of it in the newer one. */
static inline uint32_t at_group_side(const alloctrace_statistics *statistics,
                                     size_t index)
{
    const struct alloctrace_statistic *const group = &statistics->groups[index];

    return statistics->snapshots[1] && !group->size && !group->count;
}

/* stats.c: the frame that is a group's key, or has it, and the snapshot that it
 * is of. Not by what is no frame. */
const struct at_frame *at_group_frame(const alloctrace_statistics *statistics,
                                      size_t index);
const alloctrace_snapshot *
at_frame_snapshot(const alloctrace_statistics *statistics, size_t index);

#endif
