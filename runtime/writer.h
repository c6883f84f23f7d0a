/* SPDX-License-Identifier: MIT */
/*
 * Bytes on their way into a dump: a fixed buffer, little-endian numbers, the
 * running checksum. Errors stick: after the first nothing more is written and
 * writer_flush says what it was. Signal-safe; one dump at a time.
 */
#ifndef ALLOCTRACE_WRITER_H
#define ALLOCTRACE_WRITER_H

#include <stddef.h>
#include <stdint.h>

#define WRITER_BUFFER 65536 /* a multiple of 8 */

struct writer {
    int fd;
    int error;         /* errno of the first failed write; 0 = none */
    size_t used;       /* bytes in the buffer */
    uint64_t checksum; /* of what has left the buffer */
    uint64_t written;  /* bytes that have left the buffer */
    unsigned char *buffer;
};

void writer_init(struct writer *writer, int fd);
void writer_put(struct writer *writer, uint64_t number, unsigned bits);
void writer_put_bytes(struct writer *writer, const void *bytes, size_t size);
void writer_pad(struct writer *writer); /* zeros up to a multiple of 8 */
/* Empties the buffer (which must hold a multiple of 8). 0 or errno. */
int writer_flush(struct writer *writer);

#endif
