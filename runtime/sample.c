/* SPDX-License-Identifier: MIT */
/*
 * Sampling: which blocks are counted, and what each of them stands for.
 *
 * A block takes up size + 1 bytes here, so that blocks of no bytes can be
 * sampled, too. Each byte begins a sample with probability 1 / period: the
 * number of bytes in between has a geometric distribution, which is an
 * exponential one rounded down. A block is sampled if at least one of its bytes
 * begins a sample, which has the probability
 *
 *     p = 1 - exp(-(size + 1) / period)
 *
 * and it then stands for w = 1 / p blocks and for w * size bytes, so that the
 * expected sums are the true ones. Counters are integers: both figures are
 * rounded up or down at random, with the probabilities that keep the mean;
 * which way, is noted in the block's entry (two bits), as the same must be
 * subtracted when it is freed. Rounding blocks adds less than a block's square
 * to the variance, rounding bytes nothing that matters.
 *
 * Only integers: floating point would set the flags of the program's
 * environment, and the runtime needs no libm. tests/unit/check_sample.c says
 * how exact logarithm and exponential are.
 */
#include "sample.h"

#define LN2 UINT64_C(0xb17217f7d1cf79ac) /* ln 2 * 2^64 */

uint8_t at_sample_filter[SAMPLE_CELLS];

/* The upper half of the product. (32-bit targets have no 128-bit integers.) */
static uint64_t multiply_high(uint64_t a, uint64_t b)
{
    const uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
    const uint64_t middle_1 = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
    const uint64_t middle_2 =
        (a & UINT32_MAX) * (b >> 32) + (middle_1 & UINT32_MAX);

    return (a >> 32) * (b >> 32) + (middle_1 >> 32) + (middle_2 >> 32);
}

/* splitmix64 by Sebastiano Vigna: passes BigCrush, any state is good. */
uint64_t sample_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* log2(x / 2^63) * 2^57 for x >= 2^63: a bit at a time, by squaring. */
static uint64_t log2_of_mantissa(uint64_t x)
{
    uint64_t result = 0;

    for (unsigned bit = 57; bit-- > 0;) {
        const uint64_t square = multiply_high(x, x); /* / 2^62 */

        if (square >> 63) { /* two or more */
            result |= UINT64_C(1) << bit;
            x = square;
        } else {
            x = square << 1;
        }
    }
    return result;
}

uint64_t sample_gap(uint64_t random, uint64_t period)
{
    const uint64_t u = random | 1; /* / 2^64 is in (0, 1) */
    const unsigned shift = (unsigned)__builtin_clzll(u);
    const uint64_t log2 = ((uint64_t)(shift + 1) << 57) -
                          log2_of_mantissa(u << shift); /* -log2 u * 2^57 */

    return multiply_high(period << 7, multiply_high(log2, LN2));
}

/* x / y * 2^64, for x <= y < 2^63. */
static uint64_t fraction(uint64_t x, uint64_t y)
{
    uint64_t result = 0;

    for (unsigned i = 0; i < 64; i++) {
        x <<= 1;
        result <<= 1;
        if (x >= y) {
            x -= y;
            result |= 1;
        }
    }
    return result;
}

/* (1 - exp(-x / y)) * 2^64, for x >= 1 and y <= SAMPLE_MAX. */
static uint64_t probability(uint64_t x, uint64_t y)
{
    unsigned n_doublings = 0;
    uint64_t f;
    uint64_t power;
    uint64_t q;

    if (x / y >= 45)
        return UINT64_MAX;
    while (x >= y << n_doublings >> 8) /* or the series converges slowly */
        n_doublings++;
    f = fraction(x, y << n_doublings);
    power = multiply_high(f, f);
    q = f - power / 2;
    power = multiply_high(power, f);
    q += power / 6;
    power = multiply_high(power, f);
    q -= power / 24;
    q += multiply_high(power, f) / 120;
    while (n_doublings-- > 0) /* 1 - exp(-2z) = 1 - (1 - (1 - exp(-z)))^2 */
        q = ~multiply_high(~q, ~q);
    return q;
}

