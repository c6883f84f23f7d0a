/* SPDX-License-Identifier: MIT */
/*
 * Allocates blocks of many sizes in all ways that there are, in two threads,
 * frees some (also those of the other thread), and prints what it did:
 *
 *     TOTAL_BLOCKS TOTAL_BYTES LIVE_BLOCKS LIVE_BYTES VARIANCE
 *
 * for each of three functions. VARIANCE is the sum over the total's blocks of
 * s^2 (1 - p) / p with p = 1 - exp(-(s + 1) / PERIOD): that of an estimate of
 * the bytes.
 */
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_BLOCKS 6000
#define PERIOD 16384

struct count {
    double blocks, bytes, live_blocks, live_bytes, variance;
};

static struct count small_count, mixed_count, grown_count;
static void *kept[2 * N_BLOCKS];
static size_t kept_size[2 * N_BLOCKS];

static void *used(void *block)
{
    if (!block)
        exit(1);
    return block;
}

static void add(struct count *count, size_t size)
{
    const double s = (double)size;
    const double p = -expm1(-(s + 1) / PERIOD);

    count->blocks++;
    count->live_blocks++;
    count->bytes += s;
    count->live_bytes += s;
    count->variance += s * s * (1 - p) / p;
}

static void take(struct count *count, size_t size)
{
    count->live_blocks--;
    count->live_bytes -= (double)size;
}

__attribute__((noinline)) static void *small(struct count *count, size_t size)
{
    add(count, size);
    return used(malloc(size));
}

/* Sizes from 1 byte to 1 MiB: each power of two is as likely, but the largest
 * are rare. */
__attribute__((noinline)) static void *mixed(struct count *count, unsigned i,
                                             size_t *size)
{
    void *block = NULL;

    *size = (size_t)1 << i % 14 << (i % 500 == 0 ? 7 : 0);
    add(count, *size);
    switch (i / 14 % 5) {
    case 0:
        return used(calloc(1, *size));
    case 1:
        return used(memalign(64, *size));
    case 2:
        return posix_memalign(&block, 128, *size) ? NULL : block;
    case 3:
        return used(reallocarray(NULL, *size, 1));
    default:
        return used(malloc(*size));
    }
}

/* A block that is resized several times. */
__attribute__((noinline)) static void *grown(struct count *count, size_t *size)
{
    void *block = NULL;

    for (*size = 100; *size <= 1600; *size *= 2) {
        block = used(realloc(block, *size));
        if (*size > 100)
            take(count, *size / 2);
        add(count, *size);
    }
    *size /= 2;
    return block;
}

static void *first(void *unused)
{
    for (unsigned i = 0; i < N_BLOCKS; i++) {
        kept[i] = small(&small_count, 24);
        kept_size[i] = 24;
        free(small(&small_count, i % 200));
        take(&small_count, i % 200);
    }
    return unused;
}

static void *second(void *unused)
{
    for (unsigned i = 0; i < N_BLOCKS; i++) {
        const unsigned k = N_BLOCKS + i;
        size_t size;

        kept[k] = mixed(&mixed_count, i, &kept_size[k]);
        if (i % 4 == 0) {
            free(grown(&grown_count, &size));
            take(&grown_count, size);
        }
    }
    return unused;
}

static void print(const struct count *count)
{
    printf("%.0f %.0f %.0f %.0f %.0f\n", count->blocks, count->bytes,
           count->live_blocks, count->live_bytes, count->variance);
}

int main(void)
{
    void *(*const parts[])(void *) = {first, second};
    pthread_t thread;

    /* One after the other, so that each seed always gives the same samples. */
    for (unsigned i = 0; i < 2; i++) {
        pthread_create(&thread, NULL, parts[i], NULL);
        pthread_join(thread, NULL);
    }
    for (unsigned i = 0; i < 2 * N_BLOCKS; i += 2) { /* other threads' */
        free(kept[i]);
        take(i < N_BLOCKS ? &small_count : &mixed_count, kept_size[i]);
    }
    print(&small_count);
    print(&mixed_count);
    print(&grown_count);
    return 0;
}
