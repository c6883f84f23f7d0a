/* SPDX-License-Identifier: MIT */
/* What is dumped is the same when it is loaded again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dumpfile.h"
#include "model.h"
#include "same.h"

static struct alloctrace_error error;

/* ---- Files of a test ---- */

/* Hundreds of files need not reach the disk (check_output.c is about that). */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return 0;
}

static char folder[] = "/tmp/check_write.XXXXXX";
static char path[64];

static void begin(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.dump", folder);
}

static void end(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* and so nothing else is left */
}

static alloctrace_snapshot *load_bytes(const struct bytes *file)
{
    alloctrace_snapshot *snapshot = NULL;

    ck_assert_msg(!alloctrace_snapshot_load_bytes(file->data, file->size,
                                                  &snapshot, &error),
                  "%s", error.message);
    return snapshot;
}

static alloctrace_snapshot *load(void)
{
    alloctrace_snapshot *snapshot = NULL;

    ck_assert_msg(!alloctrace_snapshot_load(path, &snapshot, &error), "%s",
                  error.message);
    return snapshot;
}

static void dump(const alloctrace_snapshot *snapshot)
{
    ck_assert_msg(!alloctrace_snapshot_dump(snapshot, path, &error), "%s",
                  error.message);
}

/* Dumps and loads. */
static alloctrace_snapshot *again(const alloctrace_snapshot *snapshot)
{
    dump(snapshot);
    return load();
}

static struct bytes file_bytes(void)
{
    struct bytes file = {0};
    void *bytes;

    ck_assert_int_eq(alloctrace_read_file(path, &bytes, &file.size, &error), 0);
    file.data = bytes;
    return file;
}

/* The payload of the only record of a tag, and how many entries it has; NULL
 * if there is none. */
static const unsigned char *record_find(const struct bytes *file, unsigned tag,
                                        uint32_t *count)
{
    size_t at = 16;

    *count = 0;
    while (at + 16 <= file->size) {
        uint64_t length = 0;

        for (int i = 7; i >= 0; i--)
            length = length << 8 | file->data[at + 8 + (size_t)i];
        if (file->data[at] == tag && !file->data[at + 3]) {
            *count = file->data[at + 4] | (uint32_t)file->data[at + 5] << 8;
            return file->data + at + 16;
        }
        at += 16 + (size_t)((length + 7) & ~UINT64_C(7));
    }
    return NULL;
}

static bool has_text(const struct bytes *file, const char *text)
{
    const size_t size = strlen(text);

    for (size_t i = 0; i + size <= file->size; i++)
        if (memcmp(file->data + i, text, size) == 0)
            return true;
    return false;
}

/* ---- Snapshots ---- */

