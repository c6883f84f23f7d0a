/* SPDX-License-Identifier: MIT */
/*
 * Merging, case by case: what becomes of everything that snapshots say besides
 * the figures of their traces, which check_merge_random.c adds up.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"
#include "vectors.h"

static struct dumpfile dump;

/* Merges two snapshots, and frees them. */
static alloctrace_snapshot *merge(alloctrace_snapshot *a,
                                  alloctrace_snapshot *b)
{
    alloctrace_builder *builder;
    alloctrace_snapshot *merged;

    ck_assert_int_eq(alloctrace_builder_create(&builder), 0);
    ck_assert_int_eq(alloctrace_builder_add_snapshot(builder, a), 0);
    if (b)
        ck_assert_int_eq(alloctrace_builder_add_snapshot(builder, b), 0);
    ck_assert_int_eq(alloctrace_builder_finish(builder, &merged), 0);
    alloctrace_snapshot_free(a);
    alloctrace_snapshot_free(b);
    return merged;
}

/* ---- Processes ---- */

static alloctrace_snapshot *of_process(const struct alloctrace_process *process)
{
    alloctrace_builder *builder;
    alloctrace_snapshot *snapshot;

    ck_assert_int_eq(alloctrace_builder_create(&builder), 0);
    ck_assert_int_eq(alloctrace_builder_set_process(builder, process), 0);
    ck_assert_int_eq(alloctrace_builder_finish(builder, &snapshot), 0);
    return snapshot;
}

START_TEST(what_processes_have_in_common_is_kept)
{
    const struct alloctrace_process a = {.program = "kv",
                                         .host = "h1",
                                         .writer = "1",
                                         .reason = "exit",
                                         .start_ns = 50,
                                         .dump_ns = 90,
                                         .pid = 5,
                                         .word_bits = 64,
                                         .sequence = 1,
                                         .sample_bytes = 512,
                                         .n_processes = 1};
    const struct alloctrace_process b = {.program = "kv",
                                         .host = "h2",
                                         .writer = "1",
                                         .reason = "exit",
                                         .start_ns = 40,
                                         .dump_ns = 80,
                                         .pid = 6,
                                         .word_bits = 64,
                                         .sequence = 1,
                                         .sample_bytes = 4096,
                                         .n_processes = 3};
    alloctrace_snapshot *merged = merge(of_process(&a), of_process(&b));
    const struct alloctrace_process *process =
        alloctrace_snapshot_process(merged);

    ck_assert_str_eq(process->program, "kv");
    ck_assert_str_eq(process->host, "");
    ck_assert_str_eq(process->writer, "1");
    ck_assert_uint_eq(process->start_ns, 40);
    ck_assert_uint_eq(process->dump_ns, 90);
    ck_assert_uint_eq(process->pid, 0);
    ck_assert_uint_eq(process->word_bits, 64);
    ck_assert_uint_eq(process->sequence, 1);
    ck_assert_uint_eq(process->sample_bytes, 4096);
    ck_assert_uint_eq(process->n_processes, 4);
    alloctrace_snapshot_free(merged);
}
END_TEST

START_TEST(words_of_32_and_64_bits_are_mixed)
{
    const struct alloctrace_process a = {.word_bits = 32};
    const struct alloctrace_process b = {.word_bits = 64};
    alloctrace_snapshot *merged = merge(of_process(&a), of_process(&b));

    ck_assert_uint_eq(alloctrace_snapshot_process(merged)->word_bits, 0);
    alloctrace_snapshot_free(merged);
}
END_TEST

START_TEST(the_limit_is_the_largest_and_none_if_one_has_none)
{
    static const uint32_t cases[][3] = {
        {2, 5, 5}, {5, 2, 5}, {0, 5, 0}, {5, 0, 0}, {0, 0, 0}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct alloctrace_process a = {.traceback_limit = cases[i][0]};
        const struct alloctrace_process b = {.traceback_limit = cases[i][1]};
        alloctrace_snapshot *merged = merge(of_process(&a), of_process(&b));

        ck_assert_uint_eq(alloctrace_snapshot_traceback_limit(merged),
                          cases[i][2]);
        alloctrace_snapshot_free(merged);
    }
}
END_TEST

