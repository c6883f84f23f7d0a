/* SPDX-License-Identifier: MIT */
/*
 * `alloctrace cflags` and `alloctrace ldflags`: prints what a compiler and a
 * linker must be given, quoted for a shell, for build systems that call the
 * compiler by its own name:
 *
 *     gcc $(alloctrace cflags) -c a.c && gcc a.o $(alloctrace ldflags)
 */
#include "cmd_flags.h"

#include "install.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct choice {
    const char *compiler;         /* a command; may hold several words */
    enum install_runtime runtime; /* for ldflags */
};

static int usage(const char *command, const char *argument)
{
    fprintf(stderr,
            "alloctrace: %s: %s is not understood; usage: alloctrace %s"
            "%s [--cc COMPILER]\n",
            command, argument, command,
            strcmp(command, "ldflags") ? "" : " [--static|--shared]");
    return 2;
}

/* Returns 0, or 2 after a message. */
static int read_choice(int argc, char **argv, struct choice *choice)
{
    const char *environment = getenv("ALLOCTRACE_CC");

    choice->runtime = INSTALL_STATIC;
    choice->compiler = environment && *environment ? environment : "gcc";
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--static"))
            choice->runtime = INSTALL_STATIC;
        else if (!strcmp(argv[i], "--shared"))
            choice->runtime = INSTALL_SHARED;
        else if (!strncmp(argv[i], "--cc=", 5))
            choice->compiler = argv[i] + 5;
        else if (!strcmp(argv[i], "--cc") && i + 1 < argc)
            choice->compiler = argv[++i];
        else
            return usage(argv[0], argv[i]);
    }
    return 0;
}

/* Prints the flags for compiling and, if `is_link`, those for linking. */
static int print_flags(int argc, char **argv, int is_link)
{
    static char *const no_arguments[] = {NULL};
    struct choice choice;
    struct install install;
    struct words compiler = {0};
    struct words words = {0};
    int status = read_choice(argc, argv, &choice);

    if (status)
        return status;
    words_add_text(&compiler, choice.compiler);
    if (!compiler.count)
        words_add(&compiler, "gcc");
    if (install_find(&install) < 0 ||
        install_choose(&install, compiler.word, no_arguments) < 0 ||
        install_add_cflags(&install, &words) < 0 ||
        (is_link &&
         install_add_ldflags(&install, choice.runtime, &words) < 0)) {
        fprintf(stderr, "alloctrace: %s\n", install.error);
        status = 2;
    } else {
        words_print(&words);
    }
    words_fini(&compiler);
    words_fini(&words);
    return status;
}

int cmd_cflags(int argc, char **argv)
{
    return print_flags(argc, argv, 0);
}

int cmd_ldflags(int argc, char **argv)
{
    return print_flags(argc, argv, 1);
}
