/* SPDX-License-Identifier: MIT */
/*
 * Does with snapshots what a script says: a few of them stand on a stage, an
 * act makes new ones of them or looks at them, in any order and combination.
 * What an act must bring about is checked where there is another way to know.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define N_PLACES 4
#define MAX_ACTS 24

/* A snapshot on the stage. */
struct place {
    alloctrace_snapshot *snapshot; /* owned; NULL = none */
    uint64_t size;   /* bytes that it was made of: what it may take grows with
                        that */
    bool is_folded;
    bool is_partial; /* made of another one: what is written has other numbers,
                        and fewer traces for types to be found by */
};

struct stage {
    struct place places[N_PLACES];
    struct script *script;
};

static struct place *choose(struct stage *stage)
{
    struct place *const place =
        &stage->places[script_byte(stage->script) % N_PLACES];

    return place->snapshot ? place : &stage->places[0];
}

/* Puts a new snapshot on the stage; number 0 is there always. */
static void enter(struct stage *stage, struct place made)
{
    struct place *const place =
        &stage->places[1 + script_byte(stage->script) % (N_PLACES - 1)];

    alloctrace_snapshot_free(place->snapshot);
    *place = made;
}

/* ---- Looking ---- */

static void act_look(struct stage *stage)
{
    look_snapshot(choose(stage)->snapshot);
}

/* Order, hash and membership agree with one another. */
static void compare_tracebacks(const alloctrace_traceback *a,
                               const alloctrace_traceback *b)
{
    const int order = alloctrace_traceback_compare(a, b);
    const int back = alloctrace_traceback_compare(b, a);

    REQUIRE(alloctrace_traceback_compare(a, a) == 0);
    REQUIRE((order < 0) == (back > 0) && (order > 0) == (back < 0));
    if (order == 0) {
        REQUIRE(alloctrace_traceback_hash(a) == alloctrace_traceback_hash(b));
        REQUIRE(alloctrace_traceback_count(a) ==
                alloctrace_traceback_count(b));
    }
    REQUIRE(alloctrace_traceback_contains(a, alloctrace_traceback_frame(a, 0)));
    (void)alloctrace_traceback_contains(a, alloctrace_traceback_frame(b, -1));
}

/* Where an index of a slice is, as Python has it. */
static size_t bound(ptrdiff_t index, size_t count)
{
    if (index < 0)
        return (size_t)-(index + 1) + 1 > count
                   ? 0
                   : count - (size_t)-(index + 1) - 1;
    return (size_t)index < count ? (size_t)index : count;
}

static void slice_traceback(struct stage *stage,
                            const alloctrace_traceback *traceback)
{
    const size_t n = alloctrace_traceback_count(traceback);
    const ptrdiff_t start = (ptrdiff_t)script_number(stage->script, n) - 4;
    const ptrdiff_t stop = (ptrdiff_t)script_number(stage->script, n) - 4;
    const size_t from = bound(start, n);
    const size_t to = bound(stop, n);
    alloctrace_traceback *slice;

    REQUIRE(alloctrace_traceback_slice(traceback, start, stop, &slice) == 0);
    REQUIRE(alloctrace_traceback_count(slice) == (to > from ? to - from : 0));
    for (size_t i = 0; from + i < to; i++) {
        look_frame(alloctrace_traceback_frame(slice, (ptrdiff_t)i));
        REQUIRE(alloctrace_frame_compare(
                    alloctrace_traceback_frame(slice, (ptrdiff_t)i),
                    alloctrace_traceback_frame(traceback,
                                               (ptrdiff_t)(from + i))) == 0);
    }
    alloctrace_traceback_free(slice);
}

static void act_tracebacks(struct stage *stage)
{
    alloctrace_traceback *tracebacks[2];
    char *text;

    for (int i = 0; i < 2; i++) {
        const alloctrace_snapshot *const snapshot = choose(stage)->snapshot;
        const uint64_t id = script_number(
            stage->script, alloctrace_snapshot_traceback_count(snapshot) + 1);

        tracebacks[i] = look_traceback(snapshot, (uint32_t)id);
    }
    if (tracebacks[0] && tracebacks[1])
        compare_tracebacks(tracebacks[0], tracebacks[1]);
    if (tracebacks[0]) {
        const int limit = (int)script_word(stage->script);
        const int is_recent_first = script_byte(stage->script) & 1;
        const unsigned flags = script_byte(stage->script);
        const int result = alloctrace_traceback_format(
            tracebacks[0], limit, is_recent_first, flags, &text);

        REQUIRE(result == 0 || result == ALLOCTRACE_EBAD_ARGUMENT);
        if (!result)
            alloctrace_text_free(text);
        slice_traceback(stage, tracebacks[0]);
    }
    alloctrace_traceback_free(tracebacks[0]);
    alloctrace_traceback_free(tracebacks[1]);
}

