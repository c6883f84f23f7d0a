/* SPDX-License-Identifier: MIT */
/*
 * Running a program in our place: it gets our streams and the terminal, and
 * we outlive it to report on it. Signals: a terminal's interrupt and quit go
 * to the program as well as to us, who ignore them; what only we are sent
 * (termination, hang-up, the user's signals) is handed on to it.
 *
 * Owns the one static variable that a signal handler needs.
 */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "out.h"

enum { EXIT_NOT_RUNNABLE = 126, EXIT_NOT_FOUND = 127 };

/* What we do with a signal while the program runs. */
static const struct {
    int number;
    bool is_handed_on; /* else ignored */
} signals[] = {
    {SIGINT, false}, {SIGQUIT, false}, {SIGTERM, true},
    {SIGHUP, true},  {SIGUSR1, true},  {SIGUSR2, true},
};
enum { N_SIGNALS = sizeof signals / sizeof *signals };

/* The program's process while it runs; set while the signals are blocked. */
static volatile sig_atomic_t launched;

/* Signals as they were before. */
struct saved {
    struct sigaction actions[N_SIGNALS];
    sigset_t mask;
};

static void hand_on(int number)
{
    int saved_errno = errno;

    if (launched > 0)
        kill((pid_t)launched, number);
    errno = saved_errno;
}

static void block_signals(struct saved *saved)
{
    sigset_t set;

    sigemptyset(&set);
    for (int i = 0; i < N_SIGNALS; i++)
        sigaddset(&set, signals[i].number);
    sigprocmask(SIG_BLOCK, &set, &saved->mask);
}

static void take_signals(struct saved *saved)
{
    for (int i = 0; i < N_SIGNALS; i++) {
        struct sigaction action = {.sa_flags = SA_RESTART};

        action.sa_handler = signals[i].is_handed_on ? hand_on : SIG_IGN;
        sigemptyset(&action.sa_mask);
        sigaction(signals[i].number, &action, &saved->actions[i]);
    }
    sigprocmask(SIG_SETMASK, &saved->mask, NULL);
}

static void give_signals_back(const struct saved *saved)
{
    for (int i = 0; i < N_SIGNALS; i++)
        sigaction(signals[i].number, &saved->actions[i], NULL);
}

/* In the child: becomes the program, or says through the pipe why not. */
static void become(char **argv, const struct saved *saved, int pipe_end)
{
    int why;

    sigprocmask(SIG_SETMASK, &saved->mask, NULL);
    execvp(argv[0], argv);
    why = errno;
    if (write(pipe_end, &why, sizeof why) < 0)
        _exit(EXIT_NOT_RUNNABLE);
    _exit(EXIT_NOT_FOUND);
}

/* Waits until the child is the program or has failed to become it. Returns
 * 0 or the error. */
static int wait_for_start(int pipe_end)
{
    int why = 0;
    ssize_t n;

    do
        n = read(pipe_end, &why, sizeof why);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof why ? why : 0;
}

static int fail_start(const char *program, int why)
{
    fprintf(stderr, "alloctrace: %s: cannot run it: %s\n", program,
            strerror(why));
    return why == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE;
}

static int fail_process(const char *program)
{
    fprintf(stderr, "alloctrace: %s: cannot make a process: %s\n", program,
            strerror(errno));
    return EXIT_UNUSABLE;
}

int launch(char **argv, pid_t *pid, int *status)
{
    struct saved saved;
    int ends[2]; /* closed when the child becomes the program */
    int why;

    if (pipe(ends) || fcntl(ends[0], F_SETFD, FD_CLOEXEC) ||
        fcntl(ends[1], F_SETFD, FD_CLOEXEC))
        return fail_process(argv[0]);
    block_signals(&saved);
    *pid = fork();
    if (*pid == 0)
        become(argv, &saved, ends[1]);
    close(ends[1]);
    if (*pid < 0) {
        sigprocmask(SIG_SETMASK, &saved.mask, NULL);
        close(ends[0]);
        return fail_process(argv[0]);
    }
    launched = *pid;
    take_signals(&saved);
    why = wait_for_start(ends[0]);
    close(ends[0]);
    while (waitpid(*pid, status, 0) < 0 && errno == EINTR)
        continue;
    launched = 0;
    give_signals_back(&saved);
    return why ? fail_start(argv[0], why) : 0;
}
