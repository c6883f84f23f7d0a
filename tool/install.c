/* SPDX-License-Identifier: MIT */
/*
 * Finds the installation (see install.h) and turns it into arguments of the
 * compiler. Reads the file system and runs the compiler once to ask what
 * it is; changes nothing.
 */
#define _GNU_SOURCE /* scandir, realpath */

#include "install.h"

#include "arguments.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ALLOCTRACE_LIBDIR
#define ALLOCTRACE_LIBDIR "lib" /* relative to the prefix */
#endif
#ifndef ALLOCTRACE_SYSTEM_LIBRARIES
#define ALLOCTRACE_SYSTEM_LIBRARIES "" /* -lpthread -ldl before glibc 2.34 */
#endif

#ifndef ALLOCTRACE_MACHINE
#define ALLOCTRACE_MACHINE "x86_64-linux-gnu" /* that this program runs on */
#endif

#define PLUGIN_DIR "alloctrace/plugin"
#define TARGET_DIR "alloctrace/target"
#define FLOW_DIR "alloctrace/flow"
#define PLUGIN_FILE "alloctrace.so"
#define ANALYSIS_FILE "liballoctrace-analysis.a"

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

/* Lists what stands in DIRECTORY and begins with `prefix`: "11, 12". */
static void list_entries(const char *directory, const char *prefix, char *text,
                         size_t size)
{
    struct dirent **entries = NULL;
    const int n = scandir(directory, &entries, NULL, alphasort);
    size_t length = 0;

    text[0] = 0;
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;

        if (name[0] != '.' && !strncmp(name, prefix, strlen(prefix))) {
            snprintf(text + length, size - length, "%s%s", length ? ", " : "",
                     name + strlen(prefix));
            length = strlen(text);
        }
        free(entries[i]);
    }
    free(entries);
}

static int is_native(const char *machine)
{
    return !strcmp(machine, ALLOCTRACE_MACHINE);
}

/* "gcc-12" for compilers of this machine, "gcc-12-riscv64-linux-gnu". */
static int find_plugin(struct install *install, const struct compiler *compiler,
                       char *path, size_t size)
{
    const int is_cross = !is_native(compiler->machine);
    char directory[PATH_MAX];
    char name[128];
    char others[512];

    snprintf(name, sizeof name, "gcc-%d%s%s/" PLUGIN_FILE, compiler->major,
             is_cross ? "-" : "", is_cross ? compiler->machine : "");
    if (join(directory, sizeof directory, install->library_dir, PLUGIN_DIR) <
            0 ||
        join(path, size, directory, name) < 0)
        return fail(install, "%s: the path is too long", install->library_dir);
    if (is_there(path))
        return 0;
    list_entries(directory, "gcc-", others, sizeof others);
    return fail(install, "no plugin for gcc %d%s%s; there is one for: %s",
                compiler->major, is_cross ? " for " : "",
                is_cross ? compiler->machine : "", *others ? others : "none");
}

/* The directory of the runtime for the code's machine. */
static int find_runtime(struct install *install)
{
    char directory[PATH_MAX];
    char path[PATH_MAX];
    char others[512];

    if (is_native(install->machine)) {
        strcpy(install->runtime_dir, install->library_dir);
        return 0;
    }
    if (join(directory, sizeof directory, install->library_dir, TARGET_DIR) <
            0 ||
        join(install->runtime_dir, PATH_MAX, directory, install->machine) < 0 ||
        join(path, sizeof path, install->runtime_dir, "liballoctrace.a") < 0)
        return fail(install, "%s: the path is too long", install->library_dir);
    if (is_there(path))
        return 0;
    list_entries(directory, "", others, sizeof others);
    return fail(install, "no runtime for %s; there is one for: %s%s%s",
                install->machine, ALLOCTRACE_MACHINE, *others ? ", " : "",
                others);
}

int install_choose(struct install *install, char *const *compiler,
                   char *const *arguments)
{
    const char *abi = arguments_abi(arguments);

    if (compiler_ask(&install->compiler, compiler, install->error,
                     sizeof install->error) < 0)
        return -1;
    if (!install->compiler.major)
        return fail(install, "%s is %s, which is not supported: alloctrace is "
                             "a plugin of GCC", *compiler,
                    install->compiler.name);
    if (!abi)
        abi = arguments_abi(compiler + 1);
    compiler_machine(&install->compiler, abi, install->machine);
    return 0;
}

/* The header's directory comes last in the search: instrumenting a program
 * must not change which of its other headers it finds. */
int install_add_cflags(struct install *install, struct words *words)
{
    char plugin[PATH_MAX];

    if (find_plugin(install, &install->compiler, plugin, sizeof plugin) < 0)
        return -1;
    words_addf(words, "-fplugin=%s", plugin);
    words_addf(words, "-idirafter%s", install->include_dir);
    return 0;
}

/*
 * Programs that look at themselves find the library of alloctrace/analysis.h.
 * Nothing of the archive is linked unless something refers to it, and libm is
 * needed only then. Its names are the file's own, so that a program and its
 * libraries may have been built with different versions of it. There is none
 * for other machines than this one.
 */
static void add_analysis(const char *directory, struct words *words)
{
    char path[PATH_MAX];

    if (join(path, sizeof path, directory, ANALYSIS_FILE) < 0 ||
        !is_there(path))
        return;
    words_addf(words,
               "-Wl,--push-state,--as-needed,%s,-lm,--pop-state,"
               "--exclude-libs," ANALYSIS_FILE,
               path);
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
    const char *directory = install->runtime_dir;

    if (find_runtime(install) < 0)
        return -1;
    if (strchr(directory, ','))
        return fail(install,
                    "%s: the linker cannot be given a path with a "
                    "comma",
                    directory);
    add_analysis(directory, words);
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
