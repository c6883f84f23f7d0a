/* SPDX-License-Identifier: MIT */
/*
 * Dumps as streams: pipes of any size, files that become others while they are
 * read. What must not happen is a crash, or a snapshot that no file described.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "dumpfile.h"

static struct alloctrace_error error;
static char path[] = "/tmp/check_input.XXXXXX";
static int file; /* `path`, for changes */

/* ---- A system that does things at the wrong time ---- */

static int n_reads;           /* so far: pread */
static int act_at = -1;       /* before that one something is done: */
static void (*act)(void);
static size_t longest_read;   /* bytes at a time; 0 = as many as wanted */
static int failing_read = -1; /* that pread fails, for a disk does */

ssize_t __real_pread(int fd, void *bytes, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t offset)
{
    const int number = n_reads++;

    if (number == act_at)
        act();
    if (number == failing_read) {
        errno = EIO;
        return -1;
    }
    if (longest_read && size > longest_read)
        size = longest_read;
    return __real_pread(fd, bytes, size, offset);
}

ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
    static unsigned n;

    if (longest_read && n++ % 2) {
        errno = EINTR;
        return -1;
    }
    if (longest_read && size > longest_read)
        size = longest_read;
    return __real_read(fd, bytes, size);
}

/* ---- Files ---- */

/* `n` traces, of a KiB each with what belongs to them. */
static struct bytes make_file(uint32_t n)
{
    static char name[900];
    struct dumpfile dump;
    struct bytes bytes;

    memset(name, 'n', sizeof name - 1);
    dumpfile_init(&dump);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t frame;

        snprintf(name, sizeof name, "%06u", i);
        name[6] = 'n';
        frame = dumpfile_frame(&dump,
                               (struct dumpframe){.file = name, .line = i});
        dumpfile_trace(&dump, dumpfile_traceback(&dump, 0, frame), 0, 0, 1, i);
    }
    dumpfile_finish(&dump);
    bytes = dump.file;
    dump.file = (struct bytes){0};
    dumpfile_fini(&dump);
    return bytes;
}

static void file_write(const struct bytes *bytes)
{
    file = mkstemp(path);
    ck_assert_int_eq(write(file, bytes->data, bytes->size),
                     (ssize_t)bytes->size);
}

static void file_remove(void)
{
    close(file);
    unlink(path);
}

static int load(const char *name, alloctrace_snapshot **snapshot)
{
    *snapshot = NULL;
    memset(&error, 0, sizeof error);
    n_reads = 0;
    return alloctrace_snapshot_load(name, snapshot, &error);
}

static void is_loaded(const char *name, uint32_t n)
{
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;

    ck_assert_msg(!load(name, &snapshot), "%s", error.message);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot), n);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, n, &traceback),
                     0);
    ck_assert_int_eq(atoi(alloctrace_traceback_frame(traceback, 0)->file),
                     (int)n - 1);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}

/* ---- Pipes ---- */

/* What goes through a pipe. */
struct flow {
    const struct bytes *bytes;
    int to;
};

static void *flow_write(void *data)
{
    const struct flow *const flow = data;
    size_t done = 0;

    while (done < flow->bytes->size) {
        const ssize_t n =
            write(flow->to, flow->bytes->data + done, flow->bytes->size - done);

        if (n <= 0)
            break;
        done += (size_t)n;
    }
    close(flow->to);
    return NULL;
}

static pthread_t flow_begin(struct flow *flow, const struct bytes *bytes)
{
    pthread_t writer;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    *flow = (struct flow){bytes, ends[1]};
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    ck_assert_int_eq(pthread_create(&writer, NULL, flow_write, flow), 0);
    return writer;
}

/* 1 MiB is kept in memory, 20 MiB in a file without a name. */
START_TEST(pipes_of_any_size_are_read)
{
    static const uint32_t sizes[] = {1, 1000, 8000, 20000};

    for (size_t i = 0; i < 4; i++) {
        struct bytes bytes = make_file(sizes[i]);
        struct flow flow;
        pthread_t writer = flow_begin(&flow, &bytes);

        is_loaded("-", sizes[i]);
        pthread_join(writer, NULL);
        free(bytes.data);
    }
}
END_TEST

START_TEST(pipes_that_come_in_drops_are_read)
{
    struct bytes bytes = make_file(10000);
    struct flow flow;
    pthread_t writer;

    longest_read = 4099;
    writer = flow_begin(&flow, &bytes);
    is_loaded("-", 10000);
    pthread_join(writer, NULL);
    longest_read = 0;
    free(bytes.data);
}
END_TEST

