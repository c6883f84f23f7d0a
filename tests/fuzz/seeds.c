/* SPDX-License-Identifier: MIT */
/*
 * Writes small dumps of every kind, each with a script, into a folder: where
 * the fuzzer starts from.
 *
 *     fuzz_seeds FOLDER
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloctrace/format.h"
#include "dumpfile.h"
#include "fuzz.h"

static const char *folder;

/* Acts of a script, by their numbers in play.c. */
enum {
    LOOK,
    TRACEBACKS,
    STATISTICS,
    COMPARE,
    FILTER,
    FOLD,
    RESOLVE,
    ATTRIBUTE,
    DUMP,
    MERGE,
    LEAVE,
    MERGE_FILES
};

static void write_file(const char *name, const struct bytes *bytes)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (!file || fwrite(bytes->data, 1, bytes->size, file) != bytes->size ||
        fclose(file)) {
        perror(path);
        exit(1);
    }
}

/* Puts a record in front of the trailer. */
static void insert_record(struct bytes *file, uint32_t tag, uint32_t count,
                          const void *payload, size_t size)
{
    const size_t trailer = ALLOCTRACE_RECORD_HEADER_SIZE + 24;
    uint64_t n_records = 0;

    file->size -= trailer;
    for (int i = 7; i >= 0; i--)
        n_records = n_records << 8 |
                    file->data[file->size + ALLOCTRACE_RECORD_HEADER_SIZE +
                               (size_t)i];
    file_record(file, tag, count, payload, size);
    file_end(file, n_records + 1);
}

static void add_byte(struct bytes *bytes, unsigned value)
{
    const unsigned char byte = (unsigned char)value;

    bytes_add(bytes, &byte, 1);
}

/* A text of a script. NULL: none. */
static void add_text(struct bytes *bytes, const char *text)
{
    add_byte(bytes, text ? (unsigned)strlen(text) : 255);
    if (text)
        bytes_add(bytes, text, strlen(text));
}

/* Writes a dump, once with each script that suits it. */
static void write_dump(const char *name, const struct dumpfile *dump,
                       const struct bytes *script)
{
    struct bytes file = {0};

    bytes_add(&file, dump->file.data, dump->file.size);
    if (script)
        insert_record(&file, SCRIPT_TAG, 1, script->data, script->size);
    write_file(name, &file);
    free(file.data);
}

static void add_statistics(struct bytes *script, unsigned place, unsigned by,
                           unsigned metric, unsigned cumulative, unsigned flags)
{
    add_byte(script, STATISTICS);
    add_byte(script, place);
    add_byte(script, by);
    add_byte(script, metric);
    add_byte(script, cumulative);
    add_byte(script, flags);
    add_byte(script, 0); /* the whole size */
    add_byte(script, flags);
}

static void add_compare(struct bytes *script, unsigned place, unsigned old,
                        unsigned by, unsigned metric, unsigned cumulative,
                        unsigned flags)
{
    add_byte(script, COMPARE);
    add_byte(script, place);
    add_byte(script, old);
    add_byte(script, by);
    add_byte(script, metric);
    add_byte(script, cumulative);
    add_byte(script, flags);
    add_byte(script, 0);
    add_byte(script, flags);
}

/* One filter by file name, with what the bits of `which` ask for. */
static void add_filter(struct bytes *script, unsigned place, unsigned which,
                       const char *file, const char *other)
{
    add_byte(script, FILTER);
    add_byte(script, place);
    add_byte(script, 1);
    add_byte(script, which);
    add_text(script, file);
    if (which & 4)
        add_byte(script, 3); /* line */
    if (which & 8)
        add_byte(script, 0); /* domain */
    for (unsigned bit = 16; bit <= 128; bit *= 2)
        if (which & bit)
            add_text(script, other);
    add_byte(script, 0); /* becomes number 1 */
}

static void add_act(struct bytes *script, unsigned act, unsigned place,
                    unsigned to)
{
    add_byte(script, act);
    add_byte(script, place);
    add_byte(script, to);
}

