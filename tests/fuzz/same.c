/* SPDX-License-Identifier: MIT */
/*
 * Are two snapshots the same to who looks at them? What is dumped and loaded
 * again, or merged with nothing, must be.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

static bool same_group(const struct alloctrace_statistic *left,
                       const struct alloctrace_statistic *right, unsigned what)
{
    if (left->size != right->size || left->count != right->count ||
        strcmp(left->key, right->key) != 0 || left->line != right->line)
        return false;
    if (what & SAME_NUMBERS && left->number != right->number)
        return false;
    return !(what & SAME_TYPES) ||
           (strcmp(left->type, right->type) == 0 &&
            left->has_several_types == right->has_several_types);
}

static void print_group(const struct alloctrace_statistic *group, int group_by)
{
    fprintf(stderr, "by %d: %.60s:%u number %u, %lld B in %lld, %.60s%s\n",
            group_by, group->key, group->line, group->number,
            (long long)group->size, (long long)group->count, group->type,
            group->has_several_types ? " and others" : "");
}

static void same_sums(const alloctrace_snapshot *left,
                      const alloctrace_snapshot *right, int group_by,
                      int metric, unsigned what)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = group_by, .metric = metric};
    alloctrace_statistics *a;
    alloctrace_statistics *b;
    const int result = alloctrace_snapshot_statistics(left, &options, &a);

    REQUIRE(alloctrace_snapshot_statistics(right, &options, &b) == result);
    if (result)
        return;
    REQUIRE(alloctrace_statistics_count(a) == alloctrace_statistics_count(b));
    for (size_t i = 0; i < alloctrace_statistics_count(a); i++) {
        const struct alloctrace_statistic *const x =
            alloctrace_statistics_get(a, i);
        const struct alloctrace_statistic *const y =
            alloctrace_statistics_get(b, i);

        if (!same_group(x, y, what)) {
            print_group(x, group_by);
            print_group(y, group_by);
        }
        REQUIRE(same_group(x, y, what));
    }
    alloctrace_statistics_free(a);
    alloctrace_statistics_free(b);
}

void same_statistics(const alloctrace_snapshot *left,
                     const alloctrace_snapshot *right, unsigned what)
{
    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++) {
        if (by == ALLOCTRACE_BY_TYPE && !(what & SAME_TYPES))
            continue;
        if ((by == ALLOCTRACE_BY_THREAD || by == ALLOCTRACE_BY_DOMAIN) &&
            !(what & SAME_THREADS))
            continue;
        same_sums(left, right, by, ALLOCTRACE_METRIC_LIVE, what);
    }
    same_sums(left, right, ALLOCTRACE_BY_LINENO, ALLOCTRACE_METRIC_TOTAL, what);
    same_sums(left, right, ALLOCTRACE_BY_LINENO, ALLOCTRACE_METRIC_PEAK, what);
    same_sums(left, right, ALLOCTRACE_BY_LINENO, ALLOCTRACE_METRIC_TEMPORARY,
              what);
}

static void same_process(const struct alloctrace_process *left,
                         const struct alloctrace_process *right)
{
    REQUIRE(strcmp(left->program, right->program) == 0);
    REQUIRE(strcmp(left->host, right->host) == 0);
    REQUIRE(strcmp(left->writer, right->writer) == 0);
    REQUIRE(strcmp(left->reason, right->reason) == 0);
    REQUIRE(left->start_ns == right->start_ns);
    REQUIRE(left->dump_ns == right->dump_ns);
    REQUIRE(left->pid == right->pid);
    REQUIRE(left->word_bits == right->word_bits);
    REQUIRE(left->traceback_limit == right->traceback_limit);
    REQUIRE(left->sequence == right->sequence);
    REQUIRE(left->sample_bytes == right->sample_bytes);
    REQUIRE(left->n_processes == right->n_processes);
}

static void same_names(const alloctrace_snapshot *left,
                       const alloctrace_snapshot *right)
{
    const size_t n_arguments = alloctrace_snapshot_argument_count(left);
    const size_t n_attributes = alloctrace_snapshot_attribute_count(left);

    REQUIRE(n_arguments == alloctrace_snapshot_argument_count(right));
    for (size_t i = 0; i < n_arguments; i++)
        REQUIRE(strcmp(alloctrace_snapshot_argument(left, i),
                       alloctrace_snapshot_argument(right, i)) == 0);
    REQUIRE(n_attributes == alloctrace_snapshot_attribute_count(right));
    for (size_t i = 0; i < n_attributes; i++) {
        const struct alloctrace_attribute *const a =
            alloctrace_snapshot_attribute(left, i);
        const struct alloctrace_attribute *const b =
            alloctrace_snapshot_attribute(right, i);

        REQUIRE(strcmp(a->key, b->key) == 0);
        REQUIRE(strcmp(a->value, b->value) == 0);
    }
}

static void same_trace(const alloctrace_snapshot *left,
                       const alloctrace_snapshot *right, size_t i)
{
    const struct alloctrace_trace *const a = alloctrace_snapshot_trace(left, i);
    const struct alloctrace_trace *const b =
        alloctrace_snapshot_trace(right, i);

    REQUIRE(a->domain == b->domain);
    REQUIRE(a->live_blocks == b->live_blocks && a->live_bytes == b->live_bytes);
    REQUIRE(a->total_blocks == b->total_blocks &&
            a->total_bytes == b->total_bytes);
    REQUIRE(a->peak_blocks == b->peak_blocks && a->peak_bytes == b->peak_bytes);
}

void same_snapshot(const alloctrace_snapshot *left,
                   const alloctrace_snapshot *right, unsigned what)
{
    const size_t n = alloctrace_snapshot_trace_count(left);
    const uint64_t n_blocks = alloctrace_snapshot_block_count(left);

    same_process(alloctrace_snapshot_process(left),
                 alloctrace_snapshot_process(right));
    REQUIRE(memcmp(alloctrace_snapshot_summary(left),
                   alloctrace_snapshot_summary(right),
                   sizeof(struct alloctrace_summary)) == 0);
    same_names(left, right);
    REQUIRE(n == alloctrace_snapshot_trace_count(right));
    for (size_t i = 0; i < n; i++)
        same_trace(left, right, i);
    REQUIRE(n_blocks == alloctrace_snapshot_block_count(right));
    for (uint64_t i = 0; i < n_blocks; i++)
        REQUIRE(alloctrace_snapshot_block(left, i)->size ==
                alloctrace_snapshot_block(right, i)->size);
    REQUIRE(alloctrace_snapshot_has_details(left) ==
            alloctrace_snapshot_has_details(right));
    same_statistics(left, right, what);
}
