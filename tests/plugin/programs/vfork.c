/* SPDX-License-Identifier: MIT */
/* vfork: the child borrows the stack and leaves its frames behind when it
 * ends; fork, for comparison. Where vfork is only a fork (ThreadSanitizer's
 * is; VFORK_IS_FORK says it of others) the parent has to wait by itself. */
// flags: -fno-optimize-sibling-calls
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined __SANITIZE_THREAD__ && !defined VFORK_IS_FORK
#define VFORK_IS_FORK 1
#endif

static volatile int zero;

__attribute__((noinline)) static void allocate(int n)
{
    char *p = malloc(n + 1); /* @allocate */

    p[0] = zero;
    free(p);
}

__attribute__((noinline)) static void child(int n)
{
    if (n > 0) {
        child(n - 1); /* @deeper */
    } else {
        allocate(n); /* @child */
        if (zero == 0)
            _exit(3);
    }
    zero = 0;
}

__attribute__((noinline)) static int borrows(int n)
{
    int status;
    pid_t id = vfork();

    if (id == 0)
        child(n); /* @vfork */
#ifdef VFORK_IS_FORK
    if (waitpid(id, &status, 0) != id)
        return 0;
#endif
    allocate(1); /* @parent */
#ifndef VFORK_IS_FORK
    if (waitpid(id, &status, 0) != id)
        return 0;
#endif
    return WEXITSTATUS(status);
}

__attribute__((noinline)) static int copies(int n)
{
    int status;
    pid_t id = fork(); /* @fork */

    if (id == 0)
        child(n); /* @copy */
    waitpid(id, &status, 0);
    allocate(2); /* @original */
    return WEXITSTATUS(status);
}

int main(void)
{
    if (borrows(1) != 3) /* @one */
        return 1;
    if (copies(1) != 3) /* @two */
        return 1;
    allocate(0); /* @end */
    return 0;
}
// expect: malloc allocate@allocate < child@child < child@deeper < borrows@vfork < main@one
// expect: malloc allocate@allocate < borrows@parent < main@one
// expect: malloc allocate@allocate < child@child < child@deeper < copies@copy < main@two
// expect: malloc allocate@allocate < copies@original < main@two
// expect: malloc allocate@allocate < main@end
