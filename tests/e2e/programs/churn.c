/* SPDX-License-Identifier: MIT */
/*
 * 100,000 short threads, a few at a time: of several names, detached, on the
 * smallest stacks, ended by pthread_exit or cancelled, with 40 keys of
 * thread-specific data. Each leaves a block to be freed by a later one. The
 * program counts by itself what the threads of each name allocate:
 *
 *     churn DUMP THREADS
 *
 * Output: the tracer's own memory after a tenth of the threads and at the end;
 * then for each name: name, blocks, bytes.
 */
#define _GNU_SOURCE
#include <alloctrace.h>

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define N_AT_ONCE 8
#define N_NAMES 5
#define N_KEYS 40
#define N_BOXES 64

static const char *const names[N_NAMES] = {"reader", "writer", "cleaner",
                                           "logger", "watcher"};
static struct {
    atomic_llong blocks;
    atomic_llong bytes;
} counts[N_NAMES];
static _Atomic(void *) boxes[N_BOXES];
static pthread_key_t keys[N_KEYS];
static sem_t n_running;

static void *allocate(unsigned name, size_t size)
{
    atomic_fetch_add(&counts[name].blocks, 1);
    atomic_fetch_add(&counts[name].bytes, (long long)size);
    return malloc(size);
}

/* Runs after the runtime's own destructor in its later rounds. */
static void on_end(void *value)
{
    const unsigned name = (unsigned)(uintptr_t)value - 1;

    free(allocate(name, 33));
}

static void *work(void *argument)
{
    const unsigned number = (unsigned)(uintptr_t)argument;
    const unsigned name = number % N_NAMES;

    free(allocate(name, 10));
    pthread_setname_np(pthread_self(), names[name]);
    if (number % 7 == 0)
        for (int i = 0; i < N_KEYS; i++)
            pthread_setspecific(keys[i], (void *)(uintptr_t)(name + 1));
    free(atomic_exchange(&boxes[number % N_BOXES],
                         allocate(name, 100 + number % 50)));
    sem_post(&n_running);
    if (number % 3 == 1)
        pthread_exit(NULL);
    while (number % 3 == 2)
        pause(); /* until it is cancelled */
    return NULL;
}

static void run_one(pthread_t *thread, unsigned number, pthread_attr_t *small)
{
    if (pthread_create(thread, number % 2 ? small : NULL, work,
                       (void *)(uintptr_t)number) != 0)
        abort();
}

/* As the system counts them: until they are gone, not until they are joined. */
static unsigned count_threads(void)
{
    DIR *const folder = opendir("/proc/self/task");
    unsigned n = 0;

    if (!folder)
        abort();
    while (readdir(folder))
        n++;
    closedir(folder);
    return n - 2; /* . and .. */
}

/* Waits for detached threads to end: when they do is the system's choice. */
static void wait_until_at_most(unsigned n)
{
    while (count_threads() > n)
        usleep(1000);
}

/* All of them have done their work before any is joined. */
static void run_some(unsigned first, pthread_attr_t *small)
{
    pthread_t threads[N_AT_ONCE];

    for (unsigned i = 0; i < N_AT_ONCE; i++)
        run_one(&threads[i], first + i, small);
    for (unsigned i = 0; i < N_AT_ONCE; i++)
        sem_wait(&n_running);
    for (unsigned i = 0; i < N_AT_ONCE; i++) {
        if ((first + i) % 3 == 2)
            pthread_cancel(threads[i]);
        if ((first + i) % 5 == 0)
            pthread_detach(threads[i]);
        else
            pthread_join(threads[i], NULL);
    }
    wait_until_at_most(N_AT_ONCE); /* else there are more on a busy machine */
}

int main(int argc, char **argv)
{
    pthread_attr_t small;
    unsigned n_threads;
    uint64_t early = 0;

    if (argc != 3)
        return 2;
    n_threads = (unsigned)atoi(argv[2]);
    sem_init(&n_running, 0, 0);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN);
    for (int i = 0; i < N_KEYS; i++)
        pthread_key_create(&keys[i], i == 0 || i == 39 ? on_end : NULL);
    for (unsigned i = 0; i < n_threads; i += N_AT_ONCE) {
        run_some(i, &small);
        if (!early && i >= n_threads / 10)
            early = alloctrace_get_overhead_memory();
    }
    wait_until_at_most(1); /* what they count as they end is in the dump */
    if (alloctrace_dump(argv[1]) != 0)
        return 3;
    printf("%llu %llu\n", (unsigned long long)early,
           (unsigned long long)alloctrace_get_overhead_memory());
    for (int i = 0; i < N_NAMES; i++)
        printf("%s %lld %lld\n", names[i], counts[i].blocks, counts[i].bytes);
    return 0;
}