/* Everything that a file can say, with unlike values. */
static void make_sample(struct dumpfile *file)
{
    uint32_t inner, outer, address;
    uint32_t paths[3];

    dumpfile_init(file);
    file->start_ns = UINT64_C(1) << 60;
    file->dump_ns = (UINT64_C(1) << 60) + 5;
    file->traceback_limit = 3;
    file->sample_bytes = 4096;
    file->n_processes = 7;
    file->has_left_out = true;
    for (unsigned i = 0; i < 14; i++)
        file->summary[i] = (UINT64_C(1) << 40) + i;
    dumpfile_argument(file, "program");
    dumpfile_argument(file, "");
    dumpfile_argument(file, "program");
    dumpfile_module(file, "/usr/bin/program", "0123abcd", 0x1000, 0x2000, 0x800);
    dumpfile_module(file, "/lib/libc.so.6", NULL, 0x3000, UINT64_MAX, 0x3000);
    dumpfile_thread(file, 4711, "worker");
    dumpfile_thread(file, 4712, "worker");
    dumpfile_thread(file, 0, NULL);
    dumpfile_domain(file, 5, "pool");
    dumpfile_domain(file, 0x80000000, "operator new");
    dumpfile_attribute(file, "b", "second letter");
    dumpfile_attribute(file, "a", "");
    outer = dumpfile_frame(
        file, (struct dumpframe){.file = "main.c", .function = "main",
                                 .line = 7, .column = 3, .module = 1,
                                 .callee = "make", .kind = 1, .ordinal = 2});
    inner = dumpfile_frame(
        file, (struct dumpframe){.file = "inline.h", .function = "make",
                                 .type = "struct a", .target = "a->b",
                                 .line = UINT32_MAX, .column = 9,
                                 .caller = outer, .kind = 3, .module = 1,
                                 .flags = 0x8006, .type_size = 24,
                                 .ordinal = 77});
    address = dumpfile_frame(
        file, (struct dumpframe){.address = 0x31f4, .module = 2});
    file->left_out = 3;
    paths[0] = dumpfile_traceback(file, 0, outer);
    paths[1] = dumpfile_traceback(file, paths[0], address);
    file->left_out = 9;
    paths[2] = dumpfile_traceback(file, paths[1], inner);
    dumpfile_trace_full(file, paths[2], 1, 5,
                        (const int64_t[]){3, 30, 4, 40, -1, -10});
    dumpfile_trace_full(file, paths[1], 2, 0x80000000,
                        (const int64_t[]){-3, INT64_MIN, 4, INT64_MAX, 0, 0});
    dumpfile_trace_full(file, paths[2], 3, 5,
                        (const int64_t[]){0, 0, 0, 0, 0, 0});
    dumpfile_trace_full(file, 0, 0, 1, (const int64_t[]){1, 2, 3, 4, 5, 6});
    dumpfile_detail(file, paths[2], 1, 5,
                    (const uint64_t[]){1, 10, 2, 1, 8, 9, 7, 6, UINT64_MAX});
    dumpfile_detail(file, paths[1], 2, 0x80000000,
                    (const uint64_t[]){2, 20, 3, 2, 9, 8, 6, 5, 15});
    dumpfile_size(file, paths[2], 1, 5, 65, 3, 30);
    dumpfile_size(file, paths[2], 1, 5, 0, 1, 10);
    dumpfile_block(file, UINT64_MAX - 7, 30, paths[2], 5);
    dumpfile_block(file, 0x1000, UINT64_MAX, 0, 0);
    dumpfile_finish(file);
}

/* ---- Round trips ---- */

START_TEST(everything_is_the_same_when_it_is_loaded_again)
{
    struct dumpfile file;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *loaded;

    begin();
    make_sample(&file);
    snapshot = load_bytes(&file.file);
    loaded = again(snapshot);
    same_snapshot(snapshot, loaded, false);
    same_statistics(snapshot, loaded);
    alloctrace_snapshot_free(loaded);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&file);
    end();
}
END_TEST

/* R13: dump, load: traces equal, limit equal, extra attribute kept. */
START_TEST(r13_traces_limit_and_extra_attributes_survive_dump_and_load)
{
    struct dumpfile file;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *loaded;

    begin();
    make_sample(&file);
    snapshot = load_bytes(&file.file);
    dumpfile_fini(&file);
    ck_assert_int_eq(
        alloctrace_snapshot_set_attribute(snapshot, "extra", "kept"), 0);
    loaded = again(snapshot);
    same_traces(snapshot, loaded);
    ck_assert_uint_eq(alloctrace_snapshot_traceback_limit(loaded), 3);
    ck_assert_str_eq(alloctrace_snapshot_get_attribute(loaded, "extra"),
                     "kept");
    ck_assert_str_eq(alloctrace_snapshot_get_attribute(loaded, "b"),
                     "second letter");
    ck_assert_uint_eq(alloctrace_snapshot_attribute_count(loaded), 3);
    alloctrace_snapshot_free(loaded);
    alloctrace_snapshot_free(snapshot);
    end();
}
END_TEST

/* What no function gives is in the file: the ordinals of sites. */
START_TEST(fields_that_nobody_asks_for_are_written)
{
    struct dumpfile file;
    struct bytes dumped;
    alloctrace_snapshot *snapshot;
    const unsigned char *frames;
    uint32_t count;

    begin();
    make_sample(&file);
    snapshot = load_bytes(&file.file);
    dump(snapshot);
    dumped = file_bytes();
    frames = record_find(&dumped, 4, &count);
    ck_assert_ptr_nonnull(frames);
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(frames[28], 2);
    ck_assert_uint_eq(frames[60 + 28], 77);
    free(dumped.data);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&file);
    end();
}
END_TEST

