/* SPDX-License-Identifier: MIT */
/*
 * Snapshots that are built by hand: what was given comes out again, and what
 * is equal stands once.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check_alloctrace.h"
#include "loaded.h"
#include "vectors.h"

static alloctrace_builder *builder_create(void)
{
    alloctrace_builder *builder;

    ck_assert_int_eq(alloctrace_builder_create(&builder), 0);
    return builder;
}

static alloctrace_snapshot *finish(alloctrace_builder *builder)
{
    alloctrace_snapshot *snapshot;

    ck_assert_int_eq(alloctrace_builder_finish(builder, &snapshot), 0);
    return snapshot;
}

static alloctrace_statistics *statistics(const alloctrace_snapshot *snapshot,
                                         int group_by)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = group_by};
    alloctrace_statistics *made;

    ck_assert_int_eq(alloctrace_snapshot_statistics(snapshot, &options, &made),
                     0);
    return made;
}

/* Text of a path, the oldest frame first: "lib.c:3 main.c:7". */
static const char *path_text(const alloctrace_snapshot *snapshot, uint32_t id)
{
    static char text[4096];
    alloctrace_traceback *traceback;
    size_t size = 0;

    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, id, &traceback),
                     0);
    for (size_t i = 0; i < alloctrace_traceback_count(traceback); i++) {
        const struct alloctrace_frame *frame =
            alloctrace_traceback_frame(traceback, (ptrdiff_t)i);

        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s:%u",
                                 i ? " " : "", frame->file, frame->line);
    }
    alloctrace_traceback_free(traceback);
    return text;
}

/* All groups of a grouping: "lib.c:1 66/1, main.c:7 30/3". */
static const char *groups(const alloctrace_snapshot *snapshot, int group_by)
{
    static char text[4096];
    alloctrace_statistics *made = statistics(snapshot, group_by);
    size_t size = 0;

    text[0] = '\0';
    for (size_t i = 0; i < alloctrace_statistics_count(made); i++) {
        const struct alloctrace_statistic *group =
            alloctrace_statistics_get(made, i);
        const bool is_path = group_by == ALLOCTRACE_BY_TRACEBACK;

        size += (size_t)snprintf(
            text + size, sizeof text - size, "%s%s", i ? ", " : "",
            is_path ? path_text(snapshot, group->traceback) : group->key);
        if (group_by == ALLOCTRACE_BY_LINENO)
            size += (size_t)snprintf(text + size, sizeof text - size, ":%u",
                                     group->line);
        size +=
            (size_t)snprintf(text + size, sizeof text - size, " %lld/%lld",
                             (long long)group->size, (long long)group->count);
    }
    alloctrace_statistics_free(made);
    return text;
}

/* T1 to T3. */
START_TEST(tracemallocs_traces_have_its_statistics)
{
    alloctrace_snapshot *a = vectors_snapshot(vectors_a);

    ck_assert_str_eq(groups(a, ALLOCTRACE_BY_FILENAME),
                     "lib.c 66/1, main.c 32/4, <unknown> 7/1");
    ck_assert_str_eq(
        groups(a, ALLOCTRACE_BY_LINENO),
        "lib.c:1 66/1, main.c:7 30/3, <unknown>:0 7/1, main.c:9 2/1");
    ck_assert_str_eq(groups(a, ALLOCTRACE_BY_TRACEBACK),
                     "lib.c:1 66/1, lib.c:3 main.c:7 30/3, <unknown>:0 7/1, "
                     "lib.c:3 main.c:9 2/1");
    alloctrace_snapshot_free(a);
}
END_TEST

