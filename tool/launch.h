/* SPDX-License-Identifier: MIT */
/* Runs another program and waits for it; see launch.c. */
#ifndef ALLOCTRACE_LAUNCH_H
#define ALLOCTRACE_LAUNCH_H

#include <sys/types.h>

/*
 * Runs a program, found by PATH, with our standard streams, until it ends.
 * `status` is what waitpid says of it.
 *
 * Returns: 0; as the shell does 126 or 127, after a message, if it cannot be
 * run or found; EXIT_UNUSABLE, after a message, if no process can be made.
 */
int launch(char **argv, pid_t *pid, int *status);

#endif
