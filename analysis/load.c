/* SPDX-License-Identifier: MIT */
/*
 * Dump => snapshot. Everything that a file says is checked before it is used,
 * in this order, so that each kind of damage gets an error of its own:
 *
 *     header    is it a dump, and of a version that can be read?
 *     records   do they follow one another without gaps to a trailer at the
 *               very end, and does each hold the entries it claims to?
 *     trailer   are the number of records, the size and the checksum right?
 *     entries   does each refer only to what stands before it?
 *
 * Time is linear in the file's size; memory is bounded by it, because tables
 * are made only after the counts were found to fit into their records. Nothing
 * recurses. Unknown tags and what a newer writer appended are skipped.
 */
#include <stdlib.h>
#include <string.h>

#include "alloctrace/format.h"
#include "model.h"

/* One record. */
struct record {
    uint32_t tag;
    uint32_t count;         /* entries */
    uint64_t length;        /* bytes of payload */
    uint64_t offset;        /* of its header in the file */
    const uint8_t *payload; /* in the file's bytes */
    uint64_t next;          /* offset of what follows it */
};

/* A file that is being loaded. */
struct loader {
    const uint8_t *bytes;           /* the whole file; not owned */
    uint64_t size;                  /* of it */
    struct alloctrace_error *error; /* where to say what is wrong, or NULL */
    struct at_counts counts;        /* entries in all records of each tag */
    uint64_t n_processes;           /* likewise, but they must be one each */
    uint64_t n_summaries;
    uint64_t n_records;            /* before the trailer */
    alloctrace_snapshot *snapshot; /* being filled in; owned until the end */
};