START_TEST(a_big_pipe_without_room_for_it_is_an_error)
{
    struct bytes bytes = make_file(20000);
    alloctrace_snapshot *snapshot;
    struct flow flow;
    pthread_t writer;

    signal(SIGPIPE, SIG_IGN);
    setenv("TMPDIR", "/nonexistent", 1);
    writer = flow_begin(&flow, &bytes);
    ck_assert_int_eq(load("-", &snapshot), ALLOCTRACE_EIO);
    ck_assert_str_eq(error.message, "cannot make a temporary file for it: No "
                                    "such file or directory");
    ck_assert_ptr_null(snapshot);
    close(STDIN_FILENO);
    pthread_join(writer, NULL);
    free(bytes.data);
}
END_TEST

START_TEST(a_temporary_file_that_does_not_fit_is_an_error)
{
    const struct rlimit limit = {10 << 20, RLIM_INFINITY};
    struct bytes bytes = make_file(20000);
    alloctrace_snapshot *snapshot;
    struct flow flow;
    pthread_t writer;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    writer = flow_begin(&flow, &bytes);
    ck_assert_int_eq(load("-", &snapshot), ALLOCTRACE_EIO);
    ck_assert_str_eq(error.message,
                     "cannot put it into a temporary file: File too large");
    close(STDIN_FILENO);
    pthread_join(writer, NULL);
    free(bytes.data);
}
END_TEST

START_TEST(damage_in_a_big_pipe_is_found)
{
    struct bytes bytes = make_file(20000);
    alloctrace_snapshot *snapshot;
    struct flow flow;
    pthread_t writer;

    bytes.data[bytes.size / 2] ^= 1;
    writer = flow_begin(&flow, &bytes);
    ck_assert_int_eq(load("-", &snapshot), ALLOCTRACE_EBAD_FILE);
    ck_assert_str_eq(error.message, "damaged: its checksum is wrong");
    pthread_join(writer, NULL);
    free(bytes.data);
}
END_TEST

/* ---- Files ---- */

START_TEST(standard_input_is_read_from_where_it_stands)
{
    struct bytes bytes = make_file(500);
    struct bytes longer = {0};

    bytes_add(&longer, "before", 6);
    bytes_add(&longer, bytes.data, bytes.size);
    file_write(&longer);
    ck_assert_int_eq(lseek(file, 6, SEEK_SET), 6);
    dup2(file, STDIN_FILENO);
    is_loaded("-", 500);
    file_remove();
    free(bytes.data);
    free(longer.data);
}
END_TEST

START_TEST(short_reads_go_on)
{
    struct bytes bytes = make_file(500);

    file_write(&bytes);
    longest_read = 7;
    is_loaded(path, 500);
    file_remove();
    free(bytes.data);
}
END_TEST

/* 1 GiB of nothing that a newer writer may have put there, in a file with a
 * hole: only a part of it is in memory at a time. */
START_TEST(a_file_may_be_larger_than_memory)
{
    const struct rlimit limit = {256 << 20, 256 << 20};
    const uint64_t size = UINT64_C(64) << 20;
    struct bytes head = {0};
    struct bytes tail = {0};
    alloctrace_snapshot *snapshot;

    file_begin(&head, 1, 0);
    bytes_u32(&head, 12345);
    bytes_u32(&head, 1);
    bytes_u64(&head, 16 * size);
    file_record(&tail, 8, 1, (char[96]){0}, 96);
    file_record(&tail, 1, 1, (char[48]){0}, 48);
    file_end(&tail, 3);
    file_write(&head);
    ck_assert_int_ge(lseek(file, (off_t)(16 * size), SEEK_CUR), 0);
    ck_assert_int_eq(write(file, tail.data, tail.size), (ssize_t)tail.size);
#ifndef __SANITIZE_ADDRESS__
    setrlimit(RLIMIT_AS, &limit);
#else
    (void)limit;
#endif
    /* The sum that is there is of the tail alone. */
    ck_assert_int_eq(load(path, &snapshot), ALLOCTRACE_EBAD_FILE);
    ck_assert_str_eq(error.message, "damaged: its checksum is wrong");
    file_remove();
    free(head.data);
    free(tail.data);
}
END_TEST

/* ---- Files that change ---- */

static off_t cut_to;

static void cut(void)
{
    ck_assert_int_eq(ftruncate(file, cut_to), 0);
}

