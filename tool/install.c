/* SPDX-License-Identifier: MIT */
/*
 * Finds the installation (see install.h) and turns it into arguments of the
 * compiler. Reads the file system and runs the compiler once to ask its
 * version; changes nothing.
 */
#define _GNU_SOURCE /* pipe2 */

#include "install.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef ALLOCTRACE_LIBDIR
#define ALLOCTRACE_LIBDIR "lib" /* relative to the prefix */
#endif
#ifndef ALLOCTRACE_SYSTEM_LIBRARIES
#define ALLOCTRACE_SYSTEM_LIBRARIES "" /* -lpthread -ldl before glibc 2.34 */
#endif

#define PLUGIN_DIR "alloctrace/plugin"
#define FLOW_DIR "alloctrace/flow"
#define PLUGIN_FILE "alloctrace.so"

__attribute__((format(printf, 2, 3))) static int fail(struct install *install,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(install->error, sizeof install->error, format, arguments);
    va_end(arguments);
    return -1;
}

static int is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Joins DIRECTORY/NAME. Returns 0, or -1 if the result is too long. */
static int join(char *path, size_t size, const char *directory,
                const char *name)
{
    int length = snprintf(path, size, "%s/%s", directory, name);

    return length >= 0 && (size_t)length < size ? 0 : -1;
}

/* The prefix is two levels above the executable. */
static int find_prefix(struct install *install)
{
    const char *chosen = getenv("ALLOCTRACE_PREFIX");
    char self[PATH_MAX];
    char *slash = NULL;

    if (chosen && *chosen) {
        if (!realpath(chosen, install->prefix))
            return fail(install, "ALLOCTRACE_PREFIX: %s: %s", chosen,
                        strerror(errno));
        return 0;
    }
    if (!realpath("/proc/self/exe", self))
        return fail(install, "/proc/self/exe: %s", strerror(errno));
    for (int level = 0; level < 2; level++) {
        slash = strrchr(self, '/');
        if (!slash)
            return fail(install, "%s: not in the bin/ of a prefix", self);
        *slash = 0;
    }
    strcpy(install->prefix, self);
    return 0;
}

/* The library directory is the one that holds the static runtime. */
static int find_library_dir(struct install *install)
{
    static const char *const candidates[] = {ALLOCTRACE_LIBDIR, "lib", "lib64"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        if (join(install->library_dir, PATH_MAX, install->prefix,
                 candidates[i]) == 0 &&
            join(path, sizeof path, install->library_dir, "liballoctrace.a") ==
                0 &&
            is_there(path))
            return 0;
    }
    return fail(install, "%s: no liballoctrace.a in its %s", install->prefix,
                ALLOCTRACE_LIBDIR);
}

int install_find(struct install *install)
{
    char header[PATH_MAX];

    *install = (struct install){0};
    if (find_prefix(install) < 0 || find_library_dir(install) < 0)
        return -1;
    if (join(install->include_dir, PATH_MAX, install->prefix, "include") < 0 ||
        join(header, sizeof header, install->include_dir, "alloctrace.h") < 0 ||
        !is_there(header))
        return fail(install, "%s: no include/alloctrace.h", install->prefix);
    return 0;
}

/* In the child: becomes `compiler -dumpversion` with its output in a pipe. */
static void exec_dumpversion(char *const *compiler, int output)
{
    struct words command;

    words_init(&command);
    for (; *compiler; compiler++)
        words_add(&command, *compiler);
    words_add(&command, "-dumpversion");
    dup2(output, STDOUT_FILENO);
    execvp(command.word[0], command.word);
    _exit(127);
}

static void read_all(int input, char *text, size_t size)
{
    size_t length = 0;
    ssize_t n;

    while (length + 1 < size &&
           ((n = read(input, text + length, size - 1 - length)) > 0 ||
            (n < 0 && errno == EINTR))) {
        if (n > 0)
            length += (size_t)n;
    }
    text[length] = 0;
}

