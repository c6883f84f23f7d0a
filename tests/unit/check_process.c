/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_alloctrace.h"
#include "runtime.h"

static int status_of(pid_t child)
{
    int status = -1;

    ck_assert_int_eq(waitpid(child, &status, __WALL), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(memory_is_its_own_process_s)
{
    process_adopt();
    ck_assert_int_eq(process_memory(), PROCESS_OWN);
}
END_TEST

START_TEST(a_copy_is_known_until_it_is_adopted)
{
    pid_t child;

    process_adopt();
    child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        const int before = process_memory();

        process_adopt();
        syscall(SYS_exit_group, before * 10 + process_memory());
    }
    ck_assert_int_eq(status_of(child), PROCESS_COPIED * 10 + PROCESS_OWN);
    ck_assert_int_eq(process_memory(), PROCESS_OWN);
}
END_TEST

static int say_memory(void *unused)
{
    (void)unused;
    syscall(SYS_exit_group, process_memory());
    return 0;
}

START_TEST(who_shares_the_memory_borrows_it)
{
    static char stack[65536] __attribute__((aligned(64)));

    process_adopt();
    ck_assert_int_eq(status_of(clone(say_memory, stack + sizeof stack,
                                     CLONE_VM | CLONE_VFORK | SIGCHLD, NULL)),
                     PROCESS_BORROWED);
    ck_assert_int_eq(process_memory(), PROCESS_OWN);
}
END_TEST

CHECK_MAIN("process", memory_is_its_own_process_s,
           a_copy_is_known_until_it_is_adopted,
           who_shares_the_memory_borrows_it)