/* T9 and T10. */
START_TEST(ties_are_broken_as_tracemalloc_does)
{
    static const struct vector lines[] = {{"b.c:1", 8, 0, 0, 1},
                                          {"a.c:9", 8, 0, 0, 1},
                                          {"a.c:10", 8, 0, 0, 1},
                                          {"z.c:1", 4, 0, 0, 2},
                                          {NULL, 0, 0, 0, 0}};
    static const struct vector paths[] = {{"b.c:1 a.c:1", 8, 0, 0, 1},
                                          {"z.c:1", 8, 0, 0, 1},
                                          {"c.c:1 a.c:1", 8, 0, 0, 1},
                                          {NULL, 0, 0, 0, 0}};
    alloctrace_snapshot *snapshot = vectors_snapshot(lines);

    ck_assert_str_eq(groups(snapshot, ALLOCTRACE_BY_LINENO),
                     "z.c:1 8/2, b.c:1 8/1, a.c:10 8/1, a.c:9 8/1");
    alloctrace_snapshot_free(snapshot);
    snapshot = vectors_snapshot(paths);
    ck_assert_str_eq(groups(snapshot, ALLOCTRACE_BY_TRACEBACK),
                     "z.c:1 8/1, a.c:1 c.c:1 8/1, a.c:1 b.c:1 8/1");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* T11 and T12; but they are different traces. */
START_TEST(what_differs_in_total_or_domain_is_one_group)
{
    static const struct vector totals[] = {{"a.c:1", 5, 1, 0, 1},
                                           {"a.c:1", 6, 9, 0, 1},
                                           {"a.c:1", 7, 9, 0, 1},
                                           {NULL, 0, 0, 0, 0}};
    static const struct vector domains[] = {
        {"a.c:1", 5, 1, 0, 1}, {"a.c:1", 6, 1, 7, 1}, {NULL, 0, 0, 0, 0}};
    alloctrace_snapshot *snapshot = vectors_snapshot(totals);

    ck_assert_str_eq(groups(snapshot, ALLOCTRACE_BY_TRACEBACK), "a.c:1 18/3");
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot), 2);
    ck_assert_uint_eq(
        total_nframe(snapshot,
                     alloctrace_snapshot_trace(snapshot, 0)->traceback),
        1);
    ck_assert_uint_eq(
        total_nframe(snapshot,
                     alloctrace_snapshot_trace(snapshot, 1)->traceback),
        9);
    alloctrace_snapshot_free(snapshot);
    snapshot = vectors_snapshot(domains);
    ck_assert_str_eq(groups(snapshot, ALLOCTRACE_BY_TRACEBACK), "a.c:1 11/2");
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot), 2);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(a_total_is_not_handed_on_to_other_paths)
{
    static const struct vector vectors[] = {{"a.c:1", 1, 9, 0, 1},
                                            {"b.c:2 a.c:1", 1, 2, 0, 1},
                                            {"b.c:2 a.c:1", 1, 5, 0, 1},
                                            {"", 1, 7, 0, 1},
                                            {"a.c:1 <unknown>:0", 1, 0, 0, 1},
                                            {NULL, 0, 0, 0, 0}};
    static const uint64_t totals[] = {9, 2, 5, 7, 2};
    alloctrace_snapshot *snapshot = vectors_snapshot(vectors);

    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_eq(
            total_nframe(snapshot,
                         alloctrace_snapshot_trace(snapshot, i)->traceback),
            totals[i]);
    ck_assert_str_eq(
        path_text(snapshot, alloctrace_snapshot_trace(snapshot, 4)->traceback),
        "<unknown>:0 a.c:1");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(a_total_below_the_frames_is_refused)
{
    const struct alloctrace_frame frames[2] = {{.file = "a.c"},
                                               {.file = "b.c"}};
    alloctrace_builder *builder = builder_create();
    alloctrace_snapshot *snapshot;

    ck_assert_int_eq(alloctrace_builder_add(builder, 0, 1, frames, 2, 1),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(alloctrace_builder_add(builder, 0, 1, frames, 2, 2), 0);
    snapshot = finish(builder);
    ck_assert_uint_eq(alloctrace_snapshot_summary(snapshot)->live_blocks, 1);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(no_frames_are_the_unknown_one)
{
    static const struct vector vectors[] = {
        {"", 1, 0, 0, 1}, {"<unknown>:0", 2, 1, 0, 1}, {NULL, 0, 0, 0, 0}};
    alloctrace_snapshot *snapshot = vectors_snapshot(vectors);

    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot), 1);
    ck_assert_uint_eq(alloctrace_snapshot_trace(snapshot, 0)->traceback, 0);
    ck_assert_uint_eq(alloctrace_snapshot_traceback_count(snapshot), 0);
    ck_assert_str_eq(groups(snapshot, ALLOCTRACE_BY_TRACEBACK),
                     "<unknown>:0 3/2");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(an_empty_builder_is_an_empty_snapshot)
{
    alloctrace_snapshot *snapshot = finish(builder_create());

    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot), 0);
    ck_assert_str_eq(alloctrace_snapshot_process(snapshot)->program, "");
    ck_assert_uint_eq(alloctrace_snapshot_process(snapshot)->n_processes, 1);
    ck_assert_str_eq(path_text(snapshot, 0), "<unknown>:0");
    ck_assert_str_eq(
        alloctrace_snapshot_module(snapshot, 0) ? "there is a module" : "none",
        "none");
    alloctrace_snapshot_free(snapshot);
    alloctrace_builder_free(NULL);
    alloctrace_builder_free(builder_create());
}
END_TEST

