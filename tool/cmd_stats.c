/* SPDX-License-Identifier: MIT */
/* alloctrace stats: a dump, summed up by a key. Text, JSON, CSV. */
#include "command.h"
#include "report.h"

#define TEXT_LIMIT 20 /* groups that fit on a screen */

const struct option stats_options[] = {
    {"--group-by", "KEY",
     "filename, lineno (default), function, traceback, type, domain, thread "
     "or module"},
    {"--metric", "METRIC",
     "live (default), total, peak or temporary (freed before the thread "
     "allocated again; needs ALLOCTRACE_DETAIL=1)"},
    {"--details", NULL,
     "print temporary blocks, reallocs and a histogram of sizes for each "
     "group (needs ALLOCTRACE_DETAIL=1; json always has them)"},
    {"--limit", "N", "groups to print; 0: all; default 20 for text, else all"},
    FOLD_OPTIONS,
    FILTER_OPTIONS,
    {"--format", "FORMAT", "text (default), json or csv"},
    {NULL, NULL, NULL},
};

static int fail_memory(void)
{
    fputs("alloctrace: out of memory\n", stderr);
    return EXIT_UNUSABLE;
}

/* Returns 0 or ALLOCTRACE_ENO_MEMORY. */
static int report_init(struct report *report,
                       const alloctrace_snapshot *snapshot,
                       const struct stats_choice *choice)
{
    report->snapshot = snapshot;
    report->options = choice->options;
    if (alloctrace_snapshot_statistics(snapshot, &choice->options,
                                       &report->statistics))
        return ALLOCTRACE_ENO_MEMORY;
    report->n_shown = alloctrace_statistics_count(report->statistics);
    if (choice->limit > 0 && choice->limit < report->n_shown)
        report->n_shown = (size_t)choice->limit;
    return 0;
}

/* Prints a snapshot that is folded if it is to be. */
static int view_report(const struct out *out, const alloctrace_snapshot *view,
                       const struct stats_choice *choice)
{
    alloctrace_snapshot *filtered = NULL;
    struct report report = {.is_folded = choice->is_folded,
                            .has_details = choice->has_details};
    int error = filters_apply(&choice->filters, view, &filtered);

    if (filtered)
        report.whole = view;
    if (!error)
        error = report_init(&report, filtered ? filtered : view, choice);
    if (!error)
        error = choice->format == OUT_TEXT   ? report_print(out, &report)
                : choice->format == OUT_JSON ? report_json(out->file, &report)
                                             : report_csv(out->file, &report);
    alloctrace_statistics_free(report.statistics);
    alloctrace_snapshot_free(filtered);
    return error ? fail_memory() : 0;
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

/* Reads how to sum up, and which part of it to print. */
static int choice_read(const struct args *args, const char *command,
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
    return 0;
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

/* Does the dump hold what is asked for? */
static int check_details(const char *path, const alloctrace_snapshot *snapshot,
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
    status = check_details(path, snapshot, choice);
    if (!status)
        status = stats_report(&out, snapshot, choice);
    alloctrace_snapshot_free(snapshot);
    return out_finish(status);
}

int cmd_stats(int argc, char **argv)
{
    struct stats_choice choice;
    struct args args;
    int status;

    if (args_parse(&args, stats_options, argc, argv, false) ||
        choice_read(&args, argv[0], &choice))
        return EXIT_UNUSABLE;
    if (args.n_operands != 1)
        return args_fail(argv[0], "wants one file");
    status = filters_read(&choice.filters, &args, argv[0]);
    if (!status)
        status = print_file(args.operands[0], &choice);
    filters_fini(&choice.filters);
    return status;
}
