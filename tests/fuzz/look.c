/* SPDX-License-Identifier: MIT */
/*
 * Looks at everything that a handle shows, inside and outside its bounds, and
 * at every byte that it points to, so that the sanitizers see it. What can be
 * asked in two ways must give the same twice.
 *
 * Output that grows with the depth of paths is the caller's choice, and this
 * caller's is MAX_FRAMES.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define MAX_FRAMES 2048
#define MAX_LOOKS 256 /* entries of a table */
#define MAX_TEXT 256  /* bytes of a text */

static volatile size_t sink;

static void look_text(const char *text)
{
    REQUIRE(text);
    sink += strnlen(text, MAX_TEXT);
}

/* Checks that an entry is there exactly if its number is in bounds. */
#define REQUIRE_BOUND(entry, index, count) \
    REQUIRE(((entry) != NULL) == ((index) < (count)))

/* The numbers from 0 that are looked at, and then some at edges. Returns
 * whether there is one more. */
static bool edge(size_t i, size_t count, size_t *index)
{
    const size_t n = count < MAX_LOOKS ? count : MAX_LOOKS;
    const size_t edges[] = {count - 1,  count,          count + 1,
                            UINT32_MAX, UINT32_MAX - 1, SIZE_MAX};

    if (i >= n + sizeof edges / sizeof *edges)
        return false;
    *index = i < n ? i : edges[i - n];
    return true;
}

#define FOR_EDGES(index, count) \
    for (size_t edge_i = 0, index; edge(edge_i, count, &index); edge_i++)

static void look_process(const alloctrace_snapshot *snapshot)
{
    const struct alloctrace_process *const process =
        alloctrace_snapshot_process(snapshot);

    look_text(process->program);
    look_text(process->host);
    look_text(process->writer);
    look_text(process->reason);
    REQUIRE(process->n_processes > 0);
    REQUIRE(process->traceback_limit ==
            alloctrace_snapshot_traceback_limit(snapshot));
    REQUIRE(alloctrace_snapshot_summary(snapshot) != NULL);
    REQUIRE(alloctrace_snapshot_error(snapshot, INT64_MIN) >= 0);
    REQUIRE(alloctrace_snapshot_error(snapshot, 0) >= 0);
    REQUIRE(alloctrace_snapshot_error(snapshot, INT64_MAX) >= 0);
}

static void look_module(const struct alloctrace_module *module)
{
    look_text(module->path);
    look_text(module->build_id);
}

static void look_names(const alloctrace_snapshot *snapshot)
{
    const size_t n_arguments = alloctrace_snapshot_argument_count(snapshot);
    const size_t n_domains = alloctrace_snapshot_domain_count(snapshot);
    const size_t n_attributes = alloctrace_snapshot_attribute_count(snapshot);

    FOR_EDGES (i, n_arguments) {
        const char *const text = alloctrace_snapshot_argument(snapshot, i);

        REQUIRE_BOUND(text, i, n_arguments);
        if (text)
            look_text(text);
    }
    FOR_EDGES (i, n_domains) {
        const struct alloctrace_domain *const domain =
            alloctrace_snapshot_domain(snapshot, i);

        REQUIRE_BOUND(domain, i, n_domains);
        if (domain)
            look_text(domain->name);
        look_text(alloctrace_snapshot_domain_name(
            snapshot, domain ? domain->id : (uint32_t)i));
    }
    FOR_EDGES (i, n_attributes) {
        const struct alloctrace_attribute *const attribute =
            alloctrace_snapshot_attribute(snapshot, i);

        REQUIRE_BOUND(attribute, i, n_attributes);
        if (attribute) {
            REQUIRE(*attribute->key);
            REQUIRE(alloctrace_snapshot_get_attribute(
                        snapshot, attribute->key) == attribute->value);
            look_text(attribute->value);
        }
    }
}

/* Modules and threads, which are numbered from 1. */
static void look_numbers(const alloctrace_snapshot *snapshot)
{
    const size_t n_modules = alloctrace_snapshot_module_count(snapshot);
    const size_t n_threads = alloctrace_snapshot_thread_count(snapshot);
    const size_t n_wrappers = alloctrace_snapshot_wrapper_count(snapshot);

    FOR_EDGES (i, n_modules + 1) {
        const uint32_t id = (uint32_t)i;
        const struct alloctrace_module *const module =
            alloctrace_snapshot_module(snapshot, id);

        REQUIRE((module != NULL) == (id >= 1 && id <= n_modules));
        if (module)
            look_module(module);
    }
    FOR_EDGES (i, n_threads + 1) {
        const uint32_t id = (uint32_t)i;
        const struct alloctrace_thread *const thread =
            alloctrace_snapshot_thread(snapshot, id);

        REQUIRE((thread != NULL) == (id >= 1 && id <= n_threads));
        if (thread)
            look_text(thread->name);
    }
    FOR_EDGES (i, n_wrappers) {
        const char *const name = alloctrace_snapshot_wrapper(snapshot, i);

        REQUIRE_BOUND(name, i, n_wrappers);
        if (name)
            look_text(name);
    }
}