/* Everything that is said of a frame. */
START_TEST(frames_come_out_as_they_were_given)
{
    const struct alloctrace_module module = {.path = "/lib/a.so",
                                             .build_id = "c0ffee",
                                             .begin = 16,
                                             .end = 32,
                                             .bias = 8};
    const struct alloctrace_frame frames[] = {
        {.file = "a.h",
         .function = "make",
         .type = "struct a",
         .target = "list->head",
         .module = &module,
         .type_size = 24,
         .line = 3,
         .column = 9,
         .kind = ALLOCTRACE_FRAME_ALLOC,
         .is_inlined = 1},
        {.file = "a.c",
         .function = "outer",
         .line = 70,
         .kind = ALLOCTRACE_FRAME_CALL,
         .flags = ALLOCTRACE_FRAME_RETURNED},
        {.address = 0x1234, .module = &module},
    };
    alloctrace_builder *builder = builder_create();
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;
    const struct alloctrace_frame *frame;

    ck_assert_int_eq(alloctrace_builder_add(builder, 0, 1, frames, 3, 0), 0);
    snapshot = finish(builder);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, 2, &traceback), 0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 3);
    frame = alloctrace_traceback_frame(traceback, -1);
    ck_assert_str_eq(frame->file, "a.h");
    ck_assert_str_eq(frame->function, "make");
    ck_assert_str_eq(frame->type, "struct a");
    ck_assert_str_eq(frame->target, "list->head");
    ck_assert_str_eq(frame->module->path, "/lib/a.so");
    ck_assert_str_eq(frame->module->build_id, "c0ffee");
    ck_assert_uint_eq(frame->module->end, 32);
    ck_assert_uint_eq(frame->type_size, 24);
    ck_assert_uint_eq(frame->line, 3);
    ck_assert_uint_eq(frame->column, 9);
    ck_assert_uint_eq(frame->kind, ALLOCTRACE_FRAME_ALLOC);
    ck_assert_int_eq(frame->is_inlined, 1);
    frame = alloctrace_traceback_frame(traceback, -2);
    ck_assert_str_eq(frame->function, "outer");
    ck_assert_uint_eq(frame->flags, ALLOCTRACE_FRAME_RETURNED);
    ck_assert_int_eq(frame->is_inlined, 0);
    ck_assert_ptr_null(frame->module);
    frame = alloctrace_traceback_frame(traceback, 0);
    ck_assert_str_eq(frame->file, "[a.so+0x122c]");
    ck_assert_uint_eq(frame->address, 0x1234);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* What was got of one snapshot can be given to another. */
