/* SPDX-License-Identifier: MIT */
/*
 * os.h for Linux: signals. A fatal signal's handler leaves the process to the
 * signal's default action in the end, with the siginfo that the kernel gave:
 * status and core dump are what they are without it. A signal of the user's
 * choice has a handler called.
 */
#define _GNU_SOURCE
#include "os.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's own name of sigaction, which a program does not replace. */
extern int __sigaction(int, const struct sigaction *, struct sigaction *)
    __attribute__((weak));

static int set_action(int number, const struct sigaction *action,
                      struct sigaction *old)
{
    return __sigaction ? __sigaction(number, action, old)
                       : sigaction(number, action, old);
}

static const struct {
    int number;
    const char *name;
} fatal[] = {{SIGSEGV, "SIGSEGV"},
             {SIGBUS, "SIGBUS"},
             {SIGFPE, "SIGFPE"},
             {SIGILL, "SIGILL"},
             {SIGABRT, "SIGABRT"}};
#define N_FATAL (sizeof fatal / sizeof *fatal)

static void (*on_fatal)(const char *name);

/* Who is on its way out, and of what. A child of vfork writes here too, but
 * its thread id is no other's. */
static uint32_t dying_thread;
static siginfo_t dying_of;

/* Does the instruction fault again when the handler returns? What was sent,
 * what the kernel could not do (SI_KERNEL), and bad memory that it found by
 * itself do not come back. */
static bool comes_back(const siginfo_t *info)
{
    return info->si_code > 0 && info->si_code != SI_KERNEL &&
           !(info->si_signo == SIGBUS && info->si_code == BUS_MCEERR_AO);
}

static void send_again(siginfo_t *info)
{
    syscall(SYS_rt_tgsigqueueinfo, os_pid(), os_tid(), info->si_signo, info);
}

/* The default action, for the signal that comes again, as it was, when the
 * handler returns: where the program was hit. */
static void die(siginfo_t *info)
{
    const struct sigaction action = {.sa_handler = SIG_DFL};

    set_action(info->si_signo, &action, NULL);
    if (!comes_back(info))
        send_again(info);
}

/* The dump itself has faulted: the process ends by what hit the program. */
static void die_at_once(siginfo_t *info)
{
    const uint64_t mask = UINT64_C(1) << (info->si_signo - 1);

    die(info);
    if (comes_back(info))
        send_again(info);
    syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, sizeof mask);
}

static void handle(int number, siginfo_t *info, void *context)
{
    const int saved = errno;
    const uint32_t self = os_tid();

    (void)context;
    if (dying_thread == self)
        die_at_once(&dying_of);
    dying_of = *info;
    dying_thread = self;
    for (size_t i = 0; i < N_FATAL; i++)
        if (fatal[i].number == number)
            on_fatal(fatal[i].name);
    die(info);
    errno = saved;
}

void os_catch_fatal(void (*handler)(const char *name))
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};

    on_fatal = handler;
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < N_FATAL; i++)
        sigdelset(&action.sa_mask, fatal[i].number);
    for (size_t i = 0; i < N_FATAL; i++) {
        struct sigaction old;

        if (set_action(fatal[i].number, NULL, &old) == 0 &&
            !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_DFL)
            set_action(fatal[i].number, &action, NULL);
    }
}

/* Asked of the kernel, for the C library's own signals too. The handler comes
 * first in the kernel's struct, whatever follows. */
static bool has_handler(int number)
{
    struct {
        void (*handler)(int);
        unsigned char rest[120];
    } action = {SIG_DFL, {0}};

    syscall(SYS_rt_sigaction, number, NULL, &action, (size_t)8);
    return action.handler != SIG_DFL && action.handler != SIG_IGN;
}

/* glibc's own: who calls setuid waits until every thread has had it. */
#define CHANGE_USER 33

uint64_t os_hold_handlers(void)
{
    uint64_t mask = 0;
    uint64_t before = 0;

    for (int number = 1; number <= 64; number++)
        if (number != CHANGE_USER && has_handler(number))
            mask |= UINT64_C(1) << (number - 1);
    for (size_t i = 0; i < N_FATAL; i++)
        mask &= ~(UINT64_C(1) << (fatal[i].number - 1));
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, &before, sizeof before);
    return before;
}

void os_release_handlers(uint64_t before)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
}

#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))
#define MAX_SIGNAL 64
/* Must not be blocked, or cannot be; their handlers end the program. */
#define FAULT_SIGNALS                                                 \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) |  \
     SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSYS) | \
     SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

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
    return set_action(number, &action, NULL) == 0;
}
