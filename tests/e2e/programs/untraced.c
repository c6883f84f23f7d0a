/* SPDX-License-Identifier: MIT */
/*
 * Calls every function of alloctrace/analysis.h while it is being traced, and
 * looks each time whether anything changed: blocks and bytes ever allocated,
 * live bytes, traces, frees of unknown blocks. untraced.py sees to it that none
 * is left out. A line on standard error for each step that was counted; the
 * exit status is 1 then.
 */
#include <alloctrace.h>
#include <alloctrace/analysis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int n_wrong;

/* What the runtime counts, as it says itself. */
struct counts {
    uint64_t total_blocks;
    uint64_t total_bytes;
    uint64_t live_bytes;
    uint64_t unknown_frees;
    uint64_t traces;
    uint64_t current;
    uint64_t peak;
};

static void count(struct counts *counts)
{
    alloctrace_snapshot *snapshot;

    alloctrace_get_traced_memory(&counts->current, &counts->peak);
    if (alloctrace_take_snapshot(&snapshot))
        abort();
    counts->total_blocks =
        alloctrace_snapshot_summary(snapshot)->total_blocks;
    counts->total_bytes = alloctrace_snapshot_summary(snapshot)->total_bytes;
    counts->live_bytes = alloctrace_snapshot_summary(snapshot)->live_bytes;
    counts->unknown_frees =
        alloctrace_snapshot_summary(snapshot)->unknown_frees;
    counts->traces = alloctrace_snapshot_trace_count(snapshot);
    alloctrace_snapshot_free(snapshot);
}

static struct counts before;

static void begin_step(void)
{
    count(&before);
}

static void end_step(const char *name, int is_right)
{
    struct counts after;

    count(&after);
    if (!is_right)
        fprintf(stderr, "%s does not work\n", name);
    if (memcmp(&before, &after, sizeof before) != 0)
        fprintf(stderr,
                "%s: %ld blocks, %ld bytes, %ld live, %ld unknown frees, "
                "%ld traces\n",
                name, (long)(after.total_blocks - before.total_blocks),
                (long)(after.total_bytes - before.total_bytes),
                (long)(after.current - before.current),
                (long)(after.unknown_frees - before.unknown_frees),
                (long)(after.traces - before.traces));
    n_wrong += !is_right || memcmp(&before, &after, sizeof before) != 0;
}

