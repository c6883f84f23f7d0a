/* SPDX-License-Identifier: MIT */
/*
 * Something of which there may be ever more:
 *
 *     growth contexts N           N call paths, one block of each, all live
 *     growth blocks N CONTEXTS    N live blocks of 16 to 32 bytes
 *     growth bottom DEPTH         a block that is allocated DEPTH calls deep
 *     growth levels DEPTH         one live block at each of DEPTH levels
 *     growth recursion DEPTH      as bottom, but of one function
 *     growth pairs DEPTH PAIRS    as bottom; then as many more: their time alone
 *     growth together N PAIRS     N threads at once, each with its blocks
 *     growth turns N PAIRS        N threads, each when the last has ended
 *     growth heirs N CONTEXTS     as turns, after one with many call paths
 *     growth sites N              a block of each of N functions (bench/growth
 *                                 generates them)
 *
 * Prints seconds of the processor that this took, the peak of resident bytes
 * then; if it is traced it writes a dump to the file that GROWTH_DUMP names, and
 * the same follows of that, or else 0 0. (A clock of its own, for a start takes
 * longer than all of the smallest cases.)
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_WAYS 8      /* calls of the next function at each level of a path */
#define N_LEVELS 8    /* so there are 8^8 paths, all as deep */
#define N_RING 512    /* functions of which each calls the next one */
#define MAX_DEPTH 100000
#define THREAD_STACK ((size_t)1 << 28)
#define THREAD_CONTEXTS 64

/* Of alloctrace's runtime: NULL in the plain program. */
extern int alloctrace_dump(const char *path) __attribute__((weak));

/* Allocates in the function of that number: NULL without generated ones. */
extern void *call_site(uint32_t number) __attribute__((weak));

static volatile int after_call; /* so that no call is a jump, no two are one */

/* Live blocks are linked, which the plain program pays for as well. */
struct block {
    struct block *next;
    uint64_t filling;
};

static struct block *live;

static void *allocate(size_t size)
{
    void *const block = malloc(size);

    if (!block)
        abort();
    return block;
}

static void keep(void *memory)
{
    struct block *const block = memory;

    block->next = live;
    live = block;
}

/* ---- Paths ---- */

/* Octal digits of `path` are the calls on the way down; what is left of it is
 * added to the block's size. Two functions, so that no level is a loop. Written
 * out: calls that a macro makes at one place are one place. */
__attribute__((noipa)) static void *odd(uint32_t path, int n_more);

__attribute__((noipa)) static void *even(uint32_t path, int n_more)
{
    void *block = NULL;

    if (n_more == 0)
        return allocate(sizeof(struct block) + path);
    switch (path % N_WAYS) {
    case 0:
        block = odd(path / N_WAYS, n_more - 1);
        after_call = 0;
        break;
    case 1:
        block = odd(path / N_WAYS, n_more - 1);
        after_call = 1;
        break;
    case 2:
        block = odd(path / N_WAYS, n_more - 1);
        after_call = 2;
        break;
    case 3:
        block = odd(path / N_WAYS, n_more - 1);
        after_call = 3;
        break;
    case 4:
        block = odd(path / N_WAYS, n_more - 1);
        after_call = 4;
        break;
    case 5:
        block = odd(path / N_WAYS, n_more - 1);
        after_call = 5;
        break;
    case 6:
        block = odd(path / N_WAYS, n_more - 1);
        after_call = 6;
        break;
    case 7:
        block = odd(path / N_WAYS, n_more - 1);
        after_call = 7;
        break;
    }
    return block;
}

__attribute__((noipa)) static void *odd(uint32_t path, int n_more)
{
    void *block = NULL;

    if (n_more == 0)
        return allocate(sizeof(struct block) + path);
    switch (path % N_WAYS) {
    case 0:
        block = even(path / N_WAYS, n_more - 1);
        after_call = 0;
        break;
    case 1:
        block = even(path / N_WAYS, n_more - 1);
        after_call = 1;
        break;
    case 2:
        block = even(path / N_WAYS, n_more - 1);
        after_call = 2;
        break;
    case 3:
        block = even(path / N_WAYS, n_more - 1);
        after_call = 3;
        break;
    case 4:
        block = even(path / N_WAYS, n_more - 1);
        after_call = 4;
        break;
    case 5:
        block = even(path / N_WAYS, n_more - 1);
        after_call = 5;
        break;
    case 6:
        block = even(path / N_WAYS, n_more - 1);
        after_call = 6;
        break;
    case 7:
        block = even(path / N_WAYS, n_more - 1);
        after_call = 7;
        break;
    }
    return block;
}

