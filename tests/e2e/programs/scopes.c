/* SPDX-License-Identifier: MIT */
/*
 * Scopes of one thread, counted by hand beside the runtime:
 *
 *     scopes work SEED     random blocks in nested scopes, in several threads
 *     scopes cases         forgotten ends, longjmp, fork, a million pairs
 *     scopes off           nothing is traced
 *     scopes estimate      blocks are sampled
 *     scopes maps          pages are traced
 *     scopes cost N        N blocks, no scope before; `cost-after` after some,
 *                          `cost-in` in one
 *
 * Prints nothing if all is well.
 */
#define _GNU_SOURCE
#include <alloctrace.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_BLOCKS 400
#define MAX_DEPTH 40
#define N_THREADS 4

#define CHECK(condition)                                              \
    do {                                                              \
        if (!(condition)) {                                           \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);   \
            exit(1);                                                  \
        }                                                             \
    } while (0)

/* A thread's blocks and open scopes, with what each has seen. */
struct work {
    struct {
        char *volatile block;
        int64_t size;
    } blocks[N_BLOCKS];
    struct {
        struct alloctrace_scope scope;
        uint64_t allocations;
        uint64_t bytes;
        int64_t peak;
        int64_t net;
    } open[MAX_DEPTH];
    unsigned depth;
    unsigned seed;
};

static unsigned draw(struct work *work, unsigned n)
{
    work->seed = work->seed * 1103515245u + 12345u;
    return (work->seed >> 8) % n;
}

static void note(struct work *work, int64_t change)
{
    for (unsigned i = 0; i < work->depth; i++) {
        work->open[i].net += change;
        if (work->open[i].net > work->open[i].peak)
            work->open[i].peak = work->open[i].net;
        work->open[i].allocations += change > 0;
        work->open[i].bytes += change > 0 ? (uint64_t)change : 0;
    }
}

static char *__attribute__((noinline)) get(unsigned way, size_t size)
{
    char text[1000];
    void *block = NULL;

    switch (way) {
    case 0:
        return calloc(1, size);
    case 1:
        CHECK(posix_memalign(&block, 64, size) == 0);
        return block;
    case 2:
        return aligned_alloc(32, size);
    case 3:
        if (size > sizeof text)
            return malloc(size);
        memset(text, 'x', size - 1);
        text[size - 1] = '\0';
        return strdup(text);
    default:
        return malloc(size);
    }
}

static void change(struct work *work, unsigned i)
{
    const int64_t size =
        1 + (int64_t)draw(work, draw(work, 20) ? 900 : 300000);
    char *volatile *const at = &work->blocks[i].block;

    if (*at)
        note(work, -work->blocks[i].size);
    if (*at && draw(work, 2)) {
        free(*at);
        *at = NULL;
        return;
    }
    *at = *at ? realloc(*at, (size_t)size)
              : get(draw(work, 8), (size_t)size);
    CHECK(*at);
    work->blocks[i].size = size;
    note(work, size);
}

static void end_some(struct work *work)
{
    const unsigned at =
        draw(work, 8) ? work->depth - 1 : draw(work, work->depth);
    struct alloctrace_scope_result result;

    CHECK(alloctrace_scope_end(&work->open[at].scope, &result) == 0);
    CHECK(result.allocations == work->open[at].allocations);
    CHECK(result.bytes == work->open[at].bytes);
    CHECK(result.peak == (uint64_t)work->open[at].peak);
    CHECK(result.net == work->open[at].net);
    work->depth = at;
}

static void *do_work(void *given)
{
    struct work *const work = given;

    for (unsigned n = 0; n < 30000; n++) {
        if (draw(work, 7) == 0 && work->depth < MAX_DEPTH) {
            struct alloctrace_scope *const scope =
                &work->open[work->depth].scope;

            memset(&work->open[work->depth], 0, sizeof work->open[0]);
            CHECK(alloctrace_scope_begin(scope) == 0);
            work->depth++;
        } else if (draw(work, 8) == 0 && work->depth > 0) {
            end_some(work);
        }
        change(work, draw(work, N_BLOCKS));
    }
    while (work->depth > 0)
        end_some(work);
    return NULL;
}

