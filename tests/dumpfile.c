/* SPDX-License-Identifier: MIT */
/* See dumpfile.h. */
#include "dumpfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAG_PROCESS = 1,
    TAG_STRINGS = 2,
    TAG_MODULES = 3,
    TAG_FRAMES = 4,
    TAG_TRACEBACKS = 5,
    TAG_THREADS = 6,
    TAG_TRACES = 7,
    TAG_SUMMARY = 8,
    TAG_ARGUMENTS = 9,
    TAG_DOMAINS = 10,
    TAG_BLOCKS = 11,
    TAG_DETAILS = 12,
    TAG_SIZES = 13,
    TAG_ATTRIBUTES = 14
};
#define TAG_TRAILER UINT32_C(0xffffffff)

/* Bytes of a trailer with its record's header. */
#define TRAILER_SIZE 40

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    while (bytes->size + size > bytes->capacity) {
        bytes->capacity = bytes->capacity * 2 + 64;
        bytes->data = realloc(bytes->data, bytes->capacity);
        if (!bytes->data)
            abort();
    }
    if (size > 0)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static void bytes_number(struct bytes *bytes, uint64_t value, int size)
{
    for (int i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)(value >> (8 * i));

        bytes_add(bytes, &byte, 1);
    }
}

void bytes_u32(struct bytes *bytes, uint32_t value)
{
    bytes_number(bytes, value, 4);
}

void bytes_u64(struct bytes *bytes, uint64_t value)
{
    bytes_number(bytes, value, 8);
}

void dumpfile_init(struct dumpfile *dump)
{
    memset(dump, 0, sizeof *dump);
    dump->program = "/usr/bin/program";
    dump->reason = "exit";
}

void dumpfile_fini(struct dumpfile *dump)
{
    free(dump->strings.bytes.data);
    free(dump->modules.bytes.data);
    free(dump->frames.bytes.data);
    free(dump->tracebacks.bytes.data);
    free(dump->threads.bytes.data);
    free(dump->traces.bytes.data);
    free(dump->arguments.bytes.data);
    free(dump->domains.bytes.data);
    free(dump->details.bytes.data);
    free(dump->sizes.bytes.data);
    free(dump->blocks.bytes.data);
    free(dump->attributes.bytes.data);
    free(dump->file.data);
}

uint32_t dumpfile_string(struct dumpfile *dump, const char *text)
{
    if (!text)
        return 0;
    bytes_u32(&dump->strings.bytes, (uint32_t)strlen(text));
    bytes_add(&dump->strings.bytes, text, strlen(text));
    return ++dump->strings.count;
}

uint32_t dumpfile_module(struct dumpfile *dump, const char *path,
                         const char *build_id, uint64_t begin, uint64_t end,
                         uint64_t bias)
{
    struct bytes *bytes = &dump->modules.bytes;

    bytes_u64(bytes, begin);
    bytes_u64(bytes, end);
    bytes_u64(bytes, bias);
    bytes_u32(bytes, dumpfile_string(dump, path));
    bytes_u32(bytes, dumpfile_string(dump, build_id));
    return ++dump->modules.count;
}

uint32_t dumpfile_frame(struct dumpfile *dump, struct dumpframe frame)
{
    struct bytes *bytes = &dump->frames.bytes;

    bytes_u64(bytes, frame.address);
    bytes_u32(bytes, frame.module);
    bytes_u32(bytes, dumpfile_string(dump, frame.file));
    bytes_u32(bytes, dumpfile_string(dump, frame.function));
    bytes_u32(bytes, frame.line);
    bytes_u32(bytes, frame.column);
    bytes_u32(bytes, frame.ordinal);
    bytes_u32(bytes, frame.caller);
    bytes_u32(bytes, dumpfile_string(dump, frame.callee));
    bytes_u32(bytes, dumpfile_string(dump, frame.type));
    bytes_u32(bytes, dumpfile_string(dump, frame.target));
    bytes_u32(bytes, frame.kind);
    bytes_u32(bytes, frame.flags);
    bytes_u32(bytes, frame.type_size);
    return ++dump->frames.count;
}

uint32_t dumpfile_traceback(struct dumpfile *dump, uint32_t parent,
                            uint32_t frame)
{
    bytes_u32(&dump->tracebacks.bytes, parent);
    bytes_u32(&dump->tracebacks.bytes, frame);
    if (dump->has_left_out)
        bytes_u32(&dump->tracebacks.bytes, dump->left_out);
    dump->left_out = 0;
    return ++dump->tracebacks.count;
}

