/* SPDX-License-Identifier: MIT */
/*
 * What the writers of dumps share: entries on their way into the writer, and
 * what describes the process (describe.c). Under the dump lock. Included by
 * describe.c, dump.c (everything) and extract.c (one block).
 */
#ifndef ALLOCTRACE_DUMP_H
#define ALLOCTRACE_DUMP_H

#include "alloctrace/format.h"

#include "writer.h"

#include "runtime.h"

/* The dump that is being written. One at a time, so it is static: signal stacks
 * are small. */
extern struct dump {
    struct writer writer;
    uint64_t n_records;
    uint32_t own_strings; /* strings that are not the tables', written so far */
    uint32_t n_loaded;    /* files: those that are loaded, ... */
    uint32_t n_gone;      /* ... then those that were unloaded */
} at_dump;

#define PUT(bits, name) at = writer_store_##bits(at, entry->name);
#define DEFINE_PUT(lower, UPPER)                                        \
    static inline void put_##lower(                                     \
        const struct alloctrace_##lower##_entry *entry)                 \
    {                                                                   \
        unsigned char *at =                                             \
            writer_take(&at_dump.writer, ALLOCTRACE_##UPPER##_SIZE);    \
                                                                        \
        _Static_assert((int)ALLOCTRACE_##UPPER##_SIZE <= WRITER_ROOM,   \
                       "an entry fits");                                \
        ALLOCTRACE_##UPPER##_FIELDS(PUT)                                \
        (void)at;                                                       \
    }
DEFINE_PUT(process, PROCESS)
DEFINE_PUT(argument, ARGUMENT)
DEFINE_PUT(domain, DOMAIN)
DEFINE_PUT(module, MODULE)
DEFINE_PUT(frame, FRAME)
DEFINE_PUT(traceback, TRACEBACK)
DEFINE_PUT(thread, THREAD)
DEFINE_PUT(trace, TRACE)
DEFINE_PUT(block, BLOCK)
DEFINE_PUT(detail, DETAIL)
DEFINE_PUT(size_class, SIZE_CLASS)
DEFINE_PUT(summary, SUMMARY)
DEFINE_PUT(trailer, TRAILER)

/* Begins a record of entries of `size` bytes each, or of any length. */
void dump_begin(enum alloctrace_tag tag, uint32_t count, uint32_t size);
void dump_begin_length(enum alloctrace_tag tag, uint32_t count,
                       uint64_t length);
/* Writes a string of the dump itself; gives its number. "" is none. */
uint32_t dump_put_string(const char *text);

/* Begins a dump, with the header and the process; fd -1: in memory. */
void dump_start(int fd, uint32_t sequence, const char *reason);
void dump_put_arguments(void);
void dump_put_modules(void);
void dump_put_threads(uint32_t n); /* ledgers 1..n */
/* A place's frame; `number` gives the numbers of its strings in the file. */
struct alloctrace_frame_entry dump_read_place(const struct place *place,
                                              uint32_t (*number)(uint32_t id));
void dump_put_summary(const struct alloctrace_summary_entry *sums);
/* Ends it. */
void dump_put_trailer(void);
/* What was written into memory is the caller's. 0 or errno. */
int dump_hand_over(struct dump_memory *memory);

#endif
