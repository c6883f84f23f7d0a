/* SPDX-License-Identifier: MIT */
/*
 * Lives for some time in the way that its first argument names; the second one
 * is a number: milliseconds, or MiB to be allocated. Says what became of it,
 * so that anything that disturbs it shows.
 *
 * The third is the number of dumps, a.1.x and on, to be met within one call, or
 * the MiB between two of them; 0 if none is to come. On a busy machine they
 * come when they can: they are waited for here, in the midst of what is tested,
 * for no longer than LONGEST.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LONGEST 60000 /* milliseconds */
#define STEP 10       /* MiB from one look at the dumps to the next */

static int n_wanted; /* the third argument */

static int has_dump(long number)
{
    char name[64];

    snprintf(name, sizeof name, "a.%ld.x", number);
    return access(name, F_OK) == 0;
}

static long count_dumps(void)
{
    long n = 0;

    while (has_dump(n + 1))
        n++;
    return n;
}

/* One library call; the error if it was interrupted, or what was left. */
static int sleep_once(int milliseconds)
{
    const struct timespec time = {milliseconds / 1000,
                                  milliseconds % 1000 * 1000000L};

    return nanosleep(&time, NULL) != 0 ? errno : 0;
}

static int poll_once(int milliseconds)
{
    return poll(NULL, 0, milliseconds) != 0 ? errno : 0;
}

static int compute(int milliseconds)
{
    const clock_t end = clock() + (clock_t)milliseconds * (CLOCKS_PER_SEC / 1000);
    unsigned long sum = 0;

    while (clock() < end)
        for (unsigned i = 0; i < 1000; i++)
            sum = sum * 31 + i;
    return sum == 1;
}

/* A call that is made again, twice as long, until enough dumps have come while
 * it lasted. */
static int last_until_dumped(int (*call)(int), int milliseconds)
{
    long before;
    int result;

    do {
        before = count_dumps();
        result = call(milliseconds);
        milliseconds *= 2;
    } while (result == 0 && count_dumps() < before + n_wanted &&
             milliseconds < LONGEST);
    return result;
}

static int sleep_long(int milliseconds)
{
    return last_until_dumped(sleep_once, milliseconds);
}

static int poll_long(int milliseconds)
{
    return last_until_dumped(poll_once, milliseconds);
}

static int compute_long(int milliseconds)
{
    return last_until_dumped(compute, milliseconds);
}

/* Looks often; gives up when it has slept so long. */
static void wait_for(int (*has_come)(long), long number, int milliseconds)
{
    for (; milliseconds > 0 && !has_come(number); milliseconds--)
        sleep_once(1);
}

static void malloc_and_free(void)
{
    void *volatile block = malloc(54321);

    free(block);
}

/* Blocks of 1 KiB, each freed at once, so that nothing ever grows. Whenever a
 * dump is due, it has to come before the next step. */
static int churn(int mebibytes)
{
    for (int done = STEP; done <= mebibytes; done += STEP) {
        for (int n = 0; n < STEP * 1024; n++) {
            void *volatile block = malloc(1024);

            free(block);
        }
        wait_for(has_dump, done / n_wanted, done < n_wanted ? 0 : LONGEST);
    }
    return 0;
}

static int may_end(long unused)
{
    (void)unused;
    return access("end", F_OK) == 0;
}

/* A child that closes all it has, as a daemon does: who waits for the end of
 * the output must not wait for it. It ends when a file says so. */
static int detach(int milliseconds)
{
    if (fork() != 0)
        return 0;
    sleep_once(100);
    for (int fd = 0; fd < 64; fd++)
        close(fd);
    malloc_and_free();
    wait_for(may_end, 0, milliseconds);
    exit(0);
}

/* Only the last thread is left, and ends. */
static int leave(int milliseconds)
{
    sleep_once(milliseconds);
    pthread_exit(NULL);
}

static int is_single_threaded(void)
{
    extern char __libc_single_threaded __attribute__((weak));

    return !&__libc_single_threaded || __libc_single_threaded;
}

static const struct {
    const char *name;
    int (*function)(int);
} ways[] = {{"sleep", sleep_long},
            {"poll", poll_long},
            {"compute", compute_long},
            {"churn", churn},
            {"leave", leave},
            {"detach", detach}};

int main(int argc, char **argv)
{
    void *volatile block = malloc(12345);
    int result = -1;

    if (argc < 4)
        return 2;
    n_wanted = atoi(argv[3]);
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("next file %d, ", dup(0));
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            result = ways[i].function(atoi(argv[2]));
    printf("result %d, single %d\n", result, is_single_threaded());
    free(block);
    return 0;
}
