/* SPDX-License-Identifier: MIT */
/*
 * Details of traces that are being merged: summed up while snapshots come,
 * and joined with the traces in the end as join.c does for those of a file.
 * They are kept only as long as all snapshots have them, as a sum over some
 * would not say how much of the total it is about.
 */
#include <stdlib.h>
#include <string.h>

#include "build.h"

/* ---- Details ---- */

/* Makes room for a tally of each trace, zeroed. */
static int tallies_reserve(alloctrace_builder *builder)
{
    const uint32_t n = builder->intern.snapshot->n_traces;
    struct at_tally *tallies = builder->tallies;

    while (builder->n_max_tallies < n) {
        tallies = at_grown(builder->tallies, &builder->n_max_tallies,
                           sizeof *tallies);
        if (!tallies)
            return ALLOCTRACE_ENO_MEMORY;
        builder->tallies = tallies;
    }
    for (; builder->n_tallies < n; builder->n_tallies++)
        tallies[builder->n_tallies] = (struct at_tally){0};
    return 0;
}

void at_tally_add(struct at_tally *tally, const struct at_detail *detail,
                  bool has_range)
{
    struct at_detail *sum = &tally->detail;

    sum->temporary_blocks += detail->temporary_blocks;
    sum->temporary_bytes += detail->temporary_bytes;
    sum->resized_blocks += detail->resized_blocks;
    sum->resized_in_place += detail->resized_in_place;
    sum->moved_bytes += detail->moved_bytes;
    sum->grown_bytes += detail->grown_bytes;
    sum->shrunk_bytes += detail->shrunk_bytes;
    tally->is_there = true;
    if (!has_range)
        return;
    if (!tally->has_range || detail->smallest < sum->smallest)
        sum->smallest = detail->smallest;
    if (!tally->has_range || detail->largest > sum->largest)
        sum->largest = detail->largest;
    tally->has_range = true;
}

/* ---- Sizes ---- */

/* What tells sizes apart. */
struct size_key {
    uint32_t trace;
    uint32_t number; /* of the class */
};

static bool is_same_size(const void *table, uint32_t number, const void *key)
{
    const struct at_size *own = (const struct at_size *)table + (number - 1);
    const struct size_key *size = key;

    return own->trace == size->trace && own->number == size->number;
}

/* Finds the sum for a trace and class, or begins it. NULL: no memory. */
static struct at_size *size_intern(alloctrace_builder *builder,
                                   const struct size_key *key)
{
    const uint32_t hash = at_hash(&builder->intern.seed, key, sizeof *key);
    const uint32_t found = at_index_find(&builder->size_index, hash,
                                         is_same_size, builder->sizes, key);

    if (found)
        return &builder->sizes[found - 1];
    if (at_index_reserve(&builder->size_index))
        return NULL;
    if (builder->n_sizes == builder->n_max_sizes) {
        struct at_size *sizes =
            at_grown(builder->sizes, &builder->n_max_sizes, sizeof *sizes);

        if (!sizes)
            return NULL;
        builder->sizes = sizes;
    }
    at_index_put(&builder->size_index, hash, builder->n_sizes + 1);
    builder->sizes[builder->n_sizes] =
        (struct at_size){.trace = key->trace, .number = key->number};
    return &builder->sizes[builder->n_sizes++];
}

/* ---- All of a snapshot ---- */

int at_tally_merge(alloctrace_builder *builder,
                   const alloctrace_snapshot *snapshot,
                   const uint32_t *positions)
{
    if (tallies_reserve(builder))
        return ALLOCTRACE_ENO_MEMORY;
    for (uint32_t i = 0; i < snapshot->n_details; i++) {
        const struct at_detail *detail = &snapshot->details[i];

        at_tally_add(&builder->tallies[positions[detail->trace]], detail,
                     snapshot->traces[detail->trace].total_blocks != 0);
    }
    for (uint32_t i = 0; i < snapshot->n_sizes; i++) {
        const struct at_size *size = &snapshot->sizes[i];
        const struct size_key key = {positions[size->trace], size->number};
        struct at_size *sum = size_intern(builder, &key);

        if (!sum)
            return ALLOCTRACE_ENO_MEMORY;
        sum->blocks += size->blocks;
        sum->bytes += size->bytes;
    }
    return 0;
}

void at_tally_clear(alloctrace_builder *builder)
{
    builder->n_tallies = 0;
    builder->n_sizes = 0;
    at_index_clear(&builder->size_index);
}

void at_tally_drop(alloctrace_builder *builder)
{
    free(builder->tallies);
    free(builder->sizes);
    at_index_fini(&builder->size_index);
    builder->tallies = NULL;
    builder->sizes = NULL;
    builder->n_tallies = builder->n_max_tallies = 0;
    builder->n_sizes = builder->n_max_sizes = 0;
    builder->has_details = false;
}

static struct at_trace_name name_of(const alloctrace_snapshot *snapshot,
                                    uint32_t trace)
{
    return (struct at_trace_name){.traceback =
                                      snapshot->traces[trace].traceback,
                                  .thread = snapshot->traces[trace].thread,
                                  .domain = snapshot->traces[trace].domain};
}

/* Moves the tallies to the snapshot, where details stand by trace. */
static int details_finish(alloctrace_builder *builder)
{
    alloctrace_snapshot *built = builder->intern.snapshot;
    struct at_detail *details =
        calloc((size_t)builder->n_tallies + 1, sizeof *details);

    if (!details)
        return ALLOCTRACE_ENO_MEMORY;
    free(built->details);
    built->details = details;
    for (uint32_t i = 0; i < builder->n_tallies; i++) {
        if (!builder->tallies[i].is_there)
            continue;
        details[built->n_details] = builder->tallies[i].detail;
        details[built->n_details].name = name_of(built, i);
        details[built->n_details++].trace = i;
    }
    return 0;
}

int at_tally_finish(alloctrace_builder *builder)
{
    alloctrace_snapshot *built = builder->intern.snapshot;

    if (builder->has_own_traces)
        at_tally_drop(builder);
    if (!builder->has_details)
        return 0;
    if (details_finish(builder))
        return ALLOCTRACE_ENO_MEMORY;
    if (builder->sizes) {
        for (uint32_t i = 0; i < builder->n_sizes; i++)
            builder->sizes[i].name = name_of(built, builder->sizes[i].trace);
        free(built->sizes);
        built->sizes = builder->sizes;
        built->n_sizes = builder->n_sizes;
        builder->sizes = NULL;
    }
    built->has_details = true;
    at_tally_drop(builder);
    return at_details_join(built) ? ALLOCTRACE_ENO_MEMORY : 0;
}
