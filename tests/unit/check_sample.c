/* SPDX-License-Identifier: MIT */
/* The arithmetic of sampling, against the C library's mathematics. */
#include <math.h>

#include "check_alloctrace.h"
#include "sample.h"

static const uint64_t periods[] = {1, 2, 100, 4096, 512 * 1024, SAMPLE_MAX};
#define N_PERIODS (sizeof periods / sizeof *periods)

START_TEST(gaps_are_logarithms)
{
    uint64_t state = 1;

    for (unsigned i = 0; i < 100000; i++) {
        const uint64_t period = periods[i % N_PERIODS];
        /* Of all orders of magnitude, near 1 as well. */
        const uint64_t number = sample_random(&state) >> i / 7 % 64;
        const uint64_t random = i % 3 ? number : ~number;
        const long double u = ldexpl((long double)(random | 1), -64);
        const long double expected = -logl(u) * (long double)period;
        const long double gap = (long double)sample_gap(random, period);

        ck_assert_msg(fabsl(gap + 0.5L - expected) <= 0.5L + expected * 1e-12L,
                      "%Lg instead of %Lg", gap, expected);
    }
}
END_TEST

START_TEST(weights_are_one_over_the_probability)
{
    for (unsigned i = 0; i < N_PERIODS; i++)
        for (uint64_t size = 0; size < (uint64_t)1 << 40;
             size = size * 5 / 4 + 1) {
            const struct sample_weight weight = sample_weigh(size, periods[i]);
            const long double value = (long double)weight.whole +
                                      ldexpl((long double)weight.part, -32);
            const long double expected =
                1 / -expm1l(-(long double)(size + 1) / (long double)periods[i]);

            ck_assert_msg(fabsl(value / expected - 1) < 1e-9L,
                          "size %lu, period %lu: %.12Lg instead of %.12Lg",
                          (unsigned long)size, (unsigned long)periods[i], value,
                          expected);
        }
}
END_TEST

/* Pearson's statistic of gaps in 64 classes that are equally likely. */
static double chi_square(uint64_t period, unsigned n)
{
    unsigned counts[64] = {0};
    uint64_t state = period;
    double sum = 0;

    for (unsigned i = 0; i < n; i++) {
        const double gap = (double)sample_gap(sample_random(&state), period);

        counts[(unsigned)(-expm1(-(gap + 0.5) / (double)period) * 64)]++;
    }
    for (unsigned i = 0; i < 64; i++)
        sum += pow(counts[i] - n / 64.0, 2) / (n / 64.0);
    return sum;
}

START_TEST(gaps_have_the_exponential_distribution)
{
    /* 63 degrees of freedom: mean 63, more than 120 once in 60,000 times. */
    ck_assert_double_lt(chi_square(512 * 1024, 200000), 120);
    ck_assert_double_lt(chi_square(SAMPLE_MAX, 200000), 120);
    ck_assert_double_gt(chi_square(512 * 1024, 200000), 20);
}
END_TEST

/* Counts blocks of a size as the hot path does: are as many sampled as should
 * be? By the standard deviations that they are away. */
static double deviation(size_t size, unsigned n)
{
    const double p = -expm1(-((double)size + 1) / (double)at_options.sample);
    double n_sampled = 0;

    for (unsigned i = 0; i < n; i++)
        n_sampled += sample_choose(&__alloctrace_thread, size);
    return (n_sampled - n * p) / sqrt(n * p * (1 - p));
}

START_TEST(blocks_are_chosen_by_their_bytes)
{
    static const size_t sizes[] = {0, 1, 7, 100, 4095, 4096, 10000, 30000};

    at_options.sample = 4096;
    at_options.sample_seed = 12;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        ck_assert_double_lt(fabs(deviation(sizes[i], 200000)), 4);
}
END_TEST

START_TEST(sizes_that_no_memory_has_do_no_harm)
{
    struct thread *const thread = &__alloctrace_thread;

    at_options.sample = 4096;
    sample_choose(thread, 0);
    for (unsigned shift = 50; shift < 64; shift++) {
        sample_passes(((size_t)1 << shift % (8 * sizeof(size_t))) * 3);
        ck_assert_uint_lt(thread->sample_left, 64 * 4096);
    }
    sample_passes(SIZE_MAX);
    ck_assert_uint_lt(thread->sample_left, 64 * 4096);
}
END_TEST

START_TEST(rounding_keeps_the_mean_and_is_remembered)
{
    static const uint64_t sizes[] = {0, 1, 3, 1000, 4096, 9000};
    const unsigned n = 100000;
    uint64_t state = 5;

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const double weight = 1 / -expm1(-((double)sizes[i] + 1) / 4096);
        double blocks = 0;
        double bytes = 0;

        for (unsigned k = 0; k < n; k++) {
            const uint64_t marked =
                sample_mark(sizes[i], 4096, sample_random(&state));
            const struct sample_share share = sample_share(marked, 4096);

            ck_assert_uint_eq(sample_size(marked), sizes[i]);
            ck_assert_double_lt(fabs((double)share.blocks - weight), 1);
            ck_assert_uint_eq(share.blocks, sample_share(marked, 4096).blocks);
            blocks += (double)share.blocks / n;
            bytes += (double)share.bytes / n;
        }
        /* Standard deviation of one at most 0.5. */
        ck_assert_double_lt(fabs(blocks - weight), 4 * 0.5 / sqrt(n));
        ck_assert_double_lt(fabs(bytes - weight * (double)sizes[i]),
                            4 * 0.5 / sqrt(n));
    }
}
END_TEST

START_TEST(the_filter_forgets_what_it_noted)
{
    const uintptr_t address = 0x7f1234567890;

    ck_assert(!sample_may_be((void *)address));
    sample_note(address);
    sample_note(address);
    sample_forget(address);
    ck_assert(sample_may_be((void *)address));
    sample_forget(address);
    ck_assert(!sample_may_be((void *)address));
    for (unsigned i = 0; i < 300; i++) /* more than it can count */
        sample_note(address);
    for (unsigned i = 0; i < 300; i++)
        sample_forget(address);
    ck_assert(sample_may_be((void *)address));
}
END_TEST

START_TEST(threads_and_seeds_draw_other_numbers)
{
    struct thread one = {0};
    struct thread two = {0};

    at_options.sample = 4096;
    at_options.sample_seed = 1;
    ck_assert_uint_ne(sample_draw(&one), sample_draw(&two));
    two.sample_random = 0;
    at_options.sample_seed = 0;
    ck_assert_uint_ne(sample_draw(&one), sample_draw(&two));
}
END_TEST

CHECK_MAIN("sample", gaps_are_logarithms, weights_are_one_over_the_probability,
           gaps_have_the_exponential_distribution,
           blocks_are_chosen_by_their_bytes,
           sizes_that_no_memory_has_do_no_harm,
           rounding_keeps_the_mean_and_is_remembered,
           the_filter_forgets_what_it_noted,
           threads_and_seeds_draw_other_numbers)