static void work_in_threads(unsigned seed)
{
    static struct work works[N_THREADS];
    pthread_t threads[N_THREADS];

    for (unsigned i = 0; i < N_THREADS; i++)
        works[i].seed = seed + i;
    do_work(&works[0]);
    for (unsigned i = 1; i < N_THREADS; i++)
        CHECK(!pthread_create(&threads[i], NULL, do_work, &works[i]));
    do_work(&works[0]);
    for (unsigned i = 1; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void *volatile block;

static void check(struct alloctrace_scope *scope, uint64_t allocations,
                  uint64_t bytes, uint64_t peak, int64_t net)
{
    struct alloctrace_scope_result result;

    CHECK(alloctrace_scope_end(scope, &result) == 0);
    CHECK(result.allocations == allocations);
    CHECK(result.bytes == bytes);
    CHECK(result.peak == peak);
    CHECK(result.net == net);
}

static void a_million_pairs(void)
{
    for (uint64_t i = 0; i < 1000000; i++) {
        struct alloctrace_scope scope;

        CHECK(alloctrace_scope_begin(&scope) == 0);
        block = malloc(i % 100 + 1);
        free(block);
        check(&scope, 1, i % 100 + 1, i % 100 + 1, 0);
    }
}

static jmp_buf away;

static void __attribute__((noipa)) jump(void)
{
    longjmp(away, 1);
}

static void leave(unsigned n)
{
    struct alloctrace_scope scope;

    CHECK(alloctrace_scope_begin(&scope) == 0);
    block = malloc(n * 100);
    free(block);
    if (n < 9)
        leave(n + 1);
    else
        jump();
}

static void forgotten_ends(void)
{
    struct alloctrace_scope scope;
    char *volatile before = malloc(5000);

    for (volatile unsigned i = 0; i < 20000; i = i + 1) {
        CHECK(alloctrace_scope_begin(&scope) == 0);
        if (setjmp(away) == 0)
            leave(1);
        check(&scope, 9, 4500, 900, 0);
    }
    for (volatile unsigned i = 0; i < 20000; i = i + 1)
        if (setjmp(away) == 0)
            leave(1);
    CHECK(alloctrace_scope_begin(&scope) == 0);
    free(before);
    check(&scope, 0, 0, 0, -5000);
}

static void fork_in_a_scope(void)
{
    struct alloctrace_scope scope;
    int status;
    pid_t child;

    CHECK(alloctrace_scope_begin(&scope) == 0);
    block = malloc(10);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        block = malloc(20);
        check(&scope, 2, 30, 30, 30);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    free(block);
    check(&scope, 1, 10, 10, 0);
}

static void lives_in_a_scope(void)
{
    struct alloctrace_scope scope;
    struct alloctrace_scope_result result;

    CHECK(alloctrace_scope_begin(&scope) == 0);
    block = malloc(10);
    CHECK(alloctrace_clear_traces() == 0);
    free(block);
    CHECK(alloctrace_scope_end(&scope, &result) == ALLOCTRACE_ENOT_TRACING);
    CHECK(alloctrace_scope_begin(&scope) == 0);
    CHECK(alloctrace_stop() == 0);
    block = malloc(10);
    CHECK(alloctrace_scope_end(&scope, &result) == ALLOCTRACE_ENOT_TRACING);
    CHECK(alloctrace_start(1) == 0);
    free(block);
    CHECK(alloctrace_scope_end(&scope, &result) == ALLOCTRACE_ENOT_TRACING);
    CHECK(alloctrace_scope_begin(&scope) == 0);
    block = malloc(10);
    free(block);
    check(&scope, 1, 10, 10, 0);
}

static void off(void)
{
    struct alloctrace_scope scope;
    struct alloctrace_scope_result result;

    memset(&result, 0xff, sizeof result);
    errno = 4711;
    CHECK(alloctrace_scope_begin(&scope) == ALLOCTRACE_ENOT_TRACING);
    block = malloc(10);
    free(block);
    CHECK(alloctrace_scope_end(&scope, &result) == ALLOCTRACE_ENOT_TRACING);
    CHECK(result.allocations == 0 && result.bytes == 0);
    CHECK(result.peak == 0 && result.net == 0 && result.reserved[3] == 0);
    CHECK(errno == 4711);
}

/* 64 MiB in blocks of 1 KiB, half of which stay; a period of 64 KiB: 1024
 * samples, a standard deviation of 3 %. */
static void estimate(void)
{
    const double expected = 64 << 20;
    struct alloctrace_scope scope;
    struct alloctrace_scope_result result;

    CHECK(alloctrace_scope_begin(&scope) == 0);
    for (unsigned i = 0; i < 65536; i++) {
        block = malloc(1024);
        if (i % 2)
            free(block);
    }
    CHECK(alloctrace_scope_end(&scope, &result) == 0);
    CHECK(result.bytes > expected * 0.8 && result.bytes < expected * 1.2);
    CHECK(result.allocations > 65536 * 0.8);
    CHECK(result.allocations < 65536 * 1.2);
    CHECK(result.net > expected * 0.35 && result.net < expected * 0.65);
    CHECK((int64_t)result.peak >= result.net);
}

/* A page mapped, moved to two, of which one is unmapped. */
static void maps(void)
{
    const int64_t page = sysconf(_SC_PAGESIZE);
    const size_t size = (size_t)page;
    struct alloctrace_scope scope;
    char *pages;

    CHECK(alloctrace_scope_begin(&scope) == 0);
    pages = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    pages = mremap(pages, size, 2 * size, MREMAP_MAYMOVE);
    CHECK(pages != MAP_FAILED);
    CHECK(munmap(pages, size) == 0);
    check(&scope, 2, 3 * size, 2 * size, page);
}

static void cost(const char *kind, unsigned n)
{
    struct alloctrace_scope scope;

    for (unsigned i = 0; i < 1000; i++) { /* until the ledger has settled */
        block = malloc(100);
        free(block);
    }
    for (unsigned i = 0; i < 10; i++) {
        if (strcmp(kind, "cost") != 0)
            CHECK(alloctrace_scope_begin(&scope) == 0);
        block = malloc(100);
        free(block);
        if (strcmp(kind, "cost-after") == 0)
            CHECK(alloctrace_scope_end(&scope, NULL) == 0);
    }
    for (unsigned i = 0; i < n; i++) {
        block = malloc(100);
        free(block);
    }
}

int main(int n_arguments, char **arguments)
{
    const char *const what = n_arguments > 1 ? arguments[1] : "";
    const unsigned number =
        n_arguments > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : 0;

    if (strcmp(what, "work") == 0) {
        work_in_threads(number);
    } else if (strcmp(what, "cases") == 0) {
        a_million_pairs();
        forgotten_ends();
        fork_in_a_scope();
        lives_in_a_scope();
    } else if (strcmp(what, "off") == 0) {
        off();
    } else if (strcmp(what, "estimate") == 0) {
        estimate();
    } else if (strcmp(what, "maps") == 0) {
        maps();
    } else {
        cost(what, number);
    }
    return 0;
}
