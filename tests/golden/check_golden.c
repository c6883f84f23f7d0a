/* SPDX-License-Identifier: MIT */
/*
 * Dumps that earlier versions wrote, compared with what their programs do:
 * golden.c and by_hand.c, read by a human. Then the same of a dump of the dump.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "same.h"

/* What a line of the program allocates. */
struct line {
    int64_t line;
    int64_t live_blocks, live_bytes, total_blocks, total_bytes;
};

/* What a file knows. */
enum { TYPES = 1, POOLS = 2, DETAILS = 4, BLOCKS = 8, THREADS = 16 };

struct golden {
    const char *name;
    const char *program;      /* its source */
    const struct line *lines; /* of the heap; line 0 ends them */
    struct line pool;         /* what comes from the pool, in one line */
    struct line freed;        /* likewise; line 0 = nothing */
    int64_t node_bytes;       /* three of 16, or of 8 */
    int64_t thread_bytes;     /* that the C library takes for a thread */
    uint32_t word_bits;
    uint32_t limit;           /* of tracebacks */
    uint32_t bad_frames;      /* that the writer could not take apart */
    int knows;
};

/* 16 * 3; 10 and 100; 7 * 5; 1; 2 * 20. */
static const struct line golden_lines[] = {
    {21, 3, 48, 3, 48}, {31, 0, 0, 1, 10}, {33, 1, 100, 1, 100},
    {42, 1, 1, 1, 1},   {69, 1, 40, 1, 40}, {83, 0, 0, 5, 35},
    {0, 0, 0, 0, 0},
};

/* 8 * 3, where pointers have 32 bits. */
static const struct line word32_lines[] = {
    {21, 3, 24, 3, 24}, {31, 0, 0, 1, 10},  {33, 1, 100, 1, 100},
    {42, 1, 1, 1, 1},   {69, 1, 40, 1, 40}, {83, 0, 0, 5, 35},
    {0, 0, 0, 0, 0},
};

/* 16 * 3; 10 and 7 * 5; 100. */
static const struct line hand_lines[] = {
    {200, 3, 48, 3, 48},
    {300, 0, 0, 6, 45},
    {400, 1, 100, 1, 100},
    {0, 0, 0, 0, 0},
};

#define GOLDEN                                                              \
    .program = "golden.c", .lines = golden_lines, .pool = {87, 1, 24, 1, 24}, \
    .freed = {88, 0, 0, 1, 8}, .node_bytes = 48, .thread_bytes = 288,         \
    .word_bits = 64

static const struct golden files[] = {
    {.name = "first", GOLDEN, .knows = THREADS},
    {.name = "domains", GOLDEN, .knows = THREADS | TYPES | POOLS},
    {.name = "limit", GOLDEN, .limit = 2, .knows = THREADS | TYPES | POOLS},
    {.name = "details", GOLDEN, .knows = THREADS | TYPES | POOLS | DETAILS},
    {.name = "today",
     GOLDEN,
     .knows = THREADS | TYPES | POOLS | DETAILS | BLOCKS},
    {.name = "big_endian",
     .program = "by_hand.c",
     .lines = hand_lines,
     .pool = {500, 1, 24, 1, 24},
     .node_bytes = 48,
     .word_bits = 64,
     .knows = TYPES | POOLS | DETAILS},
    /* This writer knew where nothing of the pool came from. */
    {.name = "word32",
     .program = "golden.c",
     .lines = word32_lines,
     .pool = {0, 1, 24, 1, 24},
     .freed = {0, 0, 0, 1, 8},
     .node_bytes = 24,
     .thread_bytes = 136,
     .word_bits = 32,
     .bad_frames = 2,
     .knows = THREADS | TYPES | POOLS | DETAILS},
};

#define N_FILES (sizeof files / sizeof *files)

static struct alloctrace_error error;

static alloctrace_snapshot *load(const char *path)
{
    alloctrace_snapshot *snapshot = NULL;

    ck_assert_msg(!alloctrace_snapshot_load(path, &snapshot, &error), "%s: %s",
                  path, error.message);
    return snapshot;
}

static alloctrace_snapshot *load_golden(const struct golden *file)
{
    char path[512];

    snprintf(path, sizeof path, GOLDEN_FOLDER "/%s.dump", file->name);
    return load(path);
}

