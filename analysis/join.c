/* SPDX-License-Identifier: MIT */
/*
 * Details of traces: temporary blocks, reallocs, sizes. load.c reads entries
 * that name a trace by its traceback, thread and domain; here they are joined
 * with the traces, once, and summed up for whoever asks.
 *
 * Sums wrap around modulo 2^64, as only a forged file can make them do.
 */
#include <stdlib.h>

#include "model.h"

/* ---- Joining ---- */

/* A trace while others look for it. */
struct named {
    struct at_trace_name name;
    uint32_t trace;
};

static int compare_names(const struct at_trace_name *a,
                         const struct at_trace_name *b)
{
    if (a->traceback != b->traceback)
        return a->traceback < b->traceback ? -1 : 1;
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    if (a->domain != b->domain)
        return a->domain < b->domain ? -1 : 1;
    return 0;
}

/* Of traces with the same name the first comes first. */
static int compare_named(const void *left, const void *right)
{
    const struct named *a = left;
    const struct named *b = right;
    int order = compare_names(&a->name, &b->name);

    return order ? order : a->trace < b->trace ? -1 : a->trace > b->trace;
}

/* All traces by name. NULL: no memory. */
static struct named *names_create(const alloctrace_snapshot *snapshot)
{
    struct named *names = calloc((size_t)snapshot->n_traces + 1, sizeof *names);

    for (uint32_t i = 0; names && i < snapshot->n_traces; i++) {
        const struct alloctrace_trace *trace = &snapshot->traces[i];

        names[i] = (struct named){
            {trace->traceback, trace->thread, trace->domain}, i};
    }
    if (names)
        qsort(names, snapshot->n_traces, sizeof *names, compare_named);
    return names;
}

