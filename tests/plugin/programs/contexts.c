/* SPDX-License-Identifier: MIT */
/* Coroutines of makecontext and swapcontext, switched by code that is
 * instrumented and by code that is not, resumed by other threads; setcontext
 * to a place on the same stack. */
// flags: -fno-optimize-sibling-calls -pthread
// plain: -O2
// needs: runtime
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

struct coroutine {
    ucontext_t self;
    ucontext_t back;
    char *stack;
    int n;
};

void plain_resume(struct coroutine *coroutine);
void plain_yield(struct coroutine *coroutine);
void plain_again(void (*f)(int), int n);

#ifdef PLAIN
void plain_resume(struct coroutine *coroutine)
{
    swapcontext(&coroutine->back, &coroutine->self);
}

void plain_yield(struct coroutine *coroutine)
{
    swapcontext(&coroutine->self, &coroutine->back);
}

static ucontext_t loop;

static void go_back(int n)
{
    (void)n;
    setcontext(&loop);
}

/* Calls f twice, with setcontext from below instead of a loop. */
void plain_again(void (*f)(int), int n)
{
    volatile int turn = 0;

    getcontext(&loop);
    if (turn++ < 2) {
        f(n + turn);
        go_back(n);
    }
}
#else

enum { N_COROUTINES = 3, STACK_SIZE = 1 << 16 };

static volatile int zero;
static int is_plain;
static struct coroutine coroutines[N_COROUTINES];

__attribute__((noinline)) static void allocate(int n)
{
    char *p = malloc(n + 1); /* @allocate */

    p[0] = zero;
    free(p);
}

__attribute__((noinline)) static void yield(struct coroutine *coroutine)
{
    if (is_plain)
        plain_yield(coroutine);
    else
        swapcontext(&coroutine->self, &coroutine->back);
    allocate(1); /* @yield */
}

__attribute__((noinline)) static void deeper(struct coroutine *coroutine,
                                             int n)
{
    allocate(n); /* @deeper */
    if (n > 0)
        deeper(coroutine, n - 1); /* @again */
    else
        yield(coroutine); /* @bottom */
    zero = 0;
}

static void body(int i)
{
    deeper(&coroutines[i], i); /* @body */
    yield(&coroutines[i]); /* @second */
    allocate(9); /* @last */
}

__attribute__((noinline)) static void resume(struct coroutine *coroutine)
{
    if (is_plain)
        plain_resume(coroutine);
    else
        swapcontext(&coroutine->back, &coroutine->self);
    allocate(2); /* @resumed */
}

static void *thread(void *unused)
{
    for (int i = 0; i < N_COROUTINES; i++)
        resume(&coroutines[i]); /* @thread */
    return unused;
}

static void start(int i)
{
    struct coroutine *const coroutine = &coroutines[i];

    getcontext(&coroutine->self);
    coroutine->stack = calloc(1, STACK_SIZE); /* @stack */
    coroutine->self.uc_stack.ss_sp = coroutine->stack;
    coroutine->self.uc_stack.ss_size = STACK_SIZE;
    coroutine->self.uc_link = &coroutine->back;
    makecontext(&coroutine->self, (void (*)(void))body, 1, i);
}

static void one(int n)
{
    allocate(n); /* @one */
}

int main(void)
{
    for (is_plain = 0; is_plain < 2; is_plain++) {
        for (int i = 0; i < N_COROUTINES; i++)
            start(i); /* @start */
        for (int turn = 0; turn < 3; turn++) {
            pthread_t id;

            pthread_create(&id, NULL, thread, NULL);
            pthread_join(id, NULL);
        }
        for (int i = 0; i < N_COROUTINES; i++)
            free(coroutines[i].stack);
    }
    plain_again(one, 3); /* @loop */
    allocate(0); /* @end */
    return 0;
}
#endif
// expect: calloc start@stack < main@start
// expect: calloc start@stack < main@start
// expect: calloc start@stack < main@start
// expect: malloc allocate@allocate < deeper@deeper < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < deeper@deeper < body@body
// expect: malloc allocate@allocate < deeper@deeper < deeper@again < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < deeper@deeper < body@body
// expect: malloc allocate@allocate < deeper@deeper < deeper@again < body@body
// expect: malloc allocate@allocate < deeper@deeper < deeper@again < deeper@again < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < deeper@bottom < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < deeper@bottom < deeper@again < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < deeper@bottom < deeper@again < deeper@again < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < body@second
// expect: malloc allocate@allocate < body@last
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < body@second
// expect: malloc allocate@allocate < body@last
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < body@second
// expect: malloc allocate@allocate < body@last
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: calloc start@stack < main@start
// expect: calloc start@stack < main@start
// expect: calloc start@stack < main@start
// expect: malloc allocate@allocate < deeper@deeper < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < deeper@deeper < body@body
// expect: malloc allocate@allocate < deeper@deeper < deeper@again < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < deeper@deeper < body@body
// expect: malloc allocate@allocate < deeper@deeper < deeper@again < body@body
// expect: malloc allocate@allocate < deeper@deeper < deeper@again < deeper@again < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < deeper@bottom < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < deeper@bottom < deeper@again < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < deeper@bottom < deeper@again < deeper@again < body@body
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < body@second
// expect: malloc allocate@allocate < body@last
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < body@second
// expect: malloc allocate@allocate < body@last
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < yield@yield < body@second
// expect: malloc allocate@allocate < body@last
// expect: malloc allocate@allocate < resume@resumed < thread@thread
// expect: malloc allocate@allocate < one@one < main@loop
// expect: malloc allocate@allocate < one@one < main@loop
// expect: malloc allocate@allocate < main@end
