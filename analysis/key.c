/* SPDX-License-Identifier: MIT */
/*
 * What traces are grouped by. Each grouping ranks the traces of all sides by
 * their keys: equal keys get equal ranks, and ranks compare as the keys do in
 * tracemalloc (names as strings of bytes, lines and numbers as numbers). Where
 * the key is what one frame says the frames are ranked, of which there are few,
 * and a trace has the rank of its most recent one.
 *
 * In a comparison numbers that differ from run to run stand for what they
 * name: threads are told apart by name, and domains that the program named.
 */
#include <stdlib.h>

#include "groups.h"

bool at_is_by_frame(int group_by)
{
    return group_by == ALLOCTRACE_BY_FILENAME ||
           group_by == ALLOCTRACE_BY_LINENO ||
           group_by == ALLOCTRACE_BY_FUNCTION ||
           group_by == ALLOCTRACE_BY_MODULE;
}

/* ---- Strings ---- */

/* Strings that frames refer to, ranked by their texts: string of any side =>
 * rank; meaningless for others. */
struct ranking {
    const struct at_sides *sides;
    const char **texts; /* owned; of those that are marked */
    uint32_t *strings;  /* owned: likewise */
    uint32_t *ranks;    /* the result */
    uint32_t count;
};

static void ranking_mark(struct ranking *ranking, const struct at_side *side,
                         uint32_t string_id)
{
    const uint32_t string = side->first_string + string_id;

    if (ranking->ranks[string])
        return;
    ranking->ranks[string] = 1;
    ranking->strings[ranking->count] = string;
    ranking->texts[ranking->count++] = at_text(side->snapshot, string_id);
}

static void ranking_mark_all(struct ranking *ranking)
{
    for (uint32_t s = 0; s < ranking->sides->count; s++) {
        const struct at_side *const side = &ranking->sides->side[s];

        for (uint32_t i = 0; i < side->snapshot->n_frames; i++) {
            const struct at_frame *const frame = &side->snapshot->frames[i];

            ranking_mark(ranking, side, frame->file);
            ranking_mark(ranking, side, frame->place);
            ranking_mark(ranking, side, frame->function);
        }
    }
}

/* Ranks the files, places and functions of all frames. NULL: no memory. */
static uint32_t *rank_strings(const struct at_sides *sides)
{
    const size_t n = sides->n_strings;
    struct ranking ranking = {
        .sides = sides,
        .texts = calloc(n, sizeof *ranking.texts),
        .strings = calloc(n, sizeof *ranking.strings),
        .ranks = calloc(n, sizeof *ranking.ranks),
    };
    uint32_t *const ranks = calloc(n, sizeof *ranks);
    bool is_ranked = false;

    if (ranking.texts && ranking.strings && ranking.ranks && ranks) {
        ranking_mark_all(&ranking);
        is_ranked = !at_rank_texts(ranking.texts, ranking.count, ranks);
    }
    for (uint32_t i = 0; is_ranked && i < ranking.count; i++)
        ranking.ranks[ranking.strings[i]] = ranks[i];
    free(ranking.texts);
    free(ranking.strings);
    free(ranks);
    if (is_ranked)
        return ranking.ranks;
    free(ranking.ranks);
    return NULL;
}

/* Ranks of the paths of all sides' modules, those of a side behind the other,
 * so that a file that was loaded twice is one. NULL: no memory. */
static uint32_t *rank_modules(const struct at_sides *sides)
{
    size_t n = 0;
    size_t next = 0;
    const char **paths;
    uint32_t *ranks;

    for (uint32_t s = 0; s < sides->count; s++)
        n += sides->side[s].snapshot->n_modules;
    paths = calloc(n, sizeof *paths);
    ranks = calloc(n, sizeof *ranks);
    if (paths && ranks) {
        for (uint32_t s = 0; s < sides->count; s++) {
            const alloctrace_snapshot *const of = sides->side[s].snapshot;

            for (uint32_t i = 0; i < of->n_modules; i++)
                paths[next++] = of->modules[i].path;
        }
    }
    if (!paths || !ranks || at_rank_texts(paths, n, ranks)) {
        free(ranks);
        ranks = NULL;
    }
    free(paths);
    return ranks;
}

/* ---- Frames ---- */

