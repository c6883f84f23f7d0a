/* SPDX-License-Identifier: MIT */
#include <signal.h>
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

CHECK_MAIN("env", unset_empty_and_zero_are_off,
           numbers_from_1_to_65535_limit_the_frames, anything_else_is_refused,
           a_bad_value_of_any_variable_turns_tracing_off,
           signals_have_names_and_numbers, a_longer_name_is_another_variable)
