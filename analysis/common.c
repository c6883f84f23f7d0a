/* SPDX-License-Identifier: MIT */
/*
 * What merged snapshots have in common: of what was traced, its arguments and
 * the attributes the same is kept and the rest is unknown; figures of the
 * whole program are added up.
 */
#include <stdlib.h>
#include <string.h>

#include "build.h"

/* ---- The process ---- */

static void text_keep(const char **text, const char *other)
{
    if (strcmp(*text, other) != 0)
        *text = "";
}

static void number_keep(uint32_t *number, uint32_t other)
{
    if (*number != other)
        *number = 0;
}

/* Keeps what is the same in both. */
static void process_keep(struct alloctrace_process *process,
                         const struct alloctrace_process *other)
{
    text_keep(&process->program, other->program);
    text_keep(&process->host, other->host);
    text_keep(&process->writer, other->writer);
    text_keep(&process->reason, other->reason);
    number_keep(&process->pid, other->pid);
    number_keep(&process->word_bits, other->word_bits);
    number_keep(&process->sequence, other->sequence);
    if (!process->start_ns ||
        (other->start_ns && other->start_ns < process->start_ns))
        process->start_ns = other->start_ns;
    if (other->dump_ns > process->dump_ns)
        process->dump_ns = other->dump_ns;
    if (!other->traceback_limit ||
        (process->traceback_limit &&
         process->traceback_limit < other->traceback_limit))
        process->traceback_limit = other->traceback_limit;
    if (other->sample_bytes > process->sample_bytes)
        process->sample_bytes = other->sample_bytes;
}

/* ---- Arguments ---- */

static int arguments_copy(alloctrace_builder *builder,
                          const alloctrace_snapshot *snapshot)
{
    alloctrace_snapshot *built = builder->intern.snapshot;
    const char **arguments =
        calloc((size_t)snapshot->n_arguments + 1, sizeof *arguments);

    if (!arguments)
        return ALLOCTRACE_ENO_MEMORY;
    free(built->arguments);
    built->arguments = arguments;
    for (uint32_t i = 0; i < snapshot->n_arguments; i++)
        if (at_builder_text(builder, snapshot->arguments[i], &arguments[i]))
            return ALLOCTRACE_ENO_MEMORY;
    built->n_arguments = snapshot->n_arguments;
    return 0;
}

static void arguments_keep(alloctrace_snapshot *built,
                           const alloctrace_snapshot *snapshot)
{
    bool is_same = built->n_arguments == snapshot->n_arguments;

    for (uint32_t i = 0; is_same && i < built->n_arguments; i++)
        is_same = strcmp(built->arguments[i], snapshot->arguments[i]) == 0;
    if (!is_same)
        built->n_arguments = 0;
}

/* ---- Attributes ---- */

static int compare_attributes(const void *left, const void *right)
{
    const struct alloctrace_attribute *const *a = left;
    const struct alloctrace_attribute *const *b = right;

    return strcmp((*a)->key, (*b)->key);
}

/* All attributes by key. The caller frees them. NULL: no memory. */
static const struct alloctrace_attribute **
attributes_sort(const struct at_attributes *attributes)
{
    const struct alloctrace_attribute **sorted =
        calloc(attributes->count + 1, sizeof *sorted);

    if (!sorted)
        return NULL;
    for (size_t i = 0; i < attributes->count; i++)
        sorted[i] = &attributes->items[i].texts;
    qsort(sorted, attributes->count, sizeof *sorted, compare_attributes);
    return sorted;
}

/* Removes those that the other has not or has with another value; the rest
 * keeps its order. */
static int attributes_keep(struct at_attributes *attributes,
                           const struct at_attributes *other)
{
    const struct alloctrace_attribute **sorted;
    size_t n = 0;

    if (attributes->count == 0)
        return 0;
    sorted = attributes_sort(other);
    if (!sorted)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < attributes->count; i++) {
        const struct alloctrace_attribute *own = &attributes->items[i].texts;
        const struct alloctrace_attribute **found = bsearch(
            &own, sorted, other->count, sizeof *sorted, compare_attributes);

        if (found && strcmp((*found)->value, own->value) == 0)
            attributes->items[n++] = attributes->items[i];
        else
            free(attributes->items[i].owned);
    }
    attributes->count = n;
    free(sorted);
    return 0;
}

/* ---- All of it ---- */

static void summary_add(struct alloctrace_summary *sum,
                        const struct alloctrace_summary *summary)
{
    sum->live_blocks += summary->live_blocks;
    sum->live_bytes += summary->live_bytes;
    sum->total_blocks += summary->total_blocks;
    sum->total_bytes += summary->total_bytes;
    sum->peak_bytes += summary->peak_bytes;
    sum->peak_slack += summary->peak_slack;
    sum->dropped_blocks += summary->dropped_blocks;
    sum->dropped_bytes += summary->dropped_bytes;
    sum->unknown_frees += summary->unknown_frees;
    sum->overhead_bytes += summary->overhead_bytes;
    sum->bad_frames += summary->bad_frames;
    sum->collisions += summary->collisions;
    sum->cut_blocks += summary->cut_blocks;
    sum->cut_bytes += summary->cut_bytes;
}

static void count_processes(alloctrace_builder *builder, uint32_t count)
{
    builder->n_processes = builder->n_processes > UINT32_MAX - count
                               ? UINT32_MAX
                               : builder->n_processes + count;
}

static int process_copy(alloctrace_builder *builder,
                        const struct alloctrace_process *process)
{
    const int result = alloctrace_builder_set_process(builder, process);

    builder->is_process_given = false;
    return result;
}

int at_common_merge(alloctrace_builder *builder,
                    const alloctrace_snapshot *snapshot)
{
    alloctrace_snapshot *built = builder->intern.snapshot;
    int result = 0;

    if (!builder->has_snapshots) {
        if (!builder->is_process_given)
            result = process_copy(builder, &snapshot->process);
        if (!result)
            result = arguments_copy(builder, snapshot);
        if (!result)
            result =
                at_attributes_copy(&built->attributes, &snapshot->attributes);
    } else {
        if (!builder->is_process_given)
            process_keep(&built->process, &snapshot->process);
        arguments_keep(built, snapshot);
        result = attributes_keep(&built->attributes, &snapshot->attributes);
    }
    if (result)
        return result;
    summary_add(&built->summary, &snapshot->summary);
    count_processes(builder, snapshot->process.n_processes);
    return 0;
}
