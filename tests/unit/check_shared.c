/* SPDX-License-Identifier: MIT */
/* Threads that use one snapshot at the same time: whoever only reads it needs
 * no lock, and each gets what one thread alone gets. The thread sanitizer looks
 * on. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"

enum { N_THREADS = 4, N_ROUNDS = 4, N_RESULTS = 64, TEXT = 128 };

static alloctrace_snapshot *snapshot, *old, *folded;

/* What each group of everything that is asked for says, added up. */
struct answers {
    size_t counts[N_RESULTS];
    uint64_t sums[N_RESULTS];
    int n;
};

static alloctrace_snapshot *load(uint32_t salt)
{
    struct dumpfile dump;
    uint32_t paths[300] = {0};

    dumpfile_init(&dump);
    dumpfile_thread(&dump, 1, "main");
    for (uint32_t i = 1; i < 300; i++) {
        char file[16];

        snprintf(file, sizeof file, "f%u.c", i * salt % 17);
        paths[i] = dumpfile_traceback(
            &dump, paths[i * 7 % i / 2],
            dumpfile_frame(
                &dump,
                (struct dumpframe){.file = file,
                                   .line = i * salt % 5,
                                   .function = i % 2 ? "f" : "g",
                                   .type = i % 3 ? "T" : NULL,
                                   .kind = ALLOCTRACE_FRAME_CALL,
                                   .flags = i % 4 ? 0
                                                  : ALLOCTRACE_FRAME_RETURNED}));
        dumpfile_trace(&dump, paths[i], i % 2, i % 5, 1, i);
    }
    return dumpfile_load(&dump);
}

/* Takes the statistics, too. */
static void answer_add(struct answers *answers,
                       alloctrace_statistics *statistics)
{
    const size_t n = alloctrace_statistics_count(statistics);
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        alloctrace_traceback *traceback;
        char text[TEXT];

        alloctrace_statistics_format(statistics, i, 0, text, sizeof text);
        for (const char *at = text; *at; at++)
            sum = sum * 31 + (unsigned char)*at;
        if (alloctrace_statistics_traceback(statistics, i, &traceback))
            abort();
        sum = sum * 31 + alloctrace_traceback_count(traceback);
        alloctrace_traceback_free(traceback);
    }
    alloctrace_statistics_free(statistics);
    answers->counts[answers->n] = n;
    answers->sums[answers->n++] = sum;
}

/* One thing, of a part of the snapshot, of all of it and against another. */
static void ask(struct answers *answers,
                const struct alloctrace_statistics_options *options)
{
    const struct alloctrace_filter filter = alloctrace_filter_make(1, "f1*.c");
    alloctrace_statistics *statistics;
    alloctrace_snapshot *part;

    if (alloctrace_snapshot_filter_traces(snapshot, &filter, 1, &part) ||
        alloctrace_snapshot_statistics(part, options, &statistics))
        abort();
    answer_add(answers, statistics);
    alloctrace_snapshot_free(part);
    if (alloctrace_snapshot_statistics(folded, options, &statistics))
        abort();
    answer_add(answers, statistics);
    if (alloctrace_snapshot_compare_to(snapshot, old, options, &statistics))
        abort();
    answer_add(answers, statistics);
    if (alloctrace_snapshot_compare_to(folded, old, options, &statistics))
        abort();
    answer_add(answers, statistics);
}

static void ask_all(struct answers *answers)
{
    struct alloctrace_statistics_options options = {.size = sizeof options};

    memset(answers, 0, sizeof *answers);
    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++) {
        options.group_by = by;
        options.cumulative = 0;
        ask(answers, &options);
        options.cumulative = 1;
        if (by < ALLOCTRACE_BY_TRACEBACK)
            ask(answers, &options);
    }
}

static void *run(void *data)
{
    struct answers *answers = data;

    for (int i = 0; i < N_ROUNDS; i++)
        ask_all(answers);
    return NULL;
}

START_TEST(threads_get_what_one_thread_gets)
{
    static struct answers answers[N_THREADS];
    static struct answers alone;
    pthread_t threads[N_THREADS];

    snapshot = load(1);
    old = load(3);
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(snapshot, &folded), 0);
    ask_all(&alone);
    ck_assert_int_eq(alone.n, 44);
    ck_assert_uint_gt(alone.counts[0], 3);
    for (int i = 0; i < N_THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run, &answers[i]),
                         0);
    for (int i = 0; i < N_THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < N_THREADS; i++)
        ck_assert_mem_eq(&answers[i], &alone, sizeof alone);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(old);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

CHECK_MAIN("shared", threads_get_what_one_thread_gets)
