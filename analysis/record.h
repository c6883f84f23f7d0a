/* SPDX-License-Identifier: MIT */
/*
 * INTERNAL to analysis/: the numbers and entries of a dump, as the lists of
 * fields in format.h make them, for its reader (load.c, entry.c) and its writer
 * (write.c). All numbers are little-endian, whatever machine this is.
 */
#ifndef ALLOCTRACE_RECORD_H
#define ALLOCTRACE_RECORD_H

#include <assert.h>
#include <string.h>

#include "alloctrace/format.h"
#include "model.h"

/* ---- Numbers ---- */

/* Compilers make a single load of these where the machine has it so. */
static inline uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
           (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static inline uint64_t read_u64(const uint8_t *bytes)
{
    return (uint64_t)read_u32(bytes) | (uint64_t)read_u32(bytes + 4) << 32;
}

static inline void write_u32(uint8_t *bytes, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
}

static inline void write_u64(uint8_t *bytes, uint64_t number)
{
    write_u32(bytes, (uint32_t)number);
    write_u32(bytes + 4, (uint32_t)(number >> 32));
}

/* Takes `size` bytes, a multiple of 8, into a checksum. */
static inline uint64_t at_checksum(uint64_t hash, const uint8_t *bytes,
                                   size_t size)
{
    assert(size % 8 == 0);
    for (size_t i = 0; i < size; i += 8) {
        hash ^= read_u64(bytes + i);
        hash = (hash << 29 | hash >> 35) * ALLOCTRACE_CHECKSUM_PRIME;
    }
    return hash;
}

/* ---- Entries ---- */

#define READ_FIELD(bits, name)        \
    entry.name = read_u##bits(bytes); \
    bytes += bits / 8;
#define WRITE_FIELD(bits, name)         \
    write_u##bits(bytes, entry->name); \
    bytes += bits / 8;

/* Each list of fields makes a reader and a writer:
 *     struct alloctrace_X_entry read_X(bytes)
 *     void write_X(bytes, const struct alloctrace_X_entry *) */
#define DEFINE_ENTRY(type, FIELDS)                                            \
    static inline struct alloctrace_##type##_entry read_##type(               \
        const uint8_t *bytes)                                                 \
    {                                                                         \
        struct alloctrace_##type##_entry entry;                               \
                                                                              \
        FIELDS(READ_FIELD)                                                    \
        return entry;                                                         \
    }                                                                         \
    static inline void write_##type(                                          \
        uint8_t *bytes, const struct alloctrace_##type##_entry *entry)        \
    {                                                                         \
        FIELDS(WRITE_FIELD)                                                   \
    }

DEFINE_ENTRY(process, ALLOCTRACE_PROCESS_FIELDS)
DEFINE_ENTRY(argument, ALLOCTRACE_ARGUMENT_FIELDS)
DEFINE_ENTRY(module, ALLOCTRACE_MODULE_FIELDS)
DEFINE_ENTRY(frame, ALLOCTRACE_FRAME_FIELDS)
DEFINE_ENTRY(traceback, ALLOCTRACE_TRACEBACK_FIELDS)
DEFINE_ENTRY(thread, ALLOCTRACE_THREAD_FIELDS)
DEFINE_ENTRY(trace, ALLOCTRACE_TRACE_FIELDS)
DEFINE_ENTRY(detail, ALLOCTRACE_DETAIL_FIELDS)
DEFINE_ENTRY(size_class, ALLOCTRACE_SIZE_CLASS_FIELDS)
DEFINE_ENTRY(summary, ALLOCTRACE_SUMMARY_FIELDS)
DEFINE_ENTRY(domain, ALLOCTRACE_DOMAIN_FIELDS)
DEFINE_ENTRY(block, ALLOCTRACE_BLOCK_FIELDS)
DEFINE_ENTRY(attribute, ALLOCTRACE_ATTRIBUTE_FIELDS)
DEFINE_ENTRY(trailer, ALLOCTRACE_TRAILER_FIELDS)

/* Room for the longest entry, with what an older writer left out. */
#define AT_MAX_ENTRY_SIZE 128

/* entry.c: entries => tables. */

/* What the entries of a tag are. */
struct at_entry_type {
    uint32_t tag;
    uint32_t size;    /* of an entry, at least: as the first writers had it */
    uint32_t whole;   /* of one with all fields that this reader knows */
    const char *name; /* for errors */
    /* Checks an entry and adds it to its table, in which there is room for it.
     * `offset` is its place in the file. Returns 0, ALLOCTRACE_EBAD_FILE or
     * ALLOCTRACE_ENO_MEMORY. NULL for what is no entry of a table. */
    int (*add)(alloctrace_snapshot *snapshot, const uint8_t *bytes,
               uint64_t offset, struct alloctrace_error *error);
};

/* Returns NULL for tags that a newer writer may have used. */
const struct at_entry_type *at_entry_type_of(uint32_t tag);

/* write.c: a dump that is being written. */

struct writing;

/* Writes a record of entries that were made by the writers above. */
void at_record_put(struct writing *writing, uint32_t tag, uint32_t count,
                   const void *payload, size_t size);

/* Writes tracebacks, traces, details and sizes in place of the snapshot's.
 * Returns 0, or why there is to be no file, after it has filled in the error.
 */
typedef int at_paths_put(struct writing *writing, void *data);

/* Writes a snapshot as alloctrace_snapshot_dump does; if `put` is not NULL, its
 * blocks are left out, and all its frames are there under their numbers. */
int at_snapshot_write(const alloctrace_snapshot *snapshot, const char *path,
                      at_paths_put *put, void *data,
                      struct alloctrace_error *error);

/* The details of a trace, under the name that it has in the file. */
static inline struct alloctrace_detail_entry
detail_entry(const struct at_trace_name *name, const struct at_detail *detail)
{
    return (struct alloctrace_detail_entry){
        .traceback = name->traceback,
        .thread = name->thread,
        .domain = name->domain,
        .temporary_blocks = detail->temporary_blocks,
        .temporary_bytes = detail->temporary_bytes,
        .resized_blocks = detail->resized_blocks,
        .resized_in_place = detail->resized_in_place,
        .moved_bytes = detail->moved_bytes,
        .grown_bytes = detail->grown_bytes,
        .shrunk_bytes = detail->shrunk_bytes,
        .smallest = detail->smallest,
        .largest = detail->largest,
    };
}

#endif
