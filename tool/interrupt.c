/* SPDX-License-Identifier: MIT */
/*
 * See interrupt.h. Temporary files, the command's (outfile.c) and the
 * analysis's, have the number of the process in their names, which end in
 * .tmp; which of them there are the system knows best: the handler looks
 * through the files that are open. One that has just been closed, and has not
 * got its name yet, is missed: that takes microseconds.
 */
#include "interrupt.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Numbers of files that are looked at. The lowest free one is given out. */
#define MOST_FILES 1024

static const int signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
enum { N_SIGNALS = sizeof signals / sizeof *signals };

/* ".PID.", as the handler must not print. */
static char mark[32];

/* Writes the name of the link that says what is open under a number. */
static void name_link(char *at, int fd)
{
    static const char folder[] = "/proc/self/fd/";
    int unit = 1;

    memcpy(at, folder, sizeof folder - 1);
    at += sizeof folder - 1;
    while (fd / unit >= 10)
        unit *= 10;
    for (; unit > 0; unit /= 10)
        *at++ = (char)('0' + fd / unit % 10);
    *at = '\0';
}

static bool is_temporary(const char *path)
{
    static const char end[] = ".tmp";
    const size_t size = strlen(path);
    const char *const slash = strrchr(path, '/');

    return slash && strstr(slash, mark) && size >= sizeof end - 1 &&
           strcmp(path + size - (sizeof end - 1), end) == 0;
}

/* The action is the default one by then: it ends the process when the handler
 * returns. */
static void remove_temporary(int number)
{
    for (int fd = STDERR_FILENO + 1; fd < MOST_FILES; fd++) {
        char path[PATH_MAX];
        char link[32];
        ssize_t n;

        name_link(link, fd);
        n = readlink(link, path, sizeof path - 1);
        if (n <= 0)
            continue;
        path[n] = '\0';
        if (is_temporary(path))
            unlink(path);
    }
    raise(number);
}

void interrupt_init(void)
{
    struct sigaction action = {.sa_handler = remove_temporary,
                               .sa_flags = (int)SA_RESETHAND};

    snprintf(mark, sizeof mark, ".%ld.", (long)getpid());
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < N_SIGNALS; i++) {
        struct sigaction before;

        sigaction(signals[i], NULL, &before);
        if (before.sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
    }
}
