/* SPDX-License-Identifier: MIT */
/* Dumps without a name, to memory and to descriptors, and dumps of one block:
 * read by the loader, which checks them. */
#define ALLOCTRACE_API /* the runtime's functions, not what stands in */
#include "alloctrace.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "paths.h"

void __alloctrace_custom_alloc(void *, size_t, uint64_t, const char *, void *);
int __alloctrace_track(unsigned, const void *, size_t, uint64_t);

static alloctrace_snapshot *load(const void *bytes, size_t size)
{
    alloctrace_snapshot *snapshot;
    struct alloctrace_error error;

    if (alloctrace_snapshot_load_bytes(bytes, size, &snapshot, &error))
        ck_abort_msg("%s", error.message);
    return snapshot;
}

static alloctrace_snapshot *take(void)
{
    alloctrace_snapshot *snapshot;
    void *bytes;
    size_t size;

    ck_assert_int_eq(alloctrace_dump_memory(&bytes, &size), 0);
    snapshot = load(bytes, size);
    alloctrace_dump_memory_free(bytes, size);
    return snapshot;
}

/* Paths of their own: as many as there are numbers of `depth` bits. */
static void allocate(unsigned path, unsigned depth)
{
    struct alloctrace_shadow_frame frame;

    if (depth == 0) {
        __alloctrace_malloc(1, site(2));
        return;
    }
    push(&frame, path & 1);
    allocate(path / 2, depth - 1);
    pop(&frame);
}

START_TEST(a_dump_in_memory_is_that_of_a_file)
{
    alloctrace_snapshot *in_memory;
    alloctrace_snapshot *in_file;
    char path[64];

    sites_announce();
    for (unsigned i = 0; i < 1 << 12; i++)
        allocate(i, 12);
    sprintf(path, "check_extract.%d.tmp", (int)getpid());
    ck_assert_int_eq(alloctrace_dump(path), 0);
    in_memory = take();
    ck_assert_int_eq(alloctrace_snapshot_load(path, &in_file, NULL), 0);
    unlink(path);
    ck_assert_uint_ge(alloctrace_snapshot_trace_count(in_file), 1 << 12);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(in_memory),
                      alloctrace_snapshot_trace_count(in_file));
    for (size_t i = 0; i < alloctrace_snapshot_trace_count(in_file); i++)
        ck_assert_mem_eq(alloctrace_snapshot_trace(in_memory, i),
                         alloctrace_snapshot_trace(in_file, i),
                         sizeof(struct alloctrace_trace));
    ck_assert_str_eq(alloctrace_snapshot_process(in_memory)->reason,
                     "snapshot");
    alloctrace_snapshot_free(in_memory);
    alloctrace_snapshot_free(in_file);
}
END_TEST

START_TEST(only_dumps_with_names_are_numbered)
{
    alloctrace_snapshot *snapshot;
    const int null = open("/dev/null", O_WRONLY);
    char path[64];

    sites_announce();
    sprintf(path, "check_extract.%d.tmp", (int)getpid());
    alloctrace_snapshot_free(take());
    ck_assert_int_eq(alloctrace_dump_fd(null), 0);
    snapshot = take();
    ck_assert_uint_eq(alloctrace_snapshot_process(snapshot)->sequence, 0);
    alloctrace_snapshot_free(snapshot);
    ck_assert_int_eq(alloctrace_dump(path), 0);
    ck_assert_int_eq(alloctrace_snapshot_load(path, &snapshot, NULL), 0);
    unlink(path);
    ck_assert_uint_eq(alloctrace_snapshot_process(snapshot)->sequence, 1);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

static uint32_t is_over;

static void *make_paths(void *unused)
{
    for (unsigned i = 0; !count_get(&is_over); i++)
        allocate(i, 14);
    return unused;
}

START_TEST(dumps_in_memory_are_whole_while_threads_find_new_paths)
{
    pthread_t threads[3];
    size_t n_traces = 0;

    sites_announce();
    at_is_narrow = false;
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_paths, NULL),
                         0);
    for (unsigned i = 0; i < 12 || n_traces <= 100; i++) {
        alloctrace_snapshot *const snapshot = take();

        ck_assert_uint_ge(alloctrace_snapshot_trace_count(snapshot), n_traces);
        n_traces = alloctrace_snapshot_trace_count(snapshot);
        alloctrace_snapshot_free(snapshot);
    }
    count_set(&is_over, 1);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

