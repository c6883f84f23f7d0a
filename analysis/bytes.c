/* SPDX-License-Identifier: MIT */
/*
 * Files into memory: the start of the data flow. A file is read, not mapped,
 * so that one which shrinks while it is being looked at is an error and not a
 * signal, and so that pipes work; its size is only a first guess.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"

/* First guess where the size is not known: pipes, /proc. */
#define FIRST_CAPACITY ((size_t)64 * 1024)

/* What has been read so far. */
struct buffer {
    char *bytes;     /* owned until it is handed on */
    size_t size;     /* bytes read */
    size_t capacity; /* bytes there is room for */
};

static int io_fault(struct alloctrace_error *error, const char *what)
{
    return at_fault(error, ALLOCTRACE_EIO, ALLOCTRACE_NO_OFFSET, "%s: %s", what,
                    strerror(errno));
}

/* Room for at least one byte more than the file is thought to have, so that
 * its end is seen without growing. */
static size_t first_capacity(int fd)
{
    struct stat status;

    if (fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size <= 0)
        return FIRST_CAPACITY;
    return (size_t)status.st_size + 1;
}

static int buffer_grow(struct buffer *buffer, size_t capacity)
{
    char *bytes = realloc(buffer->bytes, capacity);

    if (!bytes)
        return ALLOCTRACE_ENO_MEMORY;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return 0;
}

/* Reads to the end of the file. */
static int buffer_fill(struct buffer *buffer, int fd,
                       struct alloctrace_error *error)
{
    if (buffer_grow(buffer, first_capacity(fd)))
        return at_fault_memory(error);
    for (;;) {
        ssize_t n = read(fd, buffer->bytes + buffer->size,
                         buffer->capacity - buffer->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_fault(error, "cannot read it");
        if (n == 0)
            return 0;
        buffer->size += (size_t)n;
        if (buffer->size < buffer->capacity)
            continue;
        if (buffer->capacity > SIZE_MAX / 2 ||
            buffer_grow(buffer, buffer->capacity * 2))
            return at_fault_memory(error);
    }
}

int alloctrace_read_file(const char *path, void **bytes, size_t *size,
                         struct alloctrace_error *error)
{
    AT_UNTRACED;
    struct buffer buffer = {0};
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int result;

    if (fd < 0)
        return io_fault(error, "cannot open it");
    result = buffer_fill(&buffer, fd, error);
    if (!is_stdin)
        close(fd);
    if (result) {
        free(buffer.bytes);
        return result;
    }
    *bytes = buffer.bytes;
    *size = buffer.size;
    return 0;
}
