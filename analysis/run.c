/* SPDX-License-Identifier: MIT */
/*
 * Runs in temporary files. Numbers are written in as many bytes as they need,
 * seven bits each, the lowest first; those that may be negative with their
 * sign at the bottom. An item is
 *
 *     what + 1, depth less that of the item before, and then
 *     path     frame, left_out
 *     trace    thread, domain, its six figures, and if `what` says so
 *              its tally, n_sizes and each of them
 *
 * and a zero ends the file. The file was unlinked as soon as it was there: it
 * vanishes with the program, however that ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

/* Bytes that are read or written at a time. */
#define BUFFER ((size_t)64 * 1024)

/* An item takes less. */
#define MAX_ITEM ((size_t)4096)

/* What an item is. */
enum what { END, PATH, BARE_TRACE, DETAILED_TRACE };

/* ---- Files ---- */

static int run_fail(struct at_run *run, int failure)
{
    run->failure = failure;
    return failure == ENOMEM ? ALLOCTRACE_ENO_MEMORY : ALLOCTRACE_EIO;
}

static int run_flush(struct at_run *run)
{
    size_t done = 0;

    while (done < run->at) {
        const ssize_t n = write(run->fd, run->buffer + done, run->at - done);

        if (n < 0 && errno != EINTR)
            return run_fail(run, errno);
        done += n > 0 ? (size_t)n : 0;
    }
    run->at = 0;
    return 0;
}