static void look_detail(struct alloctrace_detail *detail)
{
    REQUIRE(detail->n_sizes <= ALLOCTRACE_SIZE_CLASS_COUNT);
    for (size_t i = 0; i < detail->n_sizes; i++)
        REQUIRE(detail->sizes[i].from <= detail->sizes[i].to);
    alloctrace_detail_free(detail);
}

static void look_traces(const alloctrace_snapshot *snapshot)
{
    const size_t n_traces = alloctrace_snapshot_trace_count(snapshot);
    const size_t n_tracebacks = alloctrace_snapshot_traceback_count(snapshot);
    const uint64_t n_blocks = alloctrace_snapshot_block_count(snapshot);
    const int has_details = alloctrace_snapshot_has_details(snapshot);
    struct alloctrace_detail *detail;

    FOR_EDGES (i, n_traces) {
        const struct alloctrace_trace *const trace =
            alloctrace_snapshot_trace(snapshot, i);
        const int result = alloctrace_snapshot_detail(snapshot, i, &detail);

        REQUIRE_BOUND(trace, i, n_traces);
        REQUIRE(!trace || trace->traceback <= n_tracebacks);
        REQUIRE(result == (trace && has_details ? 0
                                                : ALLOCTRACE_EBAD_ARGUMENT));
        if (!result)
            look_detail(detail);
    }
    if (!alloctrace_snapshot_detail_sum(snapshot, &detail))
        look_detail(detail);
    FOR_EDGES (i, (size_t)n_blocks) {
        const struct alloctrace_block *const block =
            alloctrace_snapshot_block(snapshot, i);

        REQUIRE_BOUND(block, i, n_blocks);
        REQUIRE(!block || block->traceback <= n_tracebacks);
    }
}

void look_frame(const struct alloctrace_frame *frame)
{
    look_text(frame->file);
    look_text(frame->function);
    look_text(frame->type);
    look_text(frame->target);
    if (frame->via)
        look_text(frame->via);
    if (frame->module)
        look_module(frame->module);
    REQUIRE(alloctrace_frame_compare(frame, frame) == 0);
    sink += (size_t)alloctrace_frame_hash(frame);
}

/* How many frames a walk sees; MAX_FRAMES + 1: more than that. */
static size_t walk_length(const alloctrace_snapshot *snapshot,
                          uint32_t traceback_id)
{
    struct alloctrace_walk walk;
    size_t n = 0;

    alloctrace_walk_begin(&walk, snapshot, traceback_id);
    while (n <= MAX_FRAMES && alloctrace_walk_next(&walk))
        n++;
    return n;
}

/* A copy of a path has what a walk along it has. */
static void check_walk(const alloctrace_snapshot *snapshot,
                       uint32_t traceback_id,
                       const alloctrace_traceback *traceback)
{
    const size_t n = alloctrace_traceback_count(traceback);
    struct alloctrace_walk walk;

    alloctrace_walk_begin(&walk, snapshot, traceback_id);
    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_frame *const frame =
            alloctrace_walk_next(&walk);
        const struct alloctrace_frame *const kept =
            alloctrace_traceback_frame(traceback, -1 - (ptrdiff_t)i);

        REQUIRE(frame && kept);
        look_frame(kept);
        REQUIRE(frame->file == kept->file && frame->line == kept->line);
        REQUIRE(frame->function == kept->function);
        REQUIRE(frame->module == kept->module);
    }
    REQUIRE(!alloctrace_walk_next(&walk));
    REQUIRE(!alloctrace_walk_next(&walk));
}

alloctrace_traceback *look_traceback(const alloctrace_snapshot *snapshot,
                                     uint32_t traceback_id)
{
    const uint32_t limit = alloctrace_snapshot_traceback_limit(snapshot);
    alloctrace_traceback *traceback;
    size_t n;

    if (walk_length(snapshot, traceback_id) > MAX_FRAMES)
        return NULL;
    REQUIRE(alloctrace_snapshot_traceback(snapshot, traceback_id,
                                          &traceback) == 0);
    n = alloctrace_traceback_count(traceback);
    REQUIRE(n > 0 && (!limit || n <= limit));
    REQUIRE(alloctrace_traceback_total_nframe(traceback) >= n);
    REQUIRE(!alloctrace_traceback_frame(traceback, (ptrdiff_t)n));
    REQUIRE(!alloctrace_traceback_frame(traceback, -1 - (ptrdiff_t)n));
    REQUIRE(!alloctrace_traceback_frame(traceback, PTRDIFF_MIN));
    REQUIRE(!alloctrace_traceback_frame(traceback, PTRDIFF_MAX));
    check_walk(snapshot, traceback_id, traceback);
    return traceback;
}

