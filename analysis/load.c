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
 * The first three are the first pass over the file, which goes through a small
 * window (input.c), and the entries are the second one: a file is never whole
 * in memory. It may be another one by then, so that the second pass believes
 * nothing that the first found out, but for how large the tables are, and has
 * the checksum again.
 *
 * Time is linear in the file's size, but for what is sorted; memory is bounded
 * by it, because tables are made only after the counts were found to fit into
 * their records. Nothing recurses. Unknown tags and what a newer writer
 * appended are skipped.
 */
#include <stdlib.h>

#include "record.h"

/* One record. */
struct record {
    uint32_t tag;
    uint32_t count;  /* entries */
    uint64_t length; /* bytes of payload */
    uint64_t offset; /* of its header in the file */
};

/* How many entries there are. */
struct found {
    struct at_counts counts; /* in all records of each tag */
    uint64_t n_processes;    /* likewise, but they must be one each */
    uint64_t n_summaries;
    uint64_t n_attributes;
};

/* A file that is being loaded. */
struct loader {
    struct at_input *input;         /* not owned */
    struct alloctrace_error *error; /* where to say what is wrong, or NULL */
    struct found found;             /* in the first pass */
    struct found again;             /* in the second one, so far */
    uint64_t n_records;             /* before the trailer */
    uint64_t checksum;              /* likewise */
    alloctrace_snapshot *snapshot;  /* being filled in; owned until the end */
};

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

/* Says that a file is no longer what it was. Returns ALLOCTRACE_EIO. */
static int changed(struct loader *loader, uint64_t offset)
{
    return at_fault(loader->error, ALLOCTRACE_EIO, offset,
                    "it changed while it was read");
}

/* ---- Records ---- */

/* Reads the header of the next record, and checks that the file is as long as
 * it says. */
static int record_begin(struct loader *loader, struct record *record)
{
    struct at_input *const input = loader->input;
    const uint64_t offset = at_input_offset(input);
    uint64_t left = input->size - offset;
    int result;

    if (left == 0)
        return damaged(loader, offset,
                       "incomplete: it ends before its trailer");
    if (left < ALLOCTRACE_RECORD_HEADER_SIZE)
        return damaged(loader, offset,
                       "incomplete: it ends in the header of a record");
    result = at_input_want(input, ALLOCTRACE_RECORD_HEADER_SIZE, loader->error);
    if (result)
        return result;
    record->offset = offset;
    record->tag = read_u32(input->at);
    record->count = read_u32(input->at + 4);
    record->length = read_u64(input->at + 8);
    input->at += ALLOCTRACE_RECORD_HEADER_SIZE;
    left -= ALLOCTRACE_RECORD_HEADER_SIZE;
    if (record->length > left || (-record->length & 7) > left - record->length)
        return damaged(loader, offset,
                       "incomplete: it ends in a record of %llu bytes",
                       (unsigned long long)record->length);
    return 0;
}

/* Goes on behind a record of which `left` bytes are still to come. */
static int record_end(struct loader *loader, const struct record *record,
                      uint64_t left)
{
    struct at_input *const input = loader->input;
    const size_t padding = -record->length & 7;
    int result = at_input_copy(input, NULL, left, loader->error);

    if (!result)
        result = at_input_want(input, padding, loader->error);
    if (result)
        return result;
    for (size_t i = 0; i < padding; i++)
        if (*input->at++)
            return damaged(loader, record->offset,
                           "damaged: a record is not padded with zeros");
    return 0;
}

/* Where the entries of a tag are counted; NULL: they are not. */
static uint64_t *counter_of(struct found *found, uint32_t tag)
{
    struct at_counts *counts = &found->counts;

    switch (tag) {
    case ALLOCTRACE_TAG_STRINGS:
        return &counts->strings;
    case ALLOCTRACE_TAG_PROCESS:
        return &found->n_processes;
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
        return &found->n_summaries;
    case ALLOCTRACE_TAG_DOMAINS:
        return &counts->domains;
    case ALLOCTRACE_TAG_DETAILS:
        return &counts->details;
    case ALLOCTRACE_TAG_SIZES:
        return &counts->sizes;
    case ALLOCTRACE_TAG_BLOCKS:
        return &counts->blocks;
    case ALLOCTRACE_TAG_ATTRIBUTES:
        return &found->n_attributes;
    default:
        return NULL;
    }
}

