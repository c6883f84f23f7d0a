/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check_alloctrace.h"
#include "runtime.h"

/* Frames that a value of ALLOCTRACE asks for; messages go nowhere. */
static int frames_of(const char *value)
{
    if (value)
        setenv("ALLOCTRACE", value, 1);
    else
        unsetenv("ALLOCTRACE");
    close(2);
    env_read();
    return at_options.frames;
}

START_TEST(unset_empty_and_zero_are_off)
{
    ck_assert_int_eq(frames_of(NULL), -1);
    ck_assert_int_eq(frames_of(""), -1);
    ck_assert_int_eq(frames_of("0"), -1);
}
END_TEST

START_TEST(numbers_from_1_to_65535_limit_the_frames)
{
    ck_assert_int_eq(frames_of("1"), 1);
    ck_assert_int_eq(frames_of("7"), 7);
    ck_assert_int_eq(frames_of("65535"), 65535);
    ck_assert_int_eq(frames_of("all"), 0);
}
END_TEST

START_TEST(anything_else_is_refused)
{
    const char *const bad[] = {
        "-1", "65536", "x", "1x", " 1", "All", "99999999999999999999"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(frames_of(bad[i]), -1);
}
END_TEST

START_TEST(a_bad_value_of_any_variable_turns_tracing_off)
{
    setenv("ALLOCTRACE_AT_PEAK", "yes", 1);
    ck_assert_int_eq(frames_of("all"), -1);
    setenv("ALLOCTRACE_AT_PEAK", "0", 1);
    ck_assert_int_eq(frames_of("all"), 0);
    ck_assert(!at_options.at_peak);
}
END_TEST

/* The sampling period that a value asks for; -1: it is refused. */
static int64_t period_of(const char *value)
{
    setenv("ALLOCTRACE_SAMPLE", value, 1);
    return frames_of("all") < 0 ? -1 : (int64_t)at_options.sample;
}

START_TEST(periods_are_sizes_with_units)
{
    ck_assert_int_eq(period_of(""), 0);
    ck_assert_int_eq(period_of("0"), 0);
    ck_assert_int_eq(period_of("4096"), 4096);
    ck_assert_int_eq(period_of("1B"), 1);
    ck_assert_int_eq(period_of("512KiB"), 512 << 10);
    ck_assert_int_eq(period_of("3MiB"), 3 << 20);
    ck_assert_int_eq(period_of("1GiB"), 1 << 30);
    ck_assert_int_eq(period_of("64kB"), 64000);
    ck_assert_int_eq(period_of("1MB"), 1000000);
}
END_TEST

START_TEST(other_periods_are_refused)
{
    const char *const bad[] = {"0B", "-1", "1.5MiB", "KiB", "512 KiB", "1mb",
                               "1KB", "1025MiB", "2GiB", "18446744073709551617",
                               "99999999999999GiB", "512KiBx", "yes"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(period_of(bad[i]) == -1, "%s", bad[i]);
}
END_TEST

/* What ALLOCTRACE_INTERVAL asks for; a bad value turns tracing off. */
static bool interval_is(const char *value, uint64_t ns, uint64_t bytes)
{
    setenv("ALLOCTRACE_INTERVAL", value, 1);
    return frames_of("all") == 0 && at_options.interval.ns == ns &&
           at_options.interval.bytes == bytes;
}

START_TEST(intervals_are_times_or_sizes)
{
    ck_assert(interval_is("", 0, 0));
    ck_assert(interval_is("0", 0, 0));
    ck_assert(interval_is("1ms", 1000000, 0));
    ck_assert(interval_is("10s", UINT64_C(10000000000), 0));
    ck_assert(interval_is("5m", UINT64_C(300000000000), 0));
    ck_assert(interval_is("2h", UINT64_C(7200000000000), 0));
    ck_assert(interval_is("4096B", 0, 4096));
    ck_assert(interval_is("3kB", 0, 3000));
    ck_assert(interval_is("3MB", 0, 3000000));
    ck_assert(interval_is("3GB", 0, UINT64_C(3000000000)));
    ck_assert(interval_is("256KiB", 0, 262144));
    ck_assert(interval_is("256MiB", 0, 268435456));
    ck_assert(interval_is("4GiB", 0, UINT64_C(4294967296)));
    ck_assert(interval_is("18446744073709551615B", 0, UINT64_MAX));
}
END_TEST

START_TEST(other_intervals_are_refused)
{
    const char *const bad[] = {"10",   "s",   "0s",   "0B",  "-1s",
                               "1.5s", "1 s", "1S",   "1sx", "10d",
                               "1kiB", "1K",  "1Mib", "00",  "1s1s",
                               "18446744073709551616B", "17179869184GiB",
                               "99999999999999h"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("ALLOCTRACE_INTERVAL", bad[i], 1);
        ck_assert_int_eq(frames_of("all"), -1);
    }
}
END_TEST

START_TEST(signals_have_names_and_numbers)
{
    const char *const good[] = {"USR2", "SIGUSR2", "12", "34", "HUP"};
    const char *const bad[] = {"KILL", "9", "SEGV", "11", "0", "65", "32",
                               "usr2", "USR", "SIG", "1x", "-1", "USR2 "};

    ck_assert_int_eq(os_signal_number("USR2"), SIGUSR2);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        setenv("ALLOCTRACE_SIGNAL", good[i], 1);
        ck_assert_int_eq(frames_of("all"), 0);
        ck_assert_int_ne(at_options.signal, 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("ALLOCTRACE_SIGNAL", bad[i], 1);
        ck_assert_int_eq(frames_of("all"), -1);
    }
    setenv("ALLOCTRACE_SIGNAL", "", 1);
    ck_assert_int_eq(frames_of("all"), 0);
    ck_assert_int_eq(at_options.signal, 0);
}
END_TEST

START_TEST(a_longer_name_is_another_variable)
{
    unsetenv("ALLOCTRACE_VERIFY");
    setenv("ALLOCTRACE_VERIFY_MORE", "1", 1);
    frames_of("all");
    ck_assert(!at_options.verify);
}
END_TEST

/* What a value of ALLOCTRACE_MAX_MEMORY means; 1 = refused. */
static uint64_t memory_of(const char *value)
{
    setenv("ALLOCTRACE_MAX_MEMORY", value, 1);
    return frames_of("all") < 0 ? 1 : at_options.max_memory;
}

START_TEST(memory_is_bytes_or_a_share)
{
    const char *const bad[] = {"x",      "KiB",  "1K",    "1.5MiB", "-1", "0%",
                               "101%",   "1 MiB", "1MiBx", "%",     " 1",
                               "99999999999999999999", "99999999999GiB"};

    ck_assert_uint_eq(memory_of("0"), 0);
    ck_assert_uint_eq(memory_of("12345"), 12345);
    ck_assert_uint_eq(memory_of("3KiB"), 3072);
    ck_assert_uint_eq(memory_of("64MiB"), 64 << 20);
    ck_assert_uint_eq(memory_of("5GiB"), UINT64_C(5) << 30);
    ck_assert_uint_eq(memory_of("100%") / 100, os_memory() / 100);
    ck_assert_uint_eq(memory_of(""), memory_of("2%"));
    ck_assert_uint_gt(os_memory(), 64 << 20);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_uint_eq(memory_of(bad[i]), 1);
}
END_TEST

START_TEST(the_share_is_of_what_the_process_may_have)
{
    const struct rlimit limit = {(rlim_t)1 << 30, (rlim_t)1 << 30};

    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ck_assert_uint_eq(os_memory(), 1 << 30);
}
END_TEST

CHECK_MAIN("env", unset_empty_and_zero_are_off,
           numbers_from_1_to_65535_limit_the_frames, anything_else_is_refused,
           a_bad_value_of_any_variable_turns_tracing_off,
           periods_are_sizes_with_units, other_periods_are_refused,
           signals_have_names_and_numbers, intervals_are_times_or_sizes,
           other_intervals_are_refused,
           a_longer_name_is_another_variable, memory_is_bytes_or_a_share,
           the_share_is_of_what_the_process_may_have)