/* Else a file would grow each time, or change from one machine to another. */
START_TEST(a_second_dump_has_the_same_bytes_as_the_first)
{
    struct dumpfile file;
    struct bytes first;
    struct bytes second;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *loaded;

    begin();
    make_sample(&file);
    snapshot = load_bytes(&file.file);
    loaded = again(snapshot);
    first = file_bytes();
    dump(loaded);
    second = file_bytes();
    ck_assert_uint_eq(first.size, second.size);
    ck_assert_mem_eq(first.data, second.data, first.size);
    free(first.data);
    free(second.data);
    alloctrace_snapshot_free(loaded);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&file);
    end();
}
END_TEST

START_TEST(a_snapshot_of_nothing_is_written)
{
    struct dumpfile file;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *loaded;

    begin();
    dumpfile_init(&file);
    file.has_details = true;
    dumpfile_finish(&file);
    snapshot = load_bytes(&file.file);
    loaded = again(snapshot);
    same_snapshot(snapshot, loaded, false);
    ck_assert_int_eq(alloctrace_snapshot_has_details(loaded), 1);
    alloctrace_snapshot_free(loaded);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&file);
    end();
}
END_TEST

/* More than any buffer of reader and writer, at odd places. */
START_TEST(what_is_longer_than_a_buffer_is_written)
{
    enum { SIZE = 300001 };
    static char text[SIZE + 1];
    struct dumpfile file;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *loaded;

    begin();
    memset(text, 'x', SIZE);
    dumpfile_init(&file);
    dumpfile_argument(&file, text);
    dumpfile_attribute(&file, "long", text + 1);
    for (uint32_t i = 0; i < 20000; i++) {
        char name[32];

        snprintf(name, sizeof name, "%.*s%u.c:%u", (int)(i % 11), text, i,
                 i + 1);
        dumpfile_trace(&file, dumpfile_path(&file, name), 0, 0, 1, i);
    }
    dumpfile_finish(&file);
    snapshot = load_bytes(&file.file);
    dumpfile_fini(&file);
    loaded = again(snapshot);
    same_snapshot(snapshot, loaded, false);
    alloctrace_snapshot_free(loaded);
    alloctrace_snapshot_free(snapshot);
    end();
}
END_TEST

/* ---- Names ---- */

static char outer[] = "outer";
static char other[] = "other";

static size_t three_levels(void *data, const struct alloctrace_module *module,
                           uint64_t address, struct alloctrace_symbol *symbols)
{
    (void)module;
    if (address % 3 == 0)
        return 0;
    symbols[0] = (struct alloctrace_symbol){"inner.h", "inner", 1, 0};
    symbols[1] = (struct alloctrace_symbol){NULL, "middle", 0, 0};
    symbols[2] =
        (struct alloctrace_symbol){"outer.c", data, (uint32_t)address, 0};
    return address % 3 == 1 ? 1 : 3;
}

/* Frames at bare addresses, alone and in paths with others. */
static alloctrace_snapshot *make_addresses(void)
{
    struct dumpfile file;
    alloctrace_snapshot *snapshot;

    dumpfile_init(&file);
    dumpfile_module(&file, "/lib/a.so", NULL, 0x1000, 0x2000, 0x1000);
    for (uint32_t i = 0; i < 12; i++)
        dumpfile_trace(
            &file,
            dumpfile_traceback(
                &file, dumpfile_path(&file, "b.c:2 a.c:1"),
                dumpfile_frame(&file, (struct dumpframe){.address = 0x1000 + i,
                                                         .module = i % 2})),
            0, 0, 1, i);
    dumpfile_finish(&file);
    snapshot = load_bytes(&file.file);
    dumpfile_fini(&file);
    return snapshot;
}

START_TEST(labels_of_addresses_are_made_anew_by_the_reader)
{
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *loaded;
    struct bytes dumped;

    begin();
    snapshot = make_addresses();
    loaded = again(snapshot);
    same_snapshot(snapshot, loaded, false);
    same_statistics(snapshot, loaded);
    dumped = file_bytes();
    ck_assert(has_text(&dumped, "/lib/a.so"));
    ck_assert(!has_text(&dumped, "[a.so"));
    ck_assert(!has_text(&dumped, "[0x"));
    free(dumped.data);
    alloctrace_snapshot_free(loaded);
    alloctrace_snapshot_free(snapshot);
    end();
}
END_TEST

