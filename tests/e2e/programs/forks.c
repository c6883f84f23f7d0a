/* SPDX-License-Identifier: MIT */
/*
 * Makes other processes in the way that its argument names. Each process that
 * allocates and ends as such prints "PID BYTES" before it does: its id, and
 * how much it and its ancestors before the fork had asked for.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_FORKS 30
#define N_THREADS 3

extern char **environ;

static void *volatile sink;
static unsigned long n_bytes;

static void take(size_t size)
{
    sink = malloc(size);
    n_bytes += size;
}

static void put_number(char **at, unsigned long number)
{
    char digits[24];
    size_t n = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    while (n > 0)
        *(*at)++ = digits[--n];
}

static void say(void)
{
    char line[64];
    char *at = line;

    put_number(&at, (unsigned long)syscall(SYS_getpid));
    *at++ = ' ';
    put_number(&at, n_bytes);
    *at++ = '\n';
    if (write(1, line, (size_t)(at - line)) < 0)
        abort();
}

static void expect(int status, int expected)
{
    if (status != expected)
        exit(99);
}

static void wait_for(pid_t child, int expected)
{
    int status;

    if (waitpid(child, &status, __WALL) != child)
        exit(98);
    expect(status, expected);
}

static void end_child(void)
{
    take(2000);
    say();
    _exit(5);
}

static void by_fork(void)
{
    const pid_t child = fork();

    if (child == 0)
        end_child();
    wait_for(child, 5 << 8);
}

/* A child's child, which returns from main; and their parent after them. */
static void by_generations(void)
{
    const pid_t child = fork();

    if (child == 0) {
        take(100);
        by_fork();
        say();
        exit(6);
    }
    wait_for(child, 6 << 8);
}

static void by_exec(void)
{
    const pid_t child = fork();

    if (child == 0) {
        take(2000);
        execl("/bin/true", "true", NULL);
    }
    wait_for(child, 0);
}

static void by_failed_exec(void)
{
    const pid_t child = fork();

    if (child == 0) {
        execl("/nonexistent", "nonexistent", NULL);
        say();
        _exit(127);
    }
    wait_for(child, 127 << 8);
}

static void by_fault(void)
{
    const pid_t child = fork();

    if (child == 0) {
        take(2000);
        say();
        abort();
    }
    wait_for(child, SIGABRT);
}

static void by_vfork(void)
{
    pid_t child = vfork();

    if (child == 0)
        _exit(5);
    wait_for(child, 5 << 8);
    child = vfork();
    if (child == 0) {
        execl("/nonexistent", "nonexistent", NULL);
        _exit(127);
    }
    wait_for(child, 127 << 8);
    child = vfork();
    if (child == 0)
        execl("/bin/true", "true", NULL);
    wait_for(child, 0);
    child = vfork();
    if (child == 0)
        abort();
    wait_for(child, SIGABRT);
    take(300);
}

static void by_spawn(void)
{
    char *const arguments[] = {"true", NULL};
    pid_t child;

    expect(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ), 0);
    wait_for(child, 0);
    expect(system("exit 3"), 3 << 8);
}

static int in_clone(void *unused)
{
    (void)unused;
    _exit(5);
}

/* Shares all memory, thread-local variables too, and is no vfork. */
static void by_clone(void)
{
    static char stack[65536] __attribute__((aligned(64)));

    wait_for(clone(in_clone, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL),
             5 << 8);
    take(300);
}

/* Behind the C library's back. */
static void by_system_call(void)
{
    const pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

    if (child == 0)
        end_child();
    wait_for(child, 5 << 8);
}

static void detach(void)
{
    if (fork() != 0)
        _exit(0);
    setsid();
    if (fork() != 0)
        _exit(0);
}

/* A daemon of the old school; its starter is gone before it is. */
static void by_daemon(void)
{
    say(); /* of the starter, the first to end */
    detach();
    take(2000);
    say();
    if (chdir("/") != 0)
        _exit(97);
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
    exit(0);
}

static void by_library_daemon(void)
{
    if (daemon(0, 1) != 0)
        _exit(97);
    take(2000);
}

/* New paths all the time, so that locks are taken. */
__attribute__((noinline)) static void descend(unsigned path)
{
    if (path > 1 && path % 2)
        descend(path / 2);
    else if (path > 1)
        descend(path / 2);
    free(sink = malloc(10));
    __asm__ volatile("");
}

static volatile int is_over;

static void *allocate(void *unused)
{
    (void)unused;
    for (unsigned path = 1; !is_over; path = (path + 1) % 4096) {
        void *const block = malloc(64);

        descend(path);
        free(block);
    }
    return NULL;
}

static void fork_among_threads(int is_system_call)
{
    pthread_t threads[N_THREADS];

    for (unsigned i = 0; i < N_THREADS; i++)
        pthread_create(&threads[i], NULL, allocate, NULL);
    for (unsigned i = 0; i < N_FORKS; i++) {
        const pid_t child =
            is_system_call ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)
                           : fork();

        if (child == 0 && !is_system_call) {
            take(1000000);
            descend(i * 120);
        }
        if (child == 0)
            _exit(5);
        wait_for(child, 5 << 8);
    }
    is_over = 1;
    for (unsigned i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void by_many(void)
{
    fork_among_threads(0);
}

static void by_many_system_calls(void)
{
    fork_among_threads(1);
}

static void in_chroot(void)
{
    if (chroot("/bin") != 0)
        _exit(97);
}

static void without_descriptors(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_NOFILE, &none);
}

static const struct {
    const char *name;
    void (*function)(void);
} ways[] = {
    {"fork", by_fork},
    {"generations", by_generations},
    {"exec", by_exec},
    {"failed_exec", by_failed_exec},
    {"fault", by_fault},
    {"vfork", by_vfork},
    {"spawn", by_spawn},
    {"clone", by_clone},
    {"system_call", by_system_call},
    {"daemon", by_daemon},
    {"library_daemon", by_library_daemon},
    {"many", by_many},
    {"many_system_calls", by_many_system_calls},
    {"chroot", in_chroot},
    {"no_descriptors", without_descriptors},
};

int main(int argc, char **argv)
{
    take(10000);
    for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            ways[i].function();
    say();
    return 3;
}
