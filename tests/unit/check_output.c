/* SPDX-License-Identifier: MIT */
/*
 * Where dumps are written to: whole files or none, whatever stands there.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "dumpfile.h"

static struct alloctrace_error error;
static alloctrace_snapshot *snapshot;
static char folder[] = "/tmp/check_output.XXXXXX";

/* ---- A system that fails ---- */

static int failing_sync;     /* errno of fsync; 0 = it works */
static int failing_rename;   /* likewise */
static size_t longest_write; /* bytes that are taken at a time, and every second
                                write is interrupted; 0 = as many as there are */
static int taken_names;      /* files that cannot be made, for they are there */

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    errno = failing_sync;
    return failing_sync ? -1 : __real_fsync(fd);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    errno = failing_rename;
    return failing_rename ? -1 : __real_rename(from, to);
}

ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
    static unsigned n_writes;

    if (!longest_write)
        return __real_write(fd, bytes, size);
    errno = EINTR;
    return n_writes++ % 2 ? __real_write(fd, bytes, size < longest_write
                                                        ? size
                                                        : longest_write)
                          : -1;
}

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
    if (flags & O_EXCL && taken_names > 0) {
        taken_names--;
        errno = EEXIST;
        return -1;
    }
    return __real_open(path, flags, mode);
}

/* ---- Tests' files ---- */

/* A snapshot that takes more than one write, and an empty folder to be in. */
static void begin(void)
{
    struct dumpfile file;

    dumpfile_init(&file);
    for (uint32_t i = 0; i < 2000; i++)
        dumpfile_trace(&file, dumpfile_path(&file, "b.c:2 a.c:1"), 0, 0, 1, i);
    dumpfile_finish(&file);
    ck_assert_int_eq(alloctrace_snapshot_load_bytes(
                         file.file.data, file.file.size, &snapshot, &error),
                     0);
    dumpfile_fini(&file);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

/* Removes what a test has made, and finds that there is nothing else. */
static void end(const char *const *names)
{
    for (; *names; names++)
        ck_assert_msg(remove(*names) == 0, "%s", *names);
    alloctrace_snapshot_free(snapshot);
    ck_assert_msg(rmdir(folder) == 0, "%s: %s", folder, strerror(errno));
}

#define END(...) end((const char *const[]){__VA_ARGS__, NULL})

static void dump(const char *path)
{
    ck_assert_msg(!alloctrace_snapshot_dump(snapshot, path, &error), "%s",
                  error.message);
}

static void refused(const char *path, const char *message)
{
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(alloctrace_snapshot_dump(snapshot, path, &error),
                     ALLOCTRACE_EIO);
    ck_assert_int_eq(error.code, ALLOCTRACE_EIO);
    ck_assert_str_eq(error.message, message);
    ck_assert(error.offset == ALLOCTRACE_NO_OFFSET);
    ck_assert_int_eq(alloctrace_snapshot_dump(snapshot, path, NULL),
                     ALLOCTRACE_EIO);
}

static void is_whole(const char *path)
{
    alloctrace_snapshot *loaded = NULL;

    ck_assert_msg(!alloctrace_snapshot_load(path, &loaded, &error), "%s",
                  error.message);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(loaded), 2000);
    alloctrace_snapshot_free(loaded);
}