/* A call, and what must be true of its result. */
#define STEP(name, call, is_right)  \
    do {                            \
        begin_step();               \
        call;                       \
        end_step(#name, is_right);  \
    } while (0)

/* Of functions that give 0, or what went wrong. */
#define DO(name, ...) \
    STEP(name, result = name(__VA_ARGS__), result == 0)

/* Of functions that tell; whatever that is. */
#define ASK(name, ...) STEP(name, (void)name(__VA_ARGS__), 1)

#define END(name, thing) STEP(name, name(thing), 1)

static const char *path; /* of a file that may be written */
static int result;

/* What the program itself has allocated: some paths, a few thousand blocks. */
static void *blocks[3000];
static char *text;

static void *allocate(unsigned number)
{
    return number % 2 ? malloc(number) : calloc(number, 2);
}

static void work(void)
{
    for (unsigned i = 0; i < 3000; i++)
        blocks[i] = allocate(i);
    text = getcwd(NULL, 0); /* by code that is not instrumented */
    alloctrace_track(7, text, 100);
    for (unsigned i = 0; i < 1000; i++)
        free(blocks[i]);
}

/* ---- builder.h ---- */

static void build(const alloctrace_snapshot *snapshot)
{
    const struct alloctrace_process process = {
        "program", "host", "writer", "reason", 1, 2, 3, 64, 5, 6, 0, 1};
    const struct alloctrace_module module = {"a.so", "1234", 1, 2, 3};
    const struct alloctrace_thread thread = {"thread", 4};
    const struct alloctrace_trace trace = {0, 1, 0, 1, 2, 3, 4, 5, 6};
    struct alloctrace_frame frame;
    alloctrace_builder *builder = NULL;
    alloctrace_snapshot *built = NULL;
    uint32_t id;

    memset(&frame, 0, sizeof frame);
    frame.file = "a.c";
    frame.line = 3;
    DO(alloctrace_builder_create, &builder);
    END(alloctrace_builder_free, builder);
    DO(alloctrace_builder_create, &builder);
    DO(alloctrace_builder_set_process, builder, &process);
    DO(alloctrace_builder_add_module, builder, &module, &id);
    DO(alloctrace_builder_add_thread, builder, &thread, &id);
    DO(alloctrace_builder_name_domain, builder, 9, "nine");
    DO(alloctrace_builder_add, builder, 9, 100, &frame, 1, 2);
    DO(alloctrace_builder_add_trace, builder, &trace, &frame, 1, 1);
    DO(alloctrace_builder_add_snapshot, builder, snapshot);
    DO(alloctrace_builder_finish, builder, &built);
    END(alloctrace_snapshot_free, built);
}

/* ---- statistics.h, filter.h ---- */

static void look_at_statistics(alloctrace_statistics *statistics)
{
    alloctrace_traceback *traceback = NULL;
    struct alloctrace_detail *detail = NULL;
    char line[200];

    ASK(alloctrace_statistics_is_diff, statistics);
    ASK(alloctrace_statistics_count, statistics);
    ASK(alloctrace_statistics_get, statistics, 0);
    ASK(alloctrace_statistics_sum, statistics);
    ASK(alloctrace_statistics_format, statistics, 0, 0, line, sizeof line);
    DO(alloctrace_statistics_traceback, statistics, 0, &traceback);
    END(alloctrace_traceback_free, traceback);
    DO(alloctrace_statistics_wrappers, statistics, 0, &traceback);
    END(alloctrace_traceback_free, traceback);
    if (!alloctrace_statistics_is_diff(statistics)) {
        DO(alloctrace_statistics_detail, statistics, 0, &detail);
        END(alloctrace_detail_free, detail);
    }
    END(alloctrace_statistics_free, statistics);
}

static void sum_up(const alloctrace_snapshot *snapshot,
                   const alloctrace_snapshot *old)
{
    struct alloctrace_statistics_options options;
    struct alloctrace_filter filters[2] = {
        alloctrace_filter_make(1, "*.c"), alloctrace_domain_filter_make(0, 7)};
    alloctrace_snapshot *part = NULL;
    alloctrace_statistics *statistics = NULL;

    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    DO(alloctrace_snapshot_filter_traces, snapshot, filters, 2, &part);
    END(alloctrace_snapshot_free, part);
    filters[0].all_frames = 1;
    filters[0].type_pattern = "*";
    filters[0].thread_pattern = "*";
    DO(alloctrace_snapshot_filter_traces, snapshot, filters, 1, &part);
    END(alloctrace_snapshot_free, part);
    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++) {
        options.group_by = by;
        options.cumulative = by <= ALLOCTRACE_BY_FUNCTION;
        DO(alloctrace_snapshot_statistics, snapshot, &options, &statistics);
        look_at_statistics(statistics);
        options.cumulative = 0;
        DO(alloctrace_snapshot_compare_to, snapshot, old, &options,
           &statistics);
        look_at_statistics(statistics);
    }
}

/* ---- traceback.h ---- */

static void look_at_tracebacks(const alloctrace_snapshot *snapshot)
{
    const uint32_t id =
        (uint32_t)alloctrace_snapshot_traceback_count(snapshot);
    struct alloctrace_walk walk;
    alloctrace_traceback *traceback = NULL;
    alloctrace_traceback *slice = NULL;
    const struct alloctrace_frame *frame;
    char line[200];
    char *lines = NULL;

    DO(alloctrace_snapshot_traceback, snapshot, id, &traceback);
    ASK(alloctrace_traceback_count, traceback);
    ASK(alloctrace_traceback_total_nframe, traceback);
    ASK(alloctrace_traceback_frame, traceback, -1);
    frame = alloctrace_traceback_frame(traceback, -1);
    DO(alloctrace_traceback_slice, traceback, 0, 1, &slice);
    STEP(alloctrace_walk_begin, alloctrace_walk_begin(&walk, snapshot, id), 1);
    ASK(alloctrace_walk_next, &walk);
    DO(alloctrace_frame_compare, frame, frame);
    ASK(alloctrace_frame_hash, frame);
    DO(alloctrace_traceback_compare, traceback, traceback);
    ASK(alloctrace_traceback_hash, traceback);
    STEP(alloctrace_traceback_contains,
         result = alloctrace_traceback_contains(traceback, frame), result == 1);
    ASK(alloctrace_frame_format, frame, line, sizeof line);
    DO(alloctrace_traceback_format, traceback, ALLOCTRACE_NO_LIMIT, 0,
       ALLOCTRACE_WITH_FUNCTIONS, &lines);
    END(alloctrace_text_free, lines);
    ASK(alloctrace_trace_format, snapshot, 0, 0, line, sizeof line);
    END(alloctrace_traceback_free, slice);
    END(alloctrace_traceback_free, traceback);
}

