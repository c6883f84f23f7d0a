/* SPDX-License-Identifier: MIT */
/*
 * Ends in the way that its argument names, having allocated N_BLOCKS blocks of
 * BLOCK bytes, and EXTRA bytes at a time in what runs while it ends. Prints
 * how many bytes it had asked for by then, in text of its own making, as stdio
 * allocates.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N_BLOCKS 10
#define BLOCK 1000
#define EXTRA 1000003

static void *volatile blocks[64];
static unsigned n_blocks;
static unsigned long n_bytes;

static void take(size_t size)
{
    blocks[n_blocks++] = malloc(size);
    n_bytes += size;
}

static void say(unsigned long number)
{
    char digits[24];
    size_t n = sizeof digits;

    digits[--n] = '\n';
    do
        digits[--n] = (char)('0' + number % 10);
    while (number /= 10);
    if (write(1, digits + n, sizeof digits - n) < 0)
        abort();
}

static void take_more(void)
{
    take(EXTRA);
    say(n_bytes);
}

static void leave_with_4(void)
{
    take(EXTRA);
    say(n_bytes);
    _exit(4);
}

static void on_signal(int number)
{
    (void)number;
    say(n_bytes);
    _exit(5);
}

static void end_by_exit(void)
{
    say(n_bytes);
    exit(3);
}

static void end_by__exit(void)
{
    say(n_bytes);
    _exit(3);
}

static void end_by__Exit(void)
{
    say(n_bytes);
    _Exit(3);
}

static void end_by_quick_exit(void)
{
    at_quick_exit(take_more);
    quick_exit(3);
}

static void end_by_handlers(void)
{
    atexit(take_more);
    exit(3);
}

static void end_inside_handler(void)
{
    atexit(leave_with_4);
    exit(3);
}

/* Allocates when a thread ends, in its thread-local variables' destructors. */
static void thread_destructor(void *unused)
{
    (void)unused;
    take_more();
}

static void *end_thread(void *key)
{
    pthread_setspecific(*(pthread_key_t *)key, key);
    usleep(50000);
    return NULL;
}

static int is_late;

/* Behind all other destructors. */
__attribute__((destructor(1))) static void leave_late(void)
{
    if (is_late)
        _exit(6);
}

static void end_late(void)
{
    is_late = 1;
    say(n_bytes);
    exit(3);
}

static void end_by_last_thread(void)
{
    static pthread_key_t key;
    pthread_t thread;

    pthread_key_create(&key, thread_destructor);
    pthread_create(&thread, NULL, end_thread, &key);
    pthread_detach(thread);
    pthread_exit(NULL);
}

/* Many paths, so that the dump takes its time. */
__attribute__((noinline)) static void spread(unsigned path)
{
    if (path > 1 && path % 2)
        spread(path / 2);
    else if (path > 1)
        spread(path / 2);
    free(blocks[63] = malloc(1));
    __asm__ volatile("");
}

static void take_time(void)
{
    for (unsigned path = 0; path < 4096; path++)
        spread(path);
}

static pthread_barrier_t all_are_there;

static void *leave(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&all_are_there);
    _exit(3);
}

static void end_by_many_threads(void)
{
    pthread_t threads[8];

    say(n_bytes);
    take_time();
    pthread_barrier_init(&all_are_there, NULL, 8);
    for (unsigned i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, leave, NULL);
    for (;;)
        pause();
}

static void end_in_signal_handler(void)
{
    signal(SIGTERM, on_signal);
    raise(SIGTERM);
}

static void end_by_syscall(void)
{
    say(n_bytes);
    syscall(SYS_exit_group, 3);
}

static void end_by_abort(void)
{
    say(n_bytes);
    abort();
}

static void end_by_segv(void)
{
    say(n_bytes);
    *(volatile int *)8 = 1;
}

static void end_by_bus(void)
{
    const int fd = memfd_create("empty", 0);
    volatile char *const page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    say(n_bytes);
    page[0] = 1;
}

