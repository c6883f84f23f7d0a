/* SPDX-License-Identifier: MIT */
#include "check_alloctrace.h"
#include "runtime.h"

#define MILLISECOND UINT64_C(1000000)

START_TEST(the_next_one_is_a_multiple_and_none_is_made_up_for)
{
    ck_assert_uint_eq(interval_next(1000, 1000, 10), 1010);
    ck_assert_uint_eq(interval_next(1009, 1000, 10), 1010);
    ck_assert_uint_eq(interval_next(1010, 1000, 10), 1020);
    ck_assert_uint_eq(interval_next(1057, 1000, 10), 1060);
    ck_assert_uint_eq(interval_next(0, 0, UINT64_MAX), UINT64_MAX);
}
END_TEST

START_TEST(nothing_comes_and_the_pause_is_the_longest)
{
    ck_assert_uint_eq(interval_pause(1000, 0, MILLISECOND, 0),
                      10 * MILLISECOND);
    ck_assert_uint_eq(interval_pause(UINT64_MAX, 1, 10 * MILLISECOND, 0),
                      10 * MILLISECOND);
}
END_TEST

START_TEST(half_the_way_is_waited_at_the_rate_of_the_last_pause)
{
    /* 1000 bytes a millisecond: 12000 take 12 ms. */
    ck_assert_uint_eq(interval_pause(12000, 10000, 10 * MILLISECOND, 0),
                      6 * MILLISECOND);
    ck_assert_uint_eq(interval_pause(12000, 1000, MILLISECOND, 0),
                      6 * MILLISECOND);
    ck_assert_uint_eq(interval_pause(1, 10000, 10 * MILLISECOND, 0),
                      MILLISECOND);
}
END_TEST

START_TEST(adding_up_takes_a_twentieth_of_the_time_at_most)
{
    ck_assert_uint_eq(interval_pause(1, 10000, MILLISECOND, 10 * MILLISECOND),
                      190 * MILLISECOND);
    ck_assert_uint_eq(interval_pause(1, 0, MILLISECOND, 10 * MILLISECOND),
                      190 * MILLISECOND);
}
END_TEST

/* The pauses of a program that allocates steadily end just behind the target,
 * and there are few of them. */
START_TEST(a_steady_program_is_met_within_a_millisecond)
{
    static const uint64_t rates[] = {1, 1000, 1000000, 12345678};

    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        const uint64_t target = rates[i] * 2000; /* 2 s */
        uint64_t now = 0;
        uint64_t pause = MILLISECOND;
        unsigned n = 0;

        for (; now * rates[i] / MILLISECOND < target; n++) {
            now += pause;
            if (now * rates[i] / MILLISECOND < target)
                pause = interval_pause(target - now * rates[i] / MILLISECOND,
                                       pause * rates[i] / MILLISECOND, pause,
                                       0);
        }
        ck_assert_uint_le(now, 2001 * MILLISECOND);
        ck_assert_uint_le(n, 220);
    }
}
END_TEST

CHECK_MAIN("interval", the_next_one_is_a_multiple_and_none_is_made_up_for,
           nothing_comes_and_the_pause_is_the_longest,
           half_the_way_is_waited_at_the_rate_of_the_last_pause,
           adding_up_takes_a_twentieth_of_the_time_at_most,
           a_steady_program_is_met_within_a_millisecond)