/* ---- snapshot.h ---- */

static void ask_snapshot(const alloctrace_snapshot *snapshot)
{
    ASK(alloctrace_snapshot_process, snapshot);
    ASK(alloctrace_snapshot_error, snapshot, 100);
    ASK(alloctrace_snapshot_summary, snapshot);
    ASK(alloctrace_snapshot_traceback_limit, snapshot);
    ASK(alloctrace_snapshot_argument_count, snapshot);
    ASK(alloctrace_snapshot_trace_count, snapshot);
    ASK(alloctrace_snapshot_domain_count, snapshot);
    ASK(alloctrace_snapshot_module_count, snapshot);
    ASK(alloctrace_snapshot_thread_count, snapshot);
    ASK(alloctrace_snapshot_traceback_count, snapshot);
    ASK(alloctrace_snapshot_argument, snapshot, 0);
    ASK(alloctrace_snapshot_trace, snapshot, 0);
    ASK(alloctrace_snapshot_module, snapshot, 1);
    ASK(alloctrace_snapshot_thread, snapshot, 1);
    ASK(alloctrace_snapshot_domain, snapshot, 0);
    ASK(alloctrace_snapshot_domain_name, snapshot, 0);
    ASK(alloctrace_snapshot_block_count, snapshot);
    ASK(alloctrace_snapshot_block, snapshot, 0);
    ASK(alloctrace_snapshot_has_details, snapshot);
    ASK(alloctrace_snapshot_wrapper_count, snapshot);
    ASK(alloctrace_snapshot_wrapper, snapshot, 0);
}

static void set_attributes(alloctrace_snapshot *snapshot)
{
    DO(alloctrace_snapshot_set_attribute, snapshot, "key", "value");
    DO(alloctrace_snapshot_set_attribute, snapshot, "key", "another");
    DO(alloctrace_snapshot_set_attribute, snapshot, "other", "value");
    DO(alloctrace_snapshot_set_attribute, snapshot, "other", NULL);
    ASK(alloctrace_snapshot_get_attribute, snapshot, "key");
    ASK(alloctrace_snapshot_attribute_count, snapshot);
    ASK(alloctrace_snapshot_attribute, snapshot, 0);
}

static void ask_details(const alloctrace_snapshot *snapshot)
{
    struct alloctrace_detail *detail = NULL;
    const char **types = NULL;

    DO(alloctrace_snapshot_trace_types, snapshot, &types);
    END(free, types); /* which is the program's to do */
    DO(alloctrace_snapshot_detail, snapshot, 0, &detail);
    END(alloctrace_detail_free, detail);
    DO(alloctrace_snapshot_detail_sum, snapshot, &detail);
    END(alloctrace_detail_free, detail);
}

/* Gives the same snapshot, from a file. */
static alloctrace_snapshot *through_a_file(alloctrace_snapshot *snapshot)
{
    alloctrace_snapshot *loaded = NULL;
    struct alloctrace_error error;
    void *bytes = NULL;
    size_t size = 0;

    DO(alloctrace_snapshot_dump, snapshot, path, &error);
    STEP(alloctrace_snapshot_load,
         result = alloctrace_snapshot_load("nothing", &loaded, &error),
         result == ALLOCTRACE_EIO);
    ASK(alloctrace_strerror, result);
    DO(alloctrace_read_file, path, &bytes, &size, &error);
    DO(alloctrace_snapshot_load_bytes, bytes, size, &loaded, &error);
    END(free, bytes); /* which is the program's to do */
    END(alloctrace_snapshot_free, loaded);
    DO(alloctrace_snapshot_load, path, &loaded, &error);
    END(alloctrace_snapshot_free, snapshot);
    return loaded;
}

