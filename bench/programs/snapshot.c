/* SPDX-License-Identifier: MIT */
/*
 * What a dump costs: snapshot N-BLOCKS N-PATHS N-DUMPS FILE
 *
 * N-BLOCKS live blocks of 16 to 80 bytes from N-PATHS call paths, in one
 * thread; a second one allocates and frees all the while. Writes N-DUMPS
 * dumps to FILE and prints a line for each: its nanoseconds on the clock and of
 * the processor. Then, in nanoseconds, the longest time that the second thread
 * took for an allocation and a free: while dumps were written, and in as long a
 * time without (on a machine with other work that is what the system takes).
 */
#include <alloctrace.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile int after_call; /* so that no call is a jump, no two are one */
static atomic_int is_over;
static atomic_uint_fast64_t longest; /* nanoseconds */

static uint64_t read_clock(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static uint64_t now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* Bits of `path` are turns on the way down; ends in an allocation. */
__attribute__((noipa)) static void *go(unsigned path, size_t size)
{
    void *block;

    if (path < 2) {
        block = malloc(size);
    } else if (path & 1) {
        block = go(path / 2, size);
        after_call = 1;
    } else {
        block = go(path / 2, size);
        after_call = 2;
    }
    return block;
}

static void *churn(void *unused)
{
    unsigned path = 2;

    while (!is_over) {
        const uint64_t start = now();
        uint64_t time;

        free(go(path++ % 512 + 2, 100));
        time = now() - start;
        if (time > longest)
            longest = time;
    }
    return unused;
}

/* The longest pause in a time, without dumps. */
static uint64_t pause_alone(uint64_t time)
{
    const uint64_t end = now() + time;

    longest = 0;
    while (now() < end)
        ;
    return longest;
}

int main(int argc, char **argv)
{
    const unsigned n_blocks = argc > 4 ? (unsigned)atol(argv[1]) : 0;
    const unsigned n_paths = argc > 4 ? (unsigned)atol(argv[2]) : 0;
    const int n_dumps = argc > 4 ? atoi(argv[3]) : 0;
    static uint64_t times[1000], cpu_times[1000];
    uint64_t pause;
    uint64_t alone;
    uint64_t sum = 0;
    pthread_t thread;

    if (n_paths == 0 || n_dumps < 1 || n_dumps > 1000)
        return 2;
    for (unsigned i = 0; i < n_blocks; i++)
        if (!go(n_paths + i % n_paths, 16 + i % 65))
            return 1;
    pthread_create(&thread, NULL, churn, NULL);
    pause_alone(50000000); /* its paths are known now */
    longest = 0;
    for (int i = 0; i < n_dumps; i++) {
        const uint64_t start = now();
        const uint64_t cpu_start = read_clock(CLOCK_THREAD_CPUTIME_ID);

        if (alloctrace_dump(argv[4]))
            return 1;
        cpu_times[i] = read_clock(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
        times[i] = now() - start;
        sum += times[i];
    }
    pause = longest;
    alone = pause_alone(sum);
    for (int i = 0; i < n_dumps; i++)
        printf("%" PRIu64 " %" PRIu64 "\n", times[i], cpu_times[i]);
    printf("%" PRIu64 " %" PRIu64 "\n", pause, alone);
    is_over = 1;
    pthread_join(thread, NULL);
    return 0;
}
