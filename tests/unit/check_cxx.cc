/* SPDX-License-Identifier: MIT */
/* alloctrace.hpp: whatever it has does what the C function does that stands
 * behind it; handles are freed once; errors are exceptions. The figures are
 * those of the data sets A and B, by CPython's tracemalloc. */
#include <alloctrace.hpp>

#include "check_alloctrace.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace
{
alloctrace_frame place(const char *file, std::uint32_t line,
                       const char *function = nullptr)
{
    alloctrace_frame frame = alloctrace_frame();

    frame.file = file;
    frame.line = line;
    frame.function = function;
    return frame;
}

/* Three blocks of 10 bytes at main.c:7, one of 2 at main.c:9, both called from
 * lib.c:3; one of 66 at lib.c:1 in domain 2. */
alloctrace::snapshot sample()
{
    alloctrace::builder builder;

    for (int i = 0; i < 3; i++)
        builder.add(0, 10, {place("main.c", 7, "f"), place("lib.c", 3, "g")});
    builder.add(1, 2, {place("main.c", 9), place("lib.c", 3)}, 5);
    builder.add(2, 66, {place("lib.c", 1)});
    return builder.finish();
}

/* 5000 bytes at main.c:9, and 400 at x.c:578. */
alloctrace::snapshot later()
{
    alloctrace::builder builder;

    builder.add(sample());
    builder.add(2, 5000, {place("main.c", 9), place("lib.c", 3)});
    builder.add(4, 400, {place("x.c", 578)});
    return builder.finish();
}

/* The text lives as long as it is looked at. */
#define CHECK_TEXT(actual, expected)                 \
    do {                                             \
        const std::string actual_(actual);           \
                                                     \
        ck_assert_str_eq(actual_.c_str(), expected); \
    } while (0)

/* The code of the exception that a call throws; 0 = none. */
template <class Call> int code_of(Call call)
{
    try {
        call();
    } catch (const alloctrace::error &error) {
        return error.code();
    }
    return 0;
}

template <class Call> bool is_out_of_range(Call call)
{
    try {
        call();
    } catch (const std::out_of_range &) {
        return true;
    }
    return false;
}
} /* namespace */

START_TEST(statistics_are_a_range)
{
    const auto statistics = sample().statistics();
    std::string all;

    for (auto one : statistics)
        all += one.str() + "\n";
    CHECK_TEXT(all, "lib.c:1: size=66 B, count=1, average=66 B\n"
                    "main.c:7: size=30 B, count=3, average=10 B\n"
                    "main.c:9: size=2 B, count=1, average=2 B\n");
    ck_assert_uint_eq(statistics.size(), 3);
    ck_assert(!statistics.empty());
    ck_assert_int_eq(statistics.sum().size, 98);
    CHECK_TEXT(statistics[1].key(), "main.c");
    ck_assert_uint_eq(statistics[1].lineno(), 7);
    ck_assert_int_eq(statistics[1].size(), 30);
    ck_assert_int_eq(statistics[1].count(), 3);
    ck_assert(is_out_of_range([&] { statistics[3]; }));
}
END_TEST

START_TEST(options_are_passed_on)
{
    const auto files = sample().statistics(alloctrace::options(
        ALLOCTRACE_BY_FILENAME, ALLOCTRACE_METRIC_TOTAL, true));

    ck_assert_uint_eq(files.size(), 2);
    ck_assert_int_eq(files[0].size(), 98);
    ck_assert_int_eq(files[1].size(), 32);
}
END_TEST

START_TEST(comparisons_have_differences)
{
    const auto changes = later().compare_to(sample());

    CHECK_TEXT(changes[0].str(),
               "main.c:9: size=5002 B (+5000 B), count=2 (+1), "
               "average=2501 B");
    ck_assert_int_eq(changes[0].size_diff(), 5000);
    ck_assert_int_eq(changes[0].count_diff(), 1);
    ck_assert_int_eq(changes[1].size_diff(), 400);
}
END_TEST

START_TEST(filters_stand_in_a_list)
{
    const auto kept = sample().filter_traces(
        {alloctrace::include("main.*"), alloctrace::exclude("*7*")});
    auto by_line = alloctrace::exclude("main.c");

    by_line.lineno = 9;
    ck_assert_uint_eq(kept.size(), 2);
    ck_assert_int_eq(sample().filter_traces({by_line}).statistics().sum().size,
                     96);
    ck_assert_uint_eq(sample().filter_traces({}).size(), sample().size());
    by_line.lineno = -7;
    ck_assert_int_eq(code_of([&] { sample().filter_traces({by_line}); }),
                     ALLOCTRACE_EBAD_ARGUMENT);
}
END_TEST

START_TEST(traces_are_a_range)
{
    const auto snapshot = sample();
    std::int64_t size = 0;
    std::int64_t count = 0;

    for (auto trace : snapshot) {
        size += trace.size();
        count += trace.count();
    }
    ck_assert_int_eq(size, 98);
    ck_assert_int_eq(count, 5);
    ck_assert_uint_eq(snapshot[1].domain(), 1);
    CHECK_TEXT(snapshot[1].str(), "main.c:9: 2 B");
    CHECK_TEXT(snapshot[1].str(ALLOCTRACE_LIKE_CPYTHON), "lib.c:3: 2 B");
    ck_assert(is_out_of_range([&] { snapshot[3]; }));
}
END_TEST