/* Reads all that comes, slowly at first. */
static void *read_all(void *fd)
{
    static char bytes[4 << 20];
    size_t used = 0;
    ssize_t n;

    usleep(50000);
    while ((n = read(*(int *)fd, bytes + used, sizeof bytes - used)) > 0)
        used += (size_t)n;
    return load(bytes, used);
}

START_TEST(a_descriptor_that_does_not_wait_is_waited_for)
{
    static const int kinds[] = {SOCK_STREAM, 0};

    sites_announce();
    for (unsigned i = 0; i < 1 << 12; i++)
        allocate(i, 12); /* more than a pipe holds */
    for (unsigned i = 0; i < 2; i++) {
        pthread_t reader;
        void *snapshot;
        int ends[2];

        ck_assert_int_eq(kinds[i] ? socketpair(AF_UNIX, kinds[i], 0, ends)
                                  : pipe(ends),
                         0);
        ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
        pthread_create(&reader, NULL, read_all, &ends[0]);
        ck_assert_int_eq(alloctrace_dump_fd(ends[1]), 0);
        close(ends[1]);
        pthread_join(reader, &snapshot);
        ck_assert_uint_ge(alloctrace_snapshot_trace_count(snapshot), 1 << 12);
        alloctrace_snapshot_free(snapshot);
        close(ends[0]);
    }
}
END_TEST

START_TEST(a_reader_who_is_gone_is_an_error_and_no_signal)
{
    int ends[2];

    sites_announce();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    close(ends[0]);
    errno = 0;
    ck_assert_int_eq(alloctrace_dump_fd(ends[1]), ALLOCTRACE_EIO);
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_int_eq(alloctrace_dump_fd(-1), ALLOCTRACE_EIO);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* The dump of one block, or NULL if it is not known. */
static alloctrace_snapshot *extract(unsigned domain, const void *block)
{
    alloctrace_snapshot *snapshot;
    void *bytes;
    size_t size;
    const int result = alloctrace_dump_block(domain, block, &bytes, &size);

    if (result == ALLOCTRACE_EUNKNOWN_BLOCK)
        return NULL;
    ck_assert_int_eq(result, 0);
    snapshot = load(bytes, size);
    alloctrace_dump_memory_free(bytes, size);
    return snapshot;
}

/* Checks that all that is known is one block, and its lines, the most recent
 * first, 0 at the end. */
static void check_alone(alloctrace_snapshot *snapshot, uint32_t domain,
                        size_t size, const unsigned *lines)
{
    const struct alloctrace_trace *trace;
    alloctrace_traceback *traceback;

    ck_assert_ptr_nonnull(snapshot);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot), 1);
    trace = alloctrace_snapshot_trace(snapshot, 0);
    ck_assert_uint_eq(trace->domain, domain);
    ck_assert_int_eq(trace->live_blocks, 1);
    ck_assert_int_eq(trace->live_bytes, size);
    ck_assert_uint_eq(alloctrace_snapshot_summary(snapshot)->live_bytes, size);
    ck_assert_int_eq(
        alloctrace_snapshot_traceback(snapshot, trace->traceback, &traceback),
        0);
    for (ptrdiff_t i = 0; lines[i]; i++)
        ck_assert_uint_eq(alloctrace_traceback_frame(traceback, -1 - i)->line,
                          lines[i]);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}

#define LINES(...) ((const unsigned[]){__VA_ARGS__, 0})

