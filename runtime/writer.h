/* SPDX-License-Identifier: MIT */
/*
 * Bytes on their way into a dump, which is a file or memory: a fixed buffer,
 * little-endian numbers, the running checksum. Errors stick: after the first nothing more is written and
 * writer_flush says what it was. Signal-safe; one dump at a time.
 *
 * Cost: entries are stored into the buffer a field at a time by plain moves,
 * with one test an entry; the checksum is what bounds the speed (5 cycles for
 * 8 bytes), and the system's write.
 */
#ifndef ALLOCTRACE_WRITER_H
#define ALLOCTRACE_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WRITER_BUFFER 65536 /* bytes at which it is emptied */
#define WRITER_ROOM 256     /* and what one entry may go beyond */

struct writer {
    int fd;            /* -1 = what is written is kept in memory */
    int error;         /* errno of the first failed write; 0 = none */
    size_t used;       /* bytes in the buffer */
    uint64_t checksum; /* of what has left the buffer */
    uint64_t written;  /* bytes that have left the buffer */
    unsigned char *buffer;
    char *memory; /* of os_map; NULL = none yet. Not a child's of fork before
                     writer_end */
    size_t room;  /* bytes of it, of which `written` are used */
};

void writer_init(struct writer *writer, int fd); /* -1: into memory */
/* Empties the buffer as writer_flush does, and leaves the memory to the caller,
 * with no more pages than it needs; none after an error. */
int writer_end(struct writer *writer);
/* Gives such memory back. */
void writer_release(void *memory, size_t size);
/* Empties the buffer, but for what is beyond a multiple of 8. */
void writer_drain(struct writer *writer);
void writer_put(struct writer *writer, uint64_t number, unsigned bits);
void writer_put_bytes(struct writer *writer, const void *bytes, size_t size);
void writer_pad(struct writer *writer); /* zeros up to a multiple of 8 */
/* Empties the buffer (which must hold a multiple of 8). 0 or errno. */
int writer_flush(struct writer *writer);

/* Takes `size` <= WRITER_ROOM bytes of the buffer, for the caller to fill. */
static inline unsigned char *writer_take(struct writer *writer, size_t size)
{
    unsigned char *at;

    if (__builtin_expect(writer->used >= WRITER_BUFFER, 0))
        writer_drain(writer);
    at = writer->buffer + writer->used;
    writer->used += size;
    return at;
}

/* Store a number, little-endian; give the end of it. */
static inline unsigned char *writer_store_64(unsigned char *at, uint64_t number)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    number = __builtin_bswap64(number);
#endif
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

static inline unsigned char *writer_store_32(unsigned char *at, uint32_t number)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    number = __builtin_bswap32(number);
#endif
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

#endif