START_TEST(frames_of_a_snapshot_can_be_added_again)
{
    const struct alloctrace_module module = {.path = "/lib/a.so"};
    const struct alloctrace_frame given[] = {
        {.file = "i.h", .function = "i", .line = 3, .is_inlined = 1},
        {.file = "a.c", .function = "a", .line = 4, .column = 2},
        {.address = 0x1234, .module = &module},
        {.address = 0x9876}};
    alloctrace_builder *builder = builder_create();
    alloctrace_snapshot *snapshots[2];

    ck_assert_int_eq(alloctrace_builder_add(builder, 0, 1, given, 4, 0), 0);
    snapshots[0] = finish(builder);
    for (int i = 0; i < 2; i++) {
        const alloctrace_snapshot *from = snapshots[0];
        struct alloctrace_frame frames[4];
        alloctrace_traceback *traceback;

        ck_assert_int_eq(alloctrace_snapshot_traceback(
                             from,
                             alloctrace_snapshot_trace(from, 0)->traceback,
                             &traceback),
                         0);
        for (int k = 0; k < 4; k++)
            frames[k] = *alloctrace_traceback_frame(traceback, -1 - k);
        if (i == 0) {
            builder = builder_create();
            ck_assert_int_eq(alloctrace_builder_add(builder, 0, 1, given, 4, 0),
                             0);
        }
        ck_assert_int_eq(alloctrace_builder_add(builder, 0, 1, frames, 4, 0),
                         0);
        alloctrace_traceback_free(traceback);
    }
    snapshots[1] = finish(builder);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshots[1]), 1);
    ck_assert_str_eq(groups(snapshots[1], ALLOCTRACE_BY_TRACEBACK),
                     "[0x9876]:0 [a.so+0x1234]:0 a.c:4 i.h:3 3/3");
    for (int i = 0; i < 2; i++)
        alloctrace_snapshot_free(snapshots[i]);
}
END_TEST

