/* SPDX-License-Identifier: MIT */
/*
 * Which compiler a command is: known by its file, or asked from itself. Decides
 * which plugin and which runtime it is given.
 */
#ifndef ALLOCTRACE_COMPILER_H
#define ALLOCTRACE_COMPILER_H

#include <stddef.h>

/* The longest name of a machine, with its NUL. */
#define MACHINE_SIZE 64

struct compiler {
    int major;                  /* GCC's version; 0: it is no GCC */
    char machine[MACHINE_SIZE]; /* what it was built to make code for:
                                 * "aarch64-linux-gnu", "i386-linux-gnu" */
    char name[32];              /* "gcc", "clang": what it calls itself */
};

/*
 * Reads the name of the command's file (a list that ends with NULL), or runs
 * it with -v and reads what it says of itself. Returns 0; or -1 with one line
 * in `error` (`size` bytes).
 */
int compiler_ask(struct compiler *compiler, char *const *command, char *error,
                 size_t size);

/* As compiler_ask, from the text that -v printed. Returns 0, or -1. */
int compiler_read(struct compiler *compiler, const char *text);

/*
 * As compiler_ask, from the path of a file without symbolic links. Returns 0,
 * or -1 if its name does not say all of it.
 */
int compiler_read_name(struct compiler *compiler, const char *path);

/*
 * The machine that code is for if the option `abi` ("-m32", "-m64", "-mx32"
 * or NULL) is among the arguments, into `machine`.
 */
void compiler_machine(const struct compiler *compiler, const char *abi,
                      char machine[MACHINE_SIZE]);

#endif