/* ---- Statistics ---- */

static struct alloctrace_statistics_options
choose_options(struct script *script)
{
    struct alloctrace_statistics_options options = {
        .size = sizeof options,
        .group_by = script_byte(script) % 10,
        .metric = script_byte(script) % 6,
        .cumulative = script_byte(script) & 1,
        .flags = script_byte(script)};

    if (!(options.flags & 0xc0)) /* seldom other than what there is */
        options.flags &= ALLOCTRACE_LIKE_CPYTHON | ALLOCTRACE_IGNORE_LINES;
    if (script_byte(script) == 255)
        options.size = script_byte(script);
    return options;
}

/* What a metric counts of all traces; they wrap around. */
static uint64_t bytes_of(const alloctrace_snapshot *snapshot, int metric)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < alloctrace_snapshot_trace_count(snapshot); i++) {
        const struct alloctrace_trace *const trace =
            alloctrace_snapshot_trace(snapshot, i);

        sum += (uint64_t)(metric == ALLOCTRACE_METRIC_TOTAL ? trace->total_bytes
                          : metric == ALLOCTRACE_METRIC_PEAK
                              ? trace->peak_bytes
                              : trace->live_bytes);
    }
    return sum;
}

static void act_statistics(struct stage *stage)
{
    const struct place *const place = choose(stage);
    const struct alloctrace_statistics_options options =
        choose_options(stage->script);
    alloctrace_statistics *statistics;
    int result;

    meter_begin(place->size);
    result = alloctrace_snapshot_statistics(place->snapshot, &options,
                                            &statistics);
    meter_end();
    REQUIRE(result == 0 || result == ALLOCTRACE_EBAD_ARGUMENT);
    if (result)
        return;
    REQUIRE(!alloctrace_statistics_is_diff(statistics));
    if (options.size == sizeof options &&
        options.metric != ALLOCTRACE_METRIC_TEMPORARY)
        REQUIRE((uint64_t)alloctrace_statistics_sum(statistics)->size ==
                bytes_of(place->snapshot, options.metric));
    look_statistics(statistics, script_byte(stage->script) & 7,
                    options.cumulative);
    alloctrace_statistics_free(statistics);
}

/* The differences are those of the figures, and none between the same. */
static void check_diff(const alloctrace_statistics *diff,
                       const struct place *place, const struct place *old,
                       const struct alloctrace_statistics_options *options)
{
    REQUIRE(alloctrace_statistics_is_diff(diff));
    for (size_t i = 0; i < alloctrace_statistics_count(diff); i++)
        if (place == old) {
            REQUIRE(!alloctrace_statistics_get(diff, i)->size_diff);
            REQUIRE(!alloctrace_statistics_get(diff, i)->count_diff);
        }
    if (options->size == sizeof *options &&
        options->metric != ALLOCTRACE_METRIC_TEMPORARY)
        REQUIRE((uint64_t)alloctrace_statistics_sum(diff)->size_diff ==
                bytes_of(place->snapshot, options->metric) -
                    bytes_of(old->snapshot, options->metric));
}

static void act_compare(struct stage *stage)
{
    const struct place *const place = choose(stage);
    const struct place *const old = choose(stage);
    const struct alloctrace_statistics_options options =
        choose_options(stage->script);
    alloctrace_statistics *diff;
    int result;

    meter_begin(place->size + old->size);
    result = alloctrace_snapshot_compare_to(place->snapshot, old->snapshot,
                                            &options, &diff);
    meter_end();
    REQUIRE(result == 0 || result == ALLOCTRACE_EBAD_ARGUMENT);
    if (result)
        return;
    check_diff(diff, place, old, &options);
    look_statistics(diff, script_byte(stage->script) & 7, options.cumulative);
    alloctrace_statistics_free(diff);
}

