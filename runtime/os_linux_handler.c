/* SPDX-License-Identifier: MIT */
/* os.h for Linux: which signals have handlers, how they are named, and the one
 * that asks for a dump. */
#define _GNU_SOURCE
#include "os.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Signals in the kernel's own form of a set. */
#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))
#define MAX_SIGNAL 64
/* Must not be blocked, or cannot be; their handlers end the program. */
#define FAULT_SIGNALS                                                 \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) |  \
     SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSYS) | \
     SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

static bool has_handler(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 &&
           action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

/* The C library's own signals (cancelling threads, changing users) are none
 * of those that sigaction knows, and stay. */
uint64_t os_hold_handlers(void)
{
    uint64_t wanted = 0;
    uint64_t before = 0;

    for (int number = 1; number <= MAX_SIGNAL; number++)
        if (!(FAULT_SIGNALS & SIGNAL_BIT(number)) && has_handler(number))
            wanted |= SIGNAL_BIT(number);
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &wanted, &before, sizeof before);
    return before;
}

void os_release_handlers(uint64_t before)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
}

static const struct {
    char name[8];
    int number;
} signal_names[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},     {"QUIT", SIGQUIT},
    {"USR1", SIGUSR1}, {"USR2", SIGUSR2},   {"PIPE", SIGPIPE},
    {"ALRM", SIGALRM}, {"TERM", SIGTERM},   {"CHLD", SIGCHLD},
    {"CONT", SIGCONT}, {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU}, {"URG", SIGURG},     {"XCPU", SIGXCPU},
    {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF},
    {"WINCH", SIGWINCH}, {"IO", SIGIO},     {"PWR", SIGPWR},
};

static int parse_signal_number(const char *digits)
{
    int number = 0;

    for (; *digits >= '0' && *digits <= '9' && number <= MAX_SIGNAL; digits++)
        number = number * 10 + (*digits - '0');
    if (*digits || number < 1 || number > MAX_SIGNAL ||
        (number > SIGSYS && number < SIGRTMIN) ||
        (FAULT_SIGNALS & SIGNAL_BIT(number)))
        return 0;
    return number;
}

int os_signal_number(const char *name)
{
    if (*name >= '0' && *name <= '9')
        return parse_signal_number(name);
    if (strncmp(name, "SIG", 3) == 0)
        name += 3;
    for (size_t i = 0; i < sizeof signal_names / sizeof *signal_names; i++)
        if (strcmp(signal_names[i].name, name) == 0)
            return signal_names[i].number;
    return 0;
}

bool os_catch(int number, void (*handler)(int))
{
    /* On the alternate stack, if the thread has one: other stacks may be
     * those of coroutines, and small. */
    struct sigaction action = {.sa_handler = handler,
                               .sa_flags = SA_RESTART | SA_ONSTACK};

    if (has_handler(number))
        return false;
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, NULL) == 0;
}
