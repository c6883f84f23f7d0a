/* SPDX-License-Identifier: MIT */
/*
 * Files that are small and ask for much: each has about a megabyte and is made
 * so that a search in a list, a text that is compared or copied for each
 * entry, or a path that is walked for each traceback would take the square of
 * that. All that can be done with a file is done within the bounds of meter.c.
 *
 *     fuzz_bombs [NAME...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloctrace/format.h"
#include "dumpfile.h"
#include "fuzz.h"

#define LONG 200000 /* bytes of a text that is too long */
#define MANY 10000  /* entries of a table */

/* A dump, by the numbers of its strings. */
static struct dumpfile dump;
static struct section blocks, attributes;

static uint32_t add_string(const char *text)
{
    return dumpfile_string(&dump, text);
}

/* A text of LONG bytes that ends in a letter of its own. */
static uint32_t add_long(char fill, char last)
{
    char *const text = malloc(LONG + 1);
    uint32_t id;

    REQUIRE(text);
    memset(text, fill, LONG);
    text[LONG - 1] = last;
    text[LONG] = '\0';
    id = add_string(text);
    free(text);
    return id;
}

/* What counts of a frame. */
struct names {
    uint64_t address;
    uint32_t module, file, function, callee, type, caller, kind, flags, size;
};

static uint32_t add_frame(struct names names)
{
    struct bytes *const bytes = &dump.frames.bytes;

    bytes_u64(bytes, names.address);
    bytes_u32(bytes, names.module);
    bytes_u32(bytes, names.file);
    bytes_u32(bytes, names.function);
    bytes_u32(bytes, 1); /* line */
    bytes_u32(bytes, 0);
    bytes_u32(bytes, 0);
    bytes_u32(bytes, names.caller);
    bytes_u32(bytes, names.callee);
    bytes_u32(bytes, names.type);
    bytes_u32(bytes, 0); /* target */
    bytes_u32(bytes, names.kind);
    bytes_u32(bytes, names.flags);
    bytes_u32(bytes, names.size);
    return ++dump.frames.count;
}

static void add_pair(struct section *section, uint32_t left, uint32_t right)
{
    bytes_u32(&section->bytes, left);
    bytes_u32(&section->bytes, right);
    section->count++;
}

static void add_trace(uint32_t traceback, uint32_t thread, uint32_t domain)
{
    dumpfile_trace(&dump, traceback, thread, domain, 1, 16);
}

/* A path of one frame, and a trace of it. */
static void add_single(struct names names)
{
    add_trace(dumpfile_traceback(&dump, 0, add_frame(names)), 0, 0);
}

/* ---- Bombs ---- */

static void many_attributes(void)
{
    char key[16];

    for (int i = 0; i < 3 * MANY; i++) {
        snprintf(key, sizeof key, "%d", i);
        add_pair(&attributes, add_string(key), 0);
    }
}

/* One text that is the value of all. */
static void long_attributes(void)
{
    const uint32_t value = add_long('v', 'v');
    char key[16];

    for (int i = 0; i < 3 * MANY; i++) {
        snprintf(key, sizeof key, "%d", i);
        add_pair(&attributes, add_string(key), value);
    }
}

static void one_attribute(void)
{
    const uint32_t value = add_long('v', 'v');

    for (int i = 0; i < 6 * MANY; i++)
        add_pair(&attributes, add_string("key"), value);
}

static void long_arguments(void)
{
    const uint32_t text[] = {add_long('v', 'a'), add_long('v', 'b')};

    for (uint32_t i = 0; i < 6 * MANY; i++) {
        bytes_u32(&dump.arguments.bytes, text[i % 2]);
        dump.arguments.count++;
    }
}

static void add_module(uint32_t path, uint32_t build_id)
{
    for (int i = 0; i < 3; i++)
        bytes_u64(&dump.modules.bytes, 0);
    add_pair(&dump.modules, path, build_id);
}

/* Addresses in a module with a long name: each has a label. */
static void long_labels(void)
{
    add_module(add_long('m', 'm'), 0);
    for (uint64_t i = 1; i <= MANY; i++)
        add_single((struct names){.address = i, .module = 1});
}

static void long_modules(void)
{
    const uint32_t paths[] = {add_long('m', 'a'), add_long('m', 'b')};

    for (uint32_t i = 0; i < MANY; i++)
        add_module(paths[i % 2], paths[(i + 1) % 2]);
    for (uint32_t i = 1; i <= MANY; i++)
        add_single((struct names){.address = i, .module = i});
}

