/* SPDX-License-Identifier: MIT */
/* alloctrace stats: a dump, summed up by a key. Text, JSON, CSV. */
#include <stdlib.h>

#include "command.h"
#include "report.h"

#define TEXT_LIMIT 20 /* groups that fit on a screen */

const struct option stats_options[] = {
    STATS_OPTIONS,
    {NULL, NULL, NULL},
};

static int fail_memory(void)
{
    fputs("alloctrace: out of memory\n", stderr);
    return EXIT_UNUSABLE;
}

int stats_view(alloctrace_snapshot *snapshot, const struct stats_choice *choice,
               alloctrace_snapshot **view, alloctrace_snapshot **part)
{
    int error = 0;

    *view = snapshot;
    *part = NULL;
    if (choice->is_folded) {
        error = alloctrace_snapshot_fold_wrappers(snapshot, view);
        alloctrace_snapshot_free(snapshot);
    }
    if (error)
        *view = NULL;
    return error ? error : filters_apply(&choice->filters, *view, part);
}

int stats_print(const struct out *out, struct report *report,
                const struct stats_choice *choice, int error)
{
    if (!error)
        error = choice->format == OUT_TEXT   ? report_print(out, report)
                : choice->format == OUT_JSON ? report_json(out->file, report)
                                             : report_csv(out->file, report);
    alloctrace_statistics_free(report->statistics);
    free(report->listed);
    return error ? fail_memory() : 0;
}

/* Prints a snapshot that is folded if it is to be. */
static int view_report(const struct out *out, const alloctrace_snapshot *view,
                       const struct stats_choice *choice)
{
    alloctrace_snapshot *filtered = NULL;
    struct report report = {.is_folded = choice->is_folded,
                            .has_details = choice->has_details,
                            .options = choice->options};
    int error = filters_apply(&choice->filters, view, &filtered);
    int status;

    if (filtered)
        report.whole = view;
    report.snapshot = filtered ? filtered : view;
    if (!error)
        error = alloctrace_snapshot_statistics(
            report.snapshot, &choice->options, &report.statistics);
    if (!error) {
        report.n_listed = alloctrace_statistics_count(report.statistics);
        report.n_shown = report.n_listed;
        if (choice->limit > 0 && choice->limit < report.n_shown)
            report.n_shown = (size_t)choice->limit;
    }
    status = stats_print(out, &report, choice, error);
    alloctrace_snapshot_free(filtered);
    return status;
}

int stats_report(const struct out *out, const alloctrace_snapshot *snapshot,
                 const struct stats_choice *choice)
{
    alloctrace_snapshot *folded = NULL;
    int status;

    if (choice->is_folded &&
        alloctrace_snapshot_fold_wrappers(snapshot, &folded))
        return fail_memory();
    status = view_report(out, folded ? folded : snapshot, choice);
    alloctrace_snapshot_free(folded);
    return status;
}

bool stats_has_peak(const alloctrace_snapshot *snapshot)
{
    const size_t n = alloctrace_snapshot_trace_count(snapshot);

    for (size_t i = 0; i < n; i++)
        if (alloctrace_snapshot_trace(snapshot, i)->peak_blocks)
            return true;
    return n == 0;
}

/* Cumulative sums are by what one frame says. */
static int check_cumulative(const char *command,
                            const struct alloctrace_statistics_options *options)
{
    if (options->cumulative && options->group_by != ALLOCTRACE_BY_MODULE &&
        options->group_by >= ALLOCTRACE_BY_TRACEBACK)
        return args_fail(command, "--cumulative is by filename, lineno, "
                                  "function or module");
    return 0;
}

int stats_read(const struct args *args, const char *command,
               struct stats_choice *choice)
{
    struct alloctrace_statistics_options *const options = &choice->options;

    *choice = (struct stats_choice){.options.size = sizeof *options};
    if (args_choice(args, command, "--group-by", report_groupings,
                    ALLOCTRACE_BY_LINENO - 1, &options->group_by) ||
        args_choice(args, command, "--metric", report_metrics,
                    ALLOCTRACE_METRIC_LIVE - 1, &options->metric) ||
        args_choice(args, command, "--format", out_formats, OUT_TEXT,
                    &choice->format) ||
        args_number(args, command, "--limit", INT64_MAX,
                    choice->format == OUT_TEXT ? TEXT_LIMIT : 0,
                    &choice->limit) ||
        stats_read_fold(args, command, choice->format == OUT_TEXT,
                        &choice->is_folded))
        return EXIT_UNUSABLE;
    choice->has_details = args_get(args, "--details");
    options->group_by++; /* the values start at 1 */
    options->metric++;
    options->cumulative = args_get(args, "--cumulative") != NULL;
    options->flags = args_get(args, "--ignore-lines")
                         ? (unsigned)ALLOCTRACE_IGNORE_LINES
                         : 0;
    if (check_cumulative(command, options))
        return EXIT_UNUSABLE;
    return filters_read(&choice->filters, args, command);
}

int stats_read_fold(const struct args *args, const char *command, bool fallback,
                    bool *is_folded)
{
    const bool is_on = args_get(args, "--fold-wrappers");
    const bool is_off = args_get(args, "--no-fold-wrappers");

    if (is_on && is_off)
        return args_fail(command, "--fold-wrappers and --no-fold-wrappers "
                                  "contradict one another");
    *is_folded = is_on || (fallback && !is_off);
    return 0;
}

int stats_check(const char *path, const alloctrace_snapshot *snapshot,
                const struct stats_choice *choice)
{
    if ((!choice->has_details &&
         choice->options.metric != ALLOCTRACE_METRIC_TEMPORARY) ||
        alloctrace_snapshot_has_details(snapshot))
        return 0;
    fprintf(stderr,
            "alloctrace: %s: it has no details: run the program with "
            "ALLOCTRACE_DETAIL=1\n",
            path);
    return EXIT_UNUSABLE;
}

/* Loads a dump and prints it. Returns the exit status. */
static int print_file(const char *path, const struct stats_choice *choice)
{
    alloctrace_snapshot *snapshot;
    struct out out;
    int status;

    if (command_load(path, &snapshot))
        return EXIT_UNUSABLE;
    out_init(&out, stdout);
    status = stats_check(path, snapshot, choice);
    if (!status)
        status = stats_report(&out, snapshot, choice);
    alloctrace_snapshot_free(snapshot);
    return out_finish(status);
}

int cmd_stats(int argc, char **argv)
{
    struct stats_choice choice = {0};
    struct args args;
    int status = EXIT_UNUSABLE;

    if (args_parse(&args, stats_options, argc, argv, false))
        return EXIT_UNUSABLE;
    if (stats_read(&args, argv[0], &choice) == 0)
        status = args.n_operands == 1
                     ? print_file(args.operands[0], &choice)
                     : args_fail(argv[0], "wants one file");
    filters_fini(&choice.filters);
    return status;
}
