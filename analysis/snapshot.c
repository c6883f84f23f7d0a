/* SPDX-License-Identifier: MIT */
/*
 * A loaded snapshot: who owns its tables, and how to look into them. load.c
 * fills in what is created here.
 */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* An array of entry 0 and `count` more, zeroed. NULL: no memory. */
static void *table_create(uint64_t count, size_t entry_size)
{
    if (count >= UINT32_MAX || count + 1 > SIZE_MAX / entry_size)
        return NULL;
    return calloc((size_t)count + 1, entry_size);
}

/* Ids 0 = "", which nothing needs to add. */
static int strings_init(alloctrace_snapshot *snapshot,
                        const struct at_counts *counts)
{
    uint32_t empty_id;

    if (at_strings_reserve(&snapshot->strings, counts->strings + 1,
                           counts->string_bytes + 1))
        return ALLOCTRACE_ENO_MEMORY;
    return at_strings_add(&snapshot->strings, "", 0, &empty_id);
}

static int tables_init(alloctrace_snapshot *s, const struct at_counts *counts)
{
    s->arguments = table_create(counts->arguments, sizeof *s->arguments);
    s->modules = table_create(counts->modules, sizeof *s->modules);
    s->threads = table_create(counts->threads, sizeof *s->threads);
    s->domains = table_create(counts->domains, sizeof *s->domains);
    s->frames = table_create(counts->frames, sizeof *s->frames);
    s->tracebacks = table_create(counts->tracebacks, sizeof *s->tracebacks);
    s->traces = table_create(counts->traces, sizeof *s->traces);
    s->details = table_create(counts->details, sizeof *s->details);
    s->sizes = table_create(counts->sizes, sizeof *s->sizes);
    s->blocks = table_create(counts->blocks, sizeof *s->blocks);
    if (!s->arguments || !s->modules || !s->threads || !s->domains ||
        !s->frames || !s->tracebacks || !s->traces || !s->details ||
        !s->sizes || !s->blocks)
        return ALLOCTRACE_ENO_MEMORY;
    s->modules[0].path = s->modules[0].build_id = "";
    s->threads[0].name = "";
    s->frames[0].n_chain = 1;
    s->tracebacks[0].depth = 1;
    s->n_modules = s->n_threads = s->n_frames = s->n_tracebacks = 1;
    return 0;
}

alloctrace_snapshot *at_snapshot_create(const struct at_counts *counts)
{
    alloctrace_snapshot *snapshot = calloc(1, sizeof *snapshot);

    if (!snapshot)
        return NULL;
    snapshot->references = 1;
    if (strings_init(snapshot, counts) || tables_init(snapshot, counts)) {
        alloctrace_snapshot_free(snapshot);
        return NULL;
    }
    return snapshot;
}

alloctrace_snapshot *at_snapshot_retain(const alloctrace_snapshot *snapshot)
{
    alloctrace_snapshot *const held = (alloctrace_snapshot *)(uintptr_t)snapshot;

    __atomic_add_fetch(&held->references, 1, __ATOMIC_RELAXED);
    return held;
}

bool at_snapshot_is_sole(const alloctrace_snapshot *snapshot)
{
    return !snapshot->base &&
           __atomic_load_n(&snapshot->references, __ATOMIC_ACQUIRE) == 1;
}

/* Where what never changes begins. */
#define SHARED offsetof(alloctrace_snapshot, base)

alloctrace_snapshot *at_snapshot_derive(const alloctrace_snapshot *base)
{
    alloctrace_snapshot *const made = malloc(sizeof *made);

    if (!made)
        return NULL;
    /* All but the count of references, which other threads may change now. */
    memcpy((char *)made + SHARED, (const char *)base + SHARED,
           sizeof *made - SHARED);
    made->references = 1;
    made->base = at_snapshot_retain(base);
    if (made->raw)
        at_snapshot_retain(made->raw);
    made->attributes = (struct at_attributes){0};
    if (at_attributes_copy(&made->attributes, &base->attributes)) {
        alloctrace_snapshot_free(made);
        return NULL;
    }
    return made;
}

/* Frees the tables that are not the base's. */
static void tables_free(alloctrace_snapshot *snapshot)
{
    static const alloctrace_snapshot none;
    const alloctrace_snapshot *const base =
        snapshot->base ? snapshot->base : &none;

#define FREE_OWN(table)                        \
    do {                                       \
        if (snapshot->table != base->table)    \
            free(snapshot->table);             \
    } while (0)

    FREE_OWN(arguments);
    FREE_OWN(modules);
    FREE_OWN(threads);
    FREE_OWN(domains);
    FREE_OWN(frames);
    FREE_OWN(tracebacks);
    FREE_OWN(traces);
    FREE_OWN(details);
    FREE_OWN(sizes);
    FREE_OWN(blocks);
    FREE_OWN(wrappers);
#undef FREE_OWN
    if (snapshot->strings.text != base->strings.text)
        at_strings_fini(&snapshot->strings);
}