START_TEST(a_block_has_its_whole_path)
{
    struct alloctrace_shadow_frame frames[2];
    void *block;

    /* Site 5 was inlined into 4, that into 3; site 1 into 0. */
    for (unsigned i = 5; i > 0; i = i == 5 ? 4 : i == 4 ? 1 : 0) {
        sites[i].caller = (alloctrace_offset)((char *)&sites[i - 1] -
                                              (char *)&sites[i].caller);
        sites[i - 1].kind = ALLOCTRACE_SITE_INLINED;
    }
    records_announce();
    push(&frames[0], 1);
    push(&frames[1], 7);
    block = __alloctrace_malloc(123, site(5));
    pop(&frames[1]);
    pop(&frames[0]);
    check_alone(extract(0, block), 0, 123, LINES(6, 5, 4, 8, 2, 1));
    __alloctrace_free(block);
    ck_assert_ptr_null(extract(0, block));
}
END_TEST

START_TEST(blocks_of_every_domain_are_found)
{
    char pool[64];
    alloctrace_snapshot *snapshot;
    uint32_t domain;

    sites_announce();
    __alloctrace_track(7, NULL, 5, site(0));
    __alloctrace_track(7, pool, 20, site(1));
    __alloctrace_track(8, pool, 30, site(2));
    __alloctrace_track(0, pool + 1, 0, site(3));
    __alloctrace_custom_alloc(pool, 40, site(4), "ponds", NULL);
    check_alone(extract(7, NULL), 7, 5, LINES(1));
    check_alone(extract(7, pool), 7, 20, LINES(2));
    check_alone(extract(8, pool), 8, 30, LINES(3));
    check_alone(extract(0, pool + 1), 0, 0, LINES(4));
    domain = domain_find("ponds");
    snapshot = extract(domain, pool);
    ck_assert_ptr_nonnull(snapshot);
    ck_assert_str_eq(alloctrace_snapshot_domain_name(snapshot, domain),
                     "ponds");
    check_alone(snapshot, domain, 40, LINES(5));
    ck_assert_ptr_null(extract(0, NULL));
    ck_assert_ptr_null(extract(0, pool));
    ck_assert_ptr_null(extract(8, NULL));
    ck_assert_ptr_null(extract(domain, pool + 1));
    alloctrace_untrack(8, pool);
    ck_assert_ptr_null(extract(8, pool));
}
END_TEST

START_TEST(a_path_of_many_strings_is_whole)
{
    struct alloctrace_shadow_frame frames[N_SITES];
    static char names[N_SITES][12];
    void *block;
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;

    records_announce();
    for (unsigned i = 0; i < N_SITES; i++) {
        sprintf(names[i], "f%u", i);
        sites[i].function =
            (alloctrace_offset)(names[i] - (char *)&sites[i].function);
    }
    /* Numbers that collide where few strings are remembered. */
    lock_take();
    for (unsigned i = 0; i < N_SITES * 256; i++) {
        char name[16];

        if (i % 256 == 0)
            string_intern(names[i / 256]);
        sprintf(name, "other %u", i);
        string_intern(i % 256 ? name : names[i / 256]);
    }
    lock_release();
    for (unsigned i = 0; i < N_SITES; i++)
        push(&frames[i], i);
    block = __alloctrace_malloc(9, site(0));
    for (unsigned i = N_SITES; i-- > 0;)
        pop(&frames[i]);
    snapshot = extract(0, block);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, N_SITES + 1,
                                                   &traceback),
                     0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), N_SITES + 1);
    for (unsigned i = 0; i < N_SITES; i++)
        ck_assert_str_eq(
            alloctrace_traceback_frame(traceback, (ptrdiff_t)i)->function,
            names[i]);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(a_forgotten_block_is_unknown)
{
    void *block;

    sites_announce();
    block = __alloctrace_malloc(10, site(0));
    __alloctrace_track(3, block, 10, site(0));
    ck_assert_int_eq(alloctrace_clear_traces(), 0);
    ck_assert_ptr_null(extract(0, block));
    ck_assert_ptr_null(extract(3, block));
}
END_TEST