START_TEST(what_is_said_of_the_process_counts)
{
    const struct alloctrace_process said = {.program = "all", .pid = 9};
    const struct alloctrace_process found = {
        .program = "kv", .pid = 5, .n_processes = 2};
    alloctrace_snapshot *snapshot = of_process(&found);
    alloctrace_builder *builder;
    alloctrace_snapshot *merged;

    ck_assert_int_eq(alloctrace_builder_create(&builder), 0);
    ck_assert_int_eq(alloctrace_builder_set_process(builder, &said), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(alloctrace_builder_add_snapshot(builder, snapshot), 0);
    ck_assert_int_eq(alloctrace_builder_finish(builder, &merged), 0);
    ck_assert_str_eq(alloctrace_snapshot_process(merged)->program, "all");
    ck_assert_uint_eq(alloctrace_snapshot_process(merged)->pid, 9);
    ck_assert_uint_eq(alloctrace_snapshot_process(merged)->n_processes, 4);
    alloctrace_snapshot_free(snapshot);
    alloctrace_snapshot_free(merged);
}
END_TEST

static alloctrace_snapshot *with_arguments(const char *first,
                                           const char *second)
{
    dumpfile_init(&dump);
    dumpfile_argument(&dump, first);
    if (second)
        dumpfile_argument(&dump, second);
    for (uint64_t i = 0; i < 14; i++)
        dump.summary[i] = i + 1;
    return dumpfile_load(&dump);
}

START_TEST(arguments_are_kept_if_all_are_equal)
{
    alloctrace_snapshot *merged =
        merge(with_arguments("kv", "-p"), with_arguments("kv", "-p"));

    ck_assert_uint_eq(alloctrace_snapshot_argument_count(merged), 2);
    ck_assert_str_eq(alloctrace_snapshot_argument(merged, 1), "-p");
    merged = merge(merged, with_arguments("kv", NULL));
    ck_assert_uint_eq(alloctrace_snapshot_argument_count(merged), 0);
    merged = merge(merged, with_arguments("kv", "-p"));
    ck_assert_uint_eq(alloctrace_snapshot_argument_count(merged), 0);
    alloctrace_snapshot_free(merged);
}
END_TEST

START_TEST(figures_of_the_whole_programs_are_added_up)
{
    alloctrace_snapshot *merged =
        merge(with_arguments("kv", NULL), with_arguments("kv", NULL));
    const struct alloctrace_summary *summary =
        alloctrace_snapshot_summary(merged);
    uint64_t figures[14];

    ck_assert_uint_eq(sizeof figures, sizeof *summary);
    memcpy(figures, summary, sizeof figures);
    for (uint64_t i = 0; i < 14; i++)
        ck_assert_uint_eq(figures[i], 2 * (i + 1));
    alloctrace_snapshot_free(merged);
}
END_TEST

static alloctrace_snapshot *with_attributes(const char *const *pairs)
{
    alloctrace_snapshot *snapshot = vectors_snapshot(vectors_a);

    for (; *pairs; pairs += 2)
        ck_assert_int_eq(
            alloctrace_snapshot_set_attribute(snapshot, pairs[0], pairs[1]), 0);
    return snapshot;
}

START_TEST(attributes_are_kept_where_all_have_the_same)
{
    static const char *const a[] = {"z", "1",     "only", "1", "same",
                                    "2", "other", "3",    NULL};
    static const char *const b[] = {"same", "2", "other", "4", "new",
                                    "5",    "z", "1",     NULL};
    alloctrace_snapshot *merged = merge(with_attributes(a), with_attributes(b));

    ck_assert_uint_eq(alloctrace_snapshot_attribute_count(merged), 2);
    ck_assert_str_eq(alloctrace_snapshot_attribute(merged, 0)->key, "z");
    ck_assert_str_eq(alloctrace_snapshot_get_attribute(merged, "same"), "2");
    alloctrace_snapshot_free(merged);
    merged = merge(with_attributes(a), NULL);
    ck_assert_uint_eq(alloctrace_snapshot_attribute_count(merged), 4);
    alloctrace_snapshot_free(merged);
}
END_TEST

/* ---- Threads, modules and domains ---- */

START_TEST(threads_of_one_name_are_one)
{
    alloctrace_snapshot *snapshots[2];
    alloctrace_snapshot *merged;

    for (uint32_t i = 0; i < 2; i++) {
        dumpfile_init(&dump);
        dumpfile_thread(&dump, 10 + i, "main");
        dumpfile_thread(&dump, 5, "io");
        snapshots[i] = dumpfile_load(&dump);
    }
    merged = merge(snapshots[0], snapshots[1]);
    ck_assert_uint_eq(alloctrace_snapshot_thread_count(merged), 2);
    ck_assert_str_eq(alloctrace_snapshot_thread(merged, 1)->name, "main");
    ck_assert_uint_eq(alloctrace_snapshot_thread(merged, 1)->tid, 0);
    ck_assert_uint_eq(alloctrace_snapshot_thread(merged, 2)->tid, 5);
    alloctrace_snapshot_free(merged);
}
END_TEST

/* A library that is somewhere else in each process. */
static alloctrace_snapshot *with_library(uint64_t bias, const char *build_id)
{
    uint32_t module;

    dumpfile_init(&dump);
    module =
        dumpfile_module(&dump, "/lib/a.so", build_id, bias, bias + 0x100, bias);
    dumpfile_trace(
        &dump,
        dumpfile_traceback(
            &dump, 0,
            dumpfile_frame(&dump, (struct dumpframe){.address = bias + 0x40,
                                                     .module = module})),
        0, 0, 1, 8);
    return dumpfile_load(&dump);
}

static size_t name_it(void *data, const struct alloctrace_module *module,
                      uint64_t address, struct alloctrace_symbol *symbols)
{
    *(uint64_t *)data = address;
    ck_assert_uint_eq(module->bias, 0x1000);
    symbols[0] = (struct alloctrace_symbol){"a.c", "f", 1, 0};
    symbols[1] = (struct alloctrace_symbol){"b.c", "g", 2, 0};
    return 2;
}

START_TEST(addresses_move_with_their_library)
{
    alloctrace_snapshot *merged =
        merge(with_library(0x1000, "c0de"), with_library(0x7000, "c0de"));
    alloctrace_traceback *traceback;
    uint64_t asked = 0;

    ck_assert_uint_eq(alloctrace_snapshot_module_count(merged), 1);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 1);
    ck_assert_int_eq(alloctrace_snapshot_trace(merged, 0)->live_blocks, 2);
    ck_assert_int_eq(alloctrace_snapshot_traceback(merged, 1, &traceback), 0);
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, 0)->file,
                     "[a.so+0x40]");
    alloctrace_traceback_free(traceback);
    ck_assert_int_eq(alloctrace_snapshot_resolve(merged, name_it, &asked), 0);
    ck_assert_uint_eq(asked, 0x3f);
    /* What was resolved can be merged, too. */
    merged = merge(merged, NULL);
    ck_assert_int_eq(alloctrace_snapshot_traceback(merged, 1, &traceback), 0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 2);
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, 0)->file, "b.c");
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, 1)->function, "f");
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(merged);
}
END_TEST