static void add_merge(struct bytes *script, unsigned first, unsigned second,
                      unsigned what)
{
    add_byte(script, MERGE);
    add_byte(script, first);
    add_byte(script, second);
    add_byte(script, what);
}

/* ---- Dumps ---- */

/* main.c:1 calls something that was inlined into what calls an allocator. */
static uint32_t add_wrapped(struct dumpfile *dump, uint32_t outer, uint32_t line)
{
    const uint32_t xmalloc = dumpfile_frame(
        dump, (struct dumpframe){.file = "lib/x.c", .function = "xmalloc",
                                 .line = 3, .kind = 2, .flags = 2,
                                 .callee = "malloc", .type = "char",
                                 .type_size = 1});
    const uint32_t list = dumpfile_frame(
        dump,
        (struct dumpframe){.file = "/usr/include/c++/12/list",
                           .function = "std::list::push", .line = 9,
                           .kind = 1, .flags = 2, .callee = "xmalloc"});
    const uint32_t caller = dumpfile_frame(
        dump, (struct dumpframe){.file = "main.c", .function = "make",
                                 .line = line, .column = 5, .kind = 1,
                                 .flags = 4, .callee = "push",
                                 .type = "struct node", .type_size = 24,
                                 .target = "node->next", .caller = 0});
    const uint32_t inlined = dumpfile_frame(
        dump, (struct dumpframe){.file = "node.h", .function = "inline_make",
                                 .line = line + 1, .kind = 3, .flags = 2,
                                 .type = "struct wide", .type_size = 64,
                                 .caller = caller});
    const uint32_t made = dumpfile_traceback(dump, outer, inlined);

    return dumpfile_traceback(dump, dumpfile_traceback(dump, made, list),
                              xmalloc);
}

static void make_plain(struct dumpfile *dump)
{
    dumpfile_init(dump);
    dumpfile_argument(dump, "./program");
    dumpfile_argument(dump, "");
    dumpfile_trace(dump, dumpfile_path(dump, "b.c:2 a.c:1"), 0, 0, 2, 30);
    dumpfile_trace(dump, dumpfile_path(dump, "c.c:3 a.c:1"), 0, 0, 1, 8);
    dumpfile_trace(dump, 0, 0, 0, 1, 0);
    dump->summary[0] = 4;
    dump->summary[1] = 38;
    dumpfile_finish(dump);
}

/* Everything that there is. */
static void make_rich(struct dumpfile *dump, uint32_t limit, bool has_left_out)
{
    uint32_t path;

    dumpfile_init(dump);
    dump->traceback_limit = limit;
    dump->has_left_out = has_left_out;
    dump->sample_bytes = has_left_out ? 4096 : 0;
    dumpfile_module(dump, "/lib/libc.so.6", "ab12", 0x1000, 0x9000, 0x1000);
    dumpfile_module(dump, "/lib/libc.so.6", NULL, 0x11000, 0x19000, 0x11000);
    dumpfile_thread(dump, 7, "main");
    dumpfile_thread(dump, 8, "worker");
    dumpfile_thread(dump, 9, "worker");
    dumpfile_domain(dump, 0x80000000, "pool");
    dumpfile_domain(dump, 0x80000001, "operator new");
    dump->left_out = 5;
    path = dumpfile_path(dump, "main.c:1");
    path = add_wrapped(dump, path, 10);
    dumpfile_trace_full(dump, path, 1, 0,
                        (const int64_t[]){2, 48, 5, 120, 3, 72});
    dumpfile_trace_full(dump, path, 2, 0,
                        (const int64_t[]){-1, -24, 0, 0, 1, 24});
    dumpfile_trace(dump, add_wrapped(dump, path, 20), 3, 0x80000000, 1, 100);
    path = dumpfile_traceback(
        dump, path,
        dumpfile_frame(dump, (struct dumpframe){.address = 0x1234,
                                                .module = 1,
                                                .function = "__libc_malloc"}));
    dumpfile_trace(dump, path, 1, 0x80000001, 3, 9);
    dumpfile_trace(dump,
                   dumpfile_traceback(
                       dump, 0,
                       dumpfile_frame(dump, (struct dumpframe){.address = 77})),
                   1, 9, 1, 1);
    dumpfile_detail(dump, path, 1, 0x80000001,
                    (const uint64_t[]){1, 3, 2, 1, 10, 8, 4, 1, 5});
    dumpfile_size(dump, path, 1, 0x80000001, 3, 2, 7);
    dumpfile_size(dump, path, 1, 0x80000001, 65, 1, 2);
    dump->summary[13] = has_left_out;
    dumpfile_finish(dump);
}

