/* SPDX-License-Identifier: MIT */
/* The commands that print flags; see cmd_flags.c. argv[0] is the command. */
#ifndef ALLOCTRACE_CMD_FLAGS_H
#define ALLOCTRACE_CMD_FLAGS_H

/* alloctrace cflags [--cc COMPILER]. Returns the exit status. */
int cmd_cflags(int argc, char **argv);

/* alloctrace ldflags [--static|--shared] [--cc COMPILER]. */
int cmd_ldflags(int argc, char **argv);

#endif