static void write_text(const char *path, const char *text)
{
    FILE *const file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void is_text(const char *path, const char *text)
{
    char line[64] = "";
    FILE *const file = fopen(path, "r");

    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    fclose(file);
    ck_assert_str_eq(line, text);
}

/* ---- Regular files ---- */

START_TEST(a_file_gets_the_mode_that_the_umask_leaves)
{
    struct stat status;

    begin();
    umask(027);
    dump("a.dump");
    ck_assert_int_eq(stat("a.dump", &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0640);
    is_whole("a.dump");
    END("a.dump");
}
END_TEST

/* Who has the old one open keeps it whole. */
START_TEST(an_old_file_is_replaced_and_not_written_over)
{
    char text[8] = "";
    int fd;

    begin();
    write_text("a.dump", "old");
    fd = open("a.dump", O_RDONLY);
    dump("a.dump");
    is_whole("a.dump");
    ck_assert_int_eq(read(fd, text, sizeof text), 3);
    ck_assert_str_eq(text, "old");
    close(fd);
    END("a.dump");
}
END_TEST

START_TEST(names_may_be_as_long_as_the_system_allows)
{
    char name[256];

    begin();
    memset(name, 'n', 255);
    name[255] = '\0';
    dump(name);
    is_whole(name);
    END(name);
}
END_TEST

START_TEST(links_stay_links)
{
    struct stat status;

    begin();
    ck_assert_int_eq(mkdir("d", 0777), 0);
    write_text("d/real", "old");
    ck_assert_int_eq(symlink("real", "d/near"), 0);
    ck_assert_int_eq(symlink("d/near", "far"), 0);
    dump("far");
    is_whole("d/real");
    ck_assert_int_eq(lstat("far", &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    ck_assert_int_eq(lstat("d/near", &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    END("far", "d/near", "d/real", "d");
}
END_TEST

START_TEST(a_link_to_nothing_gets_its_file)
{
    char target[64];

    begin();
    snprintf(target, sizeof target, "%s/made", folder);
    ck_assert_int_eq(symlink(target, "link"), 0);
    dump("link");
    is_whole("made");
    END("link", "made");
}
END_TEST

START_TEST(links_in_a_circle_are_refused)
{
    begin();
    ck_assert_int_eq(symlink("b", "a"), 0);
    ck_assert_int_eq(symlink("a", "b"), 0);
    refused("a", "cannot create it: Too many levels of symbolic links");
    END("a", "b");
}
END_TEST

/* ---- Failures: nothing is left, and what was there stays ---- */

START_TEST(a_folder_is_not_written)
{
    begin();
    ck_assert_int_eq(mkdir("d", 0777), 0);
    refused("d", "cannot create it: Is a directory");
    refused("nowhere/a.dump", "cannot create it: No such file or directory");
    refused("", "cannot give it its name: No such file or directory");
    END("d");
}
END_TEST

/* Root may write anywhere, so that it must be somebody else. */
START_TEST(an_unwritable_folder_is_refused)
{
    begin();
    ck_assert_int_eq(chmod(".", 0555), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    refused("a.dump", "cannot create it: Permission denied");
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod(".", 0755), 0);
    end((const char *const[]){NULL});
}
END_TEST

/* As on a full disk: the system takes a part of it, and then no more. */
START_TEST(a_file_that_does_not_fit_vanishes)
{
    struct rlimit limit;

    begin();
    write_text("a.dump", "old");
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    for (rlim_t size = 0; size < 200000; size += 30000) {
        const struct rlimit low = {size, limit.rlim_max};

        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
        refused("a.dump", "cannot write it: File too large");
    }
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    is_text("a.dump", "old");
    END("a.dump");
}
END_TEST

START_TEST(a_disk_that_fails_late_is_an_error)
{
    begin();
    write_text("a.dump", "old");
    failing_sync = EIO;
    refused("a.dump", "cannot write it: Input/output error");
    failing_sync = EINVAL; /* this system has no disk */
    dump("a.dump");
    is_whole("a.dump");
    failing_sync = 0;
    failing_rename = EXDEV;
    refused("b.dump", "cannot give it its name: Invalid cross-device link");
    failing_rename = 0;
    END("a.dump");
}
END_TEST

/* The system may take less than it is given, or be interrupted. */
START_TEST(writes_that_are_cut_short_go_on)
{
    begin();
    longest_write = 1000;
    dump("a.dump");
    longest_write = 0;
    is_whole("a.dump");
    END("a.dump");
}
END_TEST

/* Somebody else's file of that name is left alone. */
START_TEST(a_temporary_name_that_is_taken_is_not_used)
{
    begin();
    taken_names = 3;
    dump("a.dump");
    is_whole("a.dump");
    taken_names = 1000;
    refused("b.dump", "cannot create it: File exists");
    taken_names = 0;
    END("a.dump");
}
END_TEST

/* ---- What is no regular file ---- */

START_TEST(devices_are_written_directly)
{
    struct stat before;
    struct stat after;

    begin();
    ck_assert_int_eq(stat("/dev/null", &before), 0);
    dump("/dev/null");
    ck_assert_int_eq(stat("/dev/null", &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    refused("/dev/full", "cannot write it: No space left on device");
    end((const char *const[]){NULL});
}
END_TEST

static void *fifo_read(void *name)
{
    is_whole(name);
    return NULL;
}

START_TEST(a_pipe_with_a_name_is_written_directly)
{
    char name[] = "fifo";
    struct stat status;
    pthread_t reader;

    begin();
    ck_assert_int_eq(mkfifo(name, 0600), 0);
    ck_assert_int_eq(pthread_create(&reader, NULL, fifo_read, name), 0);
    dump(name);
    pthread_join(reader, NULL);
    ck_assert_int_eq(stat(name, &status), 0);
    ck_assert(S_ISFIFO(status.st_mode));
    END(name);
}
END_TEST

/* The signal for it would end the program. */
START_TEST(a_pipe_that_nobody_reads_is_an_error)
{
    sigset_t before, after, pending;
    int ends[2];

    begin();
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    dup2(ends[1], STDOUT_FILENO);
    sigprocmask(SIG_SETMASK, NULL, &before);
    refused("-", "cannot write it: Broken pipe");
    sigprocmask(SIG_SETMASK, NULL, &after);
    sigpending(&pending);
    ck_assert_int_eq(sigismember(&before, SIGPIPE), 0);
    ck_assert_int_eq(sigismember(&after, SIGPIPE), 0);
    ck_assert_int_eq(sigismember(&pending, SIGPIPE), 0);
    end((const char *const[]){NULL});
}
END_TEST

static void *stdin_read(void *unused)
{
    (void)unused;
    is_whole("-");
    return NULL;
}

/* Also one that would rather fail than wait. */
START_TEST(standard_output_is_written)
{
    begin();
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        const int nothing = open("/dev/null", O_WRONLY);
        pthread_t reader;
        int ends[2];

        ck_assert_int_eq(pipe(ends), 0);
        ck_assert_int_eq(fcntl(ends[1], F_SETFL, flags), 0);
        dup2(ends[0], STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        ck_assert_int_eq(pthread_create(&reader, NULL, stdin_read, NULL), 0);
        dump("-");
        dup2(nothing, STDOUT_FILENO); /* that was all */
        close(nothing);
        pthread_join(reader, NULL);
    }
    end((const char *const[]){NULL});
}
END_TEST

/* What has no name any more cannot be renamed. */
START_TEST(a_nameless_file_is_written_where_it_is)
{
    char path[64];
    int fd;

    begin();
    fd = open("a", O_RDWR | O_CREAT, 0600);
    unlink("a");
    ck_assert_int_eq(write(fd, "old", 3), 3);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    dump(path);
    is_whole(path);
    close(fd);
    end((const char *const[]){NULL});
}
END_TEST

CHECK_MAIN("output", a_file_gets_the_mode_that_the_umask_leaves,
           an_old_file_is_replaced_and_not_written_over,
           names_may_be_as_long_as_the_system_allows, links_stay_links,
           a_link_to_nothing_gets_its_file, links_in_a_circle_are_refused,
           a_folder_is_not_written, an_unwritable_folder_is_refused,
           a_file_that_does_not_fit_vanishes,
           a_disk_that_fails_late_is_an_error, writes_that_are_cut_short_go_on,
           a_temporary_name_that_is_taken_is_not_used,
           devices_are_written_directly, a_pipe_with_a_name_is_written_directly,
           a_pipe_that_nobody_reads_is_an_error, standard_output_is_written,
           a_nameless_file_is_written_where_it_is)
