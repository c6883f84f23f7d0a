/* SPDX-License-Identifier: MIT */
/*
 * Lives for some time in the way that its first argument names; the second one
 * is a number: milliseconds, or MiB to be allocated. Says what became of it,
 * so that anything that disturbs it shows.
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

static void malloc_and_free(void)
{
    void *volatile block = malloc(54321);

    free(block);
}

/* Blocks of 1 KiB, each freed at once, so that nothing ever grows. */
static int churn(int mebibytes)
{
    for (long n = mebibytes * 1024L; n > 0; n--) {
        void *volatile block = malloc(1024);

        free(block);
        if (n % 10240 == 0)
            sleep_once(1);
    }
    return 0;
}

/* A child that closes all it has, as a daemon does: who waits for the end of
 * the output must not wait for it. */
static int detach(int milliseconds)
{
    if (fork() != 0)
        return 0;
    sleep_once(100);
    for (int fd = 0; fd < 64; fd++)
        close(fd);
    malloc_and_free();
    sleep_once(milliseconds);
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
} ways[] = {{"sleep", sleep_once},
            {"poll", poll_once},
            {"compute", compute},
            {"churn", churn},
            {"leave", leave},
            {"detach", detach}};

int main(int argc, char **argv)
{
    void *volatile block = malloc(12345);
    int result = -1;

    if (argc < 3)
        return 2;
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("next file %d, ", dup(0));
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            result = ways[i].function(atoi(argv[2]));
    printf("result %d, single %d\n", result, is_single_threaded());
    free(block);
    return 0;
}
