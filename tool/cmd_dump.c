/* SPDX-License-Identifier: MIT */
/*
 * alloctrace dump: the raw records of a file, for debugging the format. Prints
 * what it can of a damaged file, then says what the loader says of it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloctrace/format.h"
#include "command.h"

/* The rest of the file. */
struct cursor {
    const unsigned char *at;
    uint64_t left; /* bytes */
};

static uint64_t read_number(const unsigned char *bytes, unsigned bits)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < bits / 8; i++)
        number |= (uint64_t)bytes[i] << (8 * i);
    return number;
}

/* The fields of one kind of entry. */
struct field {
    const char *name; /* NULL ends the list */
    unsigned bits;
};

#define LIST_FIELD(bits, name) {#name, bits},
static const struct field no_fields[] = {{NULL, 0}};
#define DEFINE_FIELDS(lower, UPPER)                \
    static const struct field lower##_fields[] = { \
        ALLOCTRACE_##UPPER##_FIELDS(LIST_FIELD){NULL, 0}};
DEFINE_FIELDS(process, PROCESS)
DEFINE_FIELDS(module, MODULE)
DEFINE_FIELDS(frame, FRAME)
DEFINE_FIELDS(traceback, TRACEBACK)
DEFINE_FIELDS(thread, THREAD)
DEFINE_FIELDS(trace, TRACE)
DEFINE_FIELDS(block, BLOCK)
DEFINE_FIELDS(summary, SUMMARY)
DEFINE_FIELDS(argument, ARGUMENT)
DEFINE_FIELDS(domain, DOMAIN)
DEFINE_FIELDS(detail, DETAIL)
DEFINE_FIELDS(size_class, SIZE_CLASS)
DEFINE_FIELDS(attribute, ATTRIBUTE)
DEFINE_FIELDS(trailer, TRAILER)
#define strings_fields no_fields

static const struct {
    uint32_t tag;
    const char *name;
    const struct field *fields;
} tags[] = {
#define LIST_TAG(NAME, number, name) {number, #NAME, name##_fields},
    ALLOCTRACE_TAGS(LIST_TAG)};
enum { N_TAGS = sizeof tags / sizeof *tags };

static int find_tag(uint32_t tag)
{
    for (int i = 0; i < N_TAGS; i++)
        if (tags[i].tag == tag)
            return i;
    return -1;
}

static void print_entry(uint64_t number, const struct field *fields,
                        const unsigned char *bytes, uint64_t size)
{
    printf("  %" PRIu64, number);
    for (; fields->name && size >= fields->bits / 8; fields++) {
        printf(" %s=%" PRIu64, fields->name, read_number(bytes, fields->bits));
        bytes += fields->bits / 8;
        size -= fields->bits / 8;
    }
    if (size > 0)
        printf(" +%" PRIu64 " bytes", size);
    putchar('\n');
}

/* Bytes of the file as they are, but none that a terminal would obey. */
static void print_string(const unsigned char *bytes, size_t size)
{
    putchar('"');
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            printf("\\%c", bytes[i]);
        else if (bytes[i] < 0x20 || bytes[i] == 0x7f)
            printf("\\x%02x", bytes[i]);
        else
            putchar(bytes[i]);
    }
    puts("\"");
}

static void print_strings(struct cursor payload, uint64_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count && payload.left >= 4; i++) {
        const uint64_t size = read_number(payload.at, 32);

        payload.at += 4;
        payload.left -= 4;
        if (size > payload.left)
            return;
        printf("  %" PRIu64 " ", first + i);
        print_string(payload.at, (size_t)size);
        payload.at += size;
        payload.left -= size;
    }
}

static void print_entries(struct cursor payload, int tag, uint64_t first,
                          uint32_t count)
{
    const uint64_t size = count ? payload.left / count : 0;

    if (size == 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        print_entry(first + i, tags[tag].fields, payload.at + i * size, size);
}

/* Prints the record at the cursor and moves on. False: it is cut off. */
static bool print_record(struct cursor *file, uint64_t *n_entries)
{
    const uint32_t tag = (uint32_t)read_number(file->at, 32);
    const uint32_t count = (uint32_t)read_number(file->at + 4, 32);
    const uint64_t length = read_number(file->at + 8, 64);
    const int known = find_tag(tag);
    struct cursor payload = {file->at + ALLOCTRACE_RECORD_HEADER_SIZE,
                             file->left - ALLOCTRACE_RECORD_HEADER_SIZE};
    const bool is_whole = length <= payload.left;

    printf("%s tag=%" PRIu32 " count=%" PRIu32 " length=%" PRIu64 "%s\n",
           known < 0 ? "UNKNOWN" : tags[known].name, tag, count, length,
           is_whole ? "" : " (cut off)");
    if (!is_whole)
        return false;
    payload.left = length;
    if (tag == ALLOCTRACE_TAG_STRINGS)
        print_strings(payload, n_entries[known] + 1, count);
    else if (known >= 0)
        print_entries(payload, known, n_entries[known] + 1, count);
    if (known >= 0)
        n_entries[known] += count;
    payload.left = ALLOCTRACE_RECORD_HEADER_SIZE + length;
    payload.left += -payload.left & 7; /* padding */
    if (payload.left > file->left)
        return false;
    file->at += payload.left;
    file->left -= payload.left;
    return true;
}

static void print_records(const void *bytes, size_t size)
{
    struct cursor file = {bytes, size};
    uint64_t n_entries[N_TAGS] = {0};

    if (size < ALLOCTRACE_HEADER_SIZE ||
        memcmp(bytes, ALLOCTRACE_MAGIC, ALLOCTRACE_MAGIC_SIZE) != 0)
        return;
    printf("version=%" PRIu64 " flags=%" PRIu64 "\n",
           read_number(file.at + 8, 32), read_number(file.at + 12, 32));
    file.at += ALLOCTRACE_HEADER_SIZE;
    file.left -= ALLOCTRACE_HEADER_SIZE;
    while (file.left >= ALLOCTRACE_RECORD_HEADER_SIZE)
        if (!print_record(&file, n_entries))
            return;
}

int cmd_dump(int argc, char **argv)
{
    static const struct option no_options[] = {{NULL, NULL, NULL}};
    alloctrace_snapshot *snapshot = NULL;
    struct alloctrace_error error;
    struct args args;
    size_t size;
    void *bytes;
    int status = EXIT_DONE;

    if (args_parse(&args, no_options, argc, argv, false))
        return EXIT_UNUSABLE;
    if (args.n_operands != 1)
        return args_fail(argv[0], "wants one file");
    if (alloctrace_read_file(args.operands[0], &bytes, &size, &error))
        return out_fail(args.operands[0], &error);
    print_records(bytes, size);
    if (alloctrace_snapshot_load_bytes(bytes, size, &snapshot, &error))
        status = out_fail(args.operands[0], &error);
    alloctrace_snapshot_free(snapshot);
    free(bytes);
    return out_finish(status);
}
