/* SPDX-License-Identifier: MIT */
/*
 * os.h for Linux: time, and a thread that the C library does not know.
 *
 * The thread has thread-local variables of its own: a copy of the part of its
 * maker's block that holds those that it uses, errno and the runtime's, and
 * of what stands at the thread pointer (on x86 the pointer itself and the
 * stack protector's word). All other thread-local variables are out of its
 * reach, and so is every function that uses one: locks of the C library,
 * cancellation points, allocation.
 */
#define _GNU_SOURCE
#define _TIME_BITS 64
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef __i386__
#include <asm/ldt.h>
#endif

#include "runtime.h"

#define STACK_SIZE ((size_t)256 * 1024)
#define TLS_SIZE ((size_t)256 * 1024)
#define PAGE_MASK ((uintptr_t)4095)

/* glibc before 2.34 does not name these. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_UNSHARED 2u

#ifdef SYS_clock_nanosleep_time64
#define SYS_sleep SYS_clock_nanosleep_time64
#else
#define SYS_sleep SYS_clock_nanosleep
#endif

static uint32_t has_own_files; /* thread that has a table of its own; 0 = none */

uint64_t os_monotonic_ns(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void os_sleep(uint64_t ns)
{
    const struct {
        int64_t seconds;
        int64_t nanoseconds;
    } time = {(int64_t)(ns / 1000000000), (int64_t)(ns % 1000000000)};

    syscall(SYS_sleep, CLOCK_MONOTONIC, 0, &time, NULL);
}

/* A file of a table of its own: the program's would lose its lowest numbers,
 * and would hold open what the program has closed. Without close_range the
 * table stays the program's. */
static void leave_files(void)
{
    if (syscall(SYS_close_range, 0, ~0u, CLOSE_UNSHARED) == 0)
        count_set(&has_own_files, os_tid());
}

static int start_routine(void *routine)
{
    void (*run)(void);

    memcpy(&run, routine, sizeof run);
    leave_files();
    run();
    return 0;
}

/*
 * x86 reads the thread pointer from memory that it points to, and keeps the
 * words of the stack protector and of hidden pointers there. i386 has it in a
 * segment descriptor; every thread uses the same one.
 */
static char *thread_pointer(size_t *room)
{
#if defined(__x86_64__) || defined(__i386__)
    *room = 128;
#else
    *room = 2 * sizeof(void *);
#endif
    return __builtin_thread_pointer();
}

static void *new_thread_pointer(char *pointer)
{
#if defined(__x86_64__) || defined(__i386__)
    ((void **)pointer)[0] = pointer; /* itself, and glibc's descriptor */
    ((void **)pointer)[2] = pointer;
#endif
#ifdef __i386__
    static struct user_desc segment;
    unsigned selector;

    __asm__("movw %%gs, %w0" : "=q"(selector));
    segment = (struct user_desc){.entry_number = (selector & 0xffff) >> 3,
                                 .base_addr = (uintptr_t)pointer,
                                 .limit = 0xfffff,
                                 .seg_32bit = 1,
                                 .limit_in_pages = 1,
                                 .useable = 1};
    return &segment;
#else
    return pointer;
#endif
}

/* Copies what the new thread needs of this one's block; gives the new thread
 * pointer. NULL: the block has another shape than this file knows. */
static char *copy_block(char *memory)
{
    size_t room;
    char *const pointer = thread_pointer(&room);
    char *const wanted[] = {pointer, pointer + room - 1,
                            (char *)&errno, (char *)(&errno + 1) - 1,
                            (char *)&__alloctrace_thread,
                            (char *)(&__alloctrace_thread + 1) - 1};
    char *low = pointer;
    char *high = pointer;

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        low = wanted[i] < low ? wanted[i] : low;
        high = wanted[i] > high ? wanted[i] : high;
    }
    /* At the same place in a page, for alignment. */
    memory += (uintptr_t)low & PAGE_MASK;
    if ((size_t)(high - low) >= TLS_SIZE - PAGE_MASK)
        return NULL;
    memcpy(memory, low, (size_t)(high - low) + 1);
    return memory + (pointer - low);
}

/* With all signals blocked, which the new thread inherits. */
static int start_blocked(void (*run)(void), char *memory)
{
    static char routine[sizeof run];
    char *const block = copy_block(memory + STACK_SIZE);
    int error = 0;

    memcpy(routine, &run, sizeof run);
    if (!block)
        return ENOTSUP;
    if (clone(start_routine, memory + STACK_SIZE,
              CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                  CLONE_SYSVSEM | CLONE_SETTLS,
              routine, NULL, new_thread_pointer(block), NULL) < 0)
        error = errno;
    return error;
}

int os_thread_start(void (*run)(void))
{
    const uint64_t all = ~UINT64_C(0);
    char *const memory = os_map(STACK_SIZE + TLS_SIZE);
    uint64_t before;
    int error;

    if (!memory)
        return ENOMEM;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof before);
    error = start_blocked(run, memory);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
    if (error)
        os_unmap(memory, STACK_SIZE + TLS_SIZE);
    return error;
}

bool os_has_program_files(void)
{
    return count_get(&has_own_files) != os_tid();
}

/* /proc/self names the program's table, not this thread's. */
void os_borrow_errors(void)
{
    long fd;

    if (!has_own_files)
        return;
    fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/fd/2",
                            O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK |
                                O_CLOEXEC);

    if (fd >= 0 && fd != 2) {
        syscall(SYS_dup3, fd, 2, O_CLOEXEC);
        os_close((int)fd);
    }
}

void os_return_errors(void)
{
    if (has_own_files)
        os_close(2);
}

bool os_has_thread(uint32_t tid)
{
    return syscall(SYS_tgkill, os_pid(), tid, 0) == 0 || errno != ESRCH;
}