static void long_threads(void)
{
    const uint32_t names[] = {add_long('t', 'a'), add_long('t', 'b')};

    for (uint32_t i = 0; i < 3 * MANY; i++)
        add_pair(&dump.threads, i, names[i % 2]);
    for (uint32_t i = 1; i <= MANY; i++)
        add_trace(0, i, 0);
}

static void many_domains(void)
{
    const uint32_t name = add_string("pool");

    for (uint32_t i = 0; i < 6 * MANY; i++)
        add_pair(&dump.domains, i, name);
    for (uint32_t i = 0; i < MANY; i++)
        add_trace(0, 0, UINT32_MAX - i);
}

static void long_domains(void)
{
    const uint32_t names[] = {add_long('d', 'a'), add_long('d', 'b')};

    for (uint32_t i = 0; i < 3 * MANY; i++)
        add_pair(&dump.domains, i, names[i % 2]);
    for (uint32_t i = 0; i < MANY; i++)
        add_trace(0, 0, i);
}

/* Types that are equal but for their number: all in one group. */
static void long_types(void)
{
    const uint32_t types[] = {add_long('t', 't'), add_long('t', 't')};

    for (uint32_t i = 0; i < MANY; i++)
        add_single((struct names){.type = types[i % 2], .kind = 2});
}

/* Names of files that each frame is asked for its folder. */
static void long_files(void)
{
    const uint32_t files[] = {add_long('/', 'a'), add_long('/', 'b')};

    for (uint32_t i = 0; i < MANY; i++)
        add_single((struct names){.file = files[i % 2], .kind = 2});
}

static void long_functions(void)
{
    const uint32_t functions[] = {add_long('_', 'a'), add_long('_', 'b')};

    add_module(0, 0);
    for (uint32_t i = 0; i < MANY; i++)
        add_single((struct names){.function = functions[i % 2], .module = 1,
                                  .address = 1, .callee = functions[1]});
}

/* A path through functions of long names, and a trace for each part of it:
 * those that hand on are wrappers. */
static void long_wrappers(void)
{
    const uint32_t functions[] = {add_long('f', 'a'), add_long('f', 'b')};
    const uint32_t file = add_string("f.c");
    uint32_t path = 0;

    for (uint32_t i = 0; i < MANY; i++) {
        path = dumpfile_traceback(
            &dump, path,
            add_frame((struct names){.file = file, .function = functions[i % 2],
                                     .callee = functions[(i + i / 2) % 2],
                                     .kind = 1, .flags = i ? 2 : 0}));
        add_trace(path, 0, 0);
    }
}

/* A site of many frames that were inlined into one another. */
static uint32_t add_chain(uint32_t n, uint32_t flags, bool is_typed)
{
    const uint32_t file = add_string("chain.h");
    const uint32_t type = is_typed ? add_string("struct chain") : 0;
    uint32_t frame = 0;

    for (uint32_t i = 0; i < n; i++)
        frame = add_frame((struct names){.file = file, .kind = 3, .type = type,
                                         .flags = flags, .caller = frame,
                                         .size = UINT32_MAX});
    return frame;
}

/* The same site again and again, one under the other. */
static void deep_chains(void)
{
    const uint32_t frame = add_chain(MANY, 2, true);
    uint32_t path = 0;

    for (uint32_t i = 0; i < 3 * MANY; i++)
        path = dumpfile_traceback(&dump, path, frame);
    add_trace(path, 0, 0);
}

/* And side by side, each with a trace. */
static void wide_chains(void)
{
    const uint32_t frame = add_chain(MANY, 2, true);

    for (uint32_t i = 0; i < MANY; i++)
        add_trace(dumpfile_traceback(&dump, 0, frame), 0, 0);
}

/* Paths that hand on what they got of one and the same long site. */
static void under_a_chain(void)
{
    const uint32_t outer =
        dumpfile_traceback(&dump, 0, add_chain(MANY, 2, true));
    const uint32_t frame = add_chain(1, 2, false);

    for (uint32_t i = 0; i < MANY; i++)
        add_trace(dumpfile_traceback(&dump, outer, frame), 0, 0);
}

/* Likewise of many sites. */
static void under_a_path(void)
{
    const uint32_t frame = add_chain(1, 2, false);
    uint32_t path = 0;

    for (uint32_t i = 0; i < 2 * MANY; i++)
        path = dumpfile_traceback(&dump, path, frame);
    for (uint32_t i = 0; i < MANY; i++)
        add_trace(dumpfile_traceback(&dump, path, frame), 0, 0);
}

