/* SPDX-License-Identifier: MIT */
/*
 * What a compiler was asked to do, read from its arguments: the question that
 * the wrappers ask before they add anything. Knows the options of the GCC
 * driver; knows nothing of alloctrace.
 */
#ifndef ALLOCTRACE_ARGUMENTS_H
#define ALLOCTRACE_ARGUMENTS_H

enum action {
    ACTION_NONE,         /* asks, preprocesses or assembles: compiles nothing */
    ACTION_COMPILE,      /* -c, -S, -fsyntax-only: no link */
    ACTION_LINK_PROGRAM, /* an executable */
    ACTION_LINK_SHARED,  /* a shared library */
    ACTION_LINK_BARE     /* -r, or without the C library: no runtime */
};

/*
 * Says what the compiler would do with these arguments (without its own name;
 * the list ends with NULL). Looks into response files (@FILE).
 *
 * Preprocessing alone, questions and freestanding sources (-ffreestanding) are
 * ACTION_NONE. A link with -nostdlib or the like is bare unless -lc is given:
 * libtool links C++ libraries with -nostdlib and names every library itself.
 */
enum action arguments_classify(char *const *arguments);

/*
 * The last of the options that choose among a compiler's ABIs ("-m32", "-m64",
 * "-mx32"), or NULL. Looks into response files. Constant text.
 */
const char *arguments_abi(char *const *arguments);

#endif
