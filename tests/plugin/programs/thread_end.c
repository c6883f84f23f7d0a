/* SPDX-License-Identifier: MIT */
/* Threads that end in the middle of their work: pthread_exit and
 * pthread_cancel, cleanup handlers on the way, destructors afterwards. */
// flags: -fno-optimize-sibling-calls -pthread
// plain: -O2 -fexceptions
// needs: runtime
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Not instrumented: calls f(n), and g(n) whatever becomes of it. */
void plain_cleanup(void (*f)(int), void (*g)(void *), int n);

#ifdef PLAIN
void plain_cleanup(void (*f)(int), void (*g)(void *), int n)
{
    pthread_cleanup_push(g, NULL);
    f(n);
    pthread_cleanup_pop(0);
}
#else

static volatile int zero;
static pthread_key_t key;

__attribute__((noinline)) static void allocate(int n)
{
    char *p = malloc(n + 1); /* @allocate */

    p[0] = zero;
    free(p);
}

static void handler(void *unused)
{
    (void)unused;
    allocate(1); /* @handler */
}

static void at_end(void *unused)
{
    (void)unused;
    allocate(2); /* @atend */
}

__attribute__((noinline)) static void deep(int n)
{
    char room[256];

    room[0] = zero;
    if (n % 100 > 0) {
        deep(n - 1); /* @deeper */
    } else {
        allocate(n + room[0]); /* @deep */
        if (n >= 100) {
            pthread_cancel(pthread_self());
            pthread_testcancel();
        }
        pthread_exit(NULL);
    }
    zero = room[0];
}

__attribute__((noinline)) static void guarded(int n)
{
    pthread_cleanup_push(handler, NULL); /* @push */
    plain_cleanup(deep, handler, n); /* @guarded */
    pthread_cleanup_pop(0);
}

static void *thread(void *n)
{
    pthread_setspecific(key, &key);
    guarded(*(int *)n); /* @thread */
    return NULL;
}

static void *returns(void *n)
{
    pthread_setspecific(key, &key);
    allocate(*(int *)n); /* @returns */
    return n;
}

static int run(void *(*f)(void *), int n, void *wanted)
{
    pthread_t id;
    void *result;

    if (pthread_create(&id, NULL, f, &n) != 0 ||
        pthread_join(id, &result) != 0)
        return 1;
    return result != (wanted ? wanted : f == returns ? &n : NULL);
}

int main(void)
{
    int n_bad = 0;

    pthread_key_create(&key, at_end);
    n_bad += run(thread, 1, NULL);
    n_bad += run(thread, 101, PTHREAD_CANCELED);
    n_bad += run(returns, 5, NULL);
    allocate(0); /* @main */
    return n_bad;
}
#endif
// expect: malloc allocate@allocate < deep@deep < deep@deeper < guarded@guarded < thread@thread
// expect: malloc allocate@allocate < handler@handler < guarded@guarded < thread@thread
// expect: malloc allocate@allocate < handler@handler < guarded@push < thread@thread
// expect: malloc allocate@allocate < at_end@atend
// expect: malloc allocate@allocate < deep@deep < deep@deeper < guarded@guarded < thread@thread
// expect: malloc allocate@allocate < handler@handler < guarded@guarded < thread@thread
// expect: malloc allocate@allocate < handler@handler < guarded@push < thread@thread
// expect: malloc allocate@allocate < at_end@atend
// expect: malloc allocate@allocate < returns@returns
// expect: malloc allocate@allocate < at_end@atend
// expect: malloc allocate@allocate < main@main
