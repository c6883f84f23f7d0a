/* SPDX-License-Identifier: MIT */
/* Filters: tracemalloc's vectors (tracemalloc.md, 1.11) under their names, and
 * what alloctrace asks of traces besides. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"
#include "vectors.h"

static struct dumpfile dump;

/* The three blocks of 10 bytes are one trace. */
static alloctrace_snapshot *snapshot_a(void)
{
    return vectors_snapshot(vectors_a);
}

/* The live bytes of all traces: "30 2 66 7". */
static void list(const alloctrace_snapshot *snapshot, char text[256])
{
    const size_t n = alloctrace_snapshot_trace_count(snapshot);
    int used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        used += snprintf(text + used, (size_t)(256 - used), "%s%" PRId64,
                         i > 0 ? " " : "",
                         alloctrace_snapshot_trace(snapshot, i)->live_bytes);
}

static alloctrace_snapshot *
filter_traces(const alloctrace_snapshot *snapshot,
              const struct alloctrace_filter *filters, size_t n)
{
    alloctrace_snapshot *filtered = NULL;

    ck_assert_int_eq(
        alloctrace_snapshot_filter_traces(snapshot, filters, n, &filtered), 0);
    return filtered;
}

static void expect_list(const alloctrace_snapshot *snapshot,
                        const struct alloctrace_filter *filters, size_t n,
                        const char *expected)
{
    alloctrace_snapshot *const filtered = filter_traces(snapshot, filters, n);
    char text[256];

    list(filtered, text);
    ck_assert_str_eq(text, expected);
    alloctrace_snapshot_free(filtered);
}

#define FILTERS(...) ((const struct alloctrace_filter[]){__VA_ARGS__})
#define EXPECT(snapshot, expected, ...)               \
    expect_list(snapshot, FILTERS(__VA_ARGS__),       \
                sizeof FILTERS(__VA_ARGS__) /         \
                    sizeof(struct alloctrace_filter), \
                expected)

static struct alloctrace_filter by_file(int inclusive, const char *pattern)
{
    return alloctrace_filter_make(inclusive, pattern);
}

static struct alloctrace_filter by_line(int inclusive, const char *pattern,
                                        int64_t line)
{
    struct alloctrace_filter filter = by_file(inclusive, pattern);

    filter.lineno = line;
    return filter;
}

static struct alloctrace_filter by_any_frame(struct alloctrace_filter filter)
{
    filter.all_frames = 1;
    return filter;
}

static struct alloctrace_filter in_domain(struct alloctrace_filter filter,
                                          uint32_t domain)
{
    filter.domain = domain;
    return filter;
}