static uint64_t pair(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

/* With ALLOCTRACE_IGNORE_LINES frames are told apart by file and function
 * first: frames that have no number in their function are as of none, which
 * comes before all others. */
static uint64_t function_key(const struct at_frame *frame,
                             const uint32_t *strings)
{
    return pair(strings[frame->file],
                frame->ordinal ? strings[frame->function] + 1 : 0);
}

/* The key of a frame as a number, strings through their ranks. */
static uint64_t frame_key(const struct at_frame *frame, int group_by,
                          const uint32_t *strings)
{
    switch (group_by) {
    case ALLOCTRACE_BY_FILENAME:
        return strings[frame->place];
    case ALLOCTRACE_BY_FUNCTION:
        return pair(strings[frame->function], strings[frame->place]);
    default:
        return pair(strings[frame->file], frame->line);
    }
}

static void keys_fill(const struct at_sides *sides, int group_by,
                      unsigned flags, const uint32_t *strings, uint64_t *keys)
{
    const bool is_moving = flags & ALLOCTRACE_IGNORE_LINES &&
                           group_by == ALLOCTRACE_BY_LINENO;

    for (uint32_t s = 0; s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];
        const uint32_t *const ranks = strings + side->first_string;

        for (uint32_t i = 0; i < side->snapshot->n_frames; i++) {
            const struct at_frame *const frame = &side->snapshot->frames[i];

            keys[side->first_frame + i] =
                is_moving ? function_key(frame, ranks)
                          : frame_key(frame, group_by, ranks);
        }
    }
}

/* From ranks of functions to keys of the places in them. */
static void keys_refine(const struct at_sides *sides, const uint32_t *ranks,
                        uint64_t *keys)
{
    for (uint32_t s = 0; s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];

        for (uint32_t i = 0; i < side->snapshot->n_frames; i++) {
            const struct at_frame *const frame = &side->snapshot->frames[i];

            keys[side->first_frame + i] =
                pair(ranks[side->first_frame + i],
                     frame->ordinal ? frame->ordinal : frame->line);
        }
    }
}

/* Modules are ranked already, but their ranks have gaps. */
static int keys_of_modules(const struct at_sides *sides, uint64_t *keys)
{
    uint32_t *const modules = rank_modules(sides);
    size_t first = 0;

    if (!modules)
        return ALLOCTRACE_ENO_MEMORY;
    for (uint32_t s = 0; s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];

        for (uint32_t i = 0; i < side->snapshot->n_frames; i++)
            keys[side->first_frame + i] =
                modules[first + side->snapshot->frames[i].module];
        first += side->snapshot->n_modules;
    }
    free(modules);
    return 0;
}

static int keys_of_frames(const struct at_sides *sides, int group_by,
                          unsigned flags, uint64_t *keys)
{
    uint32_t *strings;

    if (group_by == ALLOCTRACE_BY_MODULE)
        return keys_of_modules(sides, keys);
    strings = rank_strings(sides);
    if (!strings)
        return ALLOCTRACE_ENO_MEMORY;
    keys_fill(sides, group_by, flags, strings, keys);
    free(strings);
    return 0;
}

int at_rank_frames(const struct at_sides *sides, int group_by, unsigned flags,
                   uint32_t *ranks, uint32_t *n_ranks)
{
    const uint32_t n = sides->n_frames;
    uint64_t *const keys = calloc(n, sizeof *keys);
    int result = ALLOCTRACE_ENO_MEMORY;

    if (keys)
        result = keys_of_frames(sides, group_by, flags, keys);
    if (!result)
        result = at_rank_numbers(keys, n, ranks, n_ranks);
    if (!result && flags & ALLOCTRACE_IGNORE_LINES &&
        group_by == ALLOCTRACE_BY_LINENO) {
        keys_refine(sides, ranks, keys);
        result = at_rank_numbers(keys, n, ranks, n_ranks);
    }
    free(keys);
    return result;
}

/* ---- Threads and domains ---- */

/* In a comparison threads are their names. */
static int rank_by_thread(const struct at_sides *sides, uint32_t *ranks,
                          uint32_t *n_ranks)
{
    const size_t first = sides->side[0].snapshot->n_threads;
    const size_t n =
        first + (sides->count > 1 ? sides->side[1].snapshot->n_threads : 0);
    uint32_t *const numbers = calloc(n, sizeof *numbers);
    const char **const names = calloc(n, sizeof *names);
    int result = numbers && names ? 0 : ALLOCTRACE_ENO_MEMORY;

    for (size_t i = 0; !result && i < n; i++) {
        const uint32_t s = i >= first;

        names[i] =
            sides->side[s].snapshot->threads[s ? i - first : i].name;
        numbers[i] = (uint32_t)i;
    }
    if (!result && sides->count > 1)
        result = at_rank_texts(names, n, numbers);
    for (uint32_t s = 0; !result && s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];

        for (uint32_t i = 0; i < side->snapshot->n_traces; i++)
            ranks[side->first_trace + i] =
                numbers[(s ? first : 0) + side->snapshot->traces[i].thread];
    }
    *n_ranks = (uint32_t)n;
    free(numbers);
    free(names);
    return result;
}

/* Names of domains of both sides. */
struct domains {
    struct at_domain_names names[2];
    uint32_t *ranks[2]; /* owned: domain as the side's snapshot has them =>
                           rank of its name; in one block */
};