static void end_by_fpe(void)
{
    say(n_bytes);
    raise(SIGFPE);
}

static void end_by_ill(void)
{
    say(n_bytes);
    __builtin_trap();
}

static void end_by_kill(void)
{
    say(n_bytes);
    kill(getpid(), SIGSEGV);
    pause();
}

static void *segv(void *unused)
{
    (void)unused;
    *(volatile int *)8 = 1;
    return NULL;
}

static void end_by_many_faults(void)
{
    pthread_t threads[8];

    say(n_bytes);
    for (unsigned i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, segv, NULL);
    for (;;)
        pause();
}

__attribute__((noinline)) static int overflow(volatile char *above)
{
    volatile char room[4096];

    room[0] = above ? above[0] : 0;
    return overflow(room) + room[1];
}

static void end_by_overflow(void)
{
    say(n_bytes);
    overflow(NULL);
}

static void end_by_double_free(void)
{
    void *const block = malloc(2000);
    void *volatile again = block;

    close(2); /* what the C library says holds no address, but a name */
    n_bytes += 2000;
    say(n_bytes);
    free(block);
    free(again);
}

static sigjmp_buf back;

static void jump(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

/* The program lives on after abort: its handler jumps out. */
static void survive_abort(void)
{
    signal(SIGABRT, jump);
    if (sigsetjmp(back, 1) == 0)
        abort();
    take(EXTRA);
    say(n_bytes);
    exit(3);
}

static void survive_fault(void)
{
    signal(SIGSEGV, jump);
    if (sigsetjmp(back, 1) == 0)
        *(volatile int *)8 = 1;
    take(EXTRA);
    say(n_bytes);
    exit(3);
}

static void ignore_abort(void)
{
    say(n_bytes);
    signal(SIGABRT, SIG_IGN);
    raise(SIGABRT);
    exit(3);
}

/* All files are closed; numbers 1 and 2 are the next to be given out. */
static void end_without_files(void)
{
    say(n_bytes);
    for (int fd = 0; fd < 64; fd++)
        close(fd);
    exit(3);
}

/* Writes to files that are closed, and must never reach another one. */
static void *write_on(void *unused)
{
    (void)unused;
    for (;;)
        for (int fd = 0; fd < 3; fd++)
            if (write(fd, "nonsense", 8) == 8)
                syscall(SYS_exit_group, 8);
}

static void end_with_writer(void)
{
    pthread_t thread;

    say(n_bytes);
    take_time();
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    pthread_create(&thread, NULL, write_on, NULL);
    usleep(10000);
    exit(3);
}

static void end_elsewhere(void)
{
    say(n_bytes);
    if (chdir("/") != 0)
        abort();
    exit(3);
}

static const struct {
    const char *name;
    void (*function)(void);
} ways[] = {
    {"exit", end_by_exit},
    {"_exit", end_by__exit},
    {"_Exit", end_by__Exit},
    {"quick_exit", end_by_quick_exit},
    {"handlers", end_by_handlers},
    {"inside_handler", end_inside_handler},
    {"late", end_late},
    {"last_thread", end_by_last_thread},
    {"many_threads", end_by_many_threads},
    {"signal_handler", end_in_signal_handler},
    {"syscall", end_by_syscall},
    {"abort", end_by_abort},
    {"segv", end_by_segv},
    {"bus", end_by_bus},
    {"fpe", end_by_fpe},
    {"ill", end_by_ill},
    {"kill", end_by_kill},
    {"many_faults", end_by_many_faults},
    {"overflow", end_by_overflow},
    {"double_free", end_by_double_free},
    {"survive_abort", survive_abort},
    {"survive_fault", survive_fault},
    {"ignore_abort", ignore_abort},
    {"no_files", end_without_files},
    {"writer", end_with_writer},
    {"elsewhere", end_elsewhere},
};

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < N_BLOCKS; i++)
        take(BLOCK);
    for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            ways[i].function();
    return 9;
}