/* Sums up the traces whose most recent frame is at a line of the program. */
static struct line line_sum(const alloctrace_snapshot *snapshot,
                            const struct golden *file, uint32_t line)
{
    struct line sum = {(int64_t)line, 0, 0, 0, 0};

    for (size_t i = 0; i < alloctrace_snapshot_trace_count(snapshot); i++) {
        const struct alloctrace_trace *const trace =
            alloctrace_snapshot_trace(snapshot, i);
        const struct alloctrace_frame *frame;
        alloctrace_traceback *traceback;

        ck_assert_int_eq(alloctrace_snapshot_traceback(
                             snapshot, trace->traceback, &traceback),
                         0);
        frame = alloctrace_traceback_frame(traceback, -1);
        if (strcmp(frame->file, file->program) == 0 && frame->line == line) {
            sum.live_blocks += trace->live_blocks;
            sum.live_bytes += trace->live_bytes;
            sum.total_blocks += trace->total_blocks;
            sum.total_bytes += trace->total_bytes;
        }
        alloctrace_traceback_free(traceback);
    }
    return sum;
}

static void line_is(const alloctrace_snapshot *snapshot,
                    const struct golden *file, const struct line *expected)
{
    const struct line found = line_sum(snapshot, file, (uint32_t)expected->line);

    ck_assert_msg(memcmp(&found, expected, sizeof found) == 0,
                  "%s, line %d: live %d of %d, total %d of %d", file->name,
                  (int)expected->line, (int)found.live_blocks,
                  (int)found.live_bytes, (int)found.total_blocks,
                  (int)found.total_bytes);
}

static void figures_are(const alloctrace_snapshot *snapshot,
                        const struct golden *file)
{
    const bool has_pool = file->knows & POOLS && file->pool.line;
    const struct line none = {file->pool.line, 0, 0, 0, 0};

    for (const struct line *line = file->lines; line->line; line++)
        line_is(snapshot, file, line);
    line_is(snapshot, file, has_pool ? &file->pool : &none);
    if (has_pool && file->freed.line)
        line_is(snapshot, file, &file->freed);
}

/* Whole-program figures are the sums, and nothing was lost. */
static void summary_is(const alloctrace_snapshot *snapshot,
                       const struct golden *file)
{
    const struct alloctrace_summary *const summary =
        alloctrace_snapshot_summary(snapshot);
    uint64_t live = 0;
    uint64_t total;

    for (const struct line *line = file->lines; line->line; line++)
        live += (uint64_t)line->live_bytes;
    live += (uint64_t)file->thread_bytes;
    total = live + 10 + 35;
    if (file->knows & POOLS) {
        live += 24;
        total += 24 + (uint64_t)file->freed.total_bytes;
    }
    ck_assert_uint_eq(summary->live_bytes, live);
    ck_assert_uint_eq(summary->total_bytes, total);
    /* All that is live at the end was live at once, and never more: the
     * largest thing, of the thread, comes last. */
    ck_assert_uint_eq(summary->peak_bytes, live);
    ck_assert_uint_eq(summary->dropped_blocks, 0);
    ck_assert_uint_eq(summary->cut_blocks, 0);
    ck_assert_uint_eq(summary->bad_frames, file->bad_frames);
    ck_assert_uint_eq(summary->unknown_frees, 0);
}

static void process_is(const alloctrace_snapshot *snapshot,
                       const struct golden *file)
{
    const struct alloctrace_process *const process =
        alloctrace_snapshot_process(snapshot);

    ck_assert_str_eq(process->host, "golden");
    ck_assert_str_eq(process->writer, "alloctrace 0.1.0");
    ck_assert_str_eq(process->reason, "exit");
    ck_assert_uint_eq(process->word_bits, file->word_bits);
    ck_assert_uint_eq(process->traceback_limit, file->limit);
    ck_assert_uint_eq(process->sequence, 1);
    ck_assert_uint_eq(process->sample_bytes, 0);
    ck_assert_uint_eq(process->n_processes, 1);
    ck_assert_uint_lt(process->start_ns, process->dump_ns);
    ck_assert_uint_eq(alloctrace_snapshot_argument_count(snapshot), 1);
    ck_assert_uint_eq(alloctrace_snapshot_thread_count(snapshot),
                      file->knows & THREADS ? 2 : 1);
    ck_assert_uint_eq(alloctrace_snapshot_attribute_count(snapshot), 0);
}

/* main calls descend, that itself three times, and the last one malloc. */
static void path_is(const alloctrace_snapshot *snapshot,
                    const struct golden *file)
{
    static const uint32_t lines[] = {86, 43, 43, 43, 42};
    const size_t n_kept = file->limit ? file->limit : 5;

    for (size_t i = 0; i < alloctrace_snapshot_trace_count(snapshot); i++) {
        alloctrace_traceback *traceback;
        size_t n;

        ck_assert_int_eq(
            alloctrace_snapshot_traceback(
                snapshot, alloctrace_snapshot_trace(snapshot, i)->traceback,
                &traceback),
            0);
        n = alloctrace_traceback_count(traceback);
        if (alloctrace_traceback_frame(traceback, -1)->line == 42) {
            ck_assert_uint_eq(n, n_kept);
            ck_assert_uint_eq(alloctrace_traceback_total_nframe(traceback), 5);
            for (size_t k = 0; k < n; k++)
                ck_assert_uint_eq(
                    alloctrace_traceback_frame(traceback, (ptrdiff_t)k)->line,
                    lines[5 - n + k]);
        }
        alloctrace_traceback_free(traceback);
    }
}