/* Returns the compiler's major version, or -1 with `error` set. */
static int ask_major(struct install *install, char *const *compiler)
{
    char text[64];
    int pipes[2];
    int status = -1;
    int major;
    pid_t child;

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return fail(install, "pipe: %s", strerror(errno));
    child = fork();
    if (child == 0)
        exec_dumpversion(compiler, pipes[1]);
    close(pipes[1]);
    read_all(pipes[0], text, sizeof text);
    close(pipes[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    major = atoi(text);
    if (status != 0 || major <= 0)
        return fail(install, "%s -dumpversion does not tell a version",
                    *compiler);
    return major;
}

/* Lists the compilers there are plugins for: "11, 12". */
static void list_plugins(const char *directory, char *text, size_t size)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;
    size_t length = 0;
    int major;

    text[0] = 0;
    while (stream && (entry = readdir(stream))) {
        if (sscanf(entry->d_name, "gcc-%d", &major) != 1)
            continue;
        snprintf(text + length, size - length, "%s%d", length ? ", " : "",
                 major);
        length = strlen(text);
    }
    if (stream)
        closedir(stream);
}

static int find_plugin(struct install *install, int major, char *path,
                       size_t size)
{
    char directory[PATH_MAX];
    char name[64];
    char others[128];

    snprintf(name, sizeof name, "gcc-%d/" PLUGIN_FILE, major);
    if (join(directory, sizeof directory, install->library_dir, PLUGIN_DIR) <
            0 ||
        join(path, size, directory, name) < 0)
        return fail(install, "%s: the path is too long", install->library_dir);
    if (is_there(path))
        return 0;
    list_plugins(directory, others, sizeof others);
    return fail(install, "no plugin for gcc %d; there is one for: %s", major,
                *others ? others : "none");
}

/* The header's directory comes last in the search: instrumenting a program
 * must not change which of its other headers it finds. */
int install_add_cflags(struct install *install, char *const *compiler,
                       struct words *words)
{
    char plugin[PATH_MAX];
    int major = ask_major(install, compiler);

    if (major < 0 || find_plugin(install, major, plugin, sizeof plugin) < 0)
        return -1;
    words_addf(words, "-fplugin=%s", plugin);
    words_addf(words, "-idirafter%s", install->include_dir);
    return 0;
}

/*
 * Each addition is a single argument for the linker, so that no -x before it
 * takes it for a source file and nothing that reorders or removes repeated
 * arguments pulls it apart.
 *
 * The program's runtime is its libraries' too: its entries are exported, and
 * come first in the search of the dynamic linker. A library asks for the
 * shared runtime only if something in it needs one. What follows control out
 * of functions (runtime/flow.c) has its own directory: in it the linker finds
 * an object, or in a static link an archive with nothing in it.
 */
int install_add_ldflags(struct install *install, enum install_runtime runtime,
                        struct words *words)
{
    const char *directory = install->library_dir;

    if (strchr(directory, ','))
        return fail(install,
                    "%s: the linker cannot be given a path with a "
                    "comma",
                    directory);
    if (runtime == INSTALL_STATIC) {
        words_addf(words,
                   "-Wl,--push-state,--whole-archive,%s/liballoctrace.a,"
                   "--pop-state",
                   directory);
        words_add(words, "-Wl,--export-dynamic-symbol=__alloctrace_*,"
                         "--export-dynamic-symbol=alloctrace_*,"
                         "--export-dynamic-symbol=_Unwind_SetIP");
        words_addf(words,
                   "-Wl,-L%s/" FLOW_DIR ",-lalloctrace_flow", directory);
    } else {
        words_addf(words,
                   "-Wl,--push-state,--as-needed,%s/liballoctrace.so,"
                   "--pop-state,-rpath,%s",
                   directory, directory);
    }
    words_add_text(words, ALLOCTRACE_SYSTEM_LIBRARIES);
    return 0;
}