/* ---- Snapshots of others ---- */

#define MAX_FILTERS 3

static int filter(const struct place *place,
                  const struct alloctrace_filter *filters, size_t n_filters,
                  alloctrace_snapshot **filtered)
{
    int result;

    meter_begin(place->size + n_filters * SCRIPT_TEXT);
    result = alloctrace_snapshot_filter_traces(place->snapshot, filters,
                                               n_filters, filtered);
    meter_end();
    REQUIRE(result == 0 || result == ALLOCTRACE_EBAD_ARGUMENT);
    return result;
}

/* What a filter keeps and what it throws away are together all there is. */
static void check_halves(const struct place *place,
                         struct alloctrace_filter filter_made)
{
    size_t n = 0;

    for (int i = 0; i < 2; i++) {
        alloctrace_snapshot *half;

        filter_made.inclusive = i;
        if (filter(place, &filter_made, 1, &half))
            return;
        n += alloctrace_snapshot_trace_count(half);
        alloctrace_snapshot_free(half);
    }
    REQUIRE(n == alloctrace_snapshot_trace_count(place->snapshot));
}

static void choose_filter(struct script *script,
                          struct alloctrace_filter *made, char (*texts)[64])
{
    const uint8_t which = script_byte(script);

    *made = alloctrace_filter_make(which & 1, script_text(script, texts[0]));
    made->all_frames = which >> 1 & 1;
    if (which & 4)
        made->lineno = (int64_t)script_number(script, 3);
    if (which & 8)
        made->domain = (int64_t)script_number(script, 1);
    if (which & 16)
        made->function_pattern = script_text(script, texts[1]);
    if (which & 32)
        made->module_pattern = script_text(script, texts[2]);
    if (which & 64)
        made->type_pattern = script_text(script, texts[3]);
    if (which & 128)
        made->thread_pattern = script_text(script, texts[4]);
}

static void act_filter(struct stage *stage)
{
    const struct place *const place = choose(stage);
    struct alloctrace_filter filters[MAX_FILTERS];
    char texts[MAX_FILTERS][5][SCRIPT_TEXT];
    const size_t n = script_byte(stage->script) % (MAX_FILTERS + 1);
    struct place made = *place;

    for (size_t i = 0; i < n; i++)
        choose_filter(stage->script, &filters[i], texts[i]);
    if (n > 0)
        check_halves(place, filters[0]);
    if (filter(place, filters, n, &made.snapshot))
        return;
    if (n == 0)
        same_snapshot(place->snapshot, made.snapshot,
                      SAME_TYPES | SAME_THREADS | SAME_NUMBERS);
    made.size += n * SCRIPT_TEXT;
    made.is_partial = true;
    enter(stage, made);
}

static void act_fold(struct stage *stage)
{
    const struct place *const place = choose(stage);
    struct place made = *place;
    int result;

    meter_begin(place->size);
    result = alloctrace_snapshot_fold_wrappers(place->snapshot, &made.snapshot);
    meter_end();
    REQUIRE(result == (place->is_folded ? ALLOCTRACE_EBAD_ARGUMENT : 0));
    if (result)
        return;
    made.is_folded = true;
    enter(stage, made);
}

/* A resolver that says anything, of any length. */
static size_t resolve(void *data, const struct alloctrace_module *module,
                      uint64_t address, struct alloctrace_symbol *symbols)
{
    static char texts[4][SCRIPT_TEXT];
    struct stage *const stage = data;
    const size_t n = script_byte(stage->script);

    (void)address;
    REQUIRE(module->path && module->build_id);
    for (size_t i = 0; i < ALLOCTRACE_MAX_SYMBOLS && i < n; i++)
        symbols[i] = (struct alloctrace_symbol){
            .file = i % 4 ? texts[i % 4] : script_text(stage->script, texts[0]),
            .function = script_text(stage->script, texts[1 + i % 3]),
            .line = script_byte(stage->script),
            .is_sole = n % 2};
    return n == 255 ? SIZE_MAX : n;
}

static void act_resolve(struct stage *stage)
{
    struct place *const place = choose(stage);
    const uint64_t n_symbols = stage->script->left / 3;
    int result;

    place->size += n_symbols * SCRIPT_TEXT;
    meter_begin(place->size);
    result = alloctrace_snapshot_resolve(place->snapshot, resolve, stage);
    meter_end();
    REQUIRE(result == 0 || result == ALLOCTRACE_EBAD_ARGUMENT);
}