/* Makes sure that the next item is in memory. */
static int run_fill(struct at_run *run)
{
    if (run->end - run->at >= MAX_ITEM)
        return 0;
    memmove(run->buffer, run->buffer + run->at, run->end - run->at);
    run->end -= run->at;
    run->at = 0;
    while (run->end < BUFFER) {
        const ssize_t n =
            read(run->fd, run->buffer + run->end, BUFFER - run->end);

        if (n < 0 && errno != EINTR)
            return run_fail(run, errno);
        if (n == 0)
            return 0;
        run->end += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* ---- Numbers ---- */

static void put_number(struct at_run *run, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        run->buffer[run->at++] = (uint8_t)(number | 0x80);
    run->buffer[run->at++] = (uint8_t)number;
}

/* The file is our own, so that no number is longer than it can be, unless
 * the disk lost it: then the end of the buffer ends it. */
static uint64_t get_number(struct at_run *run)
{
    uint64_t number = 0;

    for (int shift = 0; run->at < run->end && shift < 64; shift += 7) {
        const uint8_t byte = run->buffer[run->at++];

        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
    run->failure = EIO;
    return 0;
}

static uint64_t fold_sign(int64_t number)
{
    return (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
}

static int64_t unfold_sign(uint64_t number)
{
    return (int64_t)(number >> 1 ^ (number & 1 ? UINT64_MAX : 0));
}

/* ---- Items ---- */

/* The figures of traces and details: FIGURE(name). */
#define TRACE_FIGURES(FIGURE) \
    FIGURE(live_blocks)       \
    FIGURE(live_bytes)        \
    FIGURE(total_blocks)      \
    FIGURE(total_bytes)       \
    FIGURE(peak_blocks)       \
    FIGURE(peak_bytes)
#define DETAIL_FIGURES(FIGURE) \
    FIGURE(temporary_blocks)   \
    FIGURE(temporary_bytes)    \
    FIGURE(resized_blocks)     \
    FIGURE(resized_in_place)   \
    FIGURE(moved_bytes)        \
    FIGURE(grown_bytes)        \
    FIGURE(shrunk_bytes)       \
    FIGURE(smallest)           \
    FIGURE(largest)

static void put_details(struct at_run *run, const struct at_item *item)
{
#define PUT_FIGURE(name) put_number(run, item->tally.detail.name);
    put_number(run, item->tally.is_there);
    put_number(run, item->tally.has_range);
    DETAIL_FIGURES(PUT_FIGURE)
#undef PUT_FIGURE
    put_number(run, item->n_sizes);
    for (uint32_t i = 0; i < item->n_sizes; i++) {
        put_number(run, item->sizes[i].number);
        put_number(run, item->sizes[i].blocks);
        put_number(run, item->sizes[i].bytes);
    }
}

static void get_details(struct at_run *run, struct at_item *item)
{
    uint64_t n_sizes;

    item->tally = (struct at_tally){0};
    item->tally.is_there = get_number(run);
    item->tally.has_range = get_number(run);
#define GET_FIGURE(name) item->tally.detail.name = get_number(run);
    DETAIL_FIGURES(GET_FIGURE)
#undef GET_FIGURE
    n_sizes = get_number(run);
    if (n_sizes > ALLOCTRACE_SIZE_CLASS_COUNT)
        run->failure = EIO;
    for (uint32_t i = 0; !run->failure && i < n_sizes; i++) {
        item->sizes[i].number = (uint32_t)get_number(run);
        item->sizes[i].blocks = get_number(run);
        item->sizes[i].bytes = get_number(run);
    }
    item->n_sizes = run->failure ? 0 : (uint32_t)n_sizes;
}

static void put_trace(struct at_run *run, const struct at_item *item)
{
    put_number(run, item->trace.thread);
    put_number(run, item->trace.domain);
#define PUT_FIGURE(name) put_number(run, fold_sign(item->trace.name));
    TRACE_FIGURES(PUT_FIGURE)
#undef PUT_FIGURE
}

static void get_trace(struct at_run *run, struct at_item *item)
{
    item->trace.thread = (uint32_t)get_number(run);
    item->trace.domain = (uint32_t)get_number(run);
#define GET_FIGURE(name) item->trace.name = unfold_sign(get_number(run));
    TRACE_FIGURES(GET_FIGURE)
#undef GET_FIGURE
    item->tally.is_there = false;
    item->n_sizes = 0;
}

static int run_put(struct at_sink *sink, const struct at_item *item)
{
    struct at_run *run =
        (struct at_run *)((char *)sink - offsetof(struct at_run, sink));
    enum what what = PATH; /* of which nothing else is set */

    if (item->kind == AT_ITEM_TRACE)
        what = item->tally.is_there || item->n_sizes ? DETAILED_TRACE
                                                     : BARE_TRACE;
    put_number(run, what);
    put_number(run, fold_sign((int64_t)item->depth - (int64_t)run->depth));
    run->depth = item->depth;
    if (what == PATH) {
        put_number(run, item->frame);
        put_number(run, item->left_out);
    } else {
        put_trace(run, item);
        if (what == DETAILED_TRACE)
            put_details(run, item);
    }
    return run->at > BUFFER - MAX_ITEM ? run_flush(run) : 0;
}

static int run_next(struct at_source *source)
{
    struct at_run *run = (struct at_run *)source;
    struct at_item *item = &source->item;
    uint64_t what;

    if (run_fill(run))
        return run_fail(run, run->failure);
    what = get_number(run);
    source->is_end = what == END;
    if (source->is_end || run->failure)
        return run->failure ? run_fail(run, run->failure) : 0;
    run->depth = (uint32_t)((int64_t)run->depth + unfold_sign(get_number(run)));
    item->depth = run->depth;
    item->kind = what == PATH ? AT_ITEM_PATH : AT_ITEM_TRACE;
    if (what == PATH) {
        item->frame = (uint32_t)get_number(run);
        item->left_out = get_number(run);
    } else {
        get_trace(run, item);
        if (what == DETAILED_TRACE)
            get_details(run, item);
    }
    return run->failure ? run_fail(run, run->failure) : 0;
}

/* ---- Beginning and ending ---- */

/* A file without a name in a folder. Returns -1 with errno. */
static int file_create(const char *folder)
{
    static const char name[] = "/.alloctrace.XXXXXX";
    const size_t size = strlen(folder);
    char *path = malloc(size + sizeof name);
    int fd;

    if (!path) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(path, folder, size);
    memcpy(path + size, name, sizeof name);
    fd = mkstemp(path);
    if (fd >= 0) {
        unlink(path);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    free(path);
    return fd;
}

int at_run_create(struct at_run *run, const char *folder)
{
    run->source.next = run_next;
    run->sink.put = run_put;
    run->at = 0;
    run->depth = 0;
    run->failure = 0;
    run->fd = -1;
    run->buffer = malloc(BUFFER);
    if (!run->buffer)
        return run_fail(run, ENOMEM);
    run->fd = file_create(folder);
    return run->fd < 0 ? run_fail(run, errno) : 0;
}

int at_run_finish(struct at_run *run)
{
    int result;

    put_number(run, END);
    result = run_flush(run);
    free(run->buffer);
    run->buffer = NULL;
    return result;
}

int at_run_rewind(struct at_run *run)
{
    if (!run->buffer)
        run->buffer = malloc(BUFFER);
    if (!run->buffer)
        return run_fail(run, ENOMEM);
    if (lseek(run->fd, 0, SEEK_SET) < 0)
        return run_fail(run, errno);
    run->at = run->end = 0;
    run->depth = 0;
    return run_next(&run->source);
}

void at_run_fini(struct at_run *run)
{
    if (run->fd >= 0)
        close(run->fd);
    free(run->buffer);
    run->fd = -1;
    run->buffer = NULL;
}