/* A chain of bases is as long as snapshots were made of one another. */
void alloctrace_snapshot_free(alloctrace_snapshot *snapshot)
{
    AT_UNTRACED;

    while (snapshot && __atomic_sub_fetch(&snapshot->references, 1,
                                          __ATOMIC_ACQ_REL) == 0) {
        alloctrace_snapshot *const base = snapshot->base;

        if (snapshot->raw)
            alloctrace_snapshot_free(snapshot->raw);
        tables_free(snapshot);
        at_attributes_fini(&snapshot->attributes);
        free(snapshot);
        snapshot = base;
    }
}

const struct alloctrace_process *
alloctrace_snapshot_process(const alloctrace_snapshot *snapshot)
{
    return &snapshot->process;
}

double alloctrace_snapshot_error(const alloctrace_snapshot *snapshot,
                                 int64_t size)
{
    const uint64_t period = snapshot->process.sample_bytes;

    if (period == 0)
        return 0;
    return size > 0 ? sqrt((double)period / (double)size) : 1;
}

const struct alloctrace_summary *
alloctrace_snapshot_summary(const alloctrace_snapshot *snapshot)
{
    return &snapshot->summary;
}

uint32_t
alloctrace_snapshot_traceback_limit(const alloctrace_snapshot *snapshot)
{
    return snapshot->process.traceback_limit;
}

size_t alloctrace_snapshot_argument_count(const alloctrace_snapshot *snapshot)
{
    return snapshot->n_arguments;
}

size_t alloctrace_snapshot_trace_count(const alloctrace_snapshot *snapshot)
{
    return snapshot->n_traces;
}

size_t alloctrace_snapshot_module_count(const alloctrace_snapshot *snapshot)
{
    return snapshot->n_modules - 1;
}

size_t alloctrace_snapshot_thread_count(const alloctrace_snapshot *snapshot)
{
    return snapshot->n_threads - 1;
}

size_t alloctrace_snapshot_traceback_count(const alloctrace_snapshot *snapshot)
{
    return snapshot->n_tracebacks - 1;
}

uint64_t
alloctrace_snapshot_block_count(const alloctrace_snapshot *snapshot)
{
    return snapshot->n_blocks;
}

const struct alloctrace_block *
alloctrace_snapshot_block(const alloctrace_snapshot *snapshot, uint64_t index)
{
    return index < snapshot->n_blocks ? &snapshot->blocks[index] : NULL;
}

size_t alloctrace_snapshot_domain_count(const alloctrace_snapshot *snapshot)
{
    return snapshot->n_domains;
}

const char *alloctrace_snapshot_argument(const alloctrace_snapshot *snapshot,
                                         size_t index)
{
    return index < snapshot->n_arguments ? snapshot->arguments[index] : NULL;
}

const struct alloctrace_trace *
alloctrace_snapshot_trace(const alloctrace_snapshot *snapshot, size_t index)
{
    return index < snapshot->n_traces ? &snapshot->traces[index] : NULL;
}

const struct alloctrace_module *
alloctrace_snapshot_module(const alloctrace_snapshot *snapshot,
                           uint32_t module_id)
{
    if (module_id == 0 || module_id >= snapshot->n_modules)
        return NULL;
    return &snapshot->modules[module_id];
}

const struct alloctrace_thread *
alloctrace_snapshot_thread(const alloctrace_snapshot *snapshot,
                           uint32_t thread_id)
{
    if (thread_id == 0 || thread_id >= snapshot->n_threads)
        return NULL;
    return &snapshot->threads[thread_id];
}

const struct alloctrace_domain *
alloctrace_snapshot_domain(const alloctrace_snapshot *snapshot, size_t index)
{
    return index < snapshot->n_domains ? &snapshot->domains[index] : NULL;
}

const char *alloctrace_snapshot_domain_name(const alloctrace_snapshot *snapshot,
                                            uint32_t id)
{
    for (uint32_t i = 0; i < snapshot->n_domains; i++)
        if (snapshot->domains[i].id == id)
            return snapshot->domains[i].name;
    return id == 0 ? "malloc" : "";
}
