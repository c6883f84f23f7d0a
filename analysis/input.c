/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a dump, one after another, twice: the start of the data flow.
 * The dump is in memory, or is read from a file through a window of fixed
 * size. A file is never mapped, so that one which shrinks while it is being
 * looked at is an error and not a signal. What cannot be read twice (a pipe) is
 * put aside first: in memory while it is small, else in a temporary file that
 * has no name any more.
 *
 *     bytes:   ... | hashed | at ............ end | ...
 *                    `hashed` <= `at`: what the checksum has seen. What is
 *                    between them stays in the window.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record.h"

/* Bytes of a file that are in memory at a time. A multiple of 8. */
#define WINDOW ((size_t)64 * 1024)

/* What cannot be read twice is kept in memory if it has fewer bytes. */
#define KEPT ((size_t)8 * 1024 * 1024)

static int io_fault(struct alloctrace_error *error, const char *what)
{
    return at_fault(error, ALLOCTRACE_EIO, ALLOCTRACE_NO_OFFSET, "%s: %s", what,
                    strerror(errno));
}

/* Reads at most `size` bytes, from `offset` or, if that is NO_OFFSET, where
 * the file is. Returns how many, 0 at the end, or -1. */
static ssize_t file_read(int fd, uint8_t *bytes, size_t size, uint64_t offset)
{
    ssize_t n;

    do
        n = offset == ALLOCTRACE_NO_OFFSET
                ? read(fd, bytes, size)
                : pread(fd, bytes, size, (off_t)offset);
    while (n < 0 && errno == EINTR);
    return n;
}

/* ---- Putting aside ---- */

/* Reads up to `size` bytes, fewer only at the end. */
static int fill(int fd, uint8_t *bytes, size_t size, size_t *used,
                struct alloctrace_error *error)
{
    *used = 0;
    while (*used < size) {
        const ssize_t n = file_read(fd, bytes + *used, size - *used,
                                    ALLOCTRACE_NO_OFFSET);

        if (n < 0)
            return io_fault(error, "cannot read it");
        if (n == 0)
            break;
        *used += (size_t)n;
    }
    return 0;
}

/* A new file without a name. Returns -1 with errno. */
static int temporary_open(void)
{
    static const char name[] = "/alloctrace.XXXXXX";
    const char *const folder = getenv("TMPDIR");
    const char *const used = folder && *folder ? folder : "/tmp";
    char *const path = malloc(strlen(used) + sizeof name);
    int fd;

    if (!path) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(path, used, strlen(used));
    memcpy(path + strlen(used), name, sizeof name);
    fd = mkstemp(path);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        unlink(path);
    }
    free(path);
    return fd;
}

static int write_whole(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Copies what is left of a file behind what was already read of it, by way of
 * `bytes`, of which there are KEPT. `size` gets that of all. */
static int copy_rest(int from, int to, uint8_t *bytes, uint64_t *size,
                     struct alloctrace_error *error)
{
    size_t n = KEPT;

    *size = 0;
    do {
        if (write_whole(to, bytes, n))
            return io_fault(error, "cannot put it into a temporary file");
        *size += n;
        if (fill(from, bytes, KEPT, &n, error))
            return ALLOCTRACE_EIO;
    } while (n > 0);
    return 0;
}

/* Goes on with a temporary file, for `bytes` are full. */
static int spill(struct at_input *input, int fd, uint8_t *bytes,
                 struct alloctrace_error *error)
{
    input->fd = temporary_open();
    if (input->fd < 0)
        return errno == ENOMEM
                   ? at_fault_memory(error)
                   : io_fault(error, "cannot make a temporary file for it");
    input->is_owner = true;
    return copy_rest(fd, input->fd, bytes, &input->size, error);
}

/* Reads all of a file that can be read once. */
static int put_aside(struct at_input *input, int fd,
                     struct alloctrace_error *error)
{
    uint8_t *const bytes = malloc(KEPT);
    uint8_t *fitting;
    size_t size;
    int result;

    if (!bytes)
        return at_fault_memory(error);
    result = fill(fd, bytes, KEPT, &size, error);
    if (!result && size == KEPT)
        result = spill(input, fd, bytes, error);
    if (result || input->fd >= 0) {
        free(bytes);
        return result;
    }
    fitting = realloc(bytes, size + 1);
    input->buffer = fitting ? fitting : bytes;
    input->bytes = input->buffer;
    input->size = size;
    return 0;
}

/* ---- Opening ---- */

/* A regular file is read where it is, from where it stands. */
static int adopt(struct at_input *input, int fd, bool is_owner,
                 const struct stat *status)
{
    const off_t base = lseek(fd, 0, SEEK_CUR);

    if (base < 0 || base > status->st_size)
        return -1;
    input->fd = fd;
    input->is_owner = is_owner;
    input->base = (uint64_t)base;
    input->size = (uint64_t)(status->st_size - base);
    return 0;
}

void at_input_open_bytes(struct at_input *input, const void *bytes, size_t size)
{
    *input = (struct at_input){.fd = -1, .bytes = bytes, .size = size};
    at_input_rewind(input);
}

int at_input_open(struct at_input *input, const char *path,
                  struct alloctrace_error *error)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    const int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    int result = 0;

    *input = (struct at_input){.fd = -1};
    if (fd < 0)
        return io_fault(error, "cannot open it");
    /* Files of the system's own are regular ones of size 0. */
    if (fstat(fd, &status) || !S_ISREG(status.st_mode) ||
        status.st_size == 0 || adopt(input, fd, !is_stdin, &status))
        result = put_aside(input, fd, error);
    if (!is_stdin && input->fd != fd)
        close(fd);
    if (!result && !input->bytes) {
        input->buffer = malloc(WINDOW);
        if (!input->buffer)
            result = at_fault_memory(error);
    }
    if (result)
        at_input_close(input);
    else
        at_input_rewind(input);
    return result;
}

