/* SPDX-License-Identifier: MIT */
/*
 * Threads that allocate, free and track blocks without pause, from ever new
 * paths, while one more forks, one loads and unloads a library, and the main
 * thread sends all of them signals that have dumps written.
 *
 *     signalled LIBRARY N-SIGNALS FILE
 *
 * N-SIGNALS at least: on a busy machine many of them are one, so they go on
 * until FILE is there, for who looks at the dumps to say that it has seen
 * enough; or until N-SIGNALS a thousand times.
 *
 * Output: live blocks, live bytes, total blocks, total bytes of what `grab`
 * allocated; the same of what was tracked in domain 7; the children's pids,
 * each of which sent itself one signal.
 */
#ifdef LIBRARY

#include <stdlib.h>

void plugged(void);

void plugged(void)
{
    void *volatile block = malloc(10);

    free(block);
}

#else
#include <alloctrace.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_WORKERS = 3, N_SLOTS = 256, N_CHILDREN = 12, DOMAIN = 7 };

/* What one thread did. */
struct tally {
    long live_blocks, live_bytes, total_blocks, total_bytes;
};

struct worker {
    pthread_t thread;
    uint32_t random;
    struct tally heap, tracked;
    void *blocks[N_SLOTS];
    size_t sizes[N_SLOTS];   /* of `blocks` */
    size_t tracked_at[N_SLOTS]; /* sizes of tracked blocks; 0 = none */
};

static struct worker workers[N_WORKERS];
static pthread_t forker, loader;
static pid_t children[N_CHILDREN];
static atomic_bool is_over;
static volatile int after_call; /* so that no call is a jump, no two are one */

static uint32_t next_random(struct worker *worker)
{
    worker->random = worker->random * 1664525u + 1013904223u;
    return worker->random >> 8;
}

static void count(struct tally *tally, int blocks, size_t size)
{
    tally->live_blocks += blocks;
    tally->live_bytes += blocks * (long)size;
    if (blocks > 0) {
        tally->total_blocks++;
        tally->total_bytes += (long)size;
    }
}

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "signalled: %s: %s\n", what, why);
    abort();
}

__attribute__((noipa)) static void *grab(size_t size)
{
    void *const block = malloc(size);

    if (!block)
        fail("malloc", strerror(errno));
    return block;
}

/* Bits of `path` are turns on the way down. */
__attribute__((noipa)) static void *go(unsigned path, size_t size)
{
    void *block;

    if (path < 2) {
        block = grab(size);
    } else if (path & 1) {
        block = go(path / 2, size);
        after_call = 1;
    } else {
        block = go(path / 2, size);
        after_call = 2;
    }
    return block;
}

static void step_heap(struct worker *worker)
{
    const unsigned slot = next_random(worker) % N_SLOTS;
    const size_t size = 1 + next_random(worker) % 500;

    if (worker->blocks[slot]) {
        free(worker->blocks[slot]);
        count(&worker->heap, -1, worker->sizes[slot]);
    }
    worker->blocks[slot] = go(2 + next_random(worker) % 8192, size);
    worker->sizes[slot] = size;
    count(&worker->heap, 1, size);
}

static void step_tracked(struct worker *worker)
{
    const unsigned slot = next_random(worker) % N_SLOTS;
    const char *const address = (char *)&worker->tracked_at[slot];
    const size_t size = 1 + next_random(worker) % 100;

    if (worker->tracked_at[slot]) {
        alloctrace_untrack(DOMAIN, address);
        count(&worker->tracked, -1, worker->tracked_at[slot]);
        worker->tracked_at[slot] = 0;
    } else {
        alloctrace_track(DOMAIN, address, size);
        count(&worker->tracked, 1, size);
        worker->tracked_at[slot] = size;
    }
}

static void *work(void *argument)
{
    struct worker *const worker = argument;

    while (!atomic_load(&is_over)) {
        step_heap(worker);
        step_tracked(worker);
    }
    return NULL;
}

static void *fork_children(void *unused)
{
    for (int i = 0; i < N_CHILDREN; i++) {
        const pid_t child = fork();

        if (child == 0) {
            free(malloc(3));
            raise(SIGUSR2);
            _exit(0);
        }
        children[i] = child;
        if (child < 0)
            fail("fork", strerror(errno));
        if (waitpid(child, NULL, 0) != child)
            fail("waitpid", strerror(errno));
    }
    while (!atomic_load(&is_over)) /* signals go on coming */
        usleep(1000);
    return unused;
}

static void *load_library(void *path)
{
    while (!atomic_load(&is_over)) {
        void *const library = dlopen(path, RTLD_NOW);
        void (*function)(void);

        if (!library)
            fail("dlopen", dlerror());
        *(void **)&function = dlsym(library, "plugged");
        function();
        dlclose(library);
    }
    return NULL;
}

static void send_signals(int n, const char *file)
{
    for (int i = 0; i < n || (i < 1000 * n && access(file, F_OK) != 0); i++) {
        const int to = i % (N_WORKERS + 3);

        if (to < N_WORKERS)
            pthread_kill(workers[to].thread, SIGUSR2);
        else if (to == N_WORKERS)
            pthread_kill(forker, SIGUSR2);
        else if (to == N_WORKERS + 1)
            pthread_kill(loader, SIGUSR2);
        else
            raise(SIGUSR2);
        if (i % 8 == 0)
            usleep(500);
    }
}

static void print_sum(size_t offset)
{
    struct tally sum = {0};

    for (int i = 0; i < N_WORKERS; i++) {
        const struct tally *const tally =
            (const void *)((const char *)&workers[i] + offset);

        sum.live_blocks += tally->live_blocks;
        sum.live_bytes += tally->live_bytes;
        sum.total_blocks += tally->total_blocks;
        sum.total_bytes += tally->total_bytes;
    }
    printf("%ld %ld %ld %ld\n", sum.live_blocks, sum.live_bytes,
           sum.total_blocks, sum.total_bytes);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    for (int i = 0; i < N_WORKERS; i++) {
        workers[i].random = (uint32_t)i;
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    pthread_create(&forker, NULL, fork_children, NULL);
    pthread_create(&loader, NULL, load_library, argv[1]);
    send_signals(atoi(argv[2]), argv[3]);
    atomic_store(&is_over, true);
    pthread_join(forker, NULL);
    pthread_join(loader, NULL);
    for (int i = 0; i < N_WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    print_sum(offsetof(struct worker, heap));
    print_sum(offsetof(struct worker, tracked));
    for (int i = 0; i < N_CHILDREN; i++)
        printf("%d ", (int)children[i]);
    putchar('\n');
    return 0;
}
#endif