/* Blocks and attributes, of which dumpfile.h knows nothing. */
static void add_blocks(struct dumpfile *dump)
{
    struct bytes payload = {0};
    uint32_t ids[] = {1, 2, 3, 4, 5, 1};

    for (uint32_t i = 0; i < 3; i++) {
        bytes_u64(&payload, 0x5000 + 16 * i);
        bytes_u64(&payload, i);
        bytes_u32(&payload, i);
        bytes_u32(&payload, 0);
    }
    insert_record(&dump->file, ALLOCTRACE_TAG_BLOCKS, 3, payload.data,
                  payload.size);
    insert_record(&dump->file, ALLOCTRACE_TAG_ATTRIBUTES, 3, ids, sizeof ids);
    free(payload.data);
}

/* Deep: a path of many frames, and a chain of inlined ones. */
static void make_deep(struct dumpfile *dump, uint32_t limit)
{
    uint32_t path = 0;
    uint32_t frame = 0;

    dumpfile_init(dump);
    dump->traceback_limit = limit;
    for (uint32_t i = 0; i < 20; i++)
        frame = dumpfile_frame(
            dump, (struct dumpframe){.file = "deep.h", .line = i + 1,
                                     .kind = 3, .flags = 2, .caller = frame});
    for (uint32_t i = 0; i < 12; i++)
        path = dumpfile_traceback(dump, path, i % 5 ? 1 + i % 4 : frame);
    dumpfile_trace(dump, path, 0, 0, 1, 10);
    dumpfile_trace(dump, path - 6, 0, 0, 1, 10);
    dumpfile_finish(dump);
}

/* Names of files that must not be read as source. */
static void make_devices(struct dumpfile *dump)
{
    static const char *const names[] = {
        "/dev/zero", "/dev/stdin", "/proc/self/mem", "/", "/dev/full",
        "/proc/kcore", "a.pyc", "", "[unknown]", "/etc/hostname"};

    dumpfile_init(dump);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        dumpfile_trace(
            dump,
            dumpfile_traceback(
                dump, 0,
                dumpfile_frame(dump,
                               (struct dumpframe){
                                   .file = names[i],
                                   .line = i % 2 ? UINT32_MAX : 1,
                                   .function = "f", .kind = 1})),
            0, 0, 1, (int64_t)i);
    dumpfile_finish(dump);
}

/* ---- Scripts ---- */

static void script_sums(struct bytes *script, unsigned flags)
{
    for (unsigned by = 1; by <= 8; by++)
        add_statistics(script, 0, by, 1 + by % 4, by & 1, flags);
    for (unsigned by = 1; by <= 8; by++)
        add_compare(script, 0, 0, by, 1 + by % 4, by >> 1 & 1, flags);
}

