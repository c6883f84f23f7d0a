/* SPDX-License-Identifier: MIT */
/*
 * Changes dumps where it hurts. libFuzzer changes bytes, and the first check of
 * a file (its checksum) would refuse nearly all that it makes. So here a file
 * is taken apart into records, these are changed, and it is put together again
 * with a right trailer; now and then numbers of strings, frames and so on are
 * brought into bounds, so that what is wrong is one thing and not twenty. Some
 * files are changed blindly all the same.
 */
#include <stdlib.h>
#include <string.h>

#include "alloctrace/format.h"
#include "dumpfile.h"
#include "fuzz.h"

#define MAX_RECORDS 64
#define MAX_PAYLOAD ((size_t)1 << 16)

/* Of libFuzzer: changes bytes in place. Returns their number then. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

struct record {
    uint32_t tag;
    uint32_t count;
    uint8_t *payload; /* owned; room for MAX_PAYLOAD */
    size_t size;
};

struct file {
    struct record records[MAX_RECORDS]; /* without the trailer */
    size_t n_records;
    uint64_t random; /* state of the generator */
};

/* ---- Chance ---- */

static uint32_t any(struct file *file)
{
    file->random = file->random * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
    return (uint32_t)(file->random >> 33);
}

static uint32_t below(struct file *file, size_t n)
{
    return n ? any(file) % (uint32_t)n : 0;
}

/* ---- Taking apart and putting together ---- */

static uint64_t number_at(const uint8_t *bytes, int size)
{
    uint64_t number = 0;

    while (size-- > 0)
        number = number << 8 | bytes[size];
    return number;
}