/* The number of a path from 0, the last calls the first to differ, as in a
 * program that does one thing after the other. */
static void *go(uint32_t number, uint32_t more_bytes)
{
    uint32_t path = more_bytes;

    for (int i = 0; i < N_LEVELS; i++, number /= N_WAYS)
        path = path * N_WAYS + number % N_WAYS;
    return even(path, N_LEVELS);
}

static void run_contexts(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        keep(go(i, 0));
}

static void run_blocks(uint32_t n, uint32_t n_contexts)
{
    for (uint32_t i = 0; i < n; i++)
        keep(go(i % n_contexts, i % 17));
}

/* ---- Depth ---- */

struct descent {
    uint32_t depth;
    uint32_t pairs;
    int each; /* keep a block at each level */
};

static double begun; /* what is measured, at that time of the processor */

static double seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void allocate_pairs(uint32_t n)
{
    free(allocate(sizeof(struct block)));
    if (n > 0)
        begun = seconds();
    for (uint32_t i = 0; i < n; i++) {
        void *volatile block = allocate(sizeof(struct block));

        free(block);
    }
}

typedef void step(const struct descent *descent, uint32_t depth);
static step *const ring[N_RING];

__attribute__((noipa)) static void keep_here(void)
{
    keep(allocate(sizeof(struct block)));
}