START_TEST(T18)
{
    alloctrace_snapshot *a = snapshot_a();

    EXPECT(a, "30 2 7", by_file(0, "lib.c"));
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(T19)
{
    alloctrace_snapshot *a = snapshot_a();

    EXPECT(a, "7", by_any_frame(by_file(0, "lib.c")));
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(T20)
{
    alloctrace_snapshot *a = snapshot_a();

    EXPECT(a, "66", by_file(1, "lib.c"));
    EXPECT(a, "30 2 66", by_any_frame(by_file(1, "lib.c")));
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(T21)
{
    alloctrace_snapshot *a = snapshot_a();

    EXPECT(a, "30 66", by_line(1, "main.c", 7), by_line(1, "lib.c", 1));
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(T22)
{
    alloctrace_snapshot *a = snapshot_a();

    EXPECT(a, "30", by_file(1, "main.c"), by_line(0, "main.c", 9));
    EXPECT(a, "30", by_line(0, "main.c", 9), by_file(1, "main.c"));
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(T23)
{
    alloctrace_snapshot *a = snapshot_a();

    EXPECT(a, "2", in_domain(by_file(1, "main.c"), 1));
    EXPECT(a, "30 66 7", in_domain(by_file(0, "main.c"), 1));
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(T24)
{
    alloctrace_snapshot *a = snapshot_a();

    EXPECT(a, "2", in_domain(by_file(1, "*"), 1));
    EXPECT(a, "2", alloctrace_domain_filter_make(1, 1));
    EXPECT(a, "2 66", alloctrace_domain_filter_make(1, 1),
           alloctrace_domain_filter_make(1, 2));
    EXPECT(a, "30 66 7", alloctrace_domain_filter_make(0, 1));
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(T25)
{
    alloctrace_snapshot *a = snapshot_a();

    EXPECT(a, "30 2 66", by_file(1, "[ml]*.c"));
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(T26)
{
    alloctrace_snapshot *a = snapshot_a();

    EXPECT(a, "7", by_line(1, "<unknown>", 0));
    EXPECT(a, "7", by_line(1, "*", 0));
    EXPECT(a, "", by_line(1, "main.c", 0));
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(T27)
{
    alloctrace_snapshot *a = snapshot_a();
    alloctrace_snapshot *copy = filter_traces(a, NULL, 0);
    char text[256];

    ck_assert_ptr_ne(copy, a);
    list(copy, text);
    ck_assert_str_eq(text, "30 2 66 7");
    ck_assert_uint_eq(alloctrace_snapshot_traceback_limit(copy),
                      alloctrace_snapshot_traceback_limit(a));
    /* What happens to the copy does not happen to the original. */
    ck_assert_int_eq(alloctrace_snapshot_set_attribute(copy, "key", "value"),
                     0);
    ck_assert_ptr_null(alloctrace_snapshot_get_attribute(a, "key"));
    alloctrace_snapshot_free(a);
    list(copy, text);
    ck_assert_str_eq(text, "30 2 66 7");
    alloctrace_snapshot_free(copy);
}
END_TEST

static int refused(const alloctrace_snapshot *snapshot,
                   const struct alloctrace_filter *filters, size_t n)
{
    alloctrace_snapshot *filtered = NULL;
    const int result =
        alloctrace_snapshot_filter_traces(snapshot, filters, n, &filtered);

    ck_assert_ptr_null(filtered);
    return result;
}

/* In Python: "filters must be a list of filters, not Filter". */
START_TEST(T28)
{
    alloctrace_snapshot *a = snapshot_a();
    struct alloctrace_filter filters[2] = {by_file(1, "*"), by_file(1, "*")};

    ck_assert_int_eq(refused(a, NULL, 1), ALLOCTRACE_EBAD_ARGUMENT);
    filters[1].size = 0;
    ck_assert_int_eq(refused(a, filters, 2), ALLOCTRACE_EBAD_ARGUMENT);
    filters[0].size = 0;
    ck_assert_int_eq(refused(a, filters, 1), ALLOCTRACE_EBAD_ARGUMENT);
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(lines_and_domains_that_cannot_be_are_refused)
{
    alloctrace_snapshot *a = snapshot_a();
    struct alloctrace_filter filter = by_line(1, "*", UINT32_MAX);

    EXPECT(a, "", filter);
    filter.lineno++;
    ck_assert_int_eq(refused(a, &filter, 1), ALLOCTRACE_EBAD_ARGUMENT);
    filter.lineno = -2;
    ck_assert_int_eq(refused(a, &filter, 1), ALLOCTRACE_EBAD_ARGUMENT);
    filter = alloctrace_domain_filter_make(1, UINT32_MAX);
    EXPECT(a, "", filter);
    filter.domain++;
    ck_assert_int_eq(refused(a, &filter, 1), ALLOCTRACE_EBAD_ARGUMENT);
    filter.domain = -2;
    ck_assert_int_eq(refused(a, &filter, 1), ALLOCTRACE_EBAD_ARGUMENT);
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(filters_of_older_callers_ask_for_what_they_have)
{
    alloctrace_snapshot *a = snapshot_a();
    /* Two filters that end behind the line: the next member is another's. */
    struct {
        size_t size;
        int inclusive, all_frames;
        const char *filename_pattern;
        int64_t lineno;
    } older[] = {{sizeof *older, 1, 0, "main.c", 7},
                 {sizeof *older, 1, 1, "lib.c", 1}};

    expect_list(a, (const struct alloctrace_filter *)older, 2, "30 66");
    older[0].size = older[1].size = sizeof *older - 1;
    ck_assert_int_eq(refused(a, (const struct alloctrace_filter *)older, 2),
                     ALLOCTRACE_EBAD_ARGUMENT);
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(filters_of_newer_callers_may_ask_for_nothing_new)
{
    alloctrace_snapshot *a = snapshot_a();
    struct {
        struct alloctrace_filter filter;
        const char *newer;
    } newer[] = {{by_line(1, "main.c", 7), NULL}, {by_file(1, "lib.c"), NULL}};

    newer[0].filter.size = newer[1].filter.size = sizeof *newer;
    expect_list(a, &newer[0].filter, 2, "30 66");
    newer[1].newer = "what";
    ck_assert_int_eq(refused(a, &newer[0].filter, 2), ALLOCTRACE_EBAD_ARGUMENT);
    alloctrace_snapshot_free(a);
}
END_TEST

START_TEST(python_files_count_as_their_sources)
{
    alloctrace_snapshot *snapshot;

    dumpfile_init(&dump);
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.py:1"), 0, 0, 1, 1);
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.pyc:1"), 0, 0, 1, 2);
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.pyo:1"), 0, 0, 1, 4);
    snapshot = dumpfile_load(&dump);
    EXPECT(snapshot, "1 2", by_file(1, "a.py"));
    EXPECT(snapshot, "1 2", by_file(1, "a.pyc"));
    EXPECT(snapshot, "4", by_file(1, "a.pyo"));
    EXPECT(snapshot, "", by_file(1, "a.py[c]"));
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* Three traces, in two threads, of different functions, types and modules. */
static alloctrace_snapshot *snapshot_of_all_kinds(void)
{
    const struct {
        const char *function, *type, *thread, *module;
    } kinds[] = {
        {"node_new", "struct node", "main", "/bin/kv"},
        {"luaH_new", "Table", "worker", "/lib/liblua.so"},
        {"", NULL, NULL, NULL},
    };

    dumpfile_init(&dump);
    for (int i = 0; i < 3; i++) {
        const uint32_t module =
            kinds[i].module ? dumpfile_module(&dump, kinds[i].module, NULL,
                                              16 * i, 16 * i + 9, 0)
                            : 0;
        const uint32_t thread =
            kinds[i].thread ? dumpfile_thread(&dump, i + 1, kinds[i].thread)
                            : 0;
        const uint32_t outer = dumpfile_frame(
            &dump,
            (struct dumpframe){
                .file = "main.c", .function = "main", .line = 3, .kind = 1});
        const uint32_t frame = dumpfile_frame(
            &dump, (struct dumpframe){.file = "a.c",
                                      .line = 7,
                                      .function = kinds[i].function,
                                      .type = kinds[i].type,
                                      .type_size = 16,
                                      .module = module,
                                      .kind = 2});

        dumpfile_trace(&dump,
                       dumpfile_traceback(
                           &dump, dumpfile_traceback(&dump, 0, outer), frame),
                       thread, 0, 1, 1 << i);
    }
    return dumpfile_load(&dump);
}

START_TEST(functions_types_threads_and_modules_are_asked_for)
{
    alloctrace_snapshot *snapshot = snapshot_of_all_kinds();
    struct alloctrace_filter filter = by_file(1, NULL);

    filter.function_pattern = "lua*";
    EXPECT(snapshot, "2", filter);
    filter.function_pattern = "main";
    EXPECT(snapshot, "", filter);
    EXPECT(snapshot, "1 2 4", by_any_frame(filter));
    filter = by_file(1, NULL);
    filter.type_pattern = "struct *";
    EXPECT(snapshot, "1", filter);
    filter.type_pattern = "";
    EXPECT(snapshot, "4", filter);
    filter = by_file(0, NULL);
    filter.thread_pattern = "w?rker";
    EXPECT(snapshot, "1 4", filter);
    filter = by_file(1, NULL);
    filter.module_pattern = "*/liblua.so";
    EXPECT(snapshot, "2", filter);
    filter.inclusive = 0;
    EXPECT(snapshot, "1 4", filter);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(one_frame_must_have_all_that_is_asked_of_frames)
{
    alloctrace_snapshot *snapshot = snapshot_of_all_kinds();
    struct alloctrace_filter filter = by_any_frame(by_line(1, "main.c", 7));

    EXPECT(snapshot, "", filter);
    filter.lineno = 3;
    EXPECT(snapshot, "1 2 4", filter);
    filter.function_pattern = "luaH_new";
    EXPECT(snapshot, "", filter);
    filter = by_any_frame(by_line(1, "a.c", 7));
    filter.function_pattern = "luaH_new";
    filter.module_pattern = "*.so";
    EXPECT(snapshot, "2", filter);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(a_filter_that_asks_for_nothing_matches_everything)
{
    alloctrace_snapshot *a = snapshot_a();

    EXPECT(a, "30 2 66 7", by_file(1, NULL));
    EXPECT(a, "", by_file(0, NULL));
    EXPECT(a, "", by_any_frame(by_file(0, NULL)));
    EXPECT(a, "", by_file(1, ""));
    alloctrace_snapshot_free(a);
}
END_TEST

static char *repeat(const char *text, size_t times, const char *end)
{
    const size_t size = strlen(text);
    char *const made = malloc(size * times + strlen(end) + 1);

    ck_assert_ptr_nonnull(made);
    for (size_t i = 0; i < times; i++)
        memcpy(made + i * size, text, size);
    strcpy(made + size * times, end);
    return made;
}

/* Trying more than the last star again would take longer than the world
 * lasts; looking for the end of each bracket to the end, an hour. */
START_TEST(patterns_take_no_longer_than_they_must)
{
    char *const name = repeat("a", 100000, "");
    char *const stars = repeat("*a", 1000, "b");
    char *const parts = repeat("*aaaaaaaaab", 1000, "");
    char *const brackets = repeat("[", 3000000, "");
    const char *const patterns[] = {stars, parts, brackets};
    alloctrace_snapshot *snapshot;

    brackets[0] = ']'; /* closes nothing */
    dumpfile_init(&dump);
    dumpfile_trace(
        &dump,
        dumpfile_traceback(
            &dump, 0, dumpfile_frame(&dump, (struct dumpframe){.file = name})),
        0, 0, 1, 8);
    snapshot = dumpfile_load(&dump);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        EXPECT(snapshot, "", by_file(1, patterns[i]));
    stars[2000] = '*';
    EXPECT(snapshot, "8", by_file(1, stars));
    free(name);
    free(stars);
    free(parts);
    free(brackets);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* Frames outside the limit are not there. */
START_TEST(frames_outside_the_limit_are_not_looked_at)
{
    for (uint32_t limit = 0; limit <= 4; limit++) {
        alloctrace_snapshot *snapshot;

        dumpfile_init(&dump);
        dump.traceback_limit = limit;
        dumpfile_trace(&dump, dumpfile_path(&dump, "c.c:3 b.c:2 a.c:1"), 0, 0,
                       1, 8);
        snapshot = dumpfile_load(&dump);
        EXPECT(snapshot, limit == 0 || limit >= 3 ? "8" : "",
               by_any_frame(by_file(1, "a.c")));
        EXPECT(snapshot, limit != 1 ? "8" : "",
               by_any_frame(by_file(1, "b.c")));
        EXPECT(snapshot, "8", by_any_frame(by_file(1, "c.c")));
        alloctrace_snapshot_free(snapshot);
    }
}
END_TEST

CHECK_MAIN("filter", T18, T19, T20, T21, T22, T23, T24, T25, T26, T27, T28,
           lines_and_domains_that_cannot_be_are_refused,
           filters_of_older_callers_ask_for_what_they_have,
           filters_of_newer_callers_may_ask_for_nothing_new,
           python_files_count_as_their_sources,
           functions_types_threads_and_modules_are_asked_for,
           one_frame_must_have_all_that_is_asked_of_frames,
           a_filter_that_asks_for_nothing_matches_everything,
           patterns_take_no_longer_than_they_must,
           frames_outside_the_limit_are_not_looked_at)
