/* SPDX-License-Identifier: MIT */
/*
 * alloctrace run: runs an instrumented program traced and ends as it ended.
 * The report goes to standard error, so that the program's standard output
 * stays what it is.
 *
 * Signals: a terminal's interrupt and quit go to the program and not to us,
 * who have to outlive it; termination and hang-up are handed on to it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"

#define REPORT_LIMIT 20

/* As the shell says it: cannot be run, cannot be found, ended by a signal. */
enum { EXIT_NOT_RUNNABLE = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNALLED = 128 };

const struct option run_options[] = {
    {"-o", "FILE",
     "dump to write; %p is the process (default: "
     "alloctrace.PROGRAM.%p.alloctrace)"},
    {"--frames", "N|all", "frames of a traceback to keep (default: all)"},
    {NULL, NULL, NULL},
};

static volatile sig_atomic_t program_pid;

static void hand_on(int signal_number)
{
    if (program_pid > 0)
        kill(program_pid, signal_number);
}

static void set_signals(void)
{
    struct sigaction action = {.sa_handler = hand_on, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
}

static const char *base_name(const char *path)
{
    const char *const slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* In the child: the signals as they were, the program in our place. */
static void become(char **argv, const struct sigaction *interrupt,
                   const struct sigaction *quit)
{
    sigaction(SIGINT, interrupt, NULL);
    sigaction(SIGQUIT, quit, NULL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    execvp(argv[0], argv);
    fprintf(stderr, "alloctrace: %s: %s\n", argv[0], strerror(errno));
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE);
}

/* Runs the program; its process, or -1 after a message. */
static pid_t run_program(char **argv, int *status)
{
    struct sigaction interrupt;
    struct sigaction quit;
    pid_t pid;

    sigaction(SIGINT, NULL, &interrupt);
    sigaction(SIGQUIT, NULL, &quit);
    set_signals();
    pid = fork();
    if (pid == 0)
        become(argv, &interrupt, &quit);
    if (pid < 0) {
        fprintf(stderr, "alloctrace: %s: %s\n", argv[0], strerror(errno));
        return -1;
    }
    program_pid = pid;
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        continue;
    program_pid = 0;
    return pid;
}

/* The pattern with the process filled in; %e, %h and %n stay as they are
 * unless there are none. NULL: the name cannot be known here. */
static char *dump_name(const char *pattern, pid_t pid)
{
    char *name = NULL;
    size_t size;
    FILE *const file = open_memstream(&name, &size);
    bool is_known = file != NULL;

    for (const char *c = pattern; file && *c; c++) {
        if (*c != '%' || !c[1])
            putc(*c, file);
        else if (*++c == 'p')
            fprintf(file, "%ld", (long)pid);
        else if (*c == '%')
            putc('%', file);
        else
            is_known = false;
    }
    if (file)
        fclose(file);
    if (is_known)
        return name;
    free(name);
    return NULL;
}

static int report_dump(const char *path)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options,
        .group_by = ALLOCTRACE_BY_LINENO,
        .metric = ALLOCTRACE_METRIC_PEAK};
    alloctrace_snapshot *snapshot;
    struct out out;
    int status;

    if (command_load(path, &snapshot))
        return EXIT_UNUSABLE;
    out_init(&out, stderr);
    status = stats_report(&out, snapshot, &options, REPORT_LIMIT);
    fprintf(stderr, "\ndump: %s (alloctrace stats, info)\n", path);
    alloctrace_snapshot_free(snapshot);
    return status;
}

static void report(const char *program, const char *pattern, pid_t pid,
                   bool was_old)
{
    char *const path = dump_name(pattern, pid);

    if (!path)
        fprintf(stderr, "dump: %s\n", pattern);
    else if (access(path, F_OK) != 0 || was_old)
        fprintf(stderr,
                "alloctrace: %s: wrote no dump: it is not instrumented (built "
                "with alloctrace-gcc), or ended without exit\n",
                program);
    else
        report_dump(path);
    free(path);
}

/* Removes an old dump of the name, so that it is not taken for the new one.
 * What is no regular file is left alone, and nothing is reported of it. */
static bool is_in_the_way(const char *pattern)
{
    alloctrace_snapshot *snapshot;

    if (strchr(pattern, '%') || access(pattern, F_OK) != 0)
        return false;
    if (alloctrace_snapshot_load(pattern, &snapshot, NULL))
        return true;
    alloctrace_snapshot_free(snapshot);
    return unlink(pattern) != 0;
}

static int set_environment(const struct args *args, const char *pattern)
{
    const char *const frames = args_get(args, "--frames");
    uint64_t number;

    if (frames && strcmp(frames, "all") != 0 &&
        (args_number(args, "run", "--frames", 65535, 1, &number) ||
         number == 0))
        return number == 0
                   ? args_fail("run", "--frames is 0, not 1 to 65535 or all")
                   : EXIT_UNUSABLE;
    setenv("ALLOCTRACE", frames ? frames : "all", 1);
    setenv("ALLOCTRACE_DUMP", pattern, 1);
    return 0;
}

int cmd_run(int argc, char **argv)
{
    char fallback[4096];
    const char *pattern;
    struct args args;
    bool was_old;
    int status = 0;
    pid_t pid;

    if (args_parse(&args, run_options, argc, argv, true))
        return EXIT_UNUSABLE;
    if (args.n_operands == 0)
        return args_fail(argv[0], "wants a program");
    snprintf(fallback, sizeof fallback, "alloctrace.%s.%%p.alloctrace",
             base_name(args.operands[0]));
    pattern = args_get(&args, "-o") ? args_get(&args, "-o") : fallback;
    if (set_environment(&args, pattern))
        return EXIT_UNUSABLE;
    was_old = is_in_the_way(pattern);
    pid = run_program(args.operands, &status);
    if (pid < 0)
        return EXIT_UNUSABLE;
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != EXIT_NOT_FOUND &&
                               WEXITSTATUS(status) != EXIT_NOT_RUNNABLE))
        report(args.operands[0], pattern, pid, was_old);
    return WIFSIGNALED(status) ? EXIT_SIGNALLED + WTERMSIG(status)
                               : WEXITSTATUS(status);
}