START_TEST(builds_of_a_library_are_told_apart)
{
    alloctrace_snapshot *merged =
        merge(with_library(0x1000, "c0de"), with_library(0x1000, "f00d"));

    ck_assert_uint_eq(alloctrace_snapshot_module_count(merged), 2);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 2);
    alloctrace_snapshot_free(merged);
}
END_TEST

static alloctrace_snapshot *with_domain(uint32_t domain, const char *name)
{
    dumpfile_init(&dump);
    if (name)
        dumpfile_domain(&dump, domain, name);
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:1"), 0, domain, 1, 8);
    return dumpfile_load(&dump);
}

/* The number of the trace at `index`. */
static uint32_t domain_of(const alloctrace_snapshot *snapshot, size_t index)
{
    return alloctrace_snapshot_trace(snapshot, index)->domain;
}

START_TEST(domains_of_the_runtime_are_merged_by_name)
{
    alloctrace_snapshot *merged =
        merge(with_domain(0x80000003, "pool"), with_domain(0x80000005, "pool"));

    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 1);
    ck_assert_uint_eq(domain_of(merged, 0), 0x80000003); /* as it was first */
    merged = merge(merged, with_domain(0x80000003, "slab"));
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 2);
    ck_assert_str_eq(
        alloctrace_snapshot_domain_name(merged, domain_of(merged, 0)), "pool");
    ck_assert_str_eq(
        alloctrace_snapshot_domain_name(merged, domain_of(merged, 1)), "slab");
    ck_assert_uint_ge(domain_of(merged, 1), 0x80000000);
    alloctrace_snapshot_free(merged);
}
END_TEST

