/* SPDX-License-Identifier: MIT */
/* See writer.h. The checksum is defined at the head of format.h. */
#include "writer.h"

#include "alloctrace/format.h"
#include "runtime.h"

static unsigned char buffer[WRITER_BUFFER];

void writer_init(struct writer *writer, int fd)
{
    *writer = (struct writer){
        .fd = fd, .checksum = ALLOCTRACE_CHECKSUM_SEED, .buffer = buffer};
}

static uint64_t word_at(const unsigned char *bytes)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

int writer_flush(struct writer *writer)
{
    uint64_t hash = writer->checksum;

    for (size_t i = 0; i + 8 <= writer->used; i += 8) {
        hash ^= word_at(writer->buffer + i);
        hash = (hash << 29 | hash >> 35) * ALLOCTRACE_CHECKSUM_PRIME;
    }
    writer->checksum = hash;
    if (!writer->error)
        writer->error = os_write(writer->fd, writer->buffer, writer->used);
    writer->written += writer->used;
    writer->used = 0;
    return writer->error;
}

static void put_byte(struct writer *writer, unsigned char byte)
{
    if (writer->used == WRITER_BUFFER)
        writer_flush(writer);
    writer->buffer[writer->used++] = byte;
}

void writer_put(struct writer *writer, uint64_t number, unsigned bits)
{
    for (unsigned i = 0; i < bits; i += 8)
        put_byte(writer, (unsigned char)(number >> i));
}

void writer_put_bytes(struct writer *writer, const void *bytes, size_t size)
{
    const unsigned char *const at = bytes;

    for (size_t i = 0; i < size; i++)
        put_byte(writer, at[i]);
}

void writer_pad(struct writer *writer)
{
    while (writer->used % 8 != 0)
        put_byte(writer, 0);
}
