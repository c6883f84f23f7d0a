/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
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

START_TEST(a_longer_name_is_another_variable)
{
    unsetenv("ALLOCTRACE_VERIFY");
    setenv("ALLOCTRACE_VERIFY_MORE", "1", 1);
    frames_of("all");
    ck_assert(!at_options.verify);
}
END_TEST

CHECK_MAIN("env", unset_empty_and_zero_are_off,
           numbers_from_1_to_65535_limit_the_frames, anything_else_is_refused,
           a_bad_value_of_any_variable_turns_tracing_off,
           periods_are_sizes_with_units, other_periods_are_refused,
           a_longer_name_is_another_variable)