uint32_t dumpfile_thread(struct dumpfile *dump, uint32_t tid, const char *name)
{
    bytes_u32(&dump->threads.bytes, tid);
    bytes_u32(&dump->threads.bytes, dumpfile_string(dump, name));
    return ++dump->threads.count;
}

void dumpfile_argument(struct dumpfile *dump, const char *text)
{
    bytes_u32(&dump->arguments.bytes, dumpfile_string(dump, text));
    dump->arguments.count++;
}

void dumpfile_domain(struct dumpfile *dump, uint32_t id, const char *name)
{
    bytes_u32(&dump->domains.bytes, id);
    bytes_u32(&dump->domains.bytes, dumpfile_string(dump, name));
    dump->domains.count++;
}

uint32_t dumpfile_path(struct dumpfile *dump, const char *path)
{
    char *words = strdup(path);
    char **begin = calloc(strlen(path) + 1, sizeof *begin);
    char *rest;
    int n_words = 0;
    uint32_t traceback = 0;

    for (char *word = strtok_r(words, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest))
        begin[n_words++] = word;
    while (n_words > 0) { /* the oldest frame is the last word */
        char *word = begin[--n_words];
        char *colon = strrchr(word, ':');

        *colon = '\0';
        traceback = dumpfile_traceback(
            dump, traceback,
            dumpfile_frame(
                dump, (struct dumpframe){.file = word,
                                         .line = (uint32_t)atoi(colon + 1)}));
    }
    free(begin);
    free(words);
    return traceback;
}

void dumpfile_trace_full(struct dumpfile *dump, uint32_t traceback,
                         uint32_t thread, uint32_t domain,
                         const int64_t figures[6])
{
    struct bytes *bytes = &dump->traces.bytes;

    bytes_u32(bytes, traceback);
    bytes_u32(bytes, thread);
    bytes_u32(bytes, domain);
    bytes_u32(bytes, 0); /* reserved */
    for (int i = 0; i < 6; i++)
        bytes_u64(bytes, (uint64_t)figures[i]);
    dump->traces.count++;
}

void dumpfile_trace(struct dumpfile *dump, uint32_t traceback, uint32_t thread,
                    uint32_t domain, int64_t blocks, int64_t bytes)
{
    dumpfile_trace_full(
        dump, traceback, thread, domain,
        (const int64_t[]){blocks, bytes, blocks, bytes, blocks, bytes});
}

void dumpfile_detail(struct dumpfile *dump, uint32_t traceback, uint32_t thread,
                     uint32_t domain, const uint64_t figures[9])
{
    struct bytes *bytes = &dump->details.bytes;

    bytes_u32(bytes, traceback);
    bytes_u32(bytes, thread);
    bytes_u32(bytes, domain);
    bytes_u32(bytes, 0); /* reserved */
    for (int i = 0; i < 9; i++)
        bytes_u64(bytes, figures[i]);
    dump->details.count++;
    dump->has_details = 1;
}

void dumpfile_size(struct dumpfile *dump, uint32_t traceback, uint32_t thread,
                   uint32_t domain, uint32_t size_class, uint64_t blocks,
                   uint64_t bytes)
{
    struct bytes *payload = &dump->sizes.bytes;

    bytes_u32(payload, traceback);
    bytes_u32(payload, thread);
    bytes_u32(payload, domain);
    bytes_u32(payload, size_class);
    bytes_u64(payload, blocks);
    bytes_u64(payload, bytes);
    dump->sizes.count++;
}

void dumpfile_block(struct dumpfile *dump, uint64_t address, uint64_t size,
                    uint32_t traceback, uint32_t domain)
{
    struct bytes *payload = &dump->blocks.bytes;

    bytes_u64(payload, address);
    bytes_u64(payload, size);
    bytes_u32(payload, traceback);
    bytes_u32(payload, domain);
    dump->blocks.count++;
}

void dumpfile_attribute(struct dumpfile *dump, const char *key,
                        const char *value)
{
    bytes_u32(&dump->attributes.bytes, dumpfile_string(dump, key));
    bytes_u32(&dump->attributes.bytes, dumpfile_string(dump, value));
    dump->attributes.count++;
}

/* ---- Files ---- */

void file_begin(struct bytes *file, uint32_t version, uint32_t flags)
{
    bytes_add(file,
              "\x89"
              "ATR\r\n\x1a\n",
              8);
    bytes_u32(file, version);
    bytes_u32(file, flags);
}

