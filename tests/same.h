/* SPDX-License-Identifier: MIT */
/*
 * Are two snapshots the same, as far as one can see from outside? For tests of
 * whatever writes a snapshot and reads it again. Numbers of tracebacks, threads
 * and modules may be others if `is_pruned`; what they stand for is compared.
 */
#ifndef SAME_H
#define SAME_H

#include <stdbool.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"

static inline void same_text(const char *left, const char *right)
{
    if (!left || !right)
        ck_assert(left == right);
    else
        ck_assert_str_eq(left, right);
}

static inline void same_process(const alloctrace_snapshot *left,
                                const alloctrace_snapshot *right)
{
    const struct alloctrace_process *const a =
        alloctrace_snapshot_process(left);
    const struct alloctrace_process *const b =
        alloctrace_snapshot_process(right);

    ck_assert_str_eq(a->program, b->program);
    ck_assert_str_eq(a->host, b->host);
    ck_assert_str_eq(a->writer, b->writer);
    ck_assert_str_eq(a->reason, b->reason);
    ck_assert_uint_eq(a->start_ns, b->start_ns);
    ck_assert_uint_eq(a->dump_ns, b->dump_ns);
    ck_assert_uint_eq(a->pid, b->pid);
    ck_assert_uint_eq(a->word_bits, b->word_bits);
    ck_assert_uint_eq(a->traceback_limit, b->traceback_limit);
    ck_assert_uint_eq(a->sequence, b->sequence);
    ck_assert_uint_eq(a->sample_bytes, b->sample_bytes);
    ck_assert_uint_eq(a->n_processes, b->n_processes);
    ck_assert_mem_eq(alloctrace_snapshot_summary(left),
                     alloctrace_snapshot_summary(right),
                     sizeof(struct alloctrace_summary));
    ck_assert_uint_eq(alloctrace_snapshot_argument_count(left),
                      alloctrace_snapshot_argument_count(right));
    for (size_t i = 0; i < alloctrace_snapshot_argument_count(left); i++)
        ck_assert_str_eq(alloctrace_snapshot_argument(left, i),
                         alloctrace_snapshot_argument(right, i));
}

static inline void same_module(const struct alloctrace_module *a,
                               const struct alloctrace_module *b)
{
    ck_assert((a == NULL) == (b == NULL));
    if (!a)
        return;
    ck_assert_str_eq(a->path, b->path);
    ck_assert_str_eq(a->build_id, b->build_id);
    ck_assert_uint_eq(a->begin, b->begin);
    ck_assert_uint_eq(a->end, b->end);
    ck_assert_uint_eq(a->bias, b->bias);
}

static inline void same_thread(const struct alloctrace_thread *a,
                               const struct alloctrace_thread *b)
{
    ck_assert((a == NULL) == (b == NULL));
    if (!a)
        return;
    ck_assert_str_eq(a->name, b->name);
    ck_assert_uint_eq(a->tid, b->tid);
}

static inline void same_frame(const struct alloctrace_frame *a,
                              const struct alloctrace_frame *b)
{
    ck_assert_str_eq(a->file, b->file);
    ck_assert_str_eq(a->function, b->function);
    same_text(a->via, b->via);
    ck_assert_str_eq(a->type, b->type);
    ck_assert_str_eq(a->target, b->target);
    same_module(a->module, b->module);
    ck_assert_uint_eq(a->address, b->address);
    ck_assert_uint_eq(a->type_size, b->type_size);
    ck_assert_uint_eq(a->line, b->line);
    ck_assert_uint_eq(a->column, b->column);
    ck_assert_uint_eq(a->kind, b->kind);
    ck_assert_uint_eq(a->flags, b->flags);
    ck_assert_int_eq(a->is_inlined, b->is_inlined);
    ck_assert_int_eq(a->is_via_tail, b->is_via_tail);
    ck_assert_int_eq(a->is_library, b->is_library);
}