/* The first trace of that name; n_traces: there is none. */
static uint32_t find(const struct named *names, uint32_t n_traces,
                     const struct at_trace_name *name)
{
    uint32_t low = 0;
    uint32_t high = n_traces;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (compare_names(&names[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == n_traces || compare_names(&names[low].name, name))
        return n_traces;
    return names[low].trace;
}

static int compare_details(const void *left, const void *right)
{
    const struct at_detail *a = left;
    const struct at_detail *b = right;

    return a->trace < b->trace ? -1 : a->trace > b->trace;
}

static int compare_sizes(const void *left, const void *right)
{
    const struct at_size *a = left;
    const struct at_size *b = right;

    if (a->trace != b->trace)
        return a->trace < b->trace ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

int at_details_join(alloctrace_snapshot *snapshot)
{
    const uint32_t n = snapshot->n_traces;
    struct named *names = names_create(snapshot);
    bool is_whole = true;

    if (!names)
        return ALLOCTRACE_ENO_MEMORY;
    for (uint32_t i = 0; i < snapshot->n_details; i++) {
        struct at_detail *detail = &snapshot->details[i];

        detail->trace = find(names, n, &detail->name);
        is_whole = is_whole && detail->trace < n;
    }
    for (uint32_t i = 0; i < snapshot->n_sizes; i++) {
        struct at_size *size = &snapshot->sizes[i];

        size->trace = find(names, n, &size->name);
        is_whole = is_whole && size->trace < n;
    }
    free(names);
    qsort(snapshot->details, snapshot->n_details, sizeof *snapshot->details,
          compare_details);
    qsort(snapshot->sizes, snapshot->n_sizes, sizeof *snapshot->sizes,
          compare_sizes);
    return is_whole ? 0 : ALLOCTRACE_EBAD_FILE;
}

/* ---- Looking up ---- */

/*
 * Of n elements of `stride` bytes, sorted by the trace that each names: which
 * is the first that names `trace` or a later one. `names` is the first
 * element's own.
 */
static uint32_t first_of(const uint32_t *names, size_t stride, uint32_t n,
                         uint32_t trace)
{
    uint32_t low = 0;
    uint32_t high = n;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const uint32_t *const name =
            (const void *)((const char *)names + middle * stride);

        if (*name < trace)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t first_detail(const alloctrace_snapshot *snapshot,
                             uint32_t trace)
{
    const struct at_detail *const details = snapshot->details;

    return details ? first_of(&details->trace, sizeof *details,
                              snapshot->n_details, trace)
                   : 0;
}

static uint32_t first_size(const alloctrace_snapshot *snapshot, uint32_t trace)
{
    const struct at_size *const sizes = snapshot->sizes;

    return sizes ? first_of(&sizes->trace, sizeof *sizes, snapshot->n_sizes,
                            trace)
                 : 0;
}

struct at_temporary at_trace_temporary(const alloctrace_snapshot *snapshot,
                                       uint32_t trace)
{
    struct at_temporary sum = {0, 0};

    for (uint32_t i = first_detail(snapshot, trace);
         i < snapshot->n_details && snapshot->details[i].trace == trace; i++) {
        sum.blocks += snapshot->details[i].temporary_blocks;
        sum.bytes += snapshot->details[i].temporary_bytes;
    }
    return sum;
}

/* ---- Summing up ---- */

/* All classes, by number, while they are summed up. */
struct summing {
    struct alloctrace_detail *sum;
    struct alloctrace_size_class classes[ALLOCTRACE_SIZE_CLASS_COUNT];
    bool has_blocks; /* smallest and largest mean something */
};

static void add_detail(struct summing *summing, const struct at_detail *detail)
{
    struct alloctrace_detail *sum = summing->sum;

    sum->temporary_blocks += detail->temporary_blocks;
    sum->temporary_bytes += detail->temporary_bytes;
    sum->resized_blocks += detail->resized_blocks;
    sum->resized_in_place += detail->resized_in_place;
    sum->moved_bytes += detail->moved_bytes;
    sum->grown_bytes += detail->grown_bytes;
    sum->shrunk_bytes += detail->shrunk_bytes;
}

static void add_range(struct summing *summing, const struct at_detail *detail)
{
    struct alloctrace_detail *sum = summing->sum;

    if (!summing->has_blocks || detail->smallest < sum->smallest)
        sum->smallest = detail->smallest;
    if (!summing->has_blocks || detail->largest > sum->largest)
        sum->largest = detail->largest;
    summing->has_blocks = true;
}

static void add_trace(const alloctrace_snapshot *snapshot,
                      struct summing *summing, uint32_t index)
{
    const struct alloctrace_trace *trace = &snapshot->traces[index];

    summing->sum->total_blocks += (uint64_t)trace->total_blocks;
    summing->sum->total_bytes += (uint64_t)trace->total_bytes;
    for (uint32_t i = first_detail(snapshot, index);
         i < snapshot->n_details && snapshot->details[i].trace == index; i++) {
        add_detail(summing, &snapshot->details[i]);
        if (trace->total_blocks)
            add_range(summing, &snapshot->details[i]);
    }
    for (uint32_t i = first_size(snapshot, index);
         i < snapshot->n_sizes && snapshot->sizes[i].trace == index; i++) {
        summing->classes[snapshot->sizes[i].number].blocks +=
            snapshot->sizes[i].blocks;
        summing->classes[snapshot->sizes[i].number].bytes +=
            snapshot->sizes[i].bytes;
    }
}

/* Copies the classes that have blocks, with their borders. */
static void keep_classes(struct summing *summing)
{
    struct alloctrace_detail *sum = summing->sum;

    for (uint32_t i = 0; i < ALLOCTRACE_SIZE_CLASS_COUNT; i++) {
        struct alloctrace_size_class *class = &summing->classes[i];

        if (!class->blocks)
            continue;
        class->from = i < 2 ? i : (UINT64_C(1) << (i - 2)) + 1;
        class->to = i < 1    ? 0
                    : i < 65 ? UINT64_C(1) << (i - 1)
                             : UINT64_MAX;
        sum->sizes[sum->n_sizes++] = *class;
    }
}

int at_detail_sum(const alloctrace_snapshot *snapshot, const uint32_t *traces,
                  size_t count, struct alloctrace_detail **detail)
{
    struct summing summing = {0};

    if (!snapshot->has_details)
        return ALLOCTRACE_EBAD_ARGUMENT;
    summing.sum =
        calloc(1, sizeof *summing.sum + ALLOCTRACE_SIZE_CLASS_COUNT *
                                            sizeof *summing.sum->sizes);
    if (!summing.sum)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < count; i++)
        add_trace(snapshot, &summing, traces ? traces[i] : (uint32_t)i);
    keep_classes(&summing);
    *detail = summing.sum;
    return 0;
}

/* ---- For other programs ---- */

int alloctrace_snapshot_has_details(const alloctrace_snapshot *snapshot)
{
    return snapshot->has_details;
}

int alloctrace_snapshot_detail(const alloctrace_snapshot *snapshot,
                               size_t index, struct alloctrace_detail **detail)
{
    AT_UNTRACED;
    const uint32_t trace = (uint32_t)index;

    if (index >= snapshot->n_traces)
        return ALLOCTRACE_EBAD_ARGUMENT;
    return at_detail_sum(snapshot, &trace, 1, detail);
}

int alloctrace_snapshot_detail_sum(const alloctrace_snapshot *snapshot,
                                   struct alloctrace_detail **detail)
{
    AT_UNTRACED;

    return at_detail_sum(snapshot, NULL, snapshot->n_traces, detail);
}

void alloctrace_detail_free(struct alloctrace_detail *detail)
{
    AT_UNTRACED;

    free(detail);
}
