/* SPDX-License-Identifier: MIT */
/*
 * Bytes => a file that is whole or not there: the end of the data flow.
 *
 * A regular file is written under a name of its own in the folder where it
 * will stand, given to the disk, and then renamed; links to it are followed
 * first, so that the link stays one. What exists and is no regular file (a
 * pipe, /dev/null, a terminal) is written directly. So is a file whose name
 * cannot be found out, as /dev/stdout's if that was deleted.
 *
 * The first failure is kept, nothing is written after it, and whoever ends the
 * file is told. A pipe that nobody reads is such a failure: the signal for it
 * does not get through to the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "record.h"

/* Bytes that are written at a time. A multiple of 8. */
#define BUFFER ((size_t)64 * 1024)

/* Links that are followed, as the system does. */
#define MAX_LINKS 40

/* Names that are tried for the temporary file. */
#define MAX_NAMES 100

/* ---- Names ---- */

/* The first `size` bytes of a text and a whole one behind them. The caller
 * frees it. NULL: no memory. */
static char *text_join(const char *left, size_t size, const char *right)
{
    char *const text = malloc(size + strlen(right) + 1);

    if (text) {
        memcpy(text, left, size);
        memcpy(text + size, right, strlen(right) + 1);
    }
    return text;
}

/* Bytes of a path that name the folder, with the slash; 0 = the current. */
static size_t folder_size(const char *path)
{
    const char *const slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* What a link says. The caller frees it. NULL: it is no link, or (`errno` is
 * ENOMEM) there is no memory. */
static char *link_read(const char *path)
{
    for (size_t size = 256;; size *= 2) {
        char *const text = malloc(size);
        const ssize_t n = text ? readlink(path, text, size) : -1;

        if (n >= 0 && (size_t)n < size) {
            text[n] = '\0';
            return text;
        }
        free(text);
        if (n < 0) {
            errno = text ? EINVAL : ENOMEM;
            return NULL;
        }
    }
}

/* Follows links to the name of what they lead to, be it there or not. NULL
 * with errno. The caller frees it. */
static char *links_follow(const char *path)
{
    char *name = text_join(path, strlen(path), "");

    for (int i = 0; name && i <= MAX_LINKS; i++) {
        char *const link = link_read(name);
        char *next;

        if (!link && errno != ENOMEM)
            return name;
        next = link ? text_join(name, *link == '/' ? 0 : folder_size(name),
                                link)
                    : NULL;
        free(link);
        free(name);
        name = next;
    }
    errno = name ? ELOOP : ENOMEM;
    free(name);
    return NULL;
}

/* ---- Opening ---- */

/* Where nobody else's file is. Names of one process differ by the time, those
 * of others by the process. */
static int temporary_open(struct at_output *output)
{
    const size_t n_folder = folder_size(output->path);
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    for (int i = 0; i < MAX_NAMES; i++) {
        char name[64];

        snprintf(name, sizeof name, ".alloctrace.%ld.%lx.%d.tmp",
                 (long)getpid(), (unsigned long)now.tv_nsec, i);
        free(output->temporary);
        output->temporary = text_join(output->path, n_folder, name);
        if (!output->temporary) {
            errno = ENOMEM;
            return -1;
        }
        output->fd = open(output->temporary,
                          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (output->fd >= 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    free(output->temporary); /* it is not ours to remove */
    output->temporary = NULL;
    return -1;
}

/* Opens what is there as it is. */
static int direct_open(struct at_output *output, const char *path)
{
    output->fd = open(path, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
    return output->fd < 0 ? -1 : 0;
}

/* Returns 0 or -1 with errno. */
static int target_open(struct at_output *output, const char *path)
{
    struct stat status;
    struct stat found;
    const bool is_there = stat(path, &status) == 0;

    if (is_there && !S_ISREG(status.st_mode))
        return direct_open(output, path);
    output->path = links_follow(path);
    if (!output->path)
        return -1;
    if (!is_there || (stat(output->path, &found) == 0 &&
                      found.st_dev == status.st_dev &&
                      found.st_ino == status.st_ino))
        return temporary_open(output);
    free(output->path);
    output->path = NULL;
    return direct_open(output, path);
}

/* Says what went wrong, and lets go of all. */
static int output_fail(struct at_output *output, int failure, const char *what,
                       struct alloctrace_error *error)
{
    if (output->is_owner && output->fd >= 0)
        close(output->fd);
    if (output->temporary)
        unlink(output->temporary);
    free(output->path);
    free(output->temporary);
    free(output->buffer);
    *output = (struct at_output){.fd = -1};
    if (failure == ENOMEM)
        return at_fault_memory(error);
    return at_fault(error, ALLOCTRACE_EIO, ALLOCTRACE_NO_OFFSET, "%s: %s", what,
                    strerror(failure));
}

int at_output_open(struct at_output *output, const char *path,
                   struct alloctrace_error *error)
{
    const bool is_stdout = strcmp(path, "-") == 0;

    *output = (struct at_output){.fd = is_stdout ? STDOUT_FILENO : -1,
                                 .is_owner = !is_stdout,
                                 .checksum = ALLOCTRACE_CHECKSUM_SEED};
    output->buffer = malloc(BUFFER + AT_MAX_ENTRY_SIZE);
    if (!output->buffer)
        return at_fault_memory(error);
    if (!is_stdout && target_open(output, path))
        return output_fail(output, errno, "cannot create it", error);
    return 0;
}

/* ---- Writing ---- */

/* Writes once, without a signal if nobody reads it. */
static ssize_t write_quietly(int fd, const uint8_t *bytes, size_t size)
{
    const struct timespec at_once = {0, 0};
    sigset_t pipe_only;
    sigset_t before;
    sigset_t pending;
    ssize_t n;
    int failure;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    n = write(fd, bytes, size);
    failure = errno;
    if (n < 0 && failure == EPIPE && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failure;
    return n;
}

/* Waits until a pipe that would not block takes more. */
static bool can_go_on(int fd)
{
    struct pollfd file = {.fd = fd, .events = POLLOUT};

    if (errno == EINTR)
        return true;
    if (errno != EAGAIN)
        return false;
    return poll(&file, 1, -1) >= 0 || errno == EINTR;
}

/* Writes the first `size` bytes of the buffer, and keeps the rest. */
static void output_drain(struct at_output *output, size_t size)
{
    size_t done = 0;

    output->checksum = at_checksum(output->checksum, output->buffer, size);
    while (done < size && !output->failure) {
        const ssize_t n =
            write_quietly(output->fd, output->buffer + done, size - done);

        if (n >= 0)
            done += (size_t)n;
        else if (!can_go_on(output->fd))
            output->failure = errno;
    }
    output->used -= size;
    output->written += size;
    memmove(output->buffer, output->buffer + size, output->used);
}

uint8_t *at_output_take(struct at_output *output, size_t size)
{
    uint8_t *taken;

    assert(size <= AT_MAX_ENTRY_SIZE);
    if (output->used >= BUFFER)
        output_drain(output, output->used & ~(size_t)7);
    taken = output->buffer + output->used;
    output->used += size;
    return taken;
}

void at_output_put(struct at_output *output, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;

    while (size > 0) {
        size_t n;

        if (output->used >= BUFFER)
            output_drain(output, output->used & ~(size_t)7);
        n = BUFFER + AT_MAX_ENTRY_SIZE - output->used;
        if (n > size)
            n = size;
        memcpy(output->buffer + output->used, from, n);
        output->used += n;
        from += n;
        size -= n;
    }
}

void at_output_pad(struct at_output *output)
{
    const size_t padding = -at_output_offset(output) & 7;

    memset(at_output_take(output, padding), 0, padding);
}

uint64_t at_output_checksum(struct at_output *output)
{
    assert(output->used % 8 == 0);
    output_drain(output, output->used);
    return output->checksum;
}

/* ---- Closing ---- */

/* To the disk, where there is one. Returns 0 or -1 with errno. */
static int output_sync(const struct at_output *output)
{
    if (fsync(output->fd) == 0)
        return 0;
    return errno == EINVAL || errno == ENOTSUP ? 0 : -1;
}

int at_output_close(struct at_output *output, struct alloctrace_error *error)
{
    const char *what = "cannot write it";

    output_drain(output, output->used);
    if (!output->failure && output->temporary && output_sync(output))
        output->failure = errno;
    if (output->is_owner && close(output->fd) && !output->failure)
        output->failure = errno;
    output->fd = -1;
    if (!output->failure && output->temporary &&
        rename(output->temporary, output->path)) {
        output->failure = errno;
        what = "cannot give it its name";
    }
    if (output->failure)
        return output_fail(output, output->failure, what, error);
    free(output->path);
    free(output->temporary);
    free(output->buffer);
    return 0;
}
