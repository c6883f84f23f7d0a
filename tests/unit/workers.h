/* SPDX-License-Identifier: MIT */
/*
 * Threads that do what the test tells them, one thing at a time: events of
 * several threads in an order that the test knows.
 *
 *     worker_do(&workers[1], free_it, block);   returns when it is done
 */
#ifndef TEST_WORKERS_H
#define TEST_WORKERS_H

#include <pthread.h>
#include <semaphore.h>

typedef void *worker_task(void *argument);

struct worker {
    pthread_t thread;
    sem_t is_asked;
    sem_t is_done;
    worker_task *task; /* NULL: the thread ends */
    void *argument;
    void *result;
};

static inline void *worker_run(void *self)
{
    struct worker *const worker = self;

    for (;;) {
        sem_wait(&worker->is_asked);
        if (!worker->task)
            return NULL;
        worker->result = worker->task(worker->argument);
        sem_post(&worker->is_done);
    }
}

static inline void worker_start(struct worker *worker)
{
    sem_init(&worker->is_asked, 0, 0);
    sem_init(&worker->is_done, 0, 0);
    pthread_create(&worker->thread, NULL, worker_run, worker);
}

static inline void *worker_do(struct worker *worker, worker_task *task,
                              void *argument)
{
    worker->task = task;
    worker->argument = argument;
    sem_post(&worker->is_asked);
    sem_wait(&worker->is_done);
    return worker->result;
}

static inline void worker_end(struct worker *worker)
{
    worker->task = NULL;
    sem_post(&worker->is_asked);
    pthread_join(worker->thread, NULL);
}

#endif