START_TEST(tracebacks_are_sequences)
{
    const auto snapshot = sample();
    const auto traceback = snapshot[0].traceback();
    std::string names;

    for (auto frame : traceback)
        names += std::string(frame.function()) + " " + frame.str() + "; ";
    CHECK_TEXT(names, "g lib.c:3; f main.c:7; ");
    ck_assert_uint_eq(traceback.size(), 2);
    ck_assert_uint_eq(snapshot[1].traceback().total_nframe(), 5);
    CHECK_TEXT(traceback[-1].filename(), "main.c");
    ck_assert_uint_eq(traceback[0].lineno(), 3);
    ck_assert(is_out_of_range([&] { traceback[2]; }));
    ck_assert(is_out_of_range([&] { traceback[-3]; }));
    CHECK_TEXT(traceback.format(1), "  File \"main.c\", line 7\n");
    CHECK_TEXT(traceback.slice(0, 1).format(), "  File \"lib.c\", line 3\n");
}
END_TEST

START_TEST(tracebacks_and_frames_compare)
{
    const auto snapshot = sample();
    const auto seven = snapshot[0].traceback();
    const auto nine = snapshot[1].traceback();

    ck_assert(seven == snapshot[0].traceback());
    ck_assert(seven != nine && seven < nine && !(nine < seven));
    ck_assert(seven[0] == nine[0] && seven[1] != nine[1]);
    ck_assert(seven[0] < seven[1]);
    ck_assert(seven.contains(nine[0]) && !seven.contains(nine[1]));
}
END_TEST

START_TEST(what_is_made_of_a_snapshot_outlives_it)
{
    auto snapshot = std::make_unique<alloctrace::snapshot>(sample());
    auto statistics = snapshot->statistics();
    auto traceback = statistics[0].traceback();

    snapshot.reset();
    ck_assert_int_eq(statistics[0].size(), 66);
    ck_assert_uint_eq(traceback[0].lineno(), 1);
}
END_TEST

START_TEST(moving_keeps_what_refers_to_it)
{
    auto statistics = sample().statistics();
    const auto first = statistics[0];
    const auto moved = std::move(statistics);

    ck_assert_int_eq(first.size(), 66);
    ck_assert_int_eq(moved[0].size(), 66);
}
END_TEST

START_TEST(dumps_are_loaded_with_attributes)
{
    char path[] = "/tmp/alloctrace-cxx.XXXXXX";
    const int file = mkstemp(path);
    auto snapshot = sample();

    ck_assert_int_ge(file, 0);
    close(file);
    snapshot.set_attribute("commit", "1234567");
    snapshot.dump(path);

    const auto loaded = alloctrace::snapshot::load(path);

    std::remove(path);
    CHECK_TEXT(loaded.attribute("commit"), "1234567");
    ck_assert(loaded.attribute("none").empty());
    ck_assert_uint_eq(loaded.summary().live_bytes, 98);
    ck_assert_uint_eq(loaded.process().n_processes, 1);
    ck_assert_uint_eq(loaded.traceback_limit(), 0);
}
END_TEST

START_TEST(errors_say_what_and_where)
{
    try {
        alloctrace::snapshot::load("/nonexistent/a.alloctrace");
        ck_abort_msg("nothing was thrown");
    } catch (const alloctrace::error &error) {
        ck_assert_int_eq(error.code(), ALLOCTRACE_EIO);
        ck_assert_ptr_nonnull(
            std::strstr(error.what(), "/nonexistent/a.alloctrace: "));
    }
    ck_assert_int_eq(
        code_of([] { sample().dump("/nonexistent/a.alloctrace"); }),
        ALLOCTRACE_EIO);
    ck_assert_int_eq(code_of([] { sample().fold_wrappers().fold_wrappers(); }),
                     ALLOCTRACE_EBAD_ARGUMENT);
}
END_TEST

START_TEST(nothing_is_traced_without_the_plugin)
{
    alloctrace::start();
    ck_assert(!alloctrace::is_tracing());
    ck_assert_uint_eq(alloctrace::get_traced_memory().peak, 0);
    ck_assert_int_eq(code_of([] { alloctrace::snapshot::take(); }),
                     ALLOCTRACE_ENOT_TRACING);
    ck_assert_int_eq(code_of([] { alloctrace::traceback::of(nullptr); }),
                     ALLOCTRACE_ENOT_TRACING);
    ck_assert_int_eq(code_of([] { alloctrace::start(-1); }),
                     ALLOCTRACE_EBAD_ARGUMENT);
    alloctrace::reset_peak();
    alloctrace::clear_traces();
    alloctrace::stop();
}
END_TEST

CHECK_MAIN("cxx", statistics_are_a_range, options_are_passed_on,
           comparisons_have_differences, filters_stand_in_a_list,
           traces_are_a_range, tracebacks_are_sequences,
           tracebacks_and_frames_compare,
           what_is_made_of_a_snapshot_outlives_it,
           moving_keeps_what_refers_to_it, dumps_are_loaded_with_attributes,
           errors_say_what_and_where, nothing_is_traced_without_the_plugin)
