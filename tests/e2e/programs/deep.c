/* SPDX-License-Identifier: MIT */
/* deep N EACH: recursion N deep, on a thread with a stack of 1 GiB. At the
 * bottom a block is allocated; with EACH one at every level as well, which is
 * kept. Two functions call one another, so that no level is a loop. */
#include <pthread.h>
#include <stdlib.h>

struct block {
    struct block *next;
};

static struct block *kept;
static int each;
static volatile int zero;

static void keep(void)
{
    struct block *const block = malloc(sizeof *block);

    if (!block)
        abort();
    block->next = kept;
    kept = block;
}

__attribute__((noipa)) static void odd(int n);

__attribute__((noipa)) static void even(int n)
{
    if (each || n == 0)
        keep();
    if (n > 0)
        odd(n - 1);
    zero = n;
}

__attribute__((noipa)) static void odd(int n)
{
    if (each || n == 0)
        keep();
    if (n > 0)
        even(n - 1);
    zero = n;
}

static void *thread(void *n)
{
    even(*(int *)n);
    return n;
}

int main(int argc, char **argv)
{
    pthread_attr_t attributes;
    pthread_t id;
    int n;

    if (argc != 3)
        return 2;
    n = atoi(argv[1]);
    each = atoi(argv[2]);
    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstacksize(&attributes, (size_t)1 << 30) != 0 ||
        pthread_create(&id, &attributes, thread, &n) != 0 ||
        pthread_join(id, NULL) != 0)
        return 1;
    return zero != n;
}