static void look_tracebacks(const alloctrace_snapshot *snapshot)
{
    size_t left = 4 * MAX_FRAMES; /* frames to look at */

    FOR_EDGES (i, alloctrace_snapshot_traceback_count(snapshot) + 1) {
        alloctrace_traceback *const traceback =
            look_traceback(snapshot, (uint32_t)i);
        const size_t n =
            traceback ? alloctrace_traceback_count(traceback) : MAX_FRAMES;

        alloctrace_traceback_free(traceback);
        if (n > left)
            break;
        left -= n;
    }
}

void look_snapshot(const alloctrace_snapshot *snapshot)
{
    char text[64];

    look_process(snapshot);
    look_names(snapshot);
    look_numbers(snapshot);
    look_traces(snapshot);
    look_tracebacks(snapshot);
    sink += alloctrace_trace_format(snapshot, 0, 0, text, sizeof text);
    sink += alloctrace_trace_format(snapshot, SIZE_MAX,
                                    ALLOCTRACE_LIKE_CPYTHON, text, 1);
}

/* ---- Statistics ---- */

/* Is the text what there is room for, and its length that of all of it? */
static void check_text(const char *text, size_t length, size_t size)
{
    REQUIRE(strnlen(text, size) == (length < size ? length : size - 1));
}

static void look_statistic(const alloctrace_statistics *statistics, size_t i,
                           unsigned flags)
{
    const struct alloctrace_statistic *const statistic =
        alloctrace_statistics_get(statistics, i);
    char text[2][128];
    size_t length;

    look_text(statistic->key);
    look_text(statistic->type);
    length = alloctrace_statistics_format(statistics, i, flags, text[0],
                                          sizeof text[0]);
    check_text(text[0], length, sizeof text[0]);
    REQUIRE(alloctrace_statistics_format(statistics, i, flags, text[1], 7) ==
            length);
    check_text(text[1], length, 7);
    REQUIRE(strncmp(text[0], text[1], 6) == 0);
    REQUIRE(alloctrace_statistics_format(statistics, i, flags, NULL, 0) ==
            length);
}

/* The frames of a group, if they are not too many. */
static void look_paths(const alloctrace_statistics *statistics, size_t i)
{
    alloctrace_traceback *traceback;

    REQUIRE(alloctrace_statistics_traceback(statistics, i, &traceback) == 0);
    for (size_t k = 0; k < alloctrace_traceback_count(traceback); k++)
        look_frame(alloctrace_traceback_frame(traceback, (ptrdiff_t)k));
    alloctrace_traceback_free(traceback);
    if (!alloctrace_statistics_wrappers(statistics, i, &traceback)) {
        for (size_t k = 0; k < alloctrace_traceback_count(traceback); k++)
            look_frame(alloctrace_traceback_frame(traceback, (ptrdiff_t)k));
        alloctrace_traceback_free(traceback);
    }
}

/* Order, and the sum of all, where a trace is in one group. Sums wrap around. */
static void check_sum(const alloctrace_statistics *statistics,
                      bool is_cumulative)
{
    const struct alloctrace_statistic *const sum =
        alloctrace_statistics_sum(statistics);
    const size_t n = alloctrace_statistics_count(statistics);
    uint64_t figures[4] = {0};

    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(statistics, i);

        figures[0] += (uint64_t)group->size;
        figures[1] += (uint64_t)group->count;
        figures[2] += (uint64_t)group->size_diff;
        figures[3] += (uint64_t)group->count_diff;
        if (i > 0 && !alloctrace_statistics_is_diff(statistics)) {
            const struct alloctrace_statistic *const before = group - 1;

            REQUIRE(before->size >= group->size);
            REQUIRE(before->size > group->size ||
                    before->count >= group->count);
        }
    }
    REQUIRE(*sum->key == '\0');
    if (is_cumulative)
        return;
    REQUIRE(figures[0] == (uint64_t)sum->size);
    REQUIRE(figures[1] == (uint64_t)sum->count);
    REQUIRE(figures[2] == (uint64_t)sum->size_diff);
    REQUIRE(figures[3] == (uint64_t)sum->count_diff);
}

void look_statistics(const alloctrace_statistics *statistics, unsigned flags,
                     bool is_cumulative)
{
    const size_t n = alloctrace_statistics_count(statistics);
    struct alloctrace_detail *detail;
    alloctrace_traceback *traceback;

    check_sum(statistics, is_cumulative);
    FOR_EDGES (i, n) {
        REQUIRE_BOUND(alloctrace_statistics_get(statistics, i), i, n);
        if (!alloctrace_statistics_detail(statistics, i, &detail))
            look_detail(detail);
        if (i < n) {
            look_statistic(statistics, i, flags);
            look_paths(statistics, i);
            continue;
        }
        REQUIRE(alloctrace_statistics_traceback(statistics, i, &traceback) ==
                ALLOCTRACE_EBAD_ARGUMENT);
        REQUIRE(alloctrace_statistics_wrappers(statistics, i, &traceback) ==
                ALLOCTRACE_EBAD_ARGUMENT);
        REQUIRE(alloctrace_statistics_format(statistics, i, flags, NULL, 0) ==
                0);
    }
}