static inline void same_traceback(const alloctrace_snapshot *left,
                                  uint32_t left_id,
                                  const alloctrace_snapshot *right,
                                  uint32_t right_id)
{
    alloctrace_traceback *a;
    alloctrace_traceback *b;

    ck_assert_int_eq(alloctrace_snapshot_traceback(left, left_id, &a), 0);
    ck_assert_int_eq(alloctrace_snapshot_traceback(right, right_id, &b), 0);
    ck_assert_uint_eq(alloctrace_traceback_count(a),
                      alloctrace_traceback_count(b));
    ck_assert_uint_eq(alloctrace_traceback_total_nframe(a),
                      alloctrace_traceback_total_nframe(b));
    for (size_t i = 0; i < alloctrace_traceback_count(a); i++)
        same_frame(alloctrace_traceback_frame(a, (ptrdiff_t)i),
                   alloctrace_traceback_frame(b, (ptrdiff_t)i));
    alloctrace_traceback_free(a);
    alloctrace_traceback_free(b);
}

static inline void same_detail(const alloctrace_snapshot *left,
                               const alloctrace_snapshot *right, size_t index)
{
    struct alloctrace_detail *a;
    struct alloctrace_detail *b;

    ck_assert_int_eq(alloctrace_snapshot_detail(left, index, &a), 0);
    ck_assert_int_eq(alloctrace_snapshot_detail(right, index, &b), 0);
    ck_assert_uint_eq(a->n_sizes, b->n_sizes);
    ck_assert_mem_eq(a, b, sizeof *a + a->n_sizes * sizeof *a->sizes);
    alloctrace_detail_free(a);
    alloctrace_detail_free(b);
}

/* Traces in their order, with all that they refer to. */
static inline void same_traces(const alloctrace_snapshot *left,
                               const alloctrace_snapshot *right)
{
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(left),
                      alloctrace_snapshot_trace_count(right));
    ck_assert_int_eq(alloctrace_snapshot_has_details(left),
                     alloctrace_snapshot_has_details(right));
    for (size_t i = 0; i < alloctrace_snapshot_trace_count(left); i++) {
        const struct alloctrace_trace *const a =
            alloctrace_snapshot_trace(left, i);
        const struct alloctrace_trace *const b =
            alloctrace_snapshot_trace(right, i);

        same_traceback(left, a->traceback, right, b->traceback);
        same_thread(alloctrace_snapshot_thread(left, a->thread),
                    alloctrace_snapshot_thread(right, b->thread));
        ck_assert_uint_eq(a->domain, b->domain);
        ck_assert_int_eq(a->live_blocks, b->live_blocks);
        ck_assert_int_eq(a->live_bytes, b->live_bytes);
        ck_assert_int_eq(a->total_blocks, b->total_blocks);
        ck_assert_int_eq(a->total_bytes, b->total_bytes);
        ck_assert_int_eq(a->peak_blocks, b->peak_blocks);
        ck_assert_int_eq(a->peak_bytes, b->peak_bytes);
        if (alloctrace_snapshot_has_details(left))
            same_detail(left, right, i);
    }
}

static inline void same_blocks(const alloctrace_snapshot *left,
                               const alloctrace_snapshot *right)
{
    ck_assert_uint_eq(alloctrace_snapshot_block_count(left),
                      alloctrace_snapshot_block_count(right));
    for (uint64_t i = 0; i < alloctrace_snapshot_block_count(left); i++) {
        const struct alloctrace_block *const a =
            alloctrace_snapshot_block(left, i);
        const struct alloctrace_block *const b =
            alloctrace_snapshot_block(right, i);

        ck_assert_uint_eq(a->address, b->address);
        ck_assert_uint_eq(a->size, b->size);
        ck_assert_uint_eq(a->domain, b->domain);
        same_traceback(left, a->traceback, right, b->traceback);
    }
}