START_TEST(what_cannot_be_done_says_why_and_keeps_errno)
{
    void *bytes = NULL;
    size_t size = 7;
    void *block;

    sites_announce();
    block = __alloctrace_malloc(10, site(0));
    errno = 4711;
    /* As from a handler on top of what a dump needs, and of the runtime. */
    lock_hold();
    ck_assert_int_eq(alloctrace_dump_memory(&bytes, &size), ALLOCTRACE_EBUSY);
    ck_assert_int_eq(alloctrace_dump_block(0, block, &bytes, &size),
                     ALLOCTRACE_EBUSY);
    lock_unhold();
    __alloctrace_thread.busy++;
    ck_assert_int_eq(alloctrace_dump_block(1, block, &bytes, &size),
                     ALLOCTRACE_EBUSY);
    ck_assert_int_eq(alloctrace_dump_block(0, block, &bytes, &size), 0);
    alloctrace_dump_memory_free(bytes, size);
    __alloctrace_thread.busy--;
    alloctrace_stop();
    bytes = NULL;
    ck_assert_int_eq(alloctrace_dump_memory(&bytes, &size),
                     ALLOCTRACE_ENOT_TRACING);
    ck_assert_int_eq(alloctrace_dump_block(0, block, &bytes, &size),
                     ALLOCTRACE_ENOT_TRACING);
    ck_assert_int_eq(alloctrace_dump_fd(1), ALLOCTRACE_ENOT_TRACING);
    ck_assert_ptr_null(bytes);
    alloctrace_dump_memory_free(NULL, 0);
    ck_assert_int_eq(errno, 4711);
}
END_TEST

/* Bytes of addresses that the process has. */
static size_t addresses(void)
{
    FILE *const file = fopen("/proc/self/statm", "r");
    size_t pages;

    ck_assert_int_eq(fscanf(file, "%zu", &pages), 1);
    fclose(file);
    return pages * (size_t)getpagesize();
}

START_TEST(nothing_is_kept_when_memory_is_short)
{
    struct rlimit limit;
    void *bytes;
    size_t size;
    size_t before;
    unsigned n_failed = 0;
    unsigned n_done = 0;

    sites_announce();
    for (unsigned i = 0; i < 1 << 13; i++)
        allocate(i, 13); /* more than the first pages hold */
    alloctrace_snapshot_free(take());
    before = addresses();
    getrlimit(RLIMIT_AS, &limit);
    for (size_t room = 0; room < 2 << 20; room += 64 << 10) {
        int result;

        limit.rlim_cur = before + room;
        ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
        result = alloctrace_dump_memory(&bytes, &size);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_AS, &limit);
        if (result == 0)
            alloctrace_dump_memory_free(bytes, size);
        else
            ck_assert_int_eq(result, ALLOCTRACE_ENO_MEMORY);
        n_done += result == 0;
        n_failed += result != 0;
        ck_assert_uint_eq(addresses(), before);
    }
    ck_assert_uint_gt(n_failed, 4); /* the first pages, and when they grow */
    ck_assert_uint_gt(n_done, 0);
}
END_TEST

CHECK_MAIN("extract", a_dump_in_memory_is_that_of_a_file,
           only_dumps_with_names_are_numbered,
           dumps_in_memory_are_whole_while_threads_find_new_paths,
           a_descriptor_that_does_not_wait_is_waited_for,
           a_reader_who_is_gone_is_an_error_and_no_signal,
           a_block_has_its_whole_path, blocks_of_every_domain_are_found,
           a_path_of_many_strings_is_whole, a_forgotten_block_is_unknown,
           what_cannot_be_done_says_why_and_keeps_errno,
           nothing_is_kept_when_memory_is_short)