START_TEST(equal_modules_threads_and_domains_stand_once)
{
    alloctrace_builder *builder = builder_create();
    const struct alloctrace_module modules[] = {
        {.path = "/a", .build_id = "1", .begin = 5},
        {.path = "/a", .build_id = "2"},
        {.path = "/a", .build_id = "1", .begin = 6},
        {.begin = 7},
        {.begin = 8}};
    const uint32_t module_ids[] = {1, 2, 1, 3, 4};
    const struct alloctrace_thread threads[] = {
        {"main", 5}, {"main", 6}, {NULL, 0}, {"main", 5}};
    const uint32_t thread_ids[] = {1, 2, 3, 1};
    alloctrace_snapshot *snapshot;
    uint32_t id;

    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(
            alloctrace_builder_add_module(builder, &modules[i], &id), 0);
        ck_assert_uint_eq(id, module_ids[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(
            alloctrace_builder_add_thread(builder, &threads[i], &id), 0);
        ck_assert_uint_eq(id, thread_ids[i]);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(alloctrace_builder_name_domain(builder, 9, "pool"), 0);
        ck_assert_int_eq(alloctrace_builder_name_domain(builder, 7, "other"),
                         0);
    }
    snapshot = finish(builder);
    ck_assert_uint_eq(alloctrace_snapshot_module_count(snapshot), 4);
    ck_assert_uint_eq(alloctrace_snapshot_module(snapshot, 1)->begin, 5);
    ck_assert_str_eq(alloctrace_snapshot_module(snapshot, 3)->path, "");
    ck_assert_uint_eq(alloctrace_snapshot_thread_count(snapshot), 3);
    ck_assert_str_eq(alloctrace_snapshot_thread(snapshot, 3)->name, "");
    ck_assert_uint_eq(alloctrace_snapshot_domain_count(snapshot), 2);
    ck_assert_str_eq(alloctrace_snapshot_domain_name(snapshot, 9), "pool");
    ck_assert_str_eq(alloctrace_snapshot_domain_name(snapshot, 7), "other");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(traces_have_all_their_figures)
{
    const struct alloctrace_frame frame = {.file = "a.c", .line = 1};
    const struct alloctrace_trace trace = {.thread = 1,
                                           .domain = 5,
                                           .traceback = 99,
                                           .live_blocks = -1,
                                           .live_bytes = -8,
                                           .total_blocks = 3,
                                           .total_bytes = 24,
                                           .peak_blocks = 2,
                                           .peak_bytes = 16};
    alloctrace_builder *builder = builder_create();
    const struct alloctrace_trace *got;
    alloctrace_snapshot *snapshot;
    uint32_t id;

    ck_assert_int_eq(
        alloctrace_builder_add_trace(builder, &trace, &frame, 1, 0),
        ALLOCTRACE_EBAD_ARGUMENT); /* no such thread */
    ck_assert_int_eq(alloctrace_builder_add_thread(
                         builder, &(struct alloctrace_thread){"w", 1}, &id),
                     0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(
            alloctrace_builder_add_trace(builder, &trace, &frame, 1, 0), 0);
    snapshot = finish(builder);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot), 1);
    got = alloctrace_snapshot_trace(snapshot, 0);
    ck_assert_uint_eq(got->traceback, 1);
    ck_assert_uint_eq(got->thread, 1);
    ck_assert_uint_eq(got->domain, 5);
    ck_assert_int_eq(got->live_blocks, -2);
    ck_assert_int_eq(got->live_bytes, -16);
    ck_assert_int_eq(got->total_blocks, 6);
    ck_assert_int_eq(got->total_bytes, 48);
    ck_assert_int_eq(got->peak_blocks, 4);
    ck_assert_int_eq(got->peak_bytes, 32);
    ck_assert_uint_eq(alloctrace_snapshot_summary(snapshot)->total_bytes, 48);
    ck_assert_uint_eq(alloctrace_snapshot_summary(snapshot)->peak_bytes, 32);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(the_process_is_what_was_said)
{
    alloctrace_builder *builder = builder_create();
    char program[] = "kv";
    const struct alloctrace_process process = {.program = program,
                                               .reason = "exit",
                                               .pid = 7,
                                               .word_bits = 32,
                                               .traceback_limit = 1,
                                               .sample_bytes = 512,
                                               .n_processes = 3};
    alloctrace_snapshot *snapshot;

    ck_assert_int_eq(alloctrace_builder_set_process(builder, &process), 0);
    program[0] = 'x'; /* texts are copied */
    vector_add(builder, 0, 5, "b.c:2 a.c:1", 0);
    snapshot = finish(builder);
    ck_assert_str_eq(alloctrace_snapshot_process(snapshot)->program, "kv");
    ck_assert_str_eq(alloctrace_snapshot_process(snapshot)->host, "");
    ck_assert_str_eq(alloctrace_snapshot_process(snapshot)->reason, "exit");
    ck_assert_uint_eq(alloctrace_snapshot_process(snapshot)->pid, 7);
    ck_assert_uint_eq(alloctrace_snapshot_process(snapshot)->word_bits, 32);
    ck_assert_uint_eq(alloctrace_snapshot_process(snapshot)->n_processes, 3);
    ck_assert_uint_eq(alloctrace_snapshot_traceback_limit(snapshot), 1);
    /* The path was kept whole, and is shown as far as the limit lets it. */
    ck_assert_str_eq(groups(snapshot, ALLOCTRACE_BY_TRACEBACK), "b.c:2 5/1");
    ck_assert_uint_eq(total_nframe(snapshot, 2), 2);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* Figures wrap around; as numbers without a sign they are right. */
START_TEST(sizes_over_2_63_are_kept)
{
    static const struct vector vectors[] = {{"a.c:1", UINT64_MAX - 4, 0, 0, 1},
                                            {"a.c:1", 3, 0, 0, 1},
                                            {NULL, 0, 0, 0, 0}};
    alloctrace_snapshot *snapshot = vectors_snapshot(vectors);

    ck_assert_uint_eq(
        (uint64_t)alloctrace_snapshot_trace(snapshot, 0)->live_bytes,
        UINT64_MAX - 1);
    ck_assert_uint_eq(alloctrace_snapshot_summary(snapshot)->live_bytes,
                      UINT64_MAX - 1);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(a_path_of_a_million_frames)
{
    enum { N = 1000000 };
    struct alloctrace_frame *frames = calloc(N, sizeof *frames);
    alloctrace_builder *builder = builder_create();
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;

    ck_assert_ptr_nonnull(frames);
    for (uint32_t i = 0; i < N; i++)
        frames[i] = (struct alloctrace_frame){.file = "a.c", .line = i % 1000};
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(
            alloctrace_builder_add(builder, 0, 1, frames, N, N + 5), 0);
    snapshot = finish(builder);
    ck_assert_uint_eq(alloctrace_snapshot_traceback_count(snapshot), N);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, N, &traceback), 0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), N);
    ck_assert_uint_eq(alloctrace_traceback_total_nframe(traceback), N + 5);
    for (uint32_t i = 0; i < N; i += 999)
        ck_assert_uint_eq(
            alloctrace_traceback_frame(traceback, -1 - (ptrdiff_t)i)->line,
            frames[i].line);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
    free(frames);
}
END_TEST

START_TEST(an_endless_chain_of_inlined_frames_is_refused)
{
    enum { N = 70000 };
    struct alloctrace_frame *frames = calloc(N, sizeof *frames);
    alloctrace_builder *builder = builder_create();

    ck_assert_ptr_nonnull(frames);
    for (uint32_t i = 0; i < N; i++)
        frames[i] = (struct alloctrace_frame){.file = "a.c", .is_inlined = 1};
    ck_assert_int_eq(alloctrace_builder_add(builder, 0, 1, frames, 65535, 0),
                     0);
    ck_assert_int_eq(alloctrace_builder_add(builder, 0, 1, frames, N, 0),
                     ALLOCTRACE_EBAD_ARGUMENT);
    alloctrace_builder_free(builder);
    free(frames);
}
END_TEST

START_TEST(a_million_traces)
{
    enum { N = 1000000 };
    alloctrace_builder *builder = builder_create();
    alloctrace_snapshot *snapshot;
    struct alloctrace_frame frames[2] = {{.file = "a.c"}, {.file = "b.c"}};

    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < N; i++) {
            frames[0].line = i % 1000;
            frames[1].line = i / 1000;
            ck_assert_int_eq(
                alloctrace_builder_add(builder, i % 3, i + 1, frames, 2, 0), 0);
        }
    snapshot = finish(builder);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot), N);
    for (uint32_t i = 0; i < N; i += 997) {
        const struct alloctrace_trace *trace =
            alloctrace_snapshot_trace(snapshot, i);

        ck_assert_int_eq(trace->live_blocks, 2);
        ck_assert_int_eq(trace->live_bytes, 2 * (int64_t)(i + 1));
        ck_assert_uint_eq(trace->domain, i % 3);
    }
    alloctrace_snapshot_free(snapshot);
}
END_TEST

CHECK_MAIN("builder", tracemallocs_traces_have_its_statistics,
           ties_are_broken_as_tracemalloc_does,
           what_differs_in_total_or_domain_is_one_group,
           a_total_is_not_handed_on_to_other_paths,
           a_total_below_the_frames_is_refused, no_frames_are_the_unknown_one,
           an_empty_builder_is_an_empty_snapshot,
           frames_come_out_as_they_were_given,
           frames_of_a_snapshot_can_be_added_again,
           equal_modules_threads_and_domains_stand_once,
           traces_have_all_their_figures, the_process_is_what_was_said,
           sizes_over_2_63_are_kept, a_path_of_a_million_frames,
           an_endless_chain_of_inlined_frames_is_refused, a_million_traces)