static inline void same_names(const alloctrace_snapshot *left,
                              const alloctrace_snapshot *right)
{
    ck_assert_uint_eq(alloctrace_snapshot_domain_count(left),
                      alloctrace_snapshot_domain_count(right));
    for (size_t i = 0; i < alloctrace_snapshot_domain_count(left); i++) {
        ck_assert_uint_eq(alloctrace_snapshot_domain(left, i)->id,
                          alloctrace_snapshot_domain(right, i)->id);
        ck_assert_str_eq(alloctrace_snapshot_domain(left, i)->name,
                         alloctrace_snapshot_domain(right, i)->name);
    }
    ck_assert_uint_eq(alloctrace_snapshot_attribute_count(left),
                      alloctrace_snapshot_attribute_count(right));
    for (size_t i = 0; i < alloctrace_snapshot_attribute_count(left); i++) {
        ck_assert_str_eq(alloctrace_snapshot_attribute(left, i)->key,
                         alloctrace_snapshot_attribute(right, i)->key);
        ck_assert_str_eq(alloctrace_snapshot_attribute(left, i)->value,
                         alloctrace_snapshot_attribute(right, i)->value);
    }
}

/* Tables that traces lead into, number by number. */
static inline void same_tables(const alloctrace_snapshot *left,
                               const alloctrace_snapshot *right)
{
    const size_t n_tracebacks = alloctrace_snapshot_traceback_count(left);

    ck_assert_uint_eq(n_tracebacks,
                      alloctrace_snapshot_traceback_count(right));
    ck_assert_uint_eq(alloctrace_snapshot_module_count(left),
                      alloctrace_snapshot_module_count(right));
    ck_assert_uint_eq(alloctrace_snapshot_thread_count(left),
                      alloctrace_snapshot_thread_count(right));
    for (uint32_t i = 0; i <= n_tracebacks; i++)
        same_traceback(left, i, right, i);
    for (uint32_t i = 0; i <= alloctrace_snapshot_module_count(left); i++)
        same_module(alloctrace_snapshot_module(left, i),
                    alloctrace_snapshot_module(right, i));
    for (uint32_t i = 0; i <= alloctrace_snapshot_thread_count(left); i++)
        same_thread(alloctrace_snapshot_thread(left, i),
                    alloctrace_snapshot_thread(right, i));
}

static inline void same_snapshot(const alloctrace_snapshot *left,
                                 const alloctrace_snapshot *right,
                                 bool is_pruned)
{
    same_process(left, right);
    same_names(left, right);
    same_traces(left, right);
    same_blocks(left, right);
    if (!is_pruned)
        same_tables(left, right);
}

/* Statistics by every key, group by group. */
static inline void same_statistics(const alloctrace_snapshot *left,
                                   const alloctrace_snapshot *right)
{
    struct alloctrace_statistics_options options = {.size = sizeof options};

    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++) {
        alloctrace_statistics *a;
        alloctrace_statistics *b;

        options.group_by = by;
        options.metric = ALLOCTRACE_METRIC_TOTAL;
        ck_assert_int_eq(alloctrace_snapshot_statistics(left, &options, &a), 0);
        ck_assert_int_eq(alloctrace_snapshot_statistics(right, &options, &b),
                         0);
        ck_assert_uint_eq(alloctrace_statistics_count(a),
                          alloctrace_statistics_count(b));
        for (size_t i = 0; i < alloctrace_statistics_count(a); i++) {
            const struct alloctrace_statistic *const x =
                alloctrace_statistics_get(a, i);
            const struct alloctrace_statistic *const y =
                alloctrace_statistics_get(b, i);

            ck_assert_msg(strcmp(x->key, y->key) == 0 && x->size == y->size &&
                              x->count == y->count,
                          "by %d, %zu: '%s' %lld B in %lld; '%s' %lld B in "
                          "%lld",
                          by, i, x->key, (long long)x->size,
                          (long long)x->count, y->key, (long long)y->size,
                          (long long)y->count);
        }
        alloctrace_statistics_free(a);
        alloctrace_statistics_free(b);
    }
}

#endif
