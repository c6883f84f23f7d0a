/* SPDX-License-Identifier: MIT */
/*
 * alloctrace run: runs an instrumented program traced and ends as it ended.
 * The report goes to standard error, so that the program's standard output
 * stays what it is.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "launch.h"
#include "outcome.h"

#define REPORT_LIMIT 20
#define DEFAULT_PATTERN "alloctrace.%e.%p.alloctrace"

/* As the shell says it: this and the signal's number. */
enum { EXIT_SIGNALLED = 128 };

const struct option run_options[] = {
    {"-o", "FILE",
     "dump to write; %p pid, %e program, %h host, %n number (default: "
     "alloctrace.%e.%p.alloctrace)"},
    {"--frames", "N|all",
     "frames of a traceback to keep (default: ALLOCTRACE, or all)"},
    FOLD_OPTIONS,
    {NULL, NULL, NULL},
};

/* The path as a person in this folder would write it. */
static const char *short_path(const char *path)
{
    static char folder[4096];
    size_t size;

    if (!getcwd(folder, sizeof folder))
        return path;
    size = strlen(folder);
    if (strncmp(path, folder, size) == 0 && path[size] == '/')
        return path + size + 1;
    return path;
}

/* By line, at the peak: a program that has ended well holds little by then.
 * A dump without what was live at the peak is shown as it is. */
static int report_dump(const char *path, bool is_folded)
{
    struct stats_choice choice = {.options = {.size = sizeof choice.options,
                                              .group_by = ALLOCTRACE_BY_LINENO,
                                              .metric = ALLOCTRACE_METRIC_PEAK},
                                  .limit = REPORT_LIMIT,
                                  .is_folded = is_folded};
    alloctrace_snapshot *snapshot;
    struct out out;
    int status;

    if (command_load(path, &snapshot))
        return EXIT_UNUSABLE;
    if (!stats_has_peak(snapshot))
        choice.options.metric = ALLOCTRACE_METRIC_LIVE;
    out_init(&out, stderr);
    status = stats_report(&out, snapshot, &choice);
    fprintf(stderr, "\ndump: %s (see it with 'alloctrace stats')\n", path);
    alloctrace_snapshot_free(snapshot);
    return status;
}

/* A shell, for one, writes no dump, but what it started may have. */
static void report_others(const char *pattern, const struct outcome *before)
{
    struct outcome newest;

    outcome_find(&newest, pattern, 0);
    if (newest.path && newest.is_regular && !outcome_is_same(&newest, before))
        fprintf(stderr, "dump: %s (of a process that it started)\n",
                short_path(newest.path));
    outcome_fini(&newest);
}

static void report(const char *program, const char *pattern,
                   const struct outcome *before, pid_t pid, int status,
                   bool is_folded)
{
    struct outcome outcome;

    outcome_find(&outcome, pattern, pid);
    if (!outcome.path ||
        (outcome.is_regular && outcome_is_same(&outcome, before))) {
        outcome_explain(program, status);
        report_others(pattern, before);
    } else if (outcome.is_regular) {
        report_dump(short_path(outcome.path), is_folded);
    }
    outcome_fini(&outcome);
}

/* Frames by the option, else by the environment if it asks for any. */
static int set_frames(const struct args *args)
{
    const char *const frames = args_get(args, "--frames");
    const char *const given = getenv("ALLOCTRACE");
    uint64_t number = 1;

    if (frames && strcmp(frames, "all") != 0 &&
        args_number(args, "run", "--frames", 65535, 1, &number))
        return EXIT_UNUSABLE;
    if (number == 0)
        return args_fail("run", "--frames is '%s', not 1 to 65535 or all",
                         frames);
    if (frames)
        setenv("ALLOCTRACE", frames, 1);
    else if (!given || !*given || strcmp(given, "0") == 0)
        setenv("ALLOCTRACE", "all", 1);
    return 0;
}

/* Runs the program and reports. Returns how `run` has to end. */
static int run(char **argv, const char *pattern, bool is_folded)
{
    struct outcome before; /* the newest dump of an earlier run */
    int wait_status = 0;
    pid_t pid;
    int status;

    outcome_find(&before, pattern, 0);
    status = launch(argv, &pid, &wait_status);
    if (status == 0) {
        report(argv[0], pattern, &before, pid, wait_status, is_folded);
        status = WIFSIGNALED(wait_status)
                     ? EXIT_SIGNALLED + WTERMSIG(wait_status)
                     : WEXITSTATUS(wait_status);
    }
    outcome_fini(&before);
    return status;
}

int cmd_run(int argc, char **argv)
{
    const char *given;
    struct args args;
    bool is_folded;
    char *pattern;
    int status;

    if (args_parse(&args, run_options, argc, argv, true))
        return EXIT_UNUSABLE;
    if (args.n_operands == 0)
        return args_fail(argv[0], "wants a program");
    if (stats_read_fold(&args, argv[0], true, &is_folded) || set_frames(&args))
        return EXIT_UNUSABLE;
    given = args_get(&args, "-o");
    pattern = outcome_pattern(given ? given : DEFAULT_PATTERN);
    if (!pattern) {
        fputs("alloctrace: run: the current folder cannot be found\n", stderr);
        return EXIT_UNUSABLE;
    }
    setenv("ALLOCTRACE_DUMP", pattern, 1);
    status = run(args.operands, pattern, is_folded);
    free(pattern);
    return status;
}