START_TEST(domains_of_the_program_are_merged_by_number)
{
    alloctrace_snapshot *merged =
        merge(with_domain(7, NULL), with_domain(7, NULL));

    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 1);
    ck_assert_uint_eq(domain_of(merged, 0), 7);
    merged = merge(merged, with_domain(7, "pool"));
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 1);
    ck_assert_str_eq(alloctrace_snapshot_domain_name(merged, 7), "pool");
    alloctrace_snapshot_free(merged);
}
END_TEST

/* Files of a time when domains had no names. */
START_TEST(a_nameless_domain_is_not_taken_for_a_named_one)
{
    alloctrace_snapshot *merged =
        merge(with_domain(0x80000000, "pool"), with_domain(0x80000000, NULL));

    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 2);
    ck_assert_uint_ne(domain_of(merged, 0), domain_of(merged, 1));
    ck_assert_str_eq(
        alloctrace_snapshot_domain_name(merged, domain_of(merged, 1)), "");
    alloctrace_snapshot_free(merged);
    merged =
        merge(with_domain(0x80000000, NULL), with_domain(0x80000000, "pool"));
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 2);
    ck_assert_uint_eq(domain_of(merged, 0), 0x80000000);
    ck_assert_str_eq(
        alloctrace_snapshot_domain_name(merged, domain_of(merged, 1)), "pool");
    alloctrace_snapshot_free(merged);
}
END_TEST

/* ---- Paths ---- */

START_TEST(what_was_left_out_is_that_of_the_longest)
{
    static const struct vector a[] = {{"b.c:2 a.c:1", 1, 9, 0, 1},
                                      {NULL, 0, 0, 0, 0}};
    static const struct vector b[] = {{"b.c:2 a.c:1", 1, 4, 0, 1},
                                      {"b.c:2 a.c:1", 1, 0, 0, 1},
                                      {NULL, 0, 0, 0, 0}};
    alloctrace_snapshot *merged =
        merge(vectors_snapshot(a), vectors_snapshot(b));

    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 1);
    ck_assert_int_eq(alloctrace_snapshot_trace(merged, 0)->live_blocks, 3);
    ck_assert_uint_eq(
        total_nframe(merged, alloctrace_snapshot_trace(merged, 0)->traceback),
        9);
    alloctrace_snapshot_free(merged);
}
END_TEST

START_TEST(an_unknown_path_is_none)
{
    alloctrace_snapshot *merged;

    dumpfile_init(&dump);
    dumpfile_trace(&dump,
                   dumpfile_traceback(
                       &dump, 0, dumpfile_frame(&dump, (struct dumpframe){0})),
                   0, 0, 1, 8);
    dumpfile_trace(&dump, 0, 0, 0, 1, 8);
    merged = merge(dumpfile_load(&dump), NULL);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 1);
    ck_assert_uint_eq(alloctrace_snapshot_trace(merged, 0)->traceback, 0);
    alloctrace_snapshot_free(merged);
}
END_TEST

/* An unknown frame that something was inlined into is one nevertheless. */
START_TEST(no_frame_is_lost)
{
    const struct dumpframe inner = {.file = "a.c", .line = 1, .caller = 1};
    alloctrace_snapshot *merged;
    uint32_t traceback;

    dumpfile_init(&dump);
    dumpfile_frame(&dump, (struct dumpframe){0});
    traceback = dumpfile_traceback(&dump, 0, 1);
    traceback =
        dumpfile_traceback(&dump, traceback, dumpfile_frame(&dump, inner));
    dumpfile_trace(&dump, traceback, 0, 0, 1, 8);
    merged = merge(dumpfile_load(&dump), NULL);
    ck_assert_uint_eq(
        total_nframe(merged, alloctrace_snapshot_trace(merged, 0)->traceback),
        3);
    alloctrace_snapshot_free(merged);
}
END_TEST

