/* SPDX-License-Identifier: MIT */
/*
 * A writer of dump files for tests, made from the grammar in format.h by hand
 * and sharing no code with the runtime, so that writer and reader are checked
 * against the same text and not against each other. Nothing is interned:
 * equal frames and strings stand in the file as often as they are added.
 *
 * A test that cannot get memory aborts.
 */
#ifndef DUMPFILE_H
#define DUMPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow. */
struct bytes {
    unsigned char *data; /* owned */
    size_t size;
    size_t capacity;
};

/* Entries of one tag. */
struct section {
    struct bytes bytes;
    uint32_t count;
};

/* A file that is being put together. */
struct dumpfile {
    struct section strings, modules, frames, tracebacks, threads, traces;
    struct section arguments, domains, details, sizes, blocks, attributes;
    int has_details; /* write their record even if it is empty */
    uint32_t traceback_limit; /* these may be set at any time */
    const char *program;
    const char *reason;
    uint64_t start_ns, dump_ns;
    uint64_t sample_bytes; /* 0: as older writers, which did not have it */
    uint32_t n_processes;  /* likewise */
    /* In the order of the fields; the last two are written if one is set. */
    uint64_t summary[14];
    bool has_left_out;    /* tracebacks are written with the field left_out */
    uint32_t left_out;    /* of the next traceback */
    struct bytes file;    /* the result of dumpfile_finish */
};

/* A frame; what is left out is 0 or unknown. */
struct dumpframe {
    const char *file, *function, *callee, *type, *target;
    uint64_t address;
    uint32_t module, line, column, caller, kind, flags, type_size, ordinal;
};

void dumpfile_init(struct dumpfile *dump);
void dumpfile_fini(struct dumpfile *dump);

/* Each adds an entry and returns its number. NULL strings are 0. */
uint32_t dumpfile_string(struct dumpfile *dump, const char *text);
uint32_t dumpfile_module(struct dumpfile *dump, const char *path,
                         const char *build_id, uint64_t begin, uint64_t end,
                         uint64_t bias);
uint32_t dumpfile_frame(struct dumpfile *dump, struct dumpframe frame);
uint32_t dumpfile_traceback(struct dumpfile *dump, uint32_t parent,
                            uint32_t frame);
uint32_t dumpfile_thread(struct dumpfile *dump, uint32_t tid, const char *name);
void dumpfile_argument(struct dumpfile *dump, const char *text);

void dumpfile_domain(struct dumpfile *dump, uint32_t id, const char *name);

/* Adds a whole path, "main.c:7 lib.c:3", the most recent frame first. */
uint32_t dumpfile_path(struct dumpfile *dump, const char *path);

/* Adds a trace whose live, total and peak figures are the same. */
void dumpfile_trace(struct dumpfile *dump, uint32_t traceback, uint32_t thread,
                    uint32_t domain, int64_t blocks, int64_t bytes);

/* Adds a trace with all its figures: live, total, peak; blocks, then bytes. */
void dumpfile_trace_full(struct dumpfile *dump, uint32_t traceback,
                         uint32_t thread, uint32_t domain,
                         const int64_t figures[6]);

/* Adds details: temporary blocks, bytes; reallocs, in place; bytes moved,
 * grown, shrunk; smallest and largest size. */
void dumpfile_detail(struct dumpfile *dump, uint32_t traceback, uint32_t thread,
                     uint32_t domain, const uint64_t figures[9]);
void dumpfile_size(struct dumpfile *dump, uint32_t traceback, uint32_t thread,
                   uint32_t domain, uint32_t size_class, uint64_t blocks,
                   uint64_t bytes);

void dumpfile_block(struct dumpfile *dump, uint64_t address, uint64_t size,
                    uint32_t traceback, uint32_t domain);
void dumpfile_attribute(struct dumpfile *dump, const char *key,
                        const char *value);

/* Puts the file together in `file`. */
void dumpfile_finish(struct dumpfile *dump);

/* The same by hand, for files that are wrong: header, records, trailer. */
void file_begin(struct bytes *file, uint32_t version, uint32_t flags);
void file_record(struct bytes *file, uint32_t tag, uint32_t count,
                 const void *payload, size_t length);
void file_end(struct bytes *file, uint64_t record_count);

/* Sets the checksum of a whole file right again after a change. */
void file_mend(struct bytes *file);

void bytes_add(struct bytes *bytes, const void *data, size_t size);
void bytes_u32(struct bytes *bytes, uint32_t value);
void bytes_u64(struct bytes *bytes, uint64_t value);

#endif
