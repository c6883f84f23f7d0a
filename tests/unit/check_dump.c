/* SPDX-License-Identifier: MIT */
/* Dumps, read by the loader, which checks that what a record refers to stands
 * before it. */
#define ALLOCTRACE_API /* the runtime's functions, not what stands in */
#include "alloctrace.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "paths.h"

#define FILE_NAME "check_dump.%d.tmp"

static alloctrace_snapshot *load(const char *path)
{
    alloctrace_snapshot *snapshot;
    struct alloctrace_error error;
    const int result = alloctrace_snapshot_load(path, &snapshot, &error);

    if (result)
        ck_abort_msg("%s", error.message);
    unlink(path);
    return snapshot;
}

/* An allocation whose path is the bits of `path`, which nobody had. */
static void allocate(unsigned path, unsigned depth)
{
    struct alloctrace_shadow_frame frame;

    if (depth == 0) {
        __alloctrace_free(__alloctrace_malloc(path % 100, site(2)));
        return;
    }
    push(&frame, path & 1);
    allocate(path / 2, depth - 1);
    pop(&frame);
}

static uint32_t is_over;
static uint32_t n_threads;

static void *make_paths(void *unused)
{
    const unsigned first =
        __atomic_fetch_add(&n_threads, 1, __ATOMIC_RELAXED) << 12;

    for (unsigned i = 0; !count_get(&is_over); i++)
        allocate(first + i % (1 << 12), 14);
    return unused;
}

START_TEST(dumps_are_whole_while_threads_find_new_paths)
{
    pthread_t threads[3];
    char path[64];
    size_t n_traces = 0;

    sprintf(path, FILE_NAME, (int)getpid());
    sites_announce();
    at_is_narrow = false;
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_paths, NULL),
                         0);
    /* Until the threads have been given the processor as well. */
    for (unsigned i = 0; i < 12 || n_traces <= 100; i++) {
        alloctrace_snapshot *snapshot;

        ck_assert_int_eq(alloctrace_dump(path), 0);
        snapshot = load(path);
        ck_assert_uint_ge(alloctrace_snapshot_trace_count(snapshot), n_traces);
        n_traces = alloctrace_snapshot_trace_count(snapshot);
        ck_assert_uint_eq(alloctrace_snapshot_process(snapshot)->sequence,
                          i + 1);
        alloctrace_snapshot_free(snapshot);
    }
    count_set(&is_over, 1);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

static uint32_t n_refused;

static void *dump_often(void *number)
{
    for (unsigned i = 0; i < 10; i++) {
        char path[64];

        sprintf(path, "check_dump.%d.%d.tmp", (int)getpid(),
                (int)(uintptr_t)number);
        if (alloctrace_dump(path))
            __atomic_fetch_add(&n_refused, 1, __ATOMIC_RELAXED);
        else
            alloctrace_snapshot_free(load(path));
    }
    return NULL;
}

START_TEST(each_thread_gets_a_dump_of_its_own)
{
    pthread_t threads[4];

    sites_announce();
    for (uintptr_t i = 0; i < 4; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, dump_often, (void *)i), 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(n_refused, 0);
}
END_TEST

START_TEST(a_dump_that_fails_leaves_the_earlier_one)
{
    alloctrace_snapshot *snapshot;
    char path[64];
    int saved;

    sprintf(path, FILE_NAME, (int)getpid());
    sites_announce();
    at_is_narrow = false;
    __alloctrace_malloc(10, site(1));
    ck_assert_int_eq(alloctrace_dump(path), 0);
    saved = dup(2);
    close(2); /* the line that says so */
    ck_assert_int_eq(alloctrace_dump("no/such/directory"), ALLOCTRACE_EIO);
    dup2(saved, 2);
    ck_assert_int_eq(alloctrace_dump("/dev/null"), 0);
    snapshot = load(path);
    ck_assert_uint_eq(alloctrace_snapshot_process(snapshot)->sequence, 1);
    ck_assert_uint_eq(alloctrace_snapshot_summary(snapshot)->live_blocks, 1);
    ck_assert_uint_eq(alloctrace_snapshot_block_count(snapshot), 1);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

CHECK_MAIN("dump", dumps_are_whole_while_threads_find_new_paths,
           each_thread_gets_a_dump_of_its_own,
           a_dump_that_fails_leaves_the_earlier_one)