static void act_attribute(struct stage *stage)
{
    struct place *const place = choose(stage);
    char texts[2][SCRIPT_TEXT];
    const char *const key = script_text(stage->script, texts[0]);
    const char *const value = script_text(stage->script, texts[1]);
    const int result =
        alloctrace_snapshot_set_attribute(place->snapshot, key, value);
    const char *found;

    REQUIRE(result == (key && *key ? 0 : ALLOCTRACE_EBAD_ARGUMENT));
    if (result)
        return;
    place->size += sizeof texts;
    found = alloctrace_snapshot_get_attribute(place->snapshot, key);
    REQUIRE(value ? found && strcmp(found, value) == 0 : !found);
}

/* ---- Files ---- */

#define N_FILES 3

static char folder[64];
static char paths[N_FILES][96];

static void folder_remove(void)
{
    for (int i = 0; i < N_FILES; i++)
        unlink(paths[i]);
    rmdir(folder);
}

/* A name for files, in memory if that can be had. */
static const char *scratch_path(int number)
{
    if (*folder)
        return paths[number];
    strcpy(folder, "/dev/shm/fuzz-XXXXXX");
    if (!mkdtemp(folder)) {
        strcpy(folder, "/tmp/fuzz-XXXXXX");
        REQUIRE(mkdtemp(folder));
    }
    for (int i = 0; i < N_FILES; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%d", folder, i);
    REQUIRE(atexit(folder_remove) == 0);
    return paths[number];
}

/* Writes a snapshot, and loads what was written. */
static alloctrace_snapshot *dump_and_load(const struct place *place, int number)
{
    struct alloctrace_error error = {.code = 0};
    alloctrace_snapshot *loaded;
    int result;

    meter_begin(place->size);
    result = alloctrace_snapshot_dump(place->snapshot, scratch_path(number),
                                      &error);
    meter_end();
    if (!result) {
        meter_begin(2 * place->size);
        result = alloctrace_snapshot_load(scratch_path(number), &loaded, &error);
        meter_end();
    }
    if (result)
        fprintf(stderr, "%s\n", error.message);
    REQUIRE(result == 0);
    return loaded;
}

static void act_dump(struct stage *stage)
{
    const struct place *const place = choose(stage);
    struct place made = *place;

    made.snapshot = dump_and_load(place, 0);
    same_snapshot(place->snapshot, made.snapshot,
                  place->is_folded || place->is_partial
                      ? SAME_THREADS
                      : SAME_THREADS | SAME_NUMBERS | SAME_TYPES);
    made.is_folded = made.is_partial = false;
    enter(stage, made);
}

/* ---- Building ---- */

/* Adds blocks by hand, with the frames of a path. */
static void add_by_hand(struct stage *stage, alloctrace_builder *builder,
                        const alloctrace_snapshot *snapshot)
{
    const uint64_t id = script_number(
        stage->script, alloctrace_snapshot_traceback_count(snapshot) + 1);
    alloctrace_traceback *const traceback =
        look_traceback(snapshot, (uint32_t)id);
    const uint64_t size = script_number(stage->script, 0);
    const uint64_t total = script_number(stage->script, 1);
    size_t n = 0;
    int result;

    if (traceback)
        n = alloctrace_traceback_count(traceback);
    result = alloctrace_builder_add(
        builder, (uint32_t)script_number(stage->script, 1), size,
        n ? alloctrace_traceback_frame(traceback, -1) : NULL, n, total);
    REQUIRE(result == (total && total < n ? ALLOCTRACE_EBAD_ARGUMENT : 0));
    alloctrace_traceback_free(traceback);
}

static void add_names(struct stage *stage, alloctrace_builder *builder)
{
    char texts[2][SCRIPT_TEXT];
    const char *const name = script_text(stage->script, texts[0]);
    const char *const path_name = script_text(stage->script, texts[1]);
    const struct alloctrace_thread thread = {name ? name : "",
                                             script_byte(stage->script)};
    const struct alloctrace_module module = {
        .path = path_name ? path_name : "", .build_id = thread.name};
    const struct alloctrace_trace trace = {
        .thread = 1,
        .domain = (uint32_t)script_number(stage->script, 1),
        .live_blocks = (int64_t)script_number(stage->script, 0),
        .live_bytes = (int64_t)script_number(stage->script, 0)};
    uint32_t id;

    REQUIRE(alloctrace_builder_add_thread(builder, &thread, &id) == 0);
    REQUIRE(alloctrace_builder_add_module(builder, &module, &id) == 0);
    REQUIRE(alloctrace_builder_name_domain(builder, trace.domain,
                                           thread.name) == 0);
    REQUIRE(alloctrace_builder_add_trace(builder, &trace, NULL, 0, 0) == 0);
}

static void act_merge(struct stage *stage)
{
    const struct place *const first = choose(stage);
    const struct place *const second = choose(stage);
    const uint8_t what = script_byte(stage->script);
    struct place made = {.size = first->size + second->size};
    alloctrace_builder *builder;

    meter_begin(made.size);
    REQUIRE(alloctrace_builder_create(&builder) == 0);
    REQUIRE(alloctrace_builder_add_snapshot(builder, first->snapshot) == 0);
    if (what & 1)
        REQUIRE(alloctrace_builder_add_snapshot(builder, second->snapshot) ==
                0);
    meter_end();
    if (what & 2)
        add_by_hand(stage, builder, second->snapshot);
    if (what & 4)
        add_names(stage, builder);
    made.size += what & 6 ? 4096 : 0;
    if (what & 8) {
        alloctrace_builder_free(builder);
        return;
    }
    REQUIRE(alloctrace_builder_finish(builder, &made.snapshot) == 0);
    /* Of a folded one that is merged which was folded. */
    if (!(what & 7) && !first->is_folded)
        same_statistics(first->snapshot, made.snapshot, 0);
    enter(stage, made);
}

/* What files are merged into is what their snapshots are merged into. */
static void act_merge_files(struct stage *stage)
{
    const struct place *const places[] = {choose(stage), choose(stage)};
    const struct alloctrace_merge_options options = {
        .size = sizeof options,
        .max_memory = script_number(stage->script, 4096)};
    struct place made = {.size = 2 * (places[0]->size + places[1]->size)};
    const char *const names[] = {scratch_path(0), scratch_path(1)};
    alloctrace_builder *builder;
    alloctrace_snapshot *expected;

    REQUIRE(alloctrace_builder_create(&builder) == 0);
    for (int i = 0; i < 2; i++) {
        alloctrace_snapshot *const loaded = dump_and_load(places[i], i);

        REQUIRE(alloctrace_builder_add_snapshot(builder, loaded) == 0);
        alloctrace_snapshot_free(loaded);
    }
    REQUIRE(alloctrace_builder_finish(builder, &expected) == 0);
    REQUIRE(alloctrace_merge(names, 2, scratch_path(2), &options, NULL, NULL) ==
            0);
    REQUIRE(alloctrace_snapshot_load(scratch_path(2), &made.snapshot, NULL) ==
            0);
    same_statistics(expected, made.snapshot, SAME_TYPES);
    alloctrace_snapshot_free(expected);
    enter(stage, made);
}

/* ---- All of it ---- */

static void act_leave(struct stage *stage)
{
    struct place *const place = choose(stage);

    if (place == &stage->places[0])
        return;
    alloctrace_snapshot_free(place->snapshot);
    place->snapshot = NULL;
}

/* Numbers stand in scripts: new ones at the end. */
static void (*const acts[])(struct stage *stage) = {
    act_look,   act_tracebacks, act_statistics, act_compare,
    act_filter, act_fold,       act_resolve,    act_attribute,
    act_dump,   act_merge,      act_leave,      act_merge_files,
};

void play(alloctrace_snapshot *snapshot, uint64_t size, struct script *script)
{
    struct stage stage = {.places = {{.snapshot = snapshot, .size = size}},
                          .script = script};

    look_snapshot(snapshot);
    act_dump(&stage);
    for (int i = 0; i < MAX_ACTS && script->left > 0; i++)
        acts[script_byte(script) % (sizeof acts / sizeof *acts)](&stage);
    for (int i = 0; i < N_PLACES; i++)
        alloctrace_snapshot_free(stage.places[i].snapshot);
}