/* Checks that a record can hold as many entries as it claims to. */
static int record_check(struct loader *loader, const struct record *record)
{
    const struct at_entry_type *type = at_entry_type_of(record->tag);
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

/* Counts the entries of a record. */
static void record_count(struct found *found, const struct record *record)
{
    uint64_t *const counter = counter_of(found, record->tag);

    if (counter)
        *counter += record->count;
    if (record->tag == ALLOCTRACE_TAG_STRINGS)
        found->counts.string_bytes += record->length;
}

static int trailer_check(struct loader *loader, const struct record *trailer)
{
    struct at_input *const input = loader->input;
    struct alloctrace_trailer_entry entry;
    int result;

    if (trailer->count != 1)
        return damaged(loader, trailer->offset,
                       "damaged: its trailer is not one entry");
    loader->checksum =
        at_input_checksum(input, ALLOCTRACE_RECORD_HEADER_SIZE);
    result = at_input_want(input, ALLOCTRACE_TRAILER_SIZE, loader->error);
    if (result)
        return result;
    entry = read_trailer(input->at);
    result = record_end(loader, trailer, trailer->length);
    if (result)
        return result;
    if (at_input_offset(input) < input->size)
        return damaged(
            loader, at_input_offset(input),
            "damaged: %llu bytes follow its trailer",
            (unsigned long long)(input->size - at_input_offset(input)));
    if (entry.checksum != loader->checksum)
        return damaged(loader, trailer->offset,
                       "damaged: its checksum is wrong");
    if (entry.file_size != input->size ||
        entry.record_count != loader->n_records)
        return damaged(loader, trailer->offset,
                       "damaged: its trailer is about %llu bytes in %llu "
                       "records, but there are %llu in %llu",
                       (unsigned long long)entry.file_size,
                       (unsigned long long)entry.record_count,
                       (unsigned long long)input->size,
                       (unsigned long long)loader->n_records);
    if (loader->found.n_processes != 1 || loader->found.n_summaries != 1)
        return damaged(loader, trailer->offset,
                       "damaged: it describes %llu processes and %llu "
                       "summaries, not one",
                       (unsigned long long)loader->found.n_processes,
                       (unsigned long long)loader->found.n_summaries);
    return 0;
}

/* The first pass: visits all records, counts their entries, and checks the
 * trailer. */
static int records_scan(struct loader *loader)
{
    for (;;) {
        struct record record;
        int result = record_begin(loader, &record);

        if (!result)
            result = record_check(loader, &record);
        if (result)
            return result;
        if (record.tag == ALLOCTRACE_TAG_TRAILER)
            return trailer_check(loader, &record);
        record_count(&loader->found, &record);
        loader->n_records++;
        result = record_end(loader, &record, record.length);
        if (result)
            return result;
    }
}

/* ---- The second pass ---- */

static int string_add(struct loader *loader, uint64_t offset, uint64_t *left)
{
    struct at_input *const input = loader->input;
    uint32_t string_id;
    uint32_t size = 0;
    char *copy;
    int result;

    if (*left >= 4) {
        result = at_input_want(input, 4, loader->error);
        if (result)
            return result;
        size = read_u32(input->at);
    }
    if (*left < 4 || size > *left - 4)
        return damaged(loader, offset,
                       "damaged: a string does not fit into its record");
    input->at += 4;
    *left -= 4 + (uint64_t)size;
    if (at_strings_make(&loader->snapshot->strings, size, &copy, &string_id))
        return at_fault_memory(loader->error);
    result = at_input_copy(input, copy, size, loader->error);
    if (result)
        return result;
    if (memchr(copy, '\0', size))
        return damaged(loader, offset,
                       "damaged: there is a zero byte in a string");
    return 0;
}

/* Strings have no common size. */
static int strings_add(struct loader *loader, const struct record *record)
{
    uint64_t left = record->length;

    for (uint32_t i = 0; i < record->count; i++) {
        const int result =
            string_add(loader, at_input_offset(loader->input), &left);

        if (result)
            return result;
    }
    if (left > 0)
        return damaged(loader, at_input_offset(loader->input),
                       "damaged: bytes follow the last string of a record");
    return 0;
}

/* Adds the next entry, of `size` bytes; what an older writer did not have yet
 * is 0. */
static int entry_add(struct loader *loader, const struct at_entry_type *type,
                     uint64_t size)
{
    struct at_input *const input = loader->input;
    const uint64_t offset = at_input_offset(input);
    const size_t known = size < type->whole ? (size_t)size : type->whole;
    uint8_t whole[AT_MAX_ENTRY_SIZE];
    const uint8_t *bytes;
    int result = at_input_want(input, known, loader->error);

    if (result)
        return result;
    bytes = input->at;
    if (known < type->whole) {
        memset(whole, 0, sizeof whole);
        memcpy(whole, bytes, known);
        bytes = whole;
    }
    result = type->add(loader->snapshot, bytes, offset, loader->error);
    input->at += known;
    if (!result && size > known)
        result = at_input_copy(input, NULL, size - known, loader->error);
    return result;
}

static int entries_add(struct loader *loader, const struct record *record)
{
    const struct at_entry_type *const type = at_entry_type_of(record->tag);
    uint64_t size;

    if (record->tag == ALLOCTRACE_TAG_DETAILS) /* with entries or without */
        loader->snapshot->has_details = true;
    if (record->tag == ALLOCTRACE_TAG_STRINGS)
        return strings_add(loader, record);
    if (!type || !type->add || record->count == 0)
        return at_input_copy(loader->input, NULL, record->length,
                             loader->error);
    size = record->length / record->count;
    for (uint32_t i = 0; i < record->count; i++) {
        const int result = entry_add(loader, type, size);

        if (result)
            return result;
    }
    return 0;
}

/* Is there room for the entries of a record? Not if the file has changed. */
static bool has_room(struct loader *loader, const struct record *record)
{
    const uint64_t *const room = counter_of(&loader->found, record->tag);
    const uint64_t *const used = counter_of(&loader->again, record->tag);

    record_count(&loader->again, record);
    return (!room || *used <= *room) &&
           loader->again.counts.string_bytes <=
               loader->found.counts.string_bytes;
}

/* The second pass. */
static int records_add(struct loader *loader)
{
    struct at_input *const input = loader->input;

    for (uint64_t i = 0; i < loader->n_records; i++) {
        struct record record;
        int result = record_begin(loader, &record);

        if (!result)
            result = record_check(loader, &record);
        if (result)
            return result;
        if (!has_room(loader, &record))
            return changed(loader, record.offset);
        result = entries_add(loader, &record);
        if (!result)
            result = record_end(loader, &record, 0);
        if (result)
            return result;
    }
    if (!input->bytes && at_input_checksum(input, 0) != loader->checksum)
        return changed(loader, ALLOCTRACE_NO_OFFSET);
    return 0;
}

/* ---- The whole file ---- */

static int header_check(struct loader *loader)
{
    struct at_input *const input = loader->input;
    const size_t n_magic = input->size < ALLOCTRACE_MAGIC_SIZE
                               ? (size_t)input->size
                               : ALLOCTRACE_MAGIC_SIZE;
    int result = at_input_want(input, n_magic, loader->error);

    if (result)
        return result;
    if (input->size == 0)
        return damaged(loader, 0, "it is empty");
    if (memcmp(input->at, ALLOCTRACE_MAGIC, n_magic)) {
        if (n_magic >= 4 && !memcmp(input->at, ALLOCTRACE_MAGIC, 4))
            return damaged(loader, 4,
                           "damaged: it was copied as if it were text");
        return damaged(loader, 0, "not a dump of alloctrace");
    }
    if (input->size < ALLOCTRACE_HEADER_SIZE)
        return damaged(loader, input->size,
                       "incomplete: it ends in the file's header");
    return at_input_want(input, ALLOCTRACE_HEADER_SIZE, loader->error);
}

/* Goes on behind the header. */
static int version_check(struct loader *loader)
{
    const uint8_t *const bytes = loader->input->at + ALLOCTRACE_MAGIC_SIZE;
    const uint32_t version = read_u32(bytes);

    if (version != ALLOCTRACE_FORMAT_VERSION)
        return at_fault(loader->error, ALLOCTRACE_EBAD_VERSION,
                        ALLOCTRACE_MAGIC_SIZE,
                        "its format has version %lu; this alloctrace reads "
                        "version %d",
                        (unsigned long)version, ALLOCTRACE_FORMAT_VERSION);
    if (read_u32(bytes + 4))
        return at_fault(loader->error, ALLOCTRACE_EBAD_VERSION,
                        ALLOCTRACE_MAGIC_SIZE + 4,
                        "its header has flags that this alloctrace does not "
                        "know");
    loader->input->at += ALLOCTRACE_HEADER_SIZE;
    return 0;
}

/* What can be said only of all entries together. */
static int whole_check(struct loader *loader)
{
    alloctrace_snapshot *const snapshot = loader->snapshot;
    bool is_unique;
    int result = 0;

    if (snapshot->n_details || snapshot->n_sizes)
        result = at_details_join(snapshot);
    if (result == ALLOCTRACE_EBAD_FILE)
        return damaged(loader, ALLOCTRACE_NO_OFFSET,
                       "damaged: it has details of a trace that it lacks");
    if (result || at_attributes_check(&snapshot->attributes, &is_unique))
        return at_fault_memory(loader->error);
    if (!is_unique)
        return damaged(loader, ALLOCTRACE_NO_OFFSET,
                       "damaged: two attributes have the same key");
    return 0;
}

/* Both passes. Precondition: the input is at the beginning. */
static int load(struct loader *loader)
{
    int result = header_check(loader);

    if (!result)
        result = version_check(loader);
    if (!result)
        result = records_scan(loader);
    if (result)
        return result;
    loader->snapshot = at_snapshot_create(&loader->found.counts);
    if (!loader->snapshot)
        return at_fault_memory(loader->error);
    loader->snapshot->names_left =
        AT_NAMES_PER_BYTE * loader->input->size + AT_NAMES_FREE;
    loader->snapshot->chains_left =
        AT_CHAINS_PER_TRACEBACK * loader->found.counts.tracebacks +
        AT_CHAINS_FREE;
    at_input_rewind(loader->input);
    result = header_check(loader);
    if (!result)
        result = version_check(loader);
    if (!result)
        result = records_add(loader);
    if (!result)
        result = whole_check(loader);
    if (result)
        return result;
    if (at_snapshot_label(loader->snapshot))
        return at_fault_memory(loader->error);
    at_snapshot_measure(loader->snapshot);
    return 0;
}

static int load_input(struct at_input *input, alloctrace_snapshot **snapshot,
                      struct alloctrace_error *error)
{
    struct loader loader = {.input = input, .error = error};
    const int result = load(&loader);

    if (result)
        alloctrace_snapshot_free(loader.snapshot);
    else
        *snapshot = loader.snapshot;
    return result;
}

int alloctrace_snapshot_load_bytes(const void *bytes, size_t size,
                                   alloctrace_snapshot **snapshot,
                                   struct alloctrace_error *error)
{
    AT_UNTRACED;
    struct at_input input;

    at_input_open_bytes(&input, bytes, size);
    return load_input(&input, snapshot, error);
}

int alloctrace_snapshot_load(const char *path, alloctrace_snapshot **snapshot,
                             struct alloctrace_error *error)
{
    AT_UNTRACED;
    struct at_input input;
    int result = at_input_open(&input, path, error);

    if (result)
        return result;
    result = load_input(&input, snapshot, error);
    at_input_close(&input);
    return result;
}