static int domains_rank(struct domains *domains, const struct at_sides *sides)
{
    const size_t first = sides->side[0].snapshot->n_domains;
    const size_t n = first + sides->side[1].snapshot->n_domains;
    const char **const texts = calloc(n + 1, sizeof *texts);
    uint32_t *const ranks = calloc(n + 1, sizeof *ranks);
    int result = ALLOCTRACE_ENO_MEMORY;

    for (size_t i = 0; texts && i < n; i++) {
        const uint32_t s = i >= first;

        texts[i] = sides->side[s].snapshot->domains[s ? i - first : i].name;
    }
    if (texts && ranks)
        result = at_rank_texts(texts, n, ranks);
    domains->ranks[0] = ranks;
    domains->ranks[1] = ranks ? ranks + first : NULL;
    free(texts);
    return result;
}

/* Named domains come behind all others, by their names. */
static uint64_t domain_key(const struct domains *domains,
                           const struct at_sides *sides, uint32_t s,
                           uint32_t id)
{
    uint32_t at = AT_NONE;

    if (id >= AT_FIRST_NAMED && sides->count > 1)
        at = at_domain_find(&domains->names[s], id);
    if (at == AT_NONE || !*sides->side[s].snapshot->domains[at].name)
        return id;
    return pair(1, domains->ranks[s][at]);
}

static int keys_of_domains(const struct at_sides *sides, uint64_t *keys)
{
    struct domains domains = {0};
    int result = 0;

    for (uint32_t s = 0; !result && s < sides->count; s++)
        result = at_domain_names_init(&domains.names[s],
                                      sides->side[s].snapshot);
    if (!result && sides->count > 1)
        result = domains_rank(&domains, sides);
    for (uint32_t s = 0; !result && s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];

        for (uint32_t i = 0; i < side->snapshot->n_traces; i++)
            keys[side->first_trace + i] = domain_key(
                &domains, sides, s, side->snapshot->traces[i].domain);
    }
    at_domain_names_fini(&domains.names[0]);
    at_domain_names_fini(&domains.names[1]);
    free(domains.ranks[0]);
    return result;
}

static int rank_by_domain(const struct at_sides *sides, uint32_t *ranks,
                          uint32_t *n_ranks)
{
    uint64_t *const keys = calloc((size_t)sides->n_traces + 1, sizeof *keys);
    int result = ALLOCTRACE_ENO_MEMORY;

    if (keys)
        result = keys_of_domains(sides, keys);
    if (!result)
        result = at_rank_numbers(keys, sides->n_traces, ranks, n_ranks);
    free(keys);
    return result;
}

/* ---- Traces ---- */

static int rank_by_type(const struct at_sides *sides,
                        const struct at_types *types, uint32_t *ranks,
                        uint32_t *n_ranks)
{
    for (uint32_t s = 0; s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];

        for (uint32_t i = 0; i < side->snapshot->n_traces; i++)
            ranks[side->first_trace + i] = at_type_of(types, s, i);
    }
    *n_ranks = types->count;
    return 0;
}

/* Gives each trace the rank of its most recent frame. */
static void ranks_spread(const struct at_sides *sides, const uint32_t *frames,
                         uint32_t *ranks)
{
    for (uint32_t s = 0; s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];
        const alloctrace_snapshot *const of = side->snapshot;

        for (uint32_t i = 0; i < of->n_traces; i++)
            ranks[side->first_trace + i] =
                frames[side->first_frame +
                       of->tracebacks[of->traces[i].traceback].frame];
    }
}

static int rank_by_frames(const struct at_sides *sides, int group_by,
                          unsigned flags, uint32_t *ranks, uint32_t *n_ranks)
{
    const bool is_path = group_by == ALLOCTRACE_BY_TRACEBACK;
    uint32_t *const frames = calloc(sides->n_frames, sizeof *frames);
    uint32_t n_frame_ranks = 0;
    int result = ALLOCTRACE_ENO_MEMORY;

    if (frames)
        result =
            at_rank_frames(sides, is_path ? ALLOCTRACE_BY_LINENO : group_by,
                           flags, frames, &n_frame_ranks);
    if (!result && is_path) {
        result = at_rank_paths(sides, frames, ranks, n_ranks);
    } else if (!result) {
        ranks_spread(sides, frames, ranks);
        *n_ranks = n_frame_ranks;
    }
    free(frames);
    return result;
}

int at_rank_traces(const struct at_sides *sides, int group_by, unsigned flags,
                   const struct at_types *types, uint32_t *ranks,
                   uint32_t *n_ranks)
{
    switch (group_by) {
    case ALLOCTRACE_BY_TYPE:
        return rank_by_type(sides, types, ranks, n_ranks);
    case ALLOCTRACE_BY_DOMAIN:
        return rank_by_domain(sides, ranks, n_ranks);
    case ALLOCTRACE_BY_THREAD:
        return rank_by_thread(sides, ranks, n_ranks);
    default:
        return rank_by_frames(sides, group_by, flags, ranks, n_ranks);
    }
}