struct sample_weight sample_weigh(uint64_t size, uint64_t period)
{
    const uint64_t q = probability(size + 1, period);
    struct sample_weight weight = {.whole = UINT64_MAX / q};
    const uint64_t rest = -(weight.whole * q); /* of 2^64; at most q */

    weight.part = (uint32_t)(fraction(rest >> 1, q >> 1) >> 32);
    return weight;
}

/* The two bits of an entry, above its size. */
#define BLOCKS_UP ((uint64_t)1 << 63)
#define BYTES_UP ((uint64_t)1 << 62)

uint64_t sample_size(uint64_t marked)
{
    return marked & ~(BLOCKS_UP | BYTES_UP);
}

/* size * weight, rounded down; *part gets the rest * 2^32. */
static uint64_t bytes_of(uint64_t size, struct sample_weight weight,
                         uint32_t *part)
{
    const uint64_t low = (size & UINT32_MAX) * weight.part;

    *part = (uint32_t)low;
    return size * weight.whole + (size >> 32) * weight.part + (low >> 32);
}

uint64_t sample_mark(uint64_t size, uint64_t period, uint64_t random)
{
    const struct sample_weight weight = sample_weigh(size, period);
    uint64_t marked = size;
    uint32_t part;

    bytes_of(size, weight, &part);
    if ((uint32_t)random < weight.part)
        marked |= BLOCKS_UP;
    if ((uint32_t)(random >> 32) < part)
        marked |= BYTES_UP;
    return marked;
}

struct sample_share sample_share(uint64_t marked, uint64_t period)
{
    const uint64_t size = sample_size(marked);
    const struct sample_weight weight = sample_weigh(size, period);
    uint32_t part;
    struct sample_share share = {weight.whole, bytes_of(size, weight, &part)};

    share.blocks += (marked & BLOCKS_UP) != 0;
    share.bytes += (marked & BYTES_UP) != 0;
    return share;
}

void sample_note(uintptr_t address)
{
    uint8_t *const cell = sample_cell(address);
    uint8_t n = count_get(cell);

    while (n < UINT8_MAX &&
           !__atomic_compare_exchange_n(cell, &n, (uint8_t)(n + 1), true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

void sample_forget(uintptr_t address)
{
    uint8_t *const cell = sample_cell(address);
    uint8_t n = count_get(cell);

    while (n < UINT8_MAX &&
           !__atomic_compare_exchange_n(cell, &n, (uint8_t)(n - 1), true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

/* A state that no other thread has; with ALLOCTRACE_SAMPLE_SEED the same in
 * each run whose threads come in the same order. */
static uint64_t first_state(void)
{
    static uint64_t n_threads;
    static uint64_t of_process; /* the same for all threads; 0 = not yet */
    const uint64_t n = __atomic_fetch_add(&n_threads, 1, __ATOMIC_RELAXED);
    uint64_t state = at_options.sample_seed;

    if (!state)
        state = count_get(&of_process);
    if (!state) {
        state = (os_now_ns() << 20 ^ (uint64_t)os_pid()) | 1;
        count_set(&of_process, state);
    }
    state += n << 32; /* far apart in the sequence of all states */
    return sample_random(&state) | 1;
}

/* Bytes to the next sample: watch.c keeps them from the hot path. */
static uint64_t *left_of(struct thread *thread)
{
    return thread->watch.is_on ? &thread->watch.left : &thread->sample_left;
}

static void seed(struct thread *thread)
{
    thread->sample_random = first_state();
    count_set(left_of(thread), sample_gap(sample_random(&thread->sample_random),
                                          at_options.sample));
}

uint64_t sample_draw(struct thread *thread)
{
    if (!thread->sample_random)
        seed(thread);
    return sample_random(&thread->sample_random);
}

bool sample_choose(struct thread *thread, size_t size)
{
    uint64_t *const left = left_of(thread);

    if (!thread->sample_random)
        seed(thread);
    if (size < count_get(left)) {
        count_set(left, count_get(left) - size - 1);
        return false;
    }
    count_set(left, sample_gap(sample_draw(thread), at_options.sample));
    return true;
}