static void set_word(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

static struct record *add_record(struct file *file, uint32_t tag,
                                 uint32_t count, const uint8_t *payload,
                                 size_t size)
{
    struct record *const record = &file->records[file->n_records];

    if (file->n_records == MAX_RECORDS || size > MAX_PAYLOAD)
        return NULL;
    *record = (struct record){tag, count, malloc(MAX_PAYLOAD), size};
    REQUIRE(record->payload);
    if (size > 0)
        memcpy(record->payload, payload, size);
    file->n_records++;
    return record;
}

/* Reads as many records as are whole. */
static void take_apart(struct file *file, const uint8_t *data, size_t size)
{
    size_t offset = ALLOCTRACE_HEADER_SIZE;

    while (offset < size && size - offset >= ALLOCTRACE_RECORD_HEADER_SIZE) {
        const uint32_t tag = (uint32_t)number_at(data + offset, 4);
        const uint32_t count = (uint32_t)number_at(data + offset + 4, 4);
        const uint64_t length = number_at(data + offset + 8, 8);

        offset += ALLOCTRACE_RECORD_HEADER_SIZE;
        if (length > size - offset || tag == ALLOCTRACE_TAG_TRAILER)
            return;
        add_record(file, tag, count, data + offset, (size_t)length);
        offset += (size_t)length + (size_t)(-length & 7);
    }
}

/* Returns the size, 0 if it does not fit. */
static size_t put_together(const struct file *file, uint8_t *data,
                           size_t max_size)
{
    struct bytes bytes = {0};
    size_t size;

    file_begin(&bytes, ALLOCTRACE_FORMAT_VERSION, 0);
    for (size_t i = 0; i < file->n_records; i++)
        file_record(&bytes, file->records[i].tag, file->records[i].count,
                    file->records[i].payload, file->records[i].size);
    file_end(&bytes, file->n_records);
    size = bytes.size <= max_size ? bytes.size : 0;
    memcpy(data, bytes.data, size);
    free(bytes.data);
    return size;
}

static void file_fini(struct file *file)
{
    for (size_t i = 0; i < file->n_records; i++)
        free(file->records[i].payload);
}

/* ---- What entries hold ---- */

/* Where an entry refers to others: at a byte, to a tag. */
struct reference {
    uint32_t tag;
    size_t at;
    uint32_t to;
};

static const struct reference references[] = {
    {ALLOCTRACE_TAG_PROCESS, 32, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_PROCESS, 36, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_PROCESS, 40, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_PROCESS, 44, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_ARGUMENTS, 0, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_MODULES, 24, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_MODULES, 28, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_FRAMES, 8, ALLOCTRACE_TAG_MODULES},
    {ALLOCTRACE_TAG_FRAMES, 12, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_FRAMES, 16, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_FRAMES, 32, ALLOCTRACE_TAG_FRAMES},
    {ALLOCTRACE_TAG_FRAMES, 36, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_FRAMES, 40, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_FRAMES, 44, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_TRACEBACKS, 0, ALLOCTRACE_TAG_TRACEBACKS},
    {ALLOCTRACE_TAG_TRACEBACKS, 4, ALLOCTRACE_TAG_FRAMES},
    {ALLOCTRACE_TAG_THREADS, 4, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_TRACES, 0, ALLOCTRACE_TAG_TRACEBACKS},
    {ALLOCTRACE_TAG_TRACES, 4, ALLOCTRACE_TAG_THREADS},
    {ALLOCTRACE_TAG_DOMAINS, 4, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_BLOCKS, 16, ALLOCTRACE_TAG_TRACEBACKS},
    {ALLOCTRACE_TAG_ATTRIBUTES, 0, ALLOCTRACE_TAG_STRINGS},
    {ALLOCTRACE_TAG_ATTRIBUTES, 4, ALLOCTRACE_TAG_STRINGS},
};

#define N_REFERENCES (sizeof references / sizeof *references)

/* Bytes of an entry; 0 if they have no common size. */
static size_t entry_size(const struct record *record)
{
    if (record->tag == ALLOCTRACE_TAG_STRINGS || record->count == 0 ||
        record->size % record->count != 0)
        return 0;
    return record->size / record->count;
}

/* Where entry `i` begins, and its size; false if there is none. */
static bool entry_find(const struct record *record, uint32_t i, size_t *at,
                       size_t *size)
{
    size_t offset = 0;

    *size = entry_size(record);
    *at = *size * i;
    if (*size > 0)
        return i < record->count;
    if (record->tag != ALLOCTRACE_TAG_STRINGS)
        return false;
    for (;; i--) {
        if (record->size - offset < 4)
            return false;
        *size = 4 + number_at(record->payload + offset, 4);
        *at = offset;
        if (*size > record->size - offset)
            return false;
        if (i == 0)
            return true;
        offset += *size;
    }
}

/* Entries of a tag in the records before one; of its own, so many besides. */
static uint64_t count_before(const struct file *file, size_t end, uint32_t tag)
{
    uint64_t count = 0;

    for (size_t i = 0; i < end; i++)
        if (file->records[i].tag == tag)
            count += file->records[i].count;
    return count;
}

/* Brings the references of a record into bounds. */
static void bind_record(struct file *file, size_t index)
{
    struct record *const record = &file->records[index];
    const size_t size = entry_size(record);

    for (size_t k = 0; size > 0 && k < N_REFERENCES; k++) {
        const struct reference *const reference = &references[k];
        uint64_t count = count_before(file, index, reference->to);

        if (reference->tag != record->tag || reference->at + 4 > size)
            continue;
        for (uint32_t i = 0; i < record->count; i++) {
            uint8_t *const at = record->payload + i * size + reference->at;

            if (number_at(at, 4) > count)
                set_word(at, (uint32_t)(number_at(at, 4) % (count + 1)));
            if (reference->to == record->tag)
                count++;
        }
    }
}

/* Lets details and sizes be of traces that there are. */
static void bind_details(struct file *file, size_t index)
{
    struct record *const record = &file->records[index];
    const size_t size = entry_size(record);

    if ((record->tag != ALLOCTRACE_TAG_DETAILS &&
         record->tag != ALLOCTRACE_TAG_SIZES) ||
        size < 16)
        return;
    for (size_t k = 0; k < file->n_records; k++) {
        const struct record *const traces = &file->records[k];
        const size_t trace_size = entry_size(traces);

        if (traces->tag != ALLOCTRACE_TAG_TRACES || trace_size < 12)
            continue;
        for (uint32_t i = 0; i < record->count; i++)
            memcpy(record->payload + i * size,
                   traces->payload + (i % traces->count) * trace_size, 12);
    }
}

static void bind_all(struct file *file)
{
    for (size_t i = 0; i < file->n_records; i++)
        bind_record(file, i);
    for (size_t i = 0; i < file->n_records; i++)
        bind_details(file, i);
}

/* ---- Changes ---- */

static struct record *choose(struct file *file)
{
    return &file->records[below(file, file->n_records)];
}

/* A number that is near to what the file has, or at an edge. */
static uint32_t edge(struct file *file)
{
    const uint32_t tag = choose(file)->tag;
    const uint32_t count =
        (uint32_t)count_before(file, file->n_records, tag);

    switch (below(file, 8)) {
    case 0:
        return count - 1;
    case 1:
        return count;
    case 2:
        return count + 1;
    case 3:
        return UINT32_MAX;
    case 4:
        return UINT32_C(1) << below(file, 32);
    case 5:
        return 0;
    default:
        return below(file, count + 2);
    }
}

static void change_word(struct file *file)
{
    struct record *const record = choose(file);

    if (record->size < 4)
        return;
    set_word(record->payload + below(file, record->size / 4) * 4, edge(file));
}

static void change_reference(struct file *file)
{
    const struct reference *const reference =
        &references[below(file, N_REFERENCES)];

    for (size_t k = 0; k < file->n_records; k++) {
        struct record *const record = &file->records[k];
        const size_t size = entry_size(record);

        if (record->tag == reference->tag && reference->at + 4 <= size &&
            below(file, 2))
            set_word(record->payload +
                         below(file, record->count) * size + reference->at,
                     edge(file));
    }
}

static void change_header(struct file *file)
{
    struct record *const record = choose(file);

    switch (below(file, 4)) {
    case 0:
        record->count = edge(file);
        break;
    case 1:
        record->count += below(file, 2) ? 1 : UINT32_MAX;
        break;
    case 2:
        record->tag = below(file, 16);
        break;
    default:
        record->size = below(file, record->size + 1);
        break;
    }
}

static void change_bytes(struct file *file)
{
    struct record *const record = choose(file);

    record->size = LLVMFuzzerMutate(record->payload, record->size, MAX_PAYLOAD);
}

static void change_script(struct file *file)
{
    for (size_t i = 0; i < file->n_records; i++) {
        struct record *const record = &file->records[i];

        if (record->tag == SCRIPT_TAG) {
            record->size =
                LLVMFuzzerMutate(record->payload, record->size, 1024);
            return;
        }
    }
    add_record(file, SCRIPT_TAG, 1, (const uint8_t *)"\2\0\4\1\0\0\0\0", 8);
}

/* Copies an entry to another place of its record, or removes it. */
static void copy_entry(struct file *file)
{
    struct record *const record = choose(file);
    size_t at;
    size_t size;
    uint8_t *begin;

    if (!entry_find(record, below(file, record->count), &at, &size) ||
        record->size + size > MAX_PAYLOAD)
        return;
    begin = record->payload + at;
    memmove(begin + size, begin, record->size - at);
    record->size += size;
    record->count++;
}

static void remove_entry(struct file *file)
{
    struct record *const record = choose(file);
    size_t at;
    size_t size;
    uint8_t *begin;

    if (!entry_find(record, below(file, record->count), &at, &size))
        return;
    begin = record->payload + at;
    memmove(begin, begin + size, record->size - at - size);
    record->size -= size;
    record->count--;
}

/* Writes entries as a newer writer would: longer; or as an older one. */
static void resize_entries(struct file *file)
{
    struct record *const record = choose(file);
    const size_t size = entry_size(record);
    const size_t wanted = size + (below(file, 2) ? 4 : (size_t)-4);
    uint8_t *const made = calloc(MAX_PAYLOAD, 1);

    REQUIRE(made);
    if (size > 4 && wanted * record->count <= MAX_PAYLOAD) {
        for (uint32_t i = 0; i < record->count; i++)
            memcpy(made + i * wanted, record->payload + i * size,
                   size < wanted ? size : wanted);
        memcpy(record->payload, made, wanted * record->count);
        record->size = wanted * record->count;
    }
    free(made);
}

static void copy_record(struct file *file)
{
    const struct record *const record = choose(file);

    add_record(file, record->tag, record->count, record->payload, record->size);
}

static void remove_record(struct file *file)
{
    const size_t i = below(file, file->n_records);

    free(file->records[i].payload);
    memmove(&file->records[i], &file->records[i + 1],
            (file->n_records - i - 1) * sizeof *file->records);
    file->n_records--;
}

static void swap_records(struct file *file)
{
    struct record *const a = choose(file);
    struct record *const b = choose(file);
    const struct record saved = *a;

    *a = *b;
    *b = saved;
}

/* Makes two records of one. */
static void split_record(struct file *file)
{
    struct record *const record = choose(file);
    const uint32_t n = below(file, record->count);
    size_t at;
    size_t size;

    if (!entry_find(record, n, &at, &size) ||
        !add_record(file, record->tag, record->count - n, record->payload + at,
                    record->size - at))
        return;
    record->count = n;
    record->size = at;
}

static void (*const changes[])(struct file *file) = {
    change_word,    change_word,    change_reference, change_reference,
    change_header,  change_bytes,   change_script,    change_script,
    change_script,  copy_entry,     copy_entry,       remove_entry,
    resize_entries, copy_record,    remove_record,    swap_records,
    split_record,
};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned seed)
{
    struct file *const file = calloc(1, sizeof *file);
    size_t made = 0;

    REQUIRE(file);
    file->random = seed;
    if (below(file, 16) > 0)
        take_apart(file, data, size);
    for (uint32_t n = 1 + below(file, 4); file->n_records > 0 && n > 0; n--)
        changes[below(file, sizeof changes / sizeof *changes)](file);
    if (below(file, 3) > 0)
        bind_all(file);
    if (file->n_records > 0)
        made = put_together(file, data, max_size);
    file_fini(file);
    free(file);
    return made ? made : LLVMFuzzerMutate(data, size, max_size);
}

/* Records of one file and of another. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data, size_t size,
                                 const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t max_size, unsigned seed)
{
    struct file *const file = calloc(1, sizeof *file);
    struct file *const second = calloc(1, sizeof *second);
    size_t made;

    REQUIRE(file && second);
    file->random = seed;
    take_apart(file, data, size);
    take_apart(second, other, other_size);
    for (size_t i = 0; i < second->n_records; i++) {
        const struct record *const record = &second->records[i];
        struct record *const own = file->n_records ? choose(file) : NULL;

        if (below(file, 2) == 0)
            continue;
        if (own && own->tag == record->tag) {
            memcpy(own->payload, record->payload, record->size);
            own->size = record->size;
            own->count = record->count;
        } else if (record->tag != ALLOCTRACE_TAG_PROCESS &&
                   record->tag != ALLOCTRACE_TAG_SUMMARY) {
            add_record(file, record->tag, record->count, record->payload,
                       record->size);
        }
    }
    if (below(file, 3) > 0)
        bind_all(file);
    made = put_together(file, out, max_size);
    file_fini(file);
    file_fini(second);
    free(file);
    free(second);
    return made;
}