/* ---- Reading numbers and entries ---- */

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
           (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint64_t read_u64(const uint8_t *bytes)
{
    return (uint64_t)read_u32(bytes) | (uint64_t)read_u32(bytes + 4) << 32;
}

#define READ_FIELD(bits, name)        \
    entry.name = read_u##bits(bytes); \
    bytes += bits / 8;

/* Each field list makes a reader: struct alloctrace_X_entry read_X(bytes). */
#define DEFINE_READER(type, FIELDS)                                           \
    static struct alloctrace_##type##_entry read_##type(const uint8_t *bytes) \
    {                                                                         \
        struct alloctrace_##type##_entry entry;                               \
                                                                              \
        FIELDS(READ_FIELD)                                                    \
        return entry;                                                         \
    }

DEFINE_READER(process, ALLOCTRACE_PROCESS_FIELDS)
DEFINE_READER(argument, ALLOCTRACE_ARGUMENT_FIELDS)
DEFINE_READER(module, ALLOCTRACE_MODULE_FIELDS)
DEFINE_READER(frame, ALLOCTRACE_FRAME_FIELDS)
DEFINE_READER(traceback, ALLOCTRACE_TRACEBACK_FIELDS)
DEFINE_READER(thread, ALLOCTRACE_THREAD_FIELDS)
DEFINE_READER(trace, ALLOCTRACE_TRACE_FIELDS)
DEFINE_READER(detail, ALLOCTRACE_DETAIL_FIELDS)
DEFINE_READER(size_class, ALLOCTRACE_SIZE_CLASS_FIELDS)
DEFINE_READER(summary, ALLOCTRACE_SUMMARY_FIELDS)
DEFINE_READER(domain, ALLOCTRACE_DOMAIN_FIELDS)
DEFINE_READER(block, ALLOCTRACE_BLOCK_FIELDS)
DEFINE_READER(attribute, ALLOCTRACE_ATTRIBUTE_FIELDS)
DEFINE_READER(trailer, ALLOCTRACE_TRAILER_FIELDS)

/* Says that the file is damaged. Returns ALLOCTRACE_EBAD_FILE. */
__attribute__((format(printf, 3, 4))) static int
damaged(struct loader *loader, uint64_t offset, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    at_fault_list(loader->error, ALLOCTRACE_EBAD_FILE, offset, format,
                  arguments);
    va_end(arguments);
    return ALLOCTRACE_EBAD_FILE;
}

/* ---- Entries ---- */

/* Checks a reference: `id` must be below `n`, which counts number 0. */
static int check_id(struct loader *loader, uint64_t offset, const char *what,
                    uint32_t id, uint32_t n)
{
    if (id < n)
        return 0;
    return damaged(loader, offset,
                   "damaged: %s %lu is referred to, but only %lu stand "
                   "before",
                   what, (unsigned long)id, (unsigned long)n - 1);
}

/* Checks references to strings: all must be below the count so far. */
static int check_strings(struct loader *loader, uint64_t offset,
                         const uint32_t *ids, size_t n_ids)
{
    for (size_t i = 0; i < n_ids; i++)
        if (check_id(loader, offset, "string", ids[i],
                     loader->snapshot->strings.count))
            return ALLOCTRACE_EBAD_FILE;
    return 0;
}

#define CHECK_STRINGS(loader, offset, ...)                         \
    check_strings(loader, offset, (const uint32_t[]){__VA_ARGS__}, \
                  sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static int add_process(struct loader *loader, const uint8_t *bytes,
                       uint64_t offset)
{
    struct alloctrace_process_entry entry = read_process(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;

    if (CHECK_STRINGS(loader, offset, entry.program, entry.host, entry.writer,
                      entry.reason))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->process = (struct alloctrace_process){
        .program = at_text(snapshot, entry.program),
        .host = at_text(snapshot, entry.host),
        .writer = at_text(snapshot, entry.writer),
        .reason = at_text(snapshot, entry.reason),
        .start_ns = entry.start_ns,
        .dump_ns = entry.dump_ns,
        .pid = entry.pid,
        .word_bits = entry.word_bits,
        .traceback_limit = entry.traceback_limit,
        .sequence = entry.sequence,
        .sample_bytes = entry.sample_bytes,
        .n_processes = entry.n_processes ? entry.n_processes : 1,
    };
    return 0;
}

static int add_argument(struct loader *loader, const uint8_t *bytes,
                        uint64_t offset)
{
    struct alloctrace_argument_entry entry = read_argument(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;

    if (CHECK_STRINGS(loader, offset, entry.text))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->arguments[snapshot->n_arguments++] =
        at_text(snapshot, entry.text);
    return 0;
}

static int add_module(struct loader *loader, const uint8_t *bytes,
                      uint64_t offset)
{
    struct alloctrace_module_entry entry = read_module(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;

    if (CHECK_STRINGS(loader, offset, entry.path, entry.build_id))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->modules[snapshot->n_modules++] = (struct alloctrace_module){
        .path = at_text(snapshot, entry.path),
        .build_id = at_text(snapshot, entry.build_id),
        .begin = entry.begin,
        .end = entry.end,
        .bias = entry.bias,
    };
    return 0;
}

static int add_frame(struct loader *loader, const uint8_t *bytes,
                     uint64_t offset)
{
    struct alloctrace_frame_entry entry = read_frame(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;
    uint32_t n_chain;

    if (CHECK_STRINGS(loader, offset, entry.file, entry.function, entry.callee,
                      entry.type, entry.target) ||
        check_id(loader, offset, "module", entry.module, snapshot->n_modules) ||
        check_id(loader, offset, "frame", entry.caller, snapshot->n_frames))
        return ALLOCTRACE_EBAD_FILE;
    n_chain = entry.caller ? snapshot->frames[entry.caller].n_chain + 1 : 1;
    if (n_chain > AT_MAX_CHAIN)
        return damaged(loader, offset,
                       "damaged: a frame is inlined more than %d deep",
                       AT_MAX_CHAIN);
    snapshot->frames[snapshot->n_frames++] = (struct at_frame){
        .address = entry.address,
        .module = entry.module,
        .file = entry.file,
        .function = entry.function,
        .line = entry.line,
        .column = entry.column,
        .caller = entry.caller,
        .callee = entry.callee,
        .type = entry.type,
        .target = entry.target,
        .type_size = entry.type_size,
        .ordinal = entry.ordinal,
        .n_chain = n_chain,
        .kind = entry.kind < UINT16_MAX ? (uint16_t)entry.kind : UINT16_MAX,
        .flags = (uint16_t)entry.flags,
    };
    return 0;
}

static int add_traceback(struct loader *loader, const uint8_t *bytes,
                         uint64_t offset)
{
    struct alloctrace_traceback_entry entry = read_traceback(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;

    if (check_id(loader, offset, "traceback", entry.parent,
                 snapshot->n_tracebacks) ||
        check_id(loader, offset, "frame", entry.frame, snapshot->n_frames))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->tracebacks[snapshot->n_tracebacks++] = (struct at_traceback){
        .parent = entry.parent,
        .frame = entry.frame,
        .left_out = entry.left_out,
    };
    return 0;
}

static int add_thread(struct loader *loader, const uint8_t *bytes,
                      uint64_t offset)
{
    struct alloctrace_thread_entry entry = read_thread(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;

    if (CHECK_STRINGS(loader, offset, entry.name))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->threads[snapshot->n_threads++] = (struct alloctrace_thread){
        .name = at_text(snapshot, entry.name),
        .tid = entry.tid,
    };
    return 0;
}

static int add_domain(struct loader *loader, const uint8_t *bytes,
                      uint64_t offset)
{
    struct alloctrace_domain_entry entry = read_domain(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;

    if (CHECK_STRINGS(loader, offset, entry.name))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->domains[snapshot->n_domains++] = (struct alloctrace_domain){
        .name = at_text(snapshot, entry.name),
        .id = entry.id,
    };
    return 0;
}

static int add_trace(struct loader *loader, const uint8_t *bytes,
                     uint64_t offset)
{
    struct alloctrace_trace_entry entry = read_trace(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;

    if (check_id(loader, offset, "traceback", entry.traceback,
                 snapshot->n_tracebacks) ||
        check_id(loader, offset, "thread", entry.thread, snapshot->n_threads))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->traces[snapshot->n_traces++] = (struct alloctrace_trace){
        .traceback = entry.traceback,
        .thread = entry.thread,
        .domain = entry.domain,
        .live_blocks = (int64_t)entry.live_blocks,
        .live_bytes = (int64_t)entry.live_bytes,
        .total_blocks = (int64_t)entry.total_blocks,
        .total_bytes = (int64_t)entry.total_bytes,
        .peak_blocks = (int64_t)entry.peak_blocks,
        .peak_bytes = (int64_t)entry.peak_bytes,
    };
    return 0;
}

static int add_detail(struct loader *loader, const uint8_t *bytes,
                      uint64_t offset)
{
    struct alloctrace_detail_entry entry = read_detail(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;

    (void)offset;
    snapshot->details[snapshot->n_details++] = (struct at_detail){
        .name = {entry.traceback, entry.thread, entry.domain},
        .temporary_blocks = entry.temporary_blocks,
        .temporary_bytes = entry.temporary_bytes,
        .resized_blocks = entry.resized_blocks,
        .resized_in_place = entry.resized_in_place,
        .moved_bytes = entry.moved_bytes,
        .grown_bytes = entry.grown_bytes,
        .shrunk_bytes = entry.shrunk_bytes,
        .smallest = entry.smallest,
        .largest = entry.largest,
    };
    return 0;
}

_Static_assert(ALLOCTRACE_SIZE_CLASSES == ALLOCTRACE_SIZE_CLASS_COUNT,
               "analysis.h repeats what format.h says");

static int add_size(struct loader *loader, const uint8_t *bytes,
                    uint64_t offset)
{
    struct alloctrace_size_class_entry entry = read_size_class(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;

    if (entry.size_class >= ALLOCTRACE_SIZE_CLASSES)
        return damaged(loader, offset,
                       "damaged: there is no class %lu of sizes",
                       (unsigned long)entry.size_class);
    snapshot->sizes[snapshot->n_sizes++] = (struct at_size){
        .name = {entry.traceback, entry.thread, entry.domain},
        .number = entry.size_class,
        .blocks = entry.blocks,
        .bytes = entry.bytes,
    };
    return 0;
}

static int add_block(struct loader *loader, const uint8_t *bytes,
                     uint64_t offset)
{
    const struct alloctrace_block_entry entry = read_block(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;

    if (check_id(loader, offset, "traceback", entry.traceback,
                 snapshot->n_tracebacks))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->blocks[snapshot->n_blocks++] = (struct alloctrace_block){
        .address = entry.address,
        .size = entry.size,
        .traceback = entry.traceback,
        .domain = entry.domain,
    };
    return 0;
}

static int add_attribute(struct loader *loader, const uint8_t *bytes,
                         uint64_t offset)
{
    const struct alloctrace_attribute_entry entry = read_attribute(bytes);
    alloctrace_snapshot *snapshot = loader->snapshot;

    if (CHECK_STRINGS(loader, offset, entry.key, entry.value))
        return ALLOCTRACE_EBAD_FILE;
    if (!*at_text(snapshot, entry.key))
        return damaged(loader, offset, "damaged: an attribute has no key");
    if (at_attributes_set(&snapshot->attributes, at_text(snapshot, entry.key),
                          at_text(snapshot, entry.value)))
        return at_fault_memory(loader->error);
    return 0;
}

static int add_summary(struct loader *loader, const uint8_t *bytes,
                       uint64_t offset)
{
    struct alloctrace_summary_entry entry = read_summary(bytes);

    (void)offset;
    loader->snapshot->summary = (struct alloctrace_summary){
#define COPY_FIELD(bits, name) .name = entry.name,
        ALLOCTRACE_SUMMARY_FIELDS(COPY_FIELD)
#undef COPY_FIELD
    };
    return 0;
}

/* Strings have no common size; `add_entries` knows. */
static int add_strings(struct loader *loader, const struct record *record)
{
    const uint8_t *bytes = record->payload;
    uint64_t left = record->length;

    for (uint32_t i = 0; i < record->count; i++) {
        uint64_t offset = (uint64_t)(bytes - loader->bytes);
        uint32_t size = left < 4 ? 0 : read_u32(bytes);
        uint32_t string_id;

        if (left < 4 || size > left - 4)
            return damaged(loader, offset,
                           "damaged: a string does not fit into its record");
        if (memchr(bytes + 4, '\0', size))
            return damaged(loader, offset,
                           "damaged: there is a zero byte in a string");
        if (at_strings_add(&loader->snapshot->strings, (const char *)bytes + 4,
                           size, &string_id))
            return at_fault_memory(loader->error);
        bytes += 4 + (size_t)size;
        left -= 4 + (uint64_t)size;
    }
    if (left > 0)
        return damaged(loader, (uint64_t)(bytes - loader->bytes),
                       "damaged: bytes follow the last string of a record");
    return 0;
}

/* ---- Records ---- */

/* tag => what its entries are. Constant. */
static const struct entry_type {
    uint32_t tag;
    uint32_t size;    /* of an entry, at least: as the first writers had it */
    uint32_t whole;   /* of one with all fields that this reader knows */
    const char *name; /* for errors */
    int (*add)(struct loader *, const uint8_t *bytes, uint64_t offset);
} entry_types[] = {
#define ENTRY(TAG, TYPE, name, add) \
    {ALLOCTRACE_TAG_##TAG, ALLOCTRACE_##TYPE##_SIZE, \
     ALLOCTRACE_##TYPE##_SIZE, name, add}
    {ALLOCTRACE_TAG_STRINGS, 4, 4, "strings", NULL},
    {ALLOCTRACE_TAG_PROCESS, ALLOCTRACE_OLD_PROCESS_SIZE,
     ALLOCTRACE_PROCESS_SIZE, "process", add_process},
    ENTRY(ARGUMENTS, ARGUMENT, "arguments", add_argument),
    ENTRY(MODULES, MODULE, "modules", add_module),
    ENTRY(FRAMES, FRAME, "frames", add_frame),
    {ALLOCTRACE_TAG_TRACEBACKS, ALLOCTRACE_OLD_TRACEBACK_SIZE,
     ALLOCTRACE_TRACEBACK_SIZE, "tracebacks", add_traceback},
    ENTRY(THREADS, THREAD, "threads", add_thread),
    ENTRY(TRACES, TRACE, "traces", add_trace),
    {ALLOCTRACE_TAG_SUMMARY, ALLOCTRACE_OLD_SUMMARY_SIZE,
     ALLOCTRACE_SUMMARY_SIZE, "summary", add_summary},
    ENTRY(DOMAINS, DOMAIN, "domains", add_domain),
    ENTRY(BLOCKS, BLOCK, "blocks", add_block),
    ENTRY(DETAILS, DETAIL, "details", add_detail),
    ENTRY(SIZES, SIZE_CLASS, "sizes", add_size),
    ENTRY(ATTRIBUTES, ATTRIBUTE, "attributes", add_attribute),
    ENTRY(TRAILER, TRAILER, "trailer", NULL),
#undef ENTRY
};

/* Returns NULL for tags that a newer writer may have used. */
static const struct entry_type *entry_type_of(uint32_t tag)
{
    for (size_t i = 0; i < sizeof entry_types / sizeof *entry_types; i++)
        if (entry_types[i].tag == tag)
            return &entry_types[i];
    return NULL;
}

/* Where the entries of a tag are counted; NULL: they are not. */
static uint64_t *counter_of(struct loader *loader, uint32_t tag)
{
    struct at_counts *counts = &loader->counts;

    switch (tag) {
    case ALLOCTRACE_TAG_STRINGS:
        return &counts->strings;
    case ALLOCTRACE_TAG_PROCESS:
        return &loader->n_processes;
    case ALLOCTRACE_TAG_ARGUMENTS:
        return &counts->arguments;
    case ALLOCTRACE_TAG_MODULES:
        return &counts->modules;
    case ALLOCTRACE_TAG_FRAMES:
        return &counts->frames;
    case ALLOCTRACE_TAG_TRACEBACKS:
        return &counts->tracebacks;
    case ALLOCTRACE_TAG_THREADS:
        return &counts->threads;
    case ALLOCTRACE_TAG_TRACES:
        return &counts->traces;
    case ALLOCTRACE_TAG_SUMMARY:
        return &loader->n_summaries;
    case ALLOCTRACE_TAG_DOMAINS:
        return &counts->domains;
    case ALLOCTRACE_TAG_DETAILS:
        return &counts->details;
    case ALLOCTRACE_TAG_SIZES:
        return &counts->sizes;
    case ALLOCTRACE_TAG_BLOCKS:
        return &counts->blocks;
    default:
        return NULL;
    }
}

/* Finds the record at an offset within the file. */
static int record_read(struct loader *loader, uint64_t offset,
                       struct record *record)
{
    const uint8_t *bytes = loader->bytes + offset;
    uint64_t left = loader->size - offset;
    uint64_t padding;

    if (left == 0)
        return damaged(loader, offset,
                       "incomplete: it ends before its trailer");
    if (left < ALLOCTRACE_RECORD_HEADER_SIZE)
        return damaged(loader, offset,
                       "incomplete: it ends in the header of a record");
    record->offset = offset;
    record->tag = read_u32(bytes);
    record->count = read_u32(bytes + 4);
    record->length = read_u64(bytes + 8);
    record->payload = bytes + ALLOCTRACE_RECORD_HEADER_SIZE;
    left -= ALLOCTRACE_RECORD_HEADER_SIZE;
    padding = -record->length & 7;
    if (record->length > left || padding > left - record->length)
        return damaged(loader, offset,
                       "incomplete: it ends in a record of %llu bytes",
                       (unsigned long long)record->length);
    for (uint64_t i = 0; i < padding; i++)
        if (record->payload[record->length + i])
            return damaged(loader, offset,
                           "damaged: a record is not padded with zeros");
    record->next =
        offset + ALLOCTRACE_RECORD_HEADER_SIZE + record->length + padding;
    return 0;
}

/* Checks that a record can hold as many entries as it claims to. */
static int record_check(struct loader *loader, const struct record *record)
{
    const struct entry_type *type = entry_type_of(record->tag);
    bool is_fit;

    if (!type)
        return 0;
    if (record->count == 0)
        is_fit = record->length == 0;
    else if (record->tag == ALLOCTRACE_TAG_STRINGS)
        is_fit = record->length / type->size >= record->count;
    else
        is_fit = record->length % record->count == 0 &&
                 record->length / record->count >= type->size;
    if (is_fit)
        return 0;
    return damaged(loader, record->offset,
                   "damaged: %lu entries (%s) cannot take %llu bytes",
                   (unsigned long)record->count, type->name,
                   (unsigned long long)record->length);
}

/* Visits all records, counts their entries and finds the trailer. */
static int records_scan(struct loader *loader, struct record *trailer)
{
    uint64_t offset = ALLOCTRACE_HEADER_SIZE;

    for (;;) {
        uint64_t *counter;

        if (record_read(loader, offset, trailer) ||
            record_check(loader, trailer))
            return ALLOCTRACE_EBAD_FILE;
        if (trailer->tag == ALLOCTRACE_TAG_TRAILER)
            return 0;
        counter = counter_of(loader, trailer->tag);
        if (counter)
            *counter += trailer->count;
        if (trailer->tag == ALLOCTRACE_TAG_STRINGS)
            loader->counts.string_bytes += trailer->length;
        loader->n_records++;
        offset = trailer->next;
    }
}

/* Room for the longest entry. */
#define MAX_ENTRY_SIZE 256

/* Adds an entry; fields that an older writer did not have yet are 0. */
static int add_entry(struct loader *loader, const struct entry_type *type,
                     const uint8_t *bytes, uint64_t size)
{
    const uint64_t offset = (uint64_t)(bytes - loader->bytes);
    uint8_t whole[MAX_ENTRY_SIZE];

    if (size >= type->whole)
        return type->add(loader, bytes, offset);
    memset(whole, 0, sizeof whole);
    memcpy(whole, bytes, (size_t)size);
    return type->add(loader, whole, offset);
}

static int add_entries(struct loader *loader, const struct record *record)
{
    const struct entry_type *type = entry_type_of(record->tag);
    uint64_t size;

    if (record->tag == ALLOCTRACE_TAG_DETAILS) /* with entries or without */
        loader->snapshot->has_details = true;
    if (record->tag == ALLOCTRACE_TAG_STRINGS)
        return add_strings(loader, record);
    if (!type || !type->add || record->count == 0)
        return 0;
    size = record->length / record->count;
    for (uint32_t i = 0; i < record->count; i++) {
        int result = add_entry(loader, type, record->payload + i * size, size);

        if (result)
            return result;
    }
    return 0;
}

static int records_add(struct loader *loader)
{
    uint64_t offset = ALLOCTRACE_HEADER_SIZE;
    struct record record;

    for (uint64_t i = 0; i < loader->n_records; i++) {
        int result = record_read(loader, offset, &record);

        if (!result)
            result = add_entries(loader, &record);
        if (result)
            return result;
        offset = record.next;
    }
    return 0;
}

/* ---- The whole file ---- */

static int header_check(struct loader *loader)
{
    const uint8_t *bytes = loader->bytes;
    size_t n_magic = loader->size < ALLOCTRACE_MAGIC_SIZE
                         ? (size_t)loader->size
                         : ALLOCTRACE_MAGIC_SIZE;
    uint32_t version;

    if (loader->size == 0)
        return damaged(loader, 0, "it is empty");
    if (memcmp(bytes, ALLOCTRACE_MAGIC, n_magic)) {
        if (n_magic >= 4 && !memcmp(bytes, ALLOCTRACE_MAGIC, 4))
            return damaged(loader, 4,
                           "damaged: it was copied as if it were text");
        return damaged(loader, 0, "not a dump of alloctrace");
    }
    if (loader->size < ALLOCTRACE_HEADER_SIZE)
        return damaged(loader, loader->size,
                       "incomplete: it ends in the file's header");
    version = read_u32(bytes + ALLOCTRACE_MAGIC_SIZE);
    if (version != ALLOCTRACE_FORMAT_VERSION)
        return at_fault(loader->error, ALLOCTRACE_EBAD_VERSION,
                        ALLOCTRACE_MAGIC_SIZE,
                        "its format has version %lu; this alloctrace reads "
                        "version %d",
                        (unsigned long)version, ALLOCTRACE_FORMAT_VERSION);
    if (read_u32(bytes + ALLOCTRACE_MAGIC_SIZE + 4))
        return at_fault(loader->error, ALLOCTRACE_EBAD_VERSION,
                        ALLOCTRACE_MAGIC_SIZE + 4,
                        "its header has flags that this alloctrace does not "
                        "know");
    return 0;
}

/* Precondition: `size` is a multiple of 8, as every offset of a record. */
static uint64_t checksum_of(const uint8_t *bytes, uint64_t size)
{
    uint64_t hash = ALLOCTRACE_CHECKSUM_SEED;

    for (uint64_t i = 0; i < size; i += 8) {
        hash ^= read_u64(bytes + i);
        hash = (hash << 29 | hash >> 35) * ALLOCTRACE_CHECKSUM_PRIME;
    }
    return hash;
}

static int trailer_check(struct loader *loader, const struct record *trailer)
{
    struct alloctrace_trailer_entry entry;
    uint64_t n_after = loader->size - trailer->next;

    if (trailer->count != 1)
        return damaged(loader, trailer->offset,
                       "damaged: its trailer is not one entry");
    entry = read_trailer(trailer->payload);
    if (n_after > 0)
        return damaged(loader, trailer->next,
                       "damaged: %llu bytes follow its trailer",
                       (unsigned long long)n_after);
    if (entry.checksum != checksum_of(loader->bytes, trailer->offset))
        return damaged(loader, trailer->offset,
                       "damaged: its checksum is wrong");
    if (entry.file_size != loader->size ||
        entry.record_count != loader->n_records)
        return damaged(loader, trailer->offset,
                       "damaged: its trailer is about %llu bytes in %llu "
                       "records, but there are %llu in %llu",
                       (unsigned long long)entry.file_size,
                       (unsigned long long)entry.record_count,
                       (unsigned long long)loader->size,
                       (unsigned long long)loader->n_records);
    if (loader->n_processes != 1 || loader->n_summaries != 1)
        return damaged(loader, trailer->offset,
                       "damaged: it describes %llu processes and %llu "
                       "summaries, not one",
                       (unsigned long long)loader->n_processes,
                       (unsigned long long)loader->n_summaries);
    return 0;
}

static int details_join(struct loader *loader)
{
    int result = at_details_join(loader->snapshot);

    if (result == ALLOCTRACE_EBAD_FILE)
        return damaged(loader, ALLOCTRACE_NO_OFFSET,
                       "damaged: it has details of a trace that it lacks");
    return result ? at_fault_memory(loader->error) : 0;
}

static int load(struct loader *loader)
{
    struct record trailer;
    int result = header_check(loader);

    if (result)
        return result;
    if (records_scan(loader, &trailer) || trailer_check(loader, &trailer))
        return ALLOCTRACE_EBAD_FILE;
    loader->snapshot = at_snapshot_create(&loader->counts);
    if (!loader->snapshot)
        return at_fault_memory(loader->error);
    result = records_add(loader);
    if (!result)
        result = details_join(loader);
    if (result)
        return result;
    if (at_snapshot_label(loader->snapshot))
        return at_fault_memory(loader->error);
    at_snapshot_measure(loader->snapshot);
    return 0;
}

int alloctrace_snapshot_load_bytes(const void *bytes, size_t size,
                                   alloctrace_snapshot **snapshot,
                                   struct alloctrace_error *error)
{
    struct loader loader = {.bytes = bytes, .size = size, .error = error};
    int result = load(&loader);

    if (result) {
        alloctrace_snapshot_free(loader.snapshot);
        return result;
    }
    *snapshot = loader.snapshot;
    return 0;
}

int alloctrace_snapshot_load(const char *path, alloctrace_snapshot **snapshot,
                             struct alloctrace_error *error)
{
    void *bytes;
    size_t size;
    int result = alloctrace_read_file(path, &bytes, &size, error);

    if (result)
        return result;
    result = alloctrace_snapshot_load_bytes(bytes, size, snapshot, error);
    free(bytes);
    return result;
}