/* Frames that resolving added stand behind what was inlined into them, which
 * the format does not allow. */
START_TEST(names_that_resolving_gave_stay)
{
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *loaded;

    begin();
    snapshot = make_addresses();
    ck_assert_int_eq(
        alloctrace_snapshot_resolve(snapshot, three_levels, outer), 0);
    loaded = again(snapshot);
    same_snapshot(snapshot, loaded, false);
    same_statistics(snapshot, loaded);
    /* A second time, the numbers are the reader's. */
    ck_assert_int_eq(
        alloctrace_snapshot_resolve(loaded, three_levels, other), 0);
    alloctrace_snapshot_free(snapshot);
    snapshot = again(loaded);
    same_snapshot(loaded, snapshot, false);
    alloctrace_snapshot_free(loaded);
    alloctrace_snapshot_free(snapshot);
    end();
}
END_TEST

/* ---- Snapshots made of others ---- */

/* A snapshot of every `step`th trace, as filters make it. */
static alloctrace_snapshot *derive(const alloctrace_snapshot *base,
                                   uint32_t step)
{
    alloctrace_snapshot *const made = at_snapshot_derive(base);

    ck_assert_ptr_nonnull(made);
    made->traces = calloc((size_t)base->n_traces + 1, sizeof *made->traces);
    made->n_traces = 0;
    for (uint32_t i = 0; i < base->n_traces; i += step)
        made->traces[made->n_traces++] = base->traces[i];
    made->has_details = false;
    made->details = NULL;
    made->n_details = 0;
    made->sizes = NULL;
    made->n_sizes = 0;
    return made;
}

START_TEST(what_no_trace_leads_to_is_left_out)
{
    struct dumpfile file;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *part;
    alloctrace_snapshot *loaded;
    struct bytes dumped;

    begin();
    dumpfile_init(&file);
    for (uint32_t i = 1; i <= 100; i++) {
        char name[32];
        uint32_t frame;

        snprintf(name, sizeof name, "file%u", i);
        dumpfile_module(&file, name, NULL, i, i + 1, 0);
        snprintf(name, sizeof name, "thread%u", i);
        dumpfile_thread(&file, i, name);
        snprintf(name, sizeof name, "in%u.c", i);
        frame = dumpfile_frame(
            &file, (struct dumpframe){.file = "outer.c", .line = i});
        frame = dumpfile_frame(
            &file,
            (struct dumpframe){
                .file = name, .line = i, .module = i, .caller = frame});
        snprintf(name, sizeof name, "out%u.c:1 main.c:%u", i, i);
        dumpfile_trace(
            &file,
            dumpfile_traceback(&file, dumpfile_path(&file, name), frame), i, 0,
            1, i);
    }
    dumpfile_finish(&file);
    snapshot = load_bytes(&file.file);
    part = derive(snapshot, 50); /* the first, and the 51st */
    loaded = again(part);
    same_snapshot(part, loaded, true);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(loaded), 2);
    ck_assert_uint_eq(alloctrace_snapshot_traceback_count(loaded), 6);
    ck_assert_uint_eq(alloctrace_snapshot_module_count(loaded), 2);
    ck_assert_uint_eq(alloctrace_snapshot_thread_count(loaded), 2);
    dumped = file_bytes();
    ck_assert(has_text(&dumped, "in51.c"));
    ck_assert(has_text(&dumped, "out1.c"));
    ck_assert(has_text(&dumped, "thread51"));
    ck_assert(!has_text(&dumped, "in2.c"));
    ck_assert(!has_text(&dumped, "out50.c"));
    ck_assert(!has_text(&dumped, "thread52"));
    ck_assert(!has_text(&dumped, "file2"));
    free(dumped.data);
    alloctrace_snapshot_free(loaded);
    alloctrace_snapshot_free(part);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&file);
    end();
}
END_TEST