static void script_derive(struct bytes *script)
{
    add_act(script, FOLD, 0, 0);      /* 1: folded */
    add_filter(script, 1, 3, "*.c", NULL);
    add_act(script, DUMP, 1, 1);      /* 2: loaded */
    add_merge(script, 0, 2, 1);
    add_byte(script, 2);              /* 3: merged */
    add_act(script, FOLD, 3, 0);
    for (unsigned by = 1; by <= 8; by++)
        add_statistics(script, by % 4, by, 1, 0, 0);
    add_compare(script, 1, 3, 2, 1, 0, 0);
    add_compare(script, 3, 0, 4, 1, 0, 0);
    for (unsigned i = 0; i < 3; i++) {
        add_act(script, MERGE_FILES, 0, i);
        add_byte(script, i ? 200 : 0); /* bytes of memory */
        add_byte(script, i);
    }
    add_act(script, LOOK, 1, LEAVE);
    add_byte(script, 1);
}

static void script_filters(struct bytes *script)
{
    add_filter(script, 0, 1, "[a-c]*", NULL);
    add_filter(script, 0, 2, "*?.h", NULL);
    add_filter(script, 0, 4 | 8, NULL, NULL);
    add_filter(script, 0, 1 | 16 | 2, NULL, "*m*k*");
    add_filter(script, 0, 32, "*", "[!/]*");
    add_filter(script, 0, 64 | 1, NULL, "struct *");
    add_filter(script, 0, 128 | 1, NULL, "w[]o]rker");
    add_act(script, DUMP, 1, 1);
    add_merge(script, 1, 0, 0);
    add_byte(script, 0);
}

static void script_names(struct bytes *script)
{
    add_byte(script, RESOLVE);
    add_byte(script, 0);
    add_byte(script, 2); /* levels of the first address */
    add_text(script, "file.c");
    add_text(script, "f");
    add_byte(script, 12);
    add_text(script, "g");
    add_byte(script, 0);
    add_act(script, ATTRIBUTE, 0, 3);
    bytes_add(script, "key", 3);
    add_text(script, "value");
    add_act(script, ATTRIBUTE, 0, 3);
    bytes_add(script, "key", 3);
    add_text(script, NULL);
    add_act(script, DUMP, 0, 0);
    add_merge(script, 1, 0, 7);
    for (int i = 0; i < 8; i++)
        add_byte(script, (unsigned)i);
    add_act(script, RESOLVE, 1, 255);
}

static void script_paths(struct bytes *script)
{
    for (unsigned i = 0; i < 6; i++) {
        add_byte(script, TRACEBACKS);
        add_byte(script, 0);
        add_byte(script, i);
        add_byte(script, 0);
        add_byte(script, 2 * i);
        bytes_u32(script, i == 1 ? 0xffffffff : i == 2 ? 0x02000000 : 0x0a0a);
        add_byte(script, i & 1);
        add_byte(script, i);
        add_byte(script, i);
        add_byte(script, 10 - i);
    }
}

/* Writes a dump with each of the scripts. */
static void write_all(const char *name, struct dumpfile *dump)
{
    void (*const scripts[])(struct bytes *) = {script_derive, script_filters,
                                               script_names, script_paths};
    char file[64];

    for (unsigned i = 0; i < 7; i++) {
        struct bytes script = {0};

        if (i < 4)
            scripts[i](&script);
        else if (i < 6)
            script_sums(&script, i - 4);
        snprintf(file, sizeof file, "%s_%u", name, i);
        write_dump(file, dump, i < 6 ? &script : NULL);
        free(script.data);
    }
    dumpfile_fini(dump);
}

int main(int argc, char **argv)
{
    struct dumpfile dump;

    if (argc != 2)
        return 2;
    folder = argv[1];
    make_plain(&dump);
    write_all("plain", &dump);
    for (unsigned i = 0; i < 4; i++) {
        char name[16];

        snprintf(name, sizeof name, "rich%u", i);
        make_rich(&dump, i & 1 ? 2 : 0, i >> 1);
        if (i > 0)
            add_blocks(&dump);
        write_all(name, &dump);
    }
    make_deep(&dump, 0);
    write_all("deep", &dump);
    make_deep(&dump, 7);
    write_all("limited", &dump);
    make_devices(&dump);
    write_all("devices", &dump);
    return 0;
}
