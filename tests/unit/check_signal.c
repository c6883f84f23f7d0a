/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_alloctrace.h"
#include "runtime.h"

static const char *caught = "nothing";
static volatile int *volatile nowhere = (volatile int *)8;

static void say_name(const char *name)
{
    if (write(1, name, strlen(name)) < 0)
        _exit(1);
}

static void fault(const char *name)
{
    (void)name;
    *nowhere = 1;
}

static void nest(const char *name)
{
    if (strcmp(name, "SIGABRT") == 0)
        raise(SIGFPE); /* a signal of another kind on top */
    say_name(name);
}

/* Signals have their default action, as in a program that has just begun. */
static void forget_handlers(void)
{
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    signal(SIGFPE, SIG_DFL);
    signal(SIGILL, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
}

/* The status of a child that a signal hits, and what its handler wrote. */
static int status_of(void (*handler)(const char *), int number, char *said,
                     size_t size)
{
    int ends[2];
    int status;
    pid_t child;
    ssize_t n;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(ends[1], 1);
        forget_handlers();
        os_catch_fatal(handler);
        raise(number);
        _exit(0);
    }
    close(ends[1]);
    n = read(ends[0], said, size - 1);
    said[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status & ~0x80; /* a core that goes to a pipe has no limit */
}

START_TEST(the_handler_is_told_the_name_and_the_process_dies_of_it)
{
    char said[32];

    ck_assert_int_eq(status_of(say_name, SIGABRT, said, sizeof said), SIGABRT);
    ck_assert_str_eq(said, "SIGABRT");
    ck_assert_int_eq(status_of(say_name, SIGSEGV, said, sizeof said), SIGSEGV);
    ck_assert_str_eq(said, "SIGSEGV");
    ck_assert_int_eq(status_of(say_name, SIGHUP, said, sizeof said), SIGHUP);
    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(a_fault_in_the_handler_does_not_change_the_status)
{
    char said[32];

    ck_assert_int_eq(status_of(fault, SIGABRT, said, sizeof said), SIGABRT);
    ck_assert_int_eq(status_of(fault, SIGBUS, said, sizeof said), SIGBUS);
    ck_assert_int_eq(status_of(fault, SIGSEGV, said, sizeof said), SIGSEGV);
    ck_assert_int_eq(status_of(nest, SIGABRT, said, sizeof said), SIGABRT);
    ck_assert_str_eq(said, "");
}
END_TEST

static void program_handler(int number)
{
    (void)number;
    caught = "by the program";
}

START_TEST(the_program_keeps_its_handlers)
{
    struct sigaction action;

    forget_handlers();
    signal(SIGFPE, program_handler);
    signal(SIGILL, SIG_IGN);
    os_catch_fatal(say_name);
    raise(SIGFPE);
    ck_assert_str_eq(caught, "by the program");
    sigaction(SIGILL, NULL, &action);
    ck_assert(action.sa_handler == SIG_IGN);
    forget_handlers();
}
END_TEST

START_TEST(handlers_wait_until_they_are_released)
{
    uint64_t before;
    sigset_t mask;

    signal(SIGUSR1, program_handler);
    signal(SIGUSR2, SIG_IGN);
    before = os_hold_handlers();
    raise(SIGUSR1);
    ck_assert_str_eq(caught, "nothing");
    sigprocmask(SIG_BLOCK, NULL, &mask);
    ck_assert(sigismember(&mask, SIGUSR1));
    ck_assert(!sigismember(&mask, SIGUSR2)); /* ignored */
    ck_assert(!sigismember(&mask, SIGHUP)); /* of default action */
    os_release_handlers(before);
    usleep(1); /* ThreadSanitizer delays handlers until the next such call */
    ck_assert_str_eq(caught, "by the program");
    sigprocmask(SIG_BLOCK, NULL, &mask);
    ck_assert(!sigismember(&mask, SIGUSR1));
}
END_TEST

CHECK_MAIN("signal", the_handler_is_told_the_name_and_the_process_dies_of_it,
           a_fault_in_the_handler_does_not_change_the_status,
           the_program_keeps_its_handlers,
           handlers_wait_until_they_are_released)
