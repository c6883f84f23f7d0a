/* SPDX-License-Identifier: MIT */
/*
 * alloctrace-gcc, alloctrace-g++, alloctrace-gfortran: the compiler, with what
 * instrumenting needs. One program under three names. It reads the arguments,
 * adds the plugin where something is compiled and the runtime where a program
 * or a library is linked, and becomes the compiler. Questions, preprocessing
 * and links without the C library reach the compiler as they are.
 *
 *     CC=alloctrace-gcc ./configure && make
 *
 * ALLOCTRACE_CC, ALLOCTRACE_CXX and ALLOCTRACE_FC choose the compiler; they
 * may hold several words ("ccache gcc-12"), and name a cross compiler: the plugin
 * and the runtime are those for what the compiler says it is, and for -m32.
 *
 * A compiler found under the plain name can be this program again (somebody
 * made a link `gcc` to it). Such a file is passed over in the search; should
 * a launcher such as ccache call us again, NESTED_VARIABLE tells us that the
 * arguments are complete and that the compiler was chosen: what remains is to
 * run the next one of our name.
 */
#define _GNU_SOURCE /* program_invocation_short_name, setenv */

#include "arguments.h"
#include "install.h"
#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NESTED_VARIABLE "ALLOCTRACE_WRAPPED"

struct personality {
    const char *suffix;   /* how the name that we were called by ends */
    const char *variable; /* what chooses another compiler */
    const char *compiler; /* the one if nothing chooses */
};

static const struct personality PERSONALITIES[] = {
    {"g++", "ALLOCTRACE_CXX", "g++"},
    {"c++", "ALLOCTRACE_CXX", "g++"},
    {"gfortran", "ALLOCTRACE_FC", "gfortran"},
    {"", "ALLOCTRACE_CC", "gcc"},
};

static int fail_with(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s%s%s\n", program_invocation_short_name, what,
            *why ? ": " : "", why);
    return 2;
}

static const struct personality *personality_of(const char *name)
{
    const struct personality *one = PERSONALITIES;
    size_t length = strlen(name);

    /* The last suffix is empty and fits every name. */
    for (;; one++) {
        size_t suffix = strlen(one->suffix);

        if (suffix <= length && !strcmp(name + length - suffix, one->suffix))
            return one;
    }
}

/* Is the file a program, and not this one? */
static int is_other_program(const char *path)
{
    struct stat self;
    struct stat file;

    if (stat(path, &file) < 0 || !S_ISREG(file.st_mode) ||
        access(path, X_OK) < 0)
        return 0;
    return stat("/proc/self/exe", &self) < 0 || file.st_dev != self.st_dev ||
           file.st_ino != self.st_ino;
}

/* Finds a command as execvp does, passing over this program itself. Returns
 * the path, which the caller frees, or NULL. */
static char *find_command(const char *name)
{
    const char *path = getenv("PATH");
    char *file = NULL;

    if (strchr(name, '/'))
        return is_other_program(name) ? strdup(name) : NULL;
    if (!path)
        path = "/usr/local/bin:/usr/bin:/bin";
    while (path) {
        const char *end = strchrnul(path, ':');

        if (asprintf(&file, "%.*s%s%s", (int)(end - path), path,
                     end > path ? "/" : "./", name) < 0)
            return NULL;
        if (is_other_program(file))
            return file;
        free(file);
        path = *end ? end + 1 : NULL;
    }
    return NULL;
}

/* Puts the compiler's command into `command`: a path, and the further words
 * of the variable. Returns 0 or the exit status after a message. */
static int choose_compiler(const struct personality *one, struct words *command)
{
    const char *chosen = getenv(one->variable);
    struct words named = {0};
    char *file;

    if (chosen && is_other_program(chosen))
        words_add(&named, chosen); /* a path, even one with spaces */
    else if (chosen)
        words_add_text(&named, chosen);
    if (!named.count)
        words_add(&named, one->compiler);
    file = find_command(named.word[0]);
    if (!file) {
        fail_with(named.word[0], "no such compiler");
        words_fini(&named);
        return 2;
    }
    words_add(command, file);
    free(file);
    for (size_t i = 1; i < named.count; i++)
        words_add(command, named.word[i]);
    words_fini(&named);
    return 0;
}

/* As choose_compiler, when a launcher that we ran has called us again. */
static int choose_next_compiler(const struct personality *one,
                                struct words *command)
{
    char *file = find_command(program_invocation_short_name);

    if (!file)
        file = find_command(one->compiler);
    if (!file)
        return fail_with(one->compiler, "no such compiler");
    words_add(command, file);
    free(file);
    return 0;
}

/* What is added before and behind the user's own arguments. */
static int add_flags(char *const *arguments, char *const *compiler,
                     struct words *before, struct words *behind)
{
    const enum action action = arguments_classify(arguments);
    struct install install;

    if (action == ACTION_NONE)
        return 0;
    if (install_find(&install) < 0 ||
        install_choose(&install, compiler, arguments) < 0 ||
        install_add_cflags(&install, before) < 0)
        return fail_with(install.error, "");
    if (action != ACTION_LINK_PROGRAM && action != ACTION_LINK_SHARED)
        return 0;
    if (install_add_ldflags(&install,
                            action == ACTION_LINK_PROGRAM ? INSTALL_STATIC
                                                          : INSTALL_SHARED,
                            behind) < 0)
        return fail_with(install.error, "");
    return 0;
}

static void add_all(struct words *words, char *const *others)
{
    for (; *others; others++)
        words_add(words, *others);
}

int main(int argc, char **argv)
{
    static char *const nothing[] = {NULL};
    /* Never freed: they are what the process becomes. */
    static struct words command;
    static struct words before;
    static struct words behind;
    const struct personality *one;
    char *const *arguments = nothing;
    int status;

    if (argc < 1)
        return 2;
    one = personality_of(program_invocation_short_name);
    if (getenv(NESTED_VARIABLE)) {
        status = choose_next_compiler(one, &command);
    } else {
        status = choose_compiler(one, &command);
        arguments = argv + 1;
        setenv(NESTED_VARIABLE, "1", 1);
    }
    if (!status)
        status = add_flags(arguments, command.word, &before, &behind);
    if (status)
        return status;
    add_all(&command, before.count ? before.word : nothing);
    add_all(&command, argv + 1);
    add_all(&command, behind.count ? behind.word : nothing);
    execv(command.word[0], command.word);
    return fail_with(command.word[0], strerror(errno));
}