START_TEST(what_no_trace_refers_to_is_left_behind)
{
    alloctrace_snapshot *merged;

    dumpfile_init(&dump);
    dumpfile_path(&dump, "c.c:3 b.c:2 a.c:1");
    dumpfile_trace(&dump, dumpfile_path(&dump, "e.c:2 d.c:1"), 0, 0, 1, 8);
    merged = merge(dumpfile_load(&dump), NULL);
    ck_assert_uint_eq(alloctrace_snapshot_traceback_count(merged), 2);
    alloctrace_snapshot_free(merged);
}
END_TEST

START_TEST(of_a_folded_snapshot_the_whole_paths_are_merged)
{
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *folded;
    alloctrace_snapshot *merged;
    uint32_t traceback;

    dumpfile_init(&dump);
    traceback = dumpfile_path(&dump, "main.c:1");
    traceback = dumpfile_traceback(
        &dump, traceback,
        dumpfile_frame(&dump, (struct dumpframe){.file = "x.c",
                                                 .function = "xmalloc",
                                                 .line = 5,
                                                 .kind = 1,
                                                 .flags = 2}));
    dumpfile_trace(&dump, traceback, 0, 0, 1, 8);
    snapshot = dumpfile_load(&dump);
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(snapshot, &folded), 0);
    ck_assert_uint_eq(alloctrace_snapshot_wrapper_count(folded), 1);
    alloctrace_snapshot_free(snapshot);
    merged = merge(folded, NULL);
    ck_assert_uint_eq(
        total_nframe(merged, alloctrace_snapshot_trace(merged, 0)->traceback),
        2);
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(merged, &folded), 0);
    ck_assert_uint_eq(alloctrace_snapshot_wrapper_count(folded), 1);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(merged);
}
END_TEST

/* ---- Details and blocks ---- */

static alloctrace_snapshot *with_details(int has_details)
{
    static const uint64_t figures[9] = {1, 8, 2, 1, 8, 4, 2, 3, 9};
    uint32_t traceback;

    dumpfile_init(&dump);
    traceback = dumpfile_path(&dump, "a.c:1");
    dumpfile_trace(&dump, traceback, 0, 0, 2, 12);
    dump.has_details = has_details;
    if (has_details)
        dumpfile_detail(&dump, traceback, 0, 0, figures);
    return dumpfile_load(&dump);
}

START_TEST(details_are_kept_if_all_have_them)
{
    alloctrace_snapshot *merged = merge(with_details(1), with_details(1));
    struct alloctrace_detail *detail;

    ck_assert_int_eq(alloctrace_snapshot_has_details(merged), 1);
    ck_assert_int_eq(alloctrace_snapshot_detail_sum(merged, &detail), 0);
    ck_assert_uint_eq(detail->temporary_bytes, 16);
    ck_assert_uint_eq(detail->largest, 9);
    alloctrace_detail_free(detail);
    merged = merge(merged, with_details(0));
    ck_assert_int_eq(alloctrace_snapshot_has_details(merged), 0);
    merged = merge(merged, with_details(1));
    ck_assert_int_eq(alloctrace_snapshot_has_details(merged), 0);
    ck_assert_int_eq(alloctrace_snapshot_trace(merged, 0)->live_blocks, 8);
    alloctrace_snapshot_free(merged);
}
END_TEST

START_TEST(blocks_by_hand_have_no_details)
{
    alloctrace_snapshot *snapshot = with_details(1);
    alloctrace_builder *builder;
    alloctrace_snapshot *merged;

    ck_assert_int_eq(alloctrace_builder_create(&builder), 0);
    ck_assert_int_eq(alloctrace_builder_add_snapshot(builder, snapshot), 0);
    vector_add(builder, 0, 8, "a.c:1", 0);
    ck_assert_int_eq(alloctrace_builder_finish(builder, &merged), 0);
    ck_assert_int_eq(alloctrace_snapshot_has_details(merged), 0);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 1);
    ck_assert_int_eq(alloctrace_snapshot_trace(merged, 0)->live_blocks, 3);
    alloctrace_snapshot_free(snapshot);
    alloctrace_snapshot_free(merged);
}
END_TEST