/* Pruning, added frames and labels at once. */
START_TEST(parts_of_a_resolved_snapshot_are_written)
{
    alloctrace_snapshot *snapshot;

    begin();
    snapshot = make_addresses();
    ck_assert_int_eq(
        alloctrace_snapshot_resolve(snapshot, three_levels, outer), 0);
    for (uint32_t step = 1; step <= 13; step++) {
        alloctrace_snapshot *const part = derive(snapshot, step);
        alloctrace_snapshot *const loaded = again(part);

        same_snapshot(part, loaded, true);
        same_statistics(part, loaded);
        alloctrace_snapshot_free(loaded);
        alloctrace_snapshot_free(part);
    }
    alloctrace_snapshot_free(snapshot);
    end();
}
END_TEST

START_TEST(attributes_of_a_part_are_its_own)
{
    struct dumpfile file;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *part;
    alloctrace_snapshot *loaded;

    begin();
    make_sample(&file);
    snapshot = load_bytes(&file.file);
    dumpfile_fini(&file);
    part = derive(snapshot, 1);
    ck_assert_int_eq(alloctrace_snapshot_set_attribute(part, "a", NULL), 0);
    ck_assert_int_eq(alloctrace_snapshot_set_attribute(part, "c", "c"), 0);
    loaded = again(part);
    ck_assert_uint_eq(alloctrace_snapshot_attribute_count(loaded), 2);
    ck_assert_str_eq(alloctrace_snapshot_attribute(loaded, 1)->key, "c");
    ck_assert_str_eq(alloctrace_snapshot_get_attribute(snapshot, "a"), "");
    alloctrace_snapshot_free(loaded);
    alloctrace_snapshot_free(part);
    alloctrace_snapshot_free(snapshot);
    end();
}
END_TEST

/* ---- Folded snapshots ---- */

/* Paths through wrappers, of which some frames are inlined, some stand in the
 * C++ library, and some say types; anything may follow anything. */
static alloctrace_snapshot *make_wrapped(uint32_t seed)
{
    static const char *const files[] = {"a.c", "b.cc",
                                        "/usr/include/c++/12/vector"};
    static const char *const types[] = {NULL, NULL, "node", "leaf", "char"};
    struct dumpfile file;
    uint32_t frames[40];
    uint32_t paths[60] = {0};
    alloctrace_snapshot *snapshot;

#define PICK(n) ((seed = seed * 1664525 + 1013904223) >> 16) % (n)
    dumpfile_init(&file);
    file.traceback_limit = PICK(4);
    for (uint32_t i = 0; i < 40; i++) {
        const uint32_t type = PICK(5);
        const uint32_t kind = 1 + PICK(3);
        char function[16];

        snprintf(function, sizeof function, "f%u", i);
        frames[i] = dumpfile_frame(
            &file, (struct dumpframe){.file = files[PICK(3)],
                                      .function = function,
                                      .line = i,
                                      .callee = PICK(2) ? "callee" : NULL,
                                      .type = types[type],
                                      .type_size = type ? 8 << type : 0,
                                      .kind = kind,
                                      .flags = PICK(8),
                                      .caller = i && PICK(3) == 0
                                                    ? frames[PICK(i)]
                                                    : 0});
    }
    for (uint32_t i = 1; i < 60; i++) {
        const uint32_t parent = PICK(i);
        const uint32_t frame = PICK(40);

        paths[i] = dumpfile_traceback(&file, paths[parent], frames[frame]);
        if (PICK(3))
            dumpfile_trace_full(&file, paths[i], 0, 0,
                                (const int64_t[]){1, i * i, 1, i * i, 0, 0});
    }
#undef PICK
    dumpfile_detail(&file, 0, 0, 9, (const uint64_t[]){1, 2, 3, 4, 5, 6, 7, 8, 9});
    dumpfile_trace(&file, 0, 0, 9, 1, 7);
    dumpfile_finish(&file);
    snapshot = load_bytes(&file.file);
    dumpfile_fini(&file);
    return snapshot;
}

