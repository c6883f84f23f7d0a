/* SPDX-License-Identifier: MIT */
/* A thread's stack of frames starts empty and is its own; exit from below. */
// flags: -pthread -fno-optimize-sibling-calls
#include <pthread.h>
#include <stdlib.h>

#include "probe.h"

static volatile int zero;

__attribute__((noinline)) static void *allocate(int n)
{
    char *p = malloc(n); /* @allocate */

    p[0] = zero;
    return p;
}

static void *thread(void *argument)
{
    free(allocate(*(int *)argument)); /* @thread */
    return NULL;
}

__attribute__((noinline, noreturn)) static void end(void)
{
    free(allocate(5)); /* @end */
    probe_may_end_deep = 1;
    exit(zero);
}

int main(void)
{
    int n = 4;
    pthread_t id;

    for (int i = 0; i < 2; i++) {
        if (pthread_create(&id, NULL, thread, &n) != 0)
            return 1;
        pthread_join(id, NULL);
    }
    end(); /* @main */
}
// expect: malloc allocate@allocate < thread@thread
// expect: malloc allocate@allocate < thread@thread
// expect: malloc allocate@allocate < end@end < main@main