/* At each read, to a size before and behind it. */
START_TEST(a_file_that_becomes_shorter_is_an_error)
{
    struct bytes bytes = make_file(500);
    alloctrace_snapshot *snapshot;
    int n;

    file_write(&bytes);
    is_loaded(path, 500);
    n = n_reads;
    ck_assert_int_gt(n, 10);
    act = cut;
    for (act_at = 0; act_at < n; act_at++)
        for (cut_to = 0; cut_to < (off_t)bytes.size; cut_to += 70001) {
            const int result = load(path, &snapshot);

            if (result) {
                ck_assert_int_eq(result, ALLOCTRACE_EIO);
                ck_assert_str_eq(error.message,
                                 "it became shorter while it was read");
            } else { /* it had been read so far */
                ck_assert_int_ge(act_at, n / 2);
                ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot),
                                  500);
                alloctrace_snapshot_free(snapshot);
            }
            ck_assert_int_eq(pwrite(file, bytes.data, bytes.size, 0),
                             (ssize_t)bytes.size);
        }
    act_at = -1;
    file_remove();
    free(bytes.data);
}
END_TEST

static struct bytes instead;
static off_t instead_at;

static void change(void)
{
    ck_assert_int_eq(pwrite(file, instead.data, instead.size, instead_at),
                     (ssize_t)instead.size);
}

/* Bytes of each place set to others between the passes. The file that they
 * make has a wrong checksum, if nothing else. */
START_TEST(a_file_that_changes_between_the_passes_is_an_error)
{
    static const unsigned char values[] = {0x00, 0x01, 0x7f, 0xff};
    struct bytes bytes = make_file(3);
    alloctrace_snapshot *snapshot;

    file_write(&bytes);
    is_loaded(path, 3);
    act = change;
    act_at = n_reads / 2;
    for (size_t i = 0; i < bytes.size - 40; i++)
        for (size_t k = 0; k < sizeof values; k++) {
            unsigned char value = values[k];
            int result;

            if (bytes.data[i] == value)
                continue;
            instead = (struct bytes){&value, 1, 1};
            instead_at = (off_t)i;
            result = load(path, &snapshot);
            ck_assert_msg(result == ALLOCTRACE_EIO ||
                              result == ALLOCTRACE_EBAD_FILE ||
                              result == ALLOCTRACE_EBAD_VERSION,
                          "byte %zu", i);
            ck_assert_msg(*error.message != '\0', "byte %zu", i);
            ck_assert_ptr_null(snapshot);
            ck_assert_int_eq(pwrite(file, bytes.data, bytes.size, 0),
                             (ssize_t)bytes.size);
        }
    file_remove();
    free(bytes.data);
}
END_TEST

/* A sound file that has more of everything than there is room for. */
START_TEST(a_file_that_becomes_another_one_is_an_error)
{
    struct bytes bytes = make_file(40);
    struct bytes other = make_file(39);
    alloctrace_snapshot *snapshot;

    file_write(&other);
    is_loaded(path, 39);
    instead = bytes;
    instead_at = 0;
    act = change;
    act_at = n_reads / 2;
    ck_assert_int_eq(load(path, &snapshot), ALLOCTRACE_EIO);
    ck_assert_str_eq(error.message, "it changed while it was read");
    ck_assert_ptr_null(snapshot);
    file_remove();
    free(bytes.data);
    free(other.data);
}
END_TEST

START_TEST(a_disk_that_fails_is_an_error)
{
    struct bytes bytes = make_file(500);
    alloctrace_snapshot *snapshot;
    int n;

    file_write(&bytes);
    is_loaded(path, 500);
    n = n_reads;
    for (failing_read = 0; failing_read < n; failing_read++) {
        ck_assert_int_eq(load(path, &snapshot), ALLOCTRACE_EIO);
        ck_assert_str_eq(error.message, "cannot read it: Input/output error");
        ck_assert_ptr_null(snapshot);
    }
    failing_read = -1;
    file_remove();
    free(bytes.data);
}
END_TEST

CHECK_MAIN("input", pipes_of_any_size_are_read,
           pipes_that_come_in_drops_are_read,
           a_big_pipe_without_room_for_it_is_an_error,
           a_temporary_file_that_does_not_fit_is_an_error,
           damage_in_a_big_pipe_is_found,
           standard_input_is_read_from_where_it_stands, short_reads_go_on,
           a_file_may_be_larger_than_memory,
           a_file_that_becomes_shorter_is_an_error,
           a_file_that_changes_between_the_passes_is_an_error,
           a_file_that_becomes_another_one_is_an_error,
           a_disk_that_fails_is_an_error)