/* Many functions, so that no path is a recursion of few. */
#define STEP(number)                                                     \
    __attribute__((noipa)) static void step_##number(                    \
        const struct descent *descent, uint32_t depth)                   \
    {                                                                    \
        if (descent->each)                                               \
            keep_here();                                                 \
        if (depth < descent->depth)                                      \
            ring[(0##number + 1) % N_RING](descent, depth + 1);          \
        else                                                             \
            allocate_pairs(descent->pairs);                              \
        after_call = 0##number;                                          \
    }
#define EIGHT(what, prefix)                                       \
    what(prefix##0) what(prefix##1) what(prefix##2) what(prefix##3) \
    what(prefix##4) what(prefix##5) what(prefix##6) what(prefix##7)
#define EIGHT_STEPS(prefix) EIGHT(STEP, prefix)
#define NAME(number) step_##number,
#define EIGHT_NAMES(prefix) \
    NAME(prefix##0) NAME(prefix##1) NAME(prefix##2) NAME(prefix##3) \
    NAME(prefix##4) NAME(prefix##5) NAME(prefix##6) NAME(prefix##7)
#define ALL(what)                                                     \
    what(00) what(01) what(02) what(03) what(04) what(05) what(06)    \
    what(07) what(10) what(11) what(12) what(13) what(14) what(15)    \
    what(16) what(17) what(20) what(21) what(22) what(23) what(24)    \
    what(25) what(26) what(27) what(30) what(31) what(32) what(33)    \
    what(34) what(35) what(36) what(37) what(40) what(41) what(42)    \
    what(43) what(44) what(45) what(46) what(47) what(50) what(51)    \
    what(52) what(53) what(54) what(55) what(56) what(57) what(60)    \
    what(61) what(62) what(63) what(64) what(65) what(66) what(67)    \
    what(70) what(71) what(72) what(73) what(74) what(75) what(76)    \
    what(77)

ALL(EIGHT_STEPS)
static step *const ring[N_RING] = {ALL(EIGHT_NAMES)};

__attribute__((noipa)) static void recurse(const struct descent *descent,
                                           uint32_t depth)
{
    if (depth < descent->depth)
        recurse(descent, depth + 1);
    else
        allocate_pairs(descent->pairs);
    after_call = 1;
}

/* ---- Threads ---- */

static pthread_barrier_t all_have_begun;

static void start(pthread_t *id, void *(*run)(void *), void *argument,
                  size_t stack)
{
    pthread_attr_t attributes;

    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstacksize(&attributes, stack) != 0 ||
        pthread_create(id, &attributes, run, argument) != 0)
        abort();
    pthread_attr_destroy(&attributes);
}

static void end(pthread_t id)
{
    if (pthread_join(id, NULL) != 0)
        abort();
}

static void *descend_whole(void *descent)
{
    ring[0](descent, 1);
    return NULL;
}

static void *descend_recursion(void *descent)
{
    recurse(descent, 1);
    return NULL;
}

static void run_deep(void *(*run)(void *), struct descent descent)
{
    pthread_t id;

    if (descent.depth > MAX_DEPTH)
        exit(2);
    start(&id, run, &descent, THREAD_STACK);
    end(id);
}

static void *work(void *pairs)
{
    void *held[THREAD_CONTEXTS] = {NULL};

    for (uint32_t i = 0; i < *(const uint32_t *)pairs; i++) {
        void **const slot = &held[i % THREAD_CONTEXTS];

        free(*slot);
        *slot = go(i % THREAD_CONTEXTS, 0);
    }
    for (int i = 0; i < THREAD_CONTEXTS; i++)
        free(held[i]);
    return NULL;
}

static void *work_together(void *pairs)
{
    pthread_barrier_wait(&all_have_begun);
    work(pairs);
    return NULL;
}

static void run_together(uint32_t n, uint32_t pairs)
{
    pthread_t *const ids = allocate(n * sizeof *ids);

    if (pthread_barrier_init(&all_have_begun, NULL, n) != 0)
        abort();
    for (uint32_t i = 0; i < n; i++)
        start(&ids[i], work_together, &pairs, THREAD_STACK >> 8);
    for (uint32_t i = 0; i < n; i++)
        end(ids[i]);
    free(ids);
}

static void run_turns(uint32_t n, uint32_t pairs)
{
    for (uint32_t i = 0; i < n; i++) {
        pthread_t id;

        start(&id, work, &pairs, THREAD_STACK >> 8);
        end(id);
    }
}

static void *meet_contexts(void *n)
{
    for (uint32_t i = 0; i < *(const uint32_t *)n; i++)
        free(go(i, 0));
    return NULL;
}

/* What the first thread had is there for the others to take over. */
static void run_heirs(uint32_t n, uint32_t n_contexts)
{
    pthread_t id;

    start(&id, meet_contexts, &n_contexts, THREAD_STACK >> 8);
    end(id);
    run_turns(n, THREAD_CONTEXTS);
}

static void run_sites(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        keep(call_site(i));
}

/* ---- Measuring ---- */

/* Of this program alone, not of what started it. */
static uint64_t resident_peak(void)
{
    FILE *const file = fopen("/proc/self/status", "r");
    char line[256];
    unsigned long long kib = 0;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %llu", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return (uint64_t)kib << 10;
}

static int run(const char *what, uint32_t n, uint32_t m)
{
    if (strcmp(what, "contexts") == 0)
        run_contexts(n);
    else if (strcmp(what, "blocks") == 0 && m > 0)
        run_blocks(n, m);
    else if (strcmp(what, "bottom") == 0)
        run_deep(descend_whole, (struct descent){n, 0, 0});
    else if (strcmp(what, "pairs") == 0)
        run_deep(descend_whole, (struct descent){n, m, 0});
    else if (strcmp(what, "levels") == 0)
        run_deep(descend_whole, (struct descent){n, 0, 1});
    else if (strcmp(what, "recursion") == 0)
        run_deep(descend_recursion, (struct descent){n, 0, 0});
    else if (strcmp(what, "together") == 0)
        run_together(n, m);
    else if (strcmp(what, "turns") == 0)
        run_turns(n, m);
    else if (strcmp(what, "heirs") == 0)
        run_heirs(n, m);
    else if (strcmp(what, "sites") == 0 && call_site)
        run_sites(n);
    else
        return 2;
    return 0;
}

/* False: there is no runtime, or no dump is wanted. */
static int has_dumped(void)
{
    const char *const path = getenv("GROWTH_DUMP");

    if (!alloctrace_dump || !path)
        return 0;
    if (alloctrace_dump(path) != 0)
        abort();
    return 1;
}

int main(int argc, char **argv)
{
    const uint32_t n = argc > 2 ? (uint32_t)atol(argv[2]) : 0;
    const uint32_t m = argc > 3 ? (uint32_t)atol(argv[3]) : 0;

    if (n == 0)
        return 2;
    begun = seconds();
    if (run(argv[1], n, m) != 0)
        return 2;
    printf("%.9f ", seconds() - begun);
    printf("%llu ", (unsigned long long)resident_peak());
    begun = seconds();
    if (has_dumped()) {
        printf("%.9f ", seconds() - begun);
        printf("%llu\n", (unsigned long long)resident_peak());
    } else {
        printf("0 0\n");
    }
    return 0;
}
