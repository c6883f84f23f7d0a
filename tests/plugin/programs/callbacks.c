/* SPDX-License-Identifier: MIT */
/* Instrumented code called from the C library: qsort, signals, atexit. */
// flags: -fno-optimize-sibling-calls
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile int zero;
static char stack[1 << 16];

__attribute__((noinline)) static void *allocate(int n)
{
    char *p = malloc(n); /* @allocate */

    p[0] = zero;
    return p;
}

static int n_compared;

/* Sanitizers try the function before they sort with it. */
static int compare(const void *a, const void *b)
{
    if (n_compared++ == 0)
        free(allocate(2)); /* @compare */
    return *(const int *)a - *(const int *)b;
}

static void handler(int number)
{
    free(allocate(number)); /* @handler */
}

static void at_end(void)
{
    free(allocate(3)); /* @atend */
}

__attribute__((noinline)) static void sorts(int *numbers)
{
    qsort(numbers, 2, sizeof *numbers, compare); /* @qsort */
    free(allocate(4)); /* @sorted */
}

int main(void)
{
    int numbers[] = {2, 1};
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

    atexit(at_end);
    sorts(numbers); /* @sorts */
    sigaltstack(&alternate, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1); /* @raise */
    free(allocate(numbers[0])); /* @end */
    return 0;
}
// expect: malloc allocate@allocate < compare@compare < sorts@qsort < main@sorts
// expect: malloc allocate@allocate < sorts@sorted < main@sorts
// expect: malloc allocate@allocate < handler@handler < main@raise
// expect: malloc allocate@allocate < main@end
// expect: malloc allocate@allocate < at_end@atend