/* Traces and their paths, but for what the first frame says of the type. */
static void same_paths(const alloctrace_snapshot *left,
                       const alloctrace_snapshot *right)
{
    for (size_t i = 0; i < alloctrace_snapshot_trace_count(left); i++) {
        alloctrace_traceback *a;
        alloctrace_traceback *b;

        ck_assert_int_eq(
            alloctrace_snapshot_traceback(
                left, alloctrace_snapshot_trace(left, i)->traceback, &a),
            0);
        ck_assert_int_eq(
            alloctrace_snapshot_traceback(
                right, alloctrace_snapshot_trace(right, i)->traceback, &b),
            0);
        ck_assert_uint_eq(alloctrace_traceback_count(a),
                          alloctrace_traceback_count(b));
        for (ptrdiff_t k = 1; k <= (ptrdiff_t)alloctrace_traceback_count(a);
             k++) {
            const struct alloctrace_frame *const x =
                alloctrace_traceback_frame(a, -k);
            struct alloctrace_frame y = *alloctrace_traceback_frame(b, -k);

            if (k == 1) {
                y.type = x->type;
                y.type_size = x->type_size;
                y.flags |= x->flags & ALLOCTRACE_FRAME_RETURNED;
            }
            same_frame(x, &y);
        }
        alloctrace_traceback_free(a);
        alloctrace_traceback_free(b);
    }
}

START_TEST(folded_snapshots_are_loaded_as_plain_ones_that_say_the_same)
{
    begin();
    for (uint32_t seed = 1; seed <= 400; seed++) {
        alloctrace_snapshot *const snapshot = make_wrapped(seed);
        alloctrace_snapshot *folded;
        alloctrace_snapshot *loaded;

        ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(snapshot, &folded),
                         0);
        loaded = again(folded);
        same_process(folded, loaded);
        same_statistics(folded, loaded);
        same_paths(folded, loaded);
        same_detail(folded, loaded, alloctrace_snapshot_trace_count(loaded) - 1);
        ck_assert_uint_eq(alloctrace_snapshot_wrapper_count(loaded), 0);
        alloctrace_snapshot_free(loaded);
        alloctrace_snapshot_free(folded);
        alloctrace_snapshot_free(snapshot);
    }
    end();
}
END_TEST

/* xmalloc is left out, and main no longer says that it called xmalloc. */
START_TEST(wrappers_are_not_in_the_file_of_a_folded_snapshot)
{
    struct dumpfile file;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *folded;
    alloctrace_snapshot *loaded;
    struct bytes dumped;
    uint32_t id;

    begin();
    dumpfile_init(&file);
    id = dumpfile_traceback(
        &file, 0,
        dumpfile_frame(&file,
                       (struct dumpframe){.file = "main.c", .function = "main",
                                          .callee = "xmalloc", .kind = 1,
                                          .type = "struct a", .type_size = 8}));
    id = dumpfile_traceback(
        &file, id,
        dumpfile_frame(&file, (struct dumpframe){.file = "xmalloc.c",
                                                 .function = "xmalloc",
                                                 .callee = "malloc",
                                                 .kind = 2, .flags = 2}));
    dumpfile_trace(&file, id, 0, 0, 1, 8);
    dumpfile_finish(&file);
    snapshot = load_bytes(&file.file);
    dumpfile_fini(&file);
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(snapshot, &folded), 0);
    loaded = again(folded);
    same_snapshot(folded, loaded, true);
    same_statistics(folded, loaded);
    dumped = file_bytes();
    ck_assert(has_text(&dumped, "main.c"));
    ck_assert(!has_text(&dumped, "xmalloc"));
    ck_assert_uint_eq(alloctrace_snapshot_traceback_count(loaded), 1);
    free(dumped.data);
    alloctrace_snapshot_free(loaded);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(snapshot);
    end();
}
END_TEST

CHECK_MAIN("write", everything_is_the_same_when_it_is_loaded_again,
           r13_traces_limit_and_extra_attributes_survive_dump_and_load,
           fields_that_nobody_asks_for_are_written,
           a_second_dump_has_the_same_bytes_as_the_first,
           a_snapshot_of_nothing_is_written,
           what_is_longer_than_a_buffer_is_written,
           labels_of_addresses_are_made_anew_by_the_reader,
           names_that_resolving_gave_stay, what_no_trace_leads_to_is_left_out,
           parts_of_a_resolved_snapshot_are_written,
           attributes_of_a_part_are_its_own,
           folded_snapshots_are_loaded_as_plain_ones_that_say_the_same,
           wrappers_are_not_in_the_file_of_a_folded_snapshot)