void file_record(struct bytes *file, uint32_t tag, uint32_t count,
                 const void *payload, size_t length)
{
    bytes_u32(file, tag);
    bytes_u32(file, count);
    bytes_u64(file, length);
    bytes_add(file, payload, length);
    bytes_add(file, "\0\0\0\0\0\0\0", (8 - length % 8) % 8);
}

static uint64_t checksum(const unsigned char *data, size_t size)
{
    uint64_t h = UINT64_C(0x616c6c6f63747263);

    for (size_t i = 0; i < size; i += 8) {
        uint64_t w = 0;

        for (int k = 7; k >= 0; k--)
            w = w << 8 | data[i + (size_t)k];
        h ^= w;
        h = (h << 29 | h >> 35) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return h;
}

void file_end(struct bytes *file, uint64_t record_count)
{
    struct bytes payload = {0};

    bytes_u64(&payload, record_count);
    bytes_u64(&payload, file->size + TRAILER_SIZE);
    bytes_u64(&payload, checksum(file->data, file->size));
    file_record(file, TAG_TRAILER, 1, payload.data, payload.size);
    free(payload.data);
}

void file_mend(struct bytes *file)
{
    uint64_t sum = checksum(file->data, file->size - TRAILER_SIZE);

    file->size -= 8;
    bytes_u64(file, sum);
}

static void add_section(struct dumpfile *dump, uint32_t tag,
                        const struct section *section, uint64_t *n_records)
{
    if (section->count == 0)
        return;
    file_record(&dump->file, tag, section->count, section->bytes.data,
                section->bytes.size);
    ++*n_records;
}

static void add_process(struct dumpfile *dump, const uint32_t strings[4])
{
    struct bytes payload = {0};

    bytes_u32(&payload, 4711);
    bytes_u32(&payload, 64);
    bytes_u32(&payload, dump->traceback_limit);
    bytes_u32(&payload, 1);
    bytes_u64(&payload, dump->start_ns);
    bytes_u64(&payload, dump->dump_ns);
    for (int i = 0; i < 4; i++)
        bytes_u32(&payload, strings[i]);
    if (dump->sample_bytes || dump->n_processes)
        bytes_u64(&payload, dump->sample_bytes);
    if (dump->n_processes) {
        bytes_u32(&payload, dump->n_processes);
        bytes_u32(&payload, 0); /* reserved */
    }
    file_record(&dump->file, TAG_PROCESS, 1, payload.data, payload.size);
    free(payload.data);
}

static void add_summary(struct dumpfile *dump)
{
    struct bytes payload = {0};

    for (int i = 0; i < (dump->summary[12] || dump->summary[13] ? 14 : 12); i++)
        bytes_u64(&payload, dump->summary[i]);
    file_record(&dump->file, TAG_SUMMARY, 1, payload.data, payload.size);
    free(payload.data);
}

void dumpfile_finish(struct dumpfile *dump)
{
    const uint32_t strings[] = {
        dumpfile_string(dump, dump->program), dumpfile_string(dump, "host"),
        dumpfile_string(dump, "test 1"), dumpfile_string(dump, dump->reason)};
    uint64_t n_records = 2;

    file_begin(&dump->file, 1, 0);
    add_section(dump, TAG_STRINGS, &dump->strings, &n_records);
    add_process(dump, strings);
    add_section(dump, TAG_ARGUMENTS, &dump->arguments, &n_records);
    add_section(dump, TAG_MODULES, &dump->modules, &n_records);
    add_section(dump, TAG_FRAMES, &dump->frames, &n_records);
    add_section(dump, TAG_TRACEBACKS, &dump->tracebacks, &n_records);
    add_section(dump, TAG_THREADS, &dump->threads, &n_records);
    add_section(dump, TAG_DOMAINS, &dump->domains, &n_records);
    add_section(dump, TAG_TRACES, &dump->traces, &n_records);
    add_section(dump, TAG_DETAILS, &dump->details, &n_records);
    if (dump->has_details && dump->details.count == 0) {
        file_record(&dump->file, TAG_DETAILS, 0, "", 0);
        n_records++;
    }
    add_section(dump, TAG_SIZES, &dump->sizes, &n_records);
    add_section(dump, TAG_BLOCKS, &dump->blocks, &n_records);
    add_section(dump, TAG_ATTRIBUTES, &dump->attributes, &n_records);
    add_summary(dump);
    file_end(&dump->file, n_records);
}
