/* SPDX-License-Identifier: MIT */
/*
 * Runs a program on one processor and says what it used:
 *
 *     usage FILE PROGRAM ARGUMENT...
 *
 * writes "WALL CPU KIB STATUS" to FILE: seconds on the clock, of the processor
 * (user and system), peak resident memory, exit status as wait(2) has it;
 * children that the program waited for are in it, and the peak is that of the
 * largest process. The system counts a child's memory from that of the process
 * it was forked from: this one is small, an interpreter that starts the program
 * itself is not. Linked statically.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    FILE *const file = argc > 2 ? fopen(argv[1], "we") : NULL;
    struct rusage usage;
    cpu_set_t last;
    double begin;
    int status;
    pid_t child;

    if (!file)
        return 2;
    CPU_ZERO(&last);
    CPU_SET(get_nprocs_conf() - 1, &last);
    sched_setaffinity(0, sizeof last, &last);
    begin = now();
    child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 2;
    fprintf(file, "%.6f %.6f %ld %d\n", now() - begin,
            seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
            status);
    return fclose(file) ? 2 : 0;
}
