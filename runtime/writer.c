/* SPDX-License-Identifier: MIT */
/* See writer.h. The checksum is defined at the head of format.h. */
#include "writer.h"

#include <errno.h>

#include "alloctrace/format.h"
#include "runtime.h"

static unsigned char buffer[WRITER_BUFFER + WRITER_ROOM];

void writer_init(struct writer *writer, int fd)
{
    *writer = (struct writer){
        .fd = fd, .checksum = ALLOCTRACE_CHECKSUM_SEED, .buffer = buffer};
}

static uint64_t word_at(const unsigned char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

#define FIRST_ROOM ((size_t)256 * 1024)

/* Makes room for `size` more bytes of memory. 0 or errno. */
static int grow(struct writer *writer, size_t size)
{
    const size_t room = writer->room ? 2 * writer->room : FIRST_ROOM;
    char *memory;

    _Static_assert(FIRST_ROOM >= WRITER_BUFFER + WRITER_ROOM,
                   "doubling is enough");
    if (writer->written + size <= writer->room)
        return 0;
    memory = writer->memory ? os_resize(writer->memory, writer->room, room)
                            : os_map(room);
    if (!memory)
        return ENOMEM;
    if (!writer->memory)
        os_share(memory, room, false);
    writer->memory = memory;
    writer->room = room;
    return 0;
}

static int keep(struct writer *writer, size_t size)
{
    const int error = grow(writer, size);

    if (!error)
        memcpy(writer->memory + writer->written, writer->buffer, size);
    return error;
}

void writer_drain(struct writer *writer)
{
    const size_t size = writer->used & ~(size_t)7;
    uint64_t hash = writer->checksum;

    for (size_t i = 0; i < size; i += 8) {
        hash ^= word_at(writer->buffer + i);
        hash = (hash << 29 | hash >> 35) * ALLOCTRACE_CHECKSUM_PRIME;
    }
    writer->checksum = hash;
    if (!writer->error)
        writer->error = writer->fd < 0
                            ? keep(writer, size)
                            : os_write(writer->fd, writer->buffer, size);
    writer->written += size;
    writer->used -= size;
    memcpy(writer->buffer, writer->buffer + size, writer->used);
}

int writer_flush(struct writer *writer)
{
    writer_drain(writer);
    return writer->error;
}

static size_t in_pages(size_t size)
{
    const size_t mask = os_page_size() - 1;

    return (size + mask) & ~mask;
}

int writer_end(struct writer *writer)
{
    const size_t size = in_pages(writer->written + writer->used);

    writer_drain(writer);
    if (!writer->memory)
        return writer->error;
    if (writer->error) {
        os_unmap(writer->memory, writer->room);
        writer->memory = NULL;
        return writer->error;
    }
    if (size < writer->room)
        os_unmap(writer->memory + size, writer->room - size);
    os_share(writer->memory, size, true);
    return 0;
}

void writer_release(void *memory, size_t size)
{
    os_unmap(memory, in_pages(size));
}

void writer_put(struct writer *writer, uint64_t number, unsigned bits)
{
    writer_store_64(writer_take(writer, bits / 8), number);
}

void writer_put_bytes(struct writer *writer, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    while (size > 0) {
        const size_t n = size < WRITER_ROOM ? size : WRITER_ROOM;

        memcpy(writer_take(writer, n), at, n);
        at += n;
        size -= n;
    }
}

void writer_pad(struct writer *writer)
{
    const size_t n = -writer->used & 7;

    memset(writer_take(writer, n), 0, n);
}
