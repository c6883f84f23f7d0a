/* SPDX-License-Identifier: MIT */
/* interrupt N: signal handlers on an alternate stack that allocate, while the
 * program allocates: at any instruction of the program, of the allocator (the
 * program's own, which a signal may interrupt) and of the runtime.
 *
 * Prints how many blocks and bytes were allocated, and in how many turns of
 * the handler. Each turn has a path of its own, so that the runtime meets new
 * paths in the middle of meeting others. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#ifdef ALLOCATOR

enum { MEMORY_SIZE = 1 << 28, ALIGNMENT = 32 };

static char memory[MEMORY_SIZE] __attribute__((aligned(ALIGNMENT)));
static size_t used;

/* The program's own allocator, compiled without the plugin: may be interrupted and called again. */
void *malloc(size_t size)
{
    const size_t rounded = (size + ALIGNMENT) & ~(size_t)(ALIGNMENT - 1);
    const size_t at = __atomic_fetch_add(&used, rounded, __ATOMIC_RELAXED);

    return at + rounded <= MEMORY_SIZE ? memory + at : NULL;
}

void free(void *block)
{
    (void)block;
}

void *calloc(size_t n, size_t size)
{
    return malloc(n * size); /* never given out before: zeroed */
}

void *realloc(void *block, size_t size)
{
    (void)block;
    (void)size;
    return NULL;
}

#else

/* Turns that are to come, however few of them a timer gives; and how many times
 * as many paths as were asked for may be walked for that. */
enum { ENOUGH = 1000, MOST_ROUNDS = 20 };

static unsigned long n_blocks, n_bytes, n_turns;
static volatile int after_call; /* so that no call is a jump */
static char stack[1 << 16];

__attribute__((noipa)) static void take(size_t size)
{
    if (!malloc(size))
        abort();
    __atomic_fetch_add(&n_blocks, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&n_bytes, size, __ATOMIC_RELAXED);
}

__attribute__((noipa)) static void one(unsigned path, unsigned size);

__attribute__((noipa)) static void two(unsigned path, unsigned size)
{
    if (path < 2)
        take(size + 1);
    else if (path & 1)
        one(path / 2, size);
    else
        two(path / 2, size);
    after_call = 1;
}

/* Bits of `path` are turns on the way down. */
__attribute__((noipa)) static void one(unsigned path, unsigned size)
{
    if (path < 2)
        take(size);
    else if (path & 1)
        two(path / 2, size);
    else
        one(path / 2, size);
    after_call = 1;
}

static void handler(int number)
{
    n_turns++;
    one((unsigned)n_turns + 1000, (unsigned)number);
    two((unsigned)n_turns / 3 + 1000, (unsigned)number);
}

int main(int argc, char **argv)
{
    const struct itimerval often = {{0, 100}, {0, 100}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    const unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 0;

    sigaltstack(&alternate, NULL);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (unsigned i = 2;
         i < n || (n_turns < ENOUGH && i < MOST_ROUNDS * n); i++)
        one(i, i & 15);
    setitimer(ITIMER_REAL, &never, NULL);
    take(1000); /* a peak that nothing interrupts */
    {
        char line[100];
        const int size = snprintf(line, sizeof line, "%lu %lu %lu\n", n_blocks,
                                  n_bytes, n_turns);

        return fwrite(line, 1, (size_t)size, stdout) != (size_t)size;
    }
}
#endif