/* As deep as can be, each depth with a trace and a frame of its own. */
static void deep_path(void)
{
    uint32_t path = 0;

    for (uint32_t i = 0; i < MANY; i++) {
        path = dumpfile_traceback(&dump, path, add_chain(1, i % 2 * 2, true));
        add_trace(path, 0, 0);
    }
}

static void many_details(void)
{
    static const uint64_t figures[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};

    for (uint32_t i = 0; i < MANY; i++)
        add_trace(0, 0, i / 2);
    for (uint32_t i = 0; i < MANY; i++) {
        dumpfile_detail(&dump, 0, 0, 1, figures);
        dumpfile_size(&dump, 0, 0, i / 2, i % 66, 1, 1);
    }
}

static void many_blocks(void)
{
    for (uint32_t i = 0; i < 4 * MANY; i++) {
        bytes_u64(&blocks.bytes, i);
        bytes_u64(&blocks.bytes, 16);
        add_pair(&blocks, 0, i / 2);
    }
    for (uint32_t i = 0; i < MANY; i++)
        add_trace(0, 0, i);
}

static void many_strings(void)
{
    for (uint32_t i = 0; i < 20 * MANY; i++)
        add_string(i % 2 ? "" : "a");
    add_trace(0, 0, 0);
}

/* Entries that collide in a table that hashes what they are by adding. */
static void many_frames(void)
{
    const uint32_t file = add_string("f.c");

    for (uint32_t i = 0; i < MANY; i++)
        add_single((struct names){.file = file, .module = 0, .kind = i,
                                  .flags = MANY - i, .size = i << 16});
}

#define BOMBS(BOMB)                                                   \
    BOMB(many_attributes) BOMB(long_attributes) BOMB(one_attribute)   \
    BOMB(long_arguments) BOMB(long_labels) BOMB(long_modules)         \
    BOMB(long_threads) BOMB(many_domains) BOMB(long_domains)          \
    BOMB(long_types) BOMB(long_files) BOMB(long_functions)            \
    BOMB(long_wrappers) BOMB(deep_chains) BOMB(wide_chains)           \
    BOMB(under_a_chain) BOMB(under_a_path) BOMB(deep_path)            \
    BOMB(many_details) BOMB(many_blocks) BOMB(many_strings)           \
    BOMB(many_frames)

static const struct {
    const char *name;
    void (*make)(void);
} bombs[] = {
#define BOMB_ENTRY(name) {#name, name},
    BOMBS(BOMB_ENTRY)
#undef BOMB_ENTRY
};

#define N_BOMBS (sizeof bombs / sizeof *bombs)

/* ---- Setting them off ---- */

static void put_section(uint32_t tag, const struct section *section,
                        uint64_t *n_records)
{
    if (section->count == 0)
        return;
    file_record(&dump.file, tag, section->count, section->bytes.data,
                section->bytes.size);
    ++*n_records;
}

/* Puts the sections that dumpfile.h does not have behind the others. */
static void finish(void)
{
    uint64_t n_records = 0;

    dumpfile_finish(&dump);
    dump.file.size -= 24; /* reads the trailer, and writes another one */
    for (int i = 7; i >= 0; i--)
        n_records = n_records << 8 | dump.file.data[dump.file.size + (size_t)i];
    dump.file.size -= 16;
    put_section(ALLOCTRACE_TAG_BLOCKS, &blocks, &n_records);
    put_section(ALLOCTRACE_TAG_ATTRIBUTES, &attributes, &n_records);
    file_end(&dump.file, n_records);
}

static void begin(const char *what, uint64_t size)
{
    if (getenv("FUZZ_VERBOSE"))
        fprintf(stderr, "  %s\n", what);
    meter_begin(size);
}

static void set_off_statistics(const alloctrace_snapshot *snapshot,
                               uint64_t size, int by, int cumulative)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = by, .cumulative = cumulative};
    alloctrace_statistics *statistics;
    struct alloctrace_detail *detail;
    char what[32];

    snprintf(what, sizeof what, "by %d%s", by, cumulative ? ", all" : "");
    begin(what, size);
    if (!alloctrace_snapshot_statistics(snapshot, &options, &statistics)) {
        for (size_t i = 0; i < alloctrace_statistics_count(statistics); i++)
            if (!alloctrace_statistics_detail(statistics, i, &detail))
                alloctrace_detail_free(detail);
        alloctrace_statistics_free(statistics);
    }
    meter_end();
}

static void set_off_compare(const alloctrace_snapshot *snapshot, uint64_t size,
                            int by)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = by};
    alloctrace_statistics *statistics;

    begin("compare", 2 * size);
    if (!alloctrace_snapshot_compare_to(snapshot, snapshot, &options,
                                        &statistics))
        alloctrace_statistics_free(statistics);
    meter_end();
}