void at_input_close(struct at_input *input)
{
    if (input->is_owner)
        close(input->fd);
    free(input->buffer);
    *input = (struct at_input){.fd = -1};
}

/* ---- Reading ---- */

void at_input_rewind(struct at_input *input)
{
    input->checksum = ALLOCTRACE_CHECKSUM_SEED;
    if (input->bytes) {
        input->at = input->hashed = input->bytes;
        input->end = input->bytes + input->size;
        input->end_offset = input->size;
    } else {
        input->at = input->hashed = input->end = input->buffer;
        input->end_offset = 0;
    }
}

/* Takes the window's bytes into the checksum, as far as `to`. */
static void hash_to(struct at_input *input, const uint8_t *to)
{
    input->checksum = at_checksum(input->checksum, input->hashed,
                                  (size_t)(to - input->hashed));
    input->hashed = to;
}

uint64_t at_input_checksum(struct at_input *input, size_t n_back)
{
    hash_to(input, input->at - n_back);
    return input->checksum;
}

/* Moves the window on: what was read leaves it, as much as fits comes in. */
static int window_move(struct at_input *input, struct alloctrace_error *error)
{
    const size_t n_passed = (size_t)(input->at - input->hashed);
    const uint64_t left = input->size - input->end_offset;
    size_t n_kept;
    size_t n_room;
    ssize_t n;

    hash_to(input, input->hashed + (n_passed & ~(size_t)7));
    n_kept = (size_t)(input->end - input->hashed);
    memmove(input->buffer, input->hashed, n_kept);
    input->at = input->buffer + (input->at - input->hashed);
    input->hashed = input->buffer;
    input->end = input->buffer + n_kept;
    n_room = WINDOW - n_kept < left ? WINDOW - n_kept : (size_t)left;
    n = file_read(input->fd, input->buffer + n_kept, n_room,
                  input->base + input->end_offset);
    if (n < 0)
        return io_fault(error, "cannot read it");
    if (n == 0)
        return at_fault(error, ALLOCTRACE_EIO, input->end_offset,
                        "it became shorter while it was read");
    input->end += n;
    input->end_offset += (uint64_t)n;
    return 0;
}

int at_input_want(struct at_input *input, size_t size,
                  struct alloctrace_error *error)
{
    assert(size <= AT_MAX_ENTRY_SIZE);
    while ((size_t)(input->end - input->at) < size) {
        const int result = input->bytes
                               ? at_fault(error, ALLOCTRACE_EIO, input->size,
                                          "it changed while it was read")
                               : window_move(input, error);

        if (result)
            return result;
    }
    return 0;
}

int at_input_copy(struct at_input *input, char *to, uint64_t size,
                  struct alloctrace_error *error)
{
    while (size > 0) {
        size_t n = (size_t)(input->end - input->at);
        int result;

        if (n == 0) {
            result = at_input_want(input, 1, error);
            if (result)
                return result;
            continue;
        }
        if (n > size)
            n = (size_t)size;
        if (to) {
            memcpy(to, input->at, n);
            to += n;
        }
        input->at += n;
        size -= n;
    }
    return 0;
}