static alloctrace_snapshot *with_blocks(void)
{
    uint32_t traceback;

    dumpfile_init(&dump);
    traceback = dumpfile_path(&dump, "a.c:1");
    dumpfile_path(&dump, "b.c:1"); /* no trace has it */
    traceback = dumpfile_path(&dump, "c.c:1");
    dumpfile_trace(&dump, traceback, 0, 5, 1, 8);
    dumpfile_block(&dump, 0x1234, 8, traceback, 5);
    return dumpfile_load(&dump);
}

START_TEST(single_blocks_are_kept_of_one_process_only)
{
    alloctrace_snapshot *merged = merge(with_blocks(), NULL);
    const struct alloctrace_block *block;

    ck_assert_uint_eq(alloctrace_snapshot_block_count(merged), 1);
    block = alloctrace_snapshot_block(merged, 0);
    ck_assert_uint_eq(block->address, 0x1234);
    ck_assert_uint_eq(block->traceback,
                      alloctrace_snapshot_trace(merged, 0)->traceback);
    ck_assert_uint_eq(block->domain, 5);
    merged = merge(merged, with_blocks());
    ck_assert_uint_eq(alloctrace_snapshot_block_count(merged), 0);
    merged = merge(merged, NULL);
    ck_assert_uint_eq(alloctrace_snapshot_process(merged)->n_processes, 2);
    ck_assert_uint_eq(alloctrace_snapshot_block_count(merged), 0);
    alloctrace_snapshot_free(merged);
}
END_TEST

/* ---- Files ---- */

