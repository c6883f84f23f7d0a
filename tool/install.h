/* SPDX-License-Identifier: MIT */
/*
 * Where alloctrace is installed, and the compiler's arguments that follow
 * from it. Everything is found from the running executable, so that a prefix
 * can be moved and the build tree works as a prefix does:
 *
 *     PREFIX/bin/alloctrace, alloctrace-gcc, ...
 *     PREFIX/include/alloctrace.h
 *     PREFIX/LIBDIR/liballoctrace.a, liballoctrace.so
 *     PREFIX/LIBDIR/alloctrace/plugin/gcc-MAJOR[-MACHINE]/alloctrace.so
 *     PREFIX/LIBDIR/alloctrace/target/MACHINE/liballoctrace.a, liballoctrace.so
 *
 * The environment variable ALLOCTRACE_PREFIX names another prefix.
 */
#ifndef ALLOCTRACE_INSTALL_H
#define ALLOCTRACE_INSTALL_H

#include <limits.h>

#include "compiler.h"
#include "words.h"

struct install {
    char prefix[PATH_MAX];
    char include_dir[PATH_MAX];
    char library_dir[PATH_MAX];
    char runtime_dir[PATH_MAX]; /* of the runtime for `machine` */
    struct compiler compiler;   /* set by install_choose, as `machine` is */
    char machine[MACHINE_SIZE]; /* what code is made for */
    char error[2 * PATH_MAX]; /* after a failure: what is wrong, one line */
};

/* Which form of the runtime a link gets. */
enum install_runtime {
    INSTALL_STATIC, /* linked whole into a program */
    INSTALL_SHARED  /* a shared library's dependency */
};

/* Finds the installation. Returns 0, or -1 with `error` set. */
int install_find(struct install *install);

/*
 * Asks the compiler what it is, which says what fits it. `compiler` is the
 * command, `arguments` what it is to be given (lists that end with NULL).
 * Comes before what follows. Returns 0, or -1 with `error` set.
 */
int install_choose(struct install *install, char *const *compiler,
                   char *const *arguments);

/*
 * Adds the arguments that make a compiler instrument what it compiles; a link
 * needs them too, because with -flto that is where code is generated. Returns
 * 0, or -1 with `error` set.
 */
int install_add_cflags(struct install *install, struct words *words);

/* Adds the arguments that link the runtime. Returns 0, or -1 with `error`. */
int install_add_ldflags(struct install *install, enum install_runtime runtime,
                        struct words *words);

#endif