static void set_off_filter(const alloctrace_snapshot *snapshot, uint64_t size)
{
    struct alloctrace_filter filter = alloctrace_filter_make(1, "*a");
    alloctrace_snapshot *filtered;

    filter.all_frames = 1;
    filter.function_pattern = filter.module_pattern = "*b";
    begin("filter", size);
    if (!alloctrace_snapshot_filter_traces(snapshot, &filter, 1, &filtered))
        alloctrace_snapshot_free(filtered);
    meter_end();
    filter = alloctrace_filter_make(0, NULL);
    filter.thread_pattern = filter.type_pattern = "*b";
    begin("filter by thread and type", size);
    if (!alloctrace_snapshot_filter_traces(snapshot, &filter, 1, &filtered))
        alloctrace_snapshot_free(filtered);
    meter_end();
}

static void set_off_builder(const alloctrace_snapshot *snapshot, uint64_t size)
{
    alloctrace_snapshot *merged;
    alloctrace_builder *builder;

    begin("merge", 2 * size);
    REQUIRE(!alloctrace_builder_create(&builder));
    REQUIRE(!alloctrace_builder_add_snapshot(builder, snapshot));
    REQUIRE(!alloctrace_builder_add_snapshot(builder, snapshot));
    REQUIRE(!alloctrace_builder_finish(builder, &merged));
    meter_end();
    alloctrace_snapshot_free(merged);
}

static void set_off_file(const alloctrace_snapshot *snapshot, uint64_t size)
{
    char path[64];
    alloctrace_snapshot *loaded;

    snprintf(path, sizeof path, "/tmp/fuzz-bomb.%ld", (long)getpid());
    begin("dump", size);
    REQUIRE(!alloctrace_snapshot_dump(snapshot, path, NULL));
    meter_end();
    begin("load from a file", size);
    REQUIRE(!alloctrace_snapshot_load(path, &loaded, NULL));
    meter_end();
    alloctrace_snapshot_free(loaded);
    unlink(path);
}

static void set_off_path(const alloctrace_snapshot *snapshot, uint64_t size)
{
    alloctrace_traceback *traceback;

    begin("traceback", size);
    REQUIRE(!alloctrace_snapshot_traceback(
        snapshot, (uint32_t)alloctrace_snapshot_traceback_count(snapshot),
        &traceback));
    meter_end();
    alloctrace_traceback_free(traceback);
}

static void set_off(const alloctrace_snapshot *snapshot, uint64_t size)
{
    static const int whole[] = {ALLOCTRACE_BY_FILENAME, ALLOCTRACE_BY_LINENO,
                                ALLOCTRACE_BY_FUNCTION, ALLOCTRACE_BY_MODULE};
    alloctrace_snapshot *folded = NULL;

    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++) {
        set_off_statistics(snapshot, size, by, 0);
        set_off_compare(snapshot, size, by);
    }
    for (size_t i = 0; i < 4; i++)
        set_off_statistics(snapshot, size, whole[i], 1);
    set_off_filter(snapshot, size);
    set_off_file(snapshot, size);
    set_off_builder(snapshot, size);
    set_off_path(snapshot, size);
    begin("fold", size);
    if (alloctrace_snapshot_fold_wrappers(snapshot, &folded))
        folded = NULL;
    meter_end();
    if (!folded)
        return;
    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++)
        set_off_statistics(folded, size, by, 0);
    set_off_file(folded, size);
    alloctrace_snapshot_free(folded);
}

static void explode(void (*make)(void))
{
    alloctrace_snapshot *snapshot = NULL;
    struct alloctrace_error error;

    dumpfile_init(&dump);
    make();
    finish();
    begin("load", dump.file.size);
    if (alloctrace_snapshot_load_bytes(dump.file.data, dump.file.size,
                                       &snapshot, &error)) {
        REQUIRE(error.code == ALLOCTRACE_EBAD_FILE);
        printf("%s\n", error.message);
        snapshot = NULL;
    }
    meter_end();
    if (snapshot)
        set_off(snapshot, dump.file.size);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
    free(blocks.bytes.data);
    free(attributes.bytes.data);
    blocks = attributes = (struct section){0};
}

static bool is_asked_for(const char *name, char **names)
{
    if (!*names)
        return true;
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    (void)argc;
    for (size_t i = 0; i < N_BOMBS; i++)
        if (is_asked_for(bombs[i].name, argv + 1)) {
            fprintf(stderr, "%s\n", bombs[i].name);
            explode(bombs[i].make);
        }
    meter_report();
    return 0;
}