/* 10 and the five of 7 were temporary, and a pool's 8; one was resized. */
static void details_are(const alloctrace_snapshot *snapshot,
                        const struct golden *file)
{
    struct alloctrace_detail *detail;

    ck_assert_int_eq(alloctrace_snapshot_has_details(snapshot),
                     (file->knows & DETAILS) != 0);
    if (!(file->knows & DETAILS))
        return;
    ck_assert_int_eq(alloctrace_snapshot_detail_sum(snapshot, &detail), 0);
    ck_assert_uint_eq(detail->temporary_bytes,
                      10 + 35 + (uint64_t)file->freed.total_bytes);
    ck_assert_uint_eq(detail->resized_blocks, 1);
    ck_assert_uint_eq(detail->grown_bytes, 90);
    ck_assert_uint_eq(detail->smallest, file->thread_bytes ? 1 : 7);
    ck_assert_uint_eq(detail->largest,
                      file->thread_bytes ? (uint64_t)file->thread_bytes : 100);
    alloctrace_detail_free(detail);
}

static void names_are(const alloctrace_snapshot *snapshot,
                      const struct golden *file)
{
    struct alloctrace_statistics_options options = {
        .size = sizeof options,
        .group_by = ALLOCTRACE_BY_TYPE,
        .metric = ALLOCTRACE_METRIC_TOTAL};
    alloctrace_statistics *statistics;
    int64_t of_nodes = 0;
    bool has_pool = false;

    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics), 0);
    for (size_t i = 0; i < alloctrace_statistics_count(statistics); i++)
        if (strcmp(alloctrace_statistics_get(statistics, i)->key,
                   "struct node") == 0)
            of_nodes = alloctrace_statistics_get(statistics, i)->size;
    alloctrace_statistics_free(statistics);
    ck_assert_int_eq(of_nodes, file->knows & TYPES ? file->node_bytes : 0);
    for (size_t i = 0; i < alloctrace_snapshot_domain_count(snapshot); i++)
        has_pool = has_pool ||
                   !strcmp(alloctrace_snapshot_domain(snapshot, i)->name,
                           "pool_alloc");
    ck_assert_int_eq(has_pool, (file->knows & POOLS) != 0);
}

/* As many as live blocks, with their sizes. */
static void blocks_are(const alloctrace_snapshot *snapshot,
                       const struct golden *file)
{
    const uint64_t n = alloctrace_snapshot_block_count(snapshot);
    uint64_t size = 0;

    ck_assert_uint_eq(n, file->knows & BLOCKS ? 8 : 0);
    for (uint64_t i = 0; i < n; i++)
        size += alloctrace_snapshot_block(snapshot, i)->size;
    ck_assert_uint_eq(size, file->knows & BLOCKS ? 501 : 0);
}

static void is_golden(const alloctrace_snapshot *snapshot,
                      const struct golden *file)
{
    process_is(snapshot, file);
    summary_is(snapshot, file);
    figures_are(snapshot, file);
    path_is(snapshot, file);
    details_are(snapshot, file);
    names_are(snapshot, file);
    blocks_are(snapshot, file);
}

START_TEST(old_files_say_what_their_programs_did)
{
    for (size_t i = 0; i < N_FILES; i++) {
        alloctrace_snapshot *const snapshot = load_golden(&files[i]);

        is_golden(snapshot, &files[i]);
        alloctrace_snapshot_free(snapshot);
    }
}
END_TEST

START_TEST(old_files_say_the_same_when_they_are_dumped_again)
{
    char path[] = "/tmp/check_golden.XXXXXX";

    close(mkstemp(path));
    for (size_t i = 0; i < N_FILES; i++) {
        alloctrace_snapshot *const snapshot = load_golden(&files[i]);
        alloctrace_snapshot *again;

        ck_assert_int_eq(alloctrace_snapshot_dump(snapshot, path, &error), 0);
        again = load(path);
        is_golden(again, &files[i]);
        same_snapshot(snapshot, again, false);
        same_statistics(snapshot, again);
        alloctrace_snapshot_free(again);
        alloctrace_snapshot_free(snapshot);
    }
    unlink(path);
}
END_TEST

CHECK_MAIN("golden", old_files_say_what_their_programs_did,
           old_files_say_the_same_when_they_are_dumped_again)