START_TEST(the_file_that_failed_is_named)
{
    char folder[] = "/tmp/check_merge.XXXXXX";
    char good[64];
    char output[64];
    const char *const paths[] = {good, "/nothing/here"};
    alloctrace_snapshot *snapshot = vectors_snapshot(vectors_a);
    const struct alloctrace_merge_options too_small = {.size = 1};
    struct alloctrace_error error;
    const char *path;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(good, sizeof good, "%s/good", folder);
    snprintf(output, sizeof output, "%s/output", folder);
    ck_assert_int_eq(alloctrace_snapshot_dump(snapshot, good, NULL), 0);
    ck_assert_int_eq(alloctrace_merge(paths, 2, output, NULL, &path, &error),
                     ALLOCTRACE_EIO);
    ck_assert_ptr_eq(path, paths[1]);
    ck_assert_ptr_nonnull(strstr(error.message, "No such file"));
    ck_assert_int_eq(
        alloctrace_merge(paths, 1, "/nothing/there", NULL, &path, &error),
        ALLOCTRACE_EIO);
    ck_assert_str_eq(path, "/nothing/there");
    ck_assert_int_eq(alloctrace_merge(paths, 2, output, NULL, NULL, NULL),
                     ALLOCTRACE_EIO);
    ck_assert_int_eq(alloctrace_merge(paths, 0, output, NULL, &path, &error),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(
        alloctrace_merge(paths, 1, output, &too_small, &path, &error),
        ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_ne(access(output, F_OK), 0);
    ck_assert_int_eq(alloctrace_merge(paths, 1, output, NULL, &path, &error),
                     0);
    ck_assert_ptr_null(path);
    unlink(output);
    unlink(good);
    ck_assert_int_eq(rmdir(folder), 0);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(temporary_files_stand_where_they_are_wanted)
{
    char folder[] = "/tmp/check_merge.XXXXXX";
    char input[64];
    const char *const paths[] = {input};
    struct alloctrace_merge_options options = {
        .size = sizeof options, .max_memory = 1, .folder = "/nothing/here"};
    alloctrace_snapshot *snapshot = vectors_snapshot(vectors_a);
    struct alloctrace_error error;
    const char *path = input;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(input, sizeof input, "%s/input", folder);
    ck_assert_int_eq(alloctrace_snapshot_dump(snapshot, input, NULL), 0);
    ck_assert_int_eq(
        alloctrace_merge(paths, 1, "/dev/null", &options, &path, &error),
        ALLOCTRACE_EIO);
    ck_assert_ptr_null(path);
    ck_assert_str_eq(error.message, "cannot keep a temporary file in "
                                    "/nothing/here: No such file or directory");
    /* There can be none in the output's folder: they go elsewhere. */
    ck_assert_int_eq(dup2(open("/dev/null", O_WRONLY), 9), 9);
    options.folder = NULL;
    ck_assert_int_eq(
        alloctrace_merge(paths, 1, "/proc/self/fd/9", &options, &path, &error),
        0);
    unlink(input);
    ck_assert_int_eq(rmdir(folder), 0);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* A path of many frames, each with a trace, and many traces of one path. */
START_TEST(deep_and_wide_files_are_merged)
{
    enum { DEPTH = 200000, N_DOMAINS = 200000 };
    char folder[] = "/tmp/check_merge.XXXXXX";
    char input[64];
    char output[64];
    const char *const paths[] = {input, input, input};
    const struct alloctrace_merge_options options = {.size = sizeof options,
                                                     .max_memory = 1};
    alloctrace_snapshot *snapshot;
    uint32_t traceback = 0;
    uint32_t frame;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(input, sizeof input, "%s/input", folder);
    snprintf(output, sizeof output, "%s/output", folder);
    dumpfile_init(&dump);
    frame = dumpfile_frame(&dump, (struct dumpframe){.file = "a.c"});
    for (uint32_t i = 0; i < DEPTH; i++) {
        traceback = dumpfile_traceback(&dump, traceback, frame);
        dumpfile_trace(&dump, traceback, 0, 0, 1, i);
    }
    for (uint32_t i = 1; i <= N_DOMAINS; i++)
        dumpfile_trace(&dump, traceback, 0, i * 7919, 1, i);
    snapshot = dumpfile_load(&dump);
    ck_assert_int_eq(alloctrace_snapshot_dump(snapshot, input, NULL), 0);
    alloctrace_snapshot_free(snapshot);
    ck_assert_int_eq(alloctrace_merge(paths, 3, output, &options, NULL, NULL),
                     0);
    ck_assert_int_eq(alloctrace_snapshot_load(output, &snapshot, NULL), 0);
    ck_assert_uint_eq(alloctrace_snapshot_traceback_count(snapshot), DEPTH);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot),
                      DEPTH + N_DOMAINS);
    for (uint32_t i = 0; i < DEPTH; i++) {
        const struct alloctrace_trace *trace =
            alloctrace_snapshot_trace(snapshot, i);

        ck_assert_uint_eq(trace->traceback, i + 1);
        ck_assert_int_eq(trace->live_bytes, 3 * (int64_t)i);
    }
    alloctrace_snapshot_free(snapshot);
    unlink(input);
    unlink(output);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

CHECK_MAIN(
    "merge", what_processes_have_in_common_is_kept,
    words_of_32_and_64_bits_are_mixed,
    the_limit_is_the_largest_and_none_if_one_has_none,
    what_is_said_of_the_process_counts, arguments_are_kept_if_all_are_equal,
    figures_of_the_whole_programs_are_added_up,
    attributes_are_kept_where_all_have_the_same, threads_of_one_name_are_one,
    addresses_move_with_their_library, builds_of_a_library_are_told_apart,
    domains_of_the_runtime_are_merged_by_name,
    domains_of_the_program_are_merged_by_number,
    a_nameless_domain_is_not_taken_for_a_named_one,
    what_was_left_out_is_that_of_the_longest, an_unknown_path_is_none,
    no_frame_is_lost, what_no_trace_refers_to_is_left_behind,
    of_a_folded_snapshot_the_whole_paths_are_merged,
    details_are_kept_if_all_have_them, blocks_by_hand_have_no_details,
    single_blocks_are_kept_of_one_process_only, the_file_that_failed_is_named,
    temporary_files_stand_where_they_are_wanted, deep_and_wide_files_are_merged)