/* ---- What the user's own functions allocate is counted ---- */

#define N_OWN 48

static int n_calls;

static void allocate_own(void)
{
    static void *volatile block;

    block = malloc(N_OWN);
    free(block);
    n_calls++;
}

/* That and nothing else, since begin_step. */
static void expect_own(const char *name, int is_right)
{
    struct counts now;

    count(&now);
    if (!is_right || n_calls == 0 ||
        now.total_blocks != before.total_blocks + (unsigned)n_calls ||
        now.total_bytes != before.total_bytes + N_OWN * (unsigned)n_calls ||
        now.current != before.current ||
        now.unknown_frees != before.unknown_frees) {
        fprintf(stderr, "%s: %d calls, %ld blocks\n", name, n_calls,
                (long)(now.total_blocks - before.total_blocks));
        n_wrong++;
    }
    n_calls = 0;
}

static size_t resolve(void *data, const struct alloctrace_module *module,
                      uint64_t address, struct alloctrace_symbol *symbols)
{
    (void)data;
    (void)module;
    (void)address;
    allocate_own();
    symbols[0].function = "function";
    return 1;
}

static void name_addresses(alloctrace_snapshot *snapshot)
{
    begin_step();
    result = alloctrace_snapshot_resolve(snapshot, resolve, NULL);
    expect_own("alloctrace_snapshot_resolve", result == 0);
}

static int skip(void *data, const char *skipped,
                const struct alloctrace_error *error)
{
    (void)data;
    (void)skipped;
    (void)error;
    allocate_own();
    return 0;
}

static void merge(void)
{
    const char *const paths[] = {path, "nothing", path};
    struct alloctrace_merge_options options;

    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.skip = skip;
    begin_step();
    result = alloctrace_merge(paths, 3, path, &options, NULL, NULL);
    expect_own("alloctrace_merge", result == 0);
}

static void name_by_files(alloctrace_snapshot *snapshot)
{
    DO(alloctrace_snapshot_symbolize, snapshot);
    STEP(alloctrace_is_instrumented,
         result = alloctrace_is_instrumented("/proc/self/exe"), result == 1);
}

static void look_at(alloctrace_snapshot *snapshot)
{
    alloctrace_snapshot *old = NULL;
    alloctrace_snapshot *folded = NULL;

    ask_snapshot(snapshot);
    set_attributes(snapshot);
    ask_details(snapshot);
    snapshot = through_a_file(snapshot);
    merge();
    name_addresses(snapshot);
    name_by_files(snapshot);
    DO(alloctrace_take_snapshot, &old);
    DO(alloctrace_snapshot_fold_wrappers, snapshot, &folded);
    ask_snapshot(folded);
    build(snapshot);
    sum_up(snapshot, old);
    sum_up(folded, old);
    look_at_tracebacks(snapshot);
    END(alloctrace_snapshot_free, old);
    END(alloctrace_snapshot_free, snapshot);
    END(alloctrace_snapshot_free, folded);
}

int main(int argc, char **argv)
{
    alloctrace_snapshot *snapshot = NULL;
    alloctrace_traceback *traceback = NULL;
    char number[ALLOCTRACE_SIZE_TEXT];

    if (argc != 2 || alloctrace_start(ALLOCTRACE_ALL_FRAMES) < 0)
        return 2;
    path = argv[1];
    work();
    fprintf(stderr, "%s", ""); /* which may allocate when it is met first */
    DO(alloctrace_get_object_traceback, 0, blocks[2000], &traceback);
    END(alloctrace_traceback_free, traceback);
    ASK(alloctrace_format_size, 1e6, 1, number);
    DO(alloctrace_take_snapshot, &snapshot);
    look_at(snapshot);
    return n_wrong != 0;
}
