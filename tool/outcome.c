/* SPDX-License-Identifier: MIT */
/*
 * See outcome.h. The runtime fills in a pattern; here it becomes one of
 * glob(3) with the process's number in it and a star for what only the
 * program knows (%e, %h, %n), and the newest match is taken.
 */
#include "outcome.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloctrace/analysis.h"

char *outcome_pattern(const char *pattern)
{
    char folder[PATH_MAX];
    char *text = NULL;
    size_t size;
    FILE *file;

    if (pattern[0] == '/')
        return strdup(pattern);
    if (!getcwd(folder, sizeof folder))
        return NULL;
    file = open_memstream(&text, &size);
    if (!file)
        return NULL;
    for (const char *c = folder; *c; c++)
        fprintf(file, *c == '%' ? "%%%%" : "%c", *c);
    fprintf(file, "/%s", pattern);
    fclose(file);
    return text;
}

/* The pattern as one of glob(3). NULL: no memory. */
static char *glob_pattern(const char *pattern, pid_t pid)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (!file)
        return NULL;
    for (const char *c = pattern; *c; c++) {
        if (*c == '%' && c[1] == 'p' && pid)
            fprintf(file, "%ld", (long)pid);
        else if (*c == '%' && c[1] && strchr("pehn", c[1]))
            putc('*', file);
        else if (*c == '%' && c[1] == '%')
            putc('%', file);
        else {
            if (strchr("*?[\\", *c))
                putc('\\', file);
            putc(*c, file);
            continue;
        }
        c++; /* the letter behind the percent sign */
    }
    fclose(file);
    return text;
}

/* Takes the file if it is newer than what there is. */
static void consider(struct outcome *outcome, const char *path)
{
    struct stat status;
    long long changed_ns;

    if (stat(path, &status))
        return;
    changed_ns = status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec;
    if (outcome->path && changed_ns <= outcome->changed_ns)
        return;
    free(outcome->path);
    *outcome = (struct outcome){
        .path = strdup(path),
        .is_regular = S_ISREG(status.st_mode),
        .device = status.st_dev,
        .inode = status.st_ino,
        .changed_ns = changed_ns,
    };
}

void outcome_find(struct outcome *outcome, const char *pattern, pid_t pid)
{
    char *text = glob_pattern(pattern, pid);
    glob_t matches;

    *outcome = (struct outcome){.path = NULL};
    if (text && glob(text, GLOB_NOSORT, NULL, &matches) == 0) {
        for (size_t i = 0; i < matches.gl_pathc; i++)
            consider(outcome, matches.gl_pathv[i]);
        globfree(&matches);
    }
    free(text);
}

void outcome_fini(struct outcome *outcome)
{
    free(outcome->path);
}

bool outcome_is_same(const struct outcome *a, const struct outcome *b)
{
    return a->path && b->path && a->device == b->device &&
           a->inode == b->inode && a->changed_ns == b->changed_ns;
}

/* Is the program's file instrumented? As alloctrace_is_instrumented; looks in
 * PATH as execvp does. */
static int is_instrumented(const char *program)
{
    const char *folders = getenv("PATH");
    char path[PATH_MAX];

    if (strchr(program, '/'))
        return alloctrace_is_instrumented(program);
    while (folders && *folders) {
        size_t size = strcspn(folders, ":");

        snprintf(path, sizeof path, "%.*s/%s", (int)size, folders, program);
        if (access(path, X_OK) == 0)
            return alloctrace_is_instrumented(path);
        folders += size + (folders[size] == ':');
    }
    return ALLOCTRACE_EIO;
}

void outcome_explain(const char *program, int status)
{
    int answer = is_instrumented(program);

    fprintf(stderr, "alloctrace: %s: no dump was written: ", program);
    if (answer == 0)
        fputs("it is not instrumented (build it with CC=alloctrace-gcc)\n",
              stderr);
    else if (answer == ALLOCTRACE_EBAD_FILE)
        fputs("it is a script, and what it ran wrote none in its place\n",
              stderr);
    else if (WIFSIGNALED(status))
        fprintf(stderr, "it was killed by signal %d (%s)\n", WTERMSIG(status),
                strsignal(WTERMSIG(status)));
    else
        fputs("it ended without exit (_exit, exec), or the file could not be "
              "written\n",
              stderr);
}
