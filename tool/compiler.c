/* SPDX-License-Identifier: MIT */
/*
 * Finds out what a compiler is. The files of Debian's and of others say it by
 * their names, which costs no process for each file that is compiled:
 *
 *     gcc -> gcc-12 -> x86_64-linux-gnu-gcc-12
 *
 * Others are asked. One run of `COMPILER -v` tells both the version
 * and the target, and tells other compilers from GCC:
 *
 *     Target: aarch64-linux-gnu
 *     gcc version 12.2.0 (Debian 12.2.0-14)
 *
 * Machines are written without their vendor, and i686 and the like as i386,
 * as the directories of plugins and runtimes are named.
 */
#define _GNU_SOURCE /* pipe2 */

#include "compiler.h"

#include "basename.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: becomes `command -v` with its output in a pipe. */
static void exec_question(char *const *command, int output)
{
    struct words words;

    words_init(&words);
    for (; *command; command++)
        words_add(&words, *command);
    words_add(&words, "-v");
    setenv("LC_ALL", "C", 1); /* GCC translates its answer */
    dup2(output, STDERR_FILENO);
    dup2(output, STDOUT_FILENO);
    execvp(words.word[0], words.word);
    _exit(127);
}

static void read_all(int input, char *text, size_t size)
{
    char rest[512]; /* what does not fit is read all the same */
    size_t length = 0;
    ssize_t n;

    do {
        const int is_full = length + 1 == size;

        n = read(input, is_full ? rest : text + length,
                 is_full ? sizeof rest : size - 1 - length);
        if (n > 0 && !is_full)
            length += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    text[length] = 0;
}

/* Copies MACHINE without its vendor. */
static void normalise(char machine[MACHINE_SIZE], const char *text,
                      size_t length)
{
    const char *dash = memchr(text, '-', length);
    const char *system = strstr(text, "linux");
    const size_t cpu = dash ? (size_t)(dash - text) : length;

    if (!dash || !system || system > text + length)
        system = text + length;
    if (cpu == 4 && text[0] == 'i' && !strncmp(text + 2, "86", 2))
        snprintf(machine, MACHINE_SIZE, "i386-%.*s",
                 (int)(text + length - system), system);
    else
        snprintf(machine, MACHINE_SIZE, "%.*s-%.*s", (int)cpu, text,
                 (int)(text + length - system), system);
}

/* The line that begins with `start`, behind it; NULL: there is none. */
static const char *find_line(const char *text, const char *start)
{
    for (; text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
        if (!strncmp(text, start, strlen(start)))
            return text + strlen(start);
    return NULL;
}

int compiler_read(struct compiler *compiler, const char *text)
{
    const char *target = find_line(text, "Target: ");
    const char *version = find_line(text, "gcc version ");
    const char *other = strstr(text, "clang version");

    *compiler = (struct compiler){0};
    strcpy(compiler->name, version ? "gcc" : other ? "clang" : "");
    if (!target || (!version && !other))
        return -1;
    normalise(compiler->machine, target, strcspn(target, "\n"));
    if (version)
        compiler->major = atoi(version);
    return 0;
}

/* The number that is all of TEXT, of three digits at most; 0: it is none. */
static int read_major(const char *text)
{
    const size_t n_digits = strspn(text, "0123456789");

    return n_digits > 3 || text[n_digits] ? 0 : atoi(text);
}

int compiler_read_name(struct compiler *compiler, const char *path)
{
    static const char *const kinds[] = {"-gcc-", "-g++-", "-gfortran-"};
    const char *const name = base_name(path);

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *kind = strstr(name, kinds[i]);
        const char *system = strstr(name, "-linux");
        const int major = kind ? read_major(kind + strlen(kinds[i])) : 0;

        if (!major || !system || system == name || system >= kind)
            continue;
        *compiler = (struct compiler){.major = major, .name = "gcc"};
        normalise(compiler->machine, name, (size_t)(kind - name));
        return 0;
    }
    return -1;
}

/* Whether the command is one file, whose name says what it is. */
static int is_named(struct compiler *compiler, char *const *command)
{
    char path[PATH_MAX];

    return strchr(command[0], '/') && !command[1] &&
           realpath(command[0], path) &&
           compiler_read_name(compiler, path) == 0;
}

int compiler_ask(struct compiler *compiler, char *const *command, char *error,
                 size_t size)
{
    char text[16384];
    int pipes[2];
    int status = -1;
    pid_t child;

    if (is_named(compiler, command))
        return 0;
    if (pipe2(pipes, O_CLOEXEC) < 0) {
        snprintf(error, size, "pipe: %s", strerror(errno));
        return -1;
    }
    child = fork();
    if (child == 0)
        exec_question(command, pipes[1]);
    close(pipes[1]);
    read_all(pipes[0], text, sizeof text);
    close(pipes[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (status == 0 && compiler_read(compiler, text) == 0)
        return 0;
    snprintf(error, size, "%s -v does not tell a version of GCC", *command);
    return -1;
}

void compiler_machine(const struct compiler *compiler, const char *abi,
                      char machine[MACHINE_SIZE])
{
    const char *cpu = NULL;

    strcpy(machine, compiler->machine);
    if (!abi || (strncmp(machine, "x86_64-", 7) != 0 &&
                 strncmp(machine, "i386-", 5) != 0))
        return;
    cpu = strcmp(abi, "-m32") ? "x86_64" : "i386";
    snprintf(machine, MACHINE_SIZE, "%s%s%s", cpu,
             strchr(compiler->machine, '-'),
             strcmp(abi, "-mx32") ? "" : "x32");
}
