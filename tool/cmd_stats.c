/* SPDX-License-Identifier: MIT */
/* alloctrace stats: a dump, summed up by a key. Text, JSON, CSV. */
#include "command.h"
#include "report.h"

#define TEXT_LIMIT 20 /* groups that fit on a screen */

const struct option stats_options[] = {
    {"--group-by", "KEY",
     "filename, lineno (default), function, traceback, type, domain, thread "
     "or module"},
    {"--metric", "METRIC", "live (default), total or peak"},
    {"--limit", "N", "groups to print; 0: all; default 20 for text, else all"},
    {"--format", "FORMAT", "text (default), json or csv"},
    {NULL, NULL, NULL},
};

static int fail_memory(void)
{
    fputs("alloctrace: out of memory\n", stderr);
    return EXIT_UNUSABLE;
}

static int report_init(struct report *report,
                       const alloctrace_snapshot *snapshot,
                       const struct alloctrace_statistics_options *options,
                       uint64_t limit)
{
    report->snapshot = snapshot;
    report->options = *options;
    if (alloctrace_snapshot_statistics(snapshot, options, &report->statistics))
        return fail_memory();
    report->n_shown = alloctrace_statistics_count(report->statistics);
    if (limit > 0 && limit < report->n_shown)
        report->n_shown = (size_t)limit;
    return 0;
}

int stats_report(const struct out *out, const alloctrace_snapshot *snapshot,
                 const struct alloctrace_statistics_options *options,
                 uint64_t limit)
{
    struct report report;
    int error;

    if (report_init(&report, snapshot, options, limit))
        return EXIT_UNUSABLE;
    error = report_print(out, &report);
    alloctrace_statistics_free(report.statistics);
    return error ? fail_memory() : 0;
}

bool stats_has_peak(const alloctrace_snapshot *snapshot)
{
    const size_t n = alloctrace_snapshot_trace_count(snapshot);

    for (size_t i = 0; i < n; i++)
        if (alloctrace_snapshot_trace(snapshot, i)->peak_blocks)
            return true;
    return n == 0;
}

static int print_for_programs(const alloctrace_snapshot *snapshot,
                              const struct alloctrace_statistics_options *how,
                              uint64_t limit, int format)
{
    struct report report;
    int error;

    if (report_init(&report, snapshot, how, limit))
        return EXIT_UNUSABLE;
    error = format == OUT_JSON ? report_json(stdout, &report)
                               : report_csv(stdout, &report);
    alloctrace_statistics_free(report.statistics);
    return error ? fail_memory() : 0;
}

int cmd_stats(int argc, char **argv)
{
    struct alloctrace_statistics_options options = {.size = sizeof options};
    alloctrace_snapshot *snapshot;
    struct args args;
    struct out out;
    uint64_t limit;
    int format;
    int status;

    if (args_parse(&args, stats_options, argc, argv, false) ||
        args_choice(&args, argv[0], "--group-by", report_groupings,
                    ALLOCTRACE_BY_LINENO - 1, &options.group_by) ||
        args_choice(&args, argv[0], "--metric", report_metrics,
                    ALLOCTRACE_METRIC_LIVE - 1, &options.metric) ||
        args_choice(&args, argv[0], "--format", out_formats, OUT_TEXT,
                    &format) ||
        args_number(&args, argv[0], "--limit", INT64_MAX,
                    format == OUT_TEXT ? TEXT_LIMIT : 0, &limit))
        return EXIT_UNUSABLE;
    options.group_by++; /* the values start at 1 */
    options.metric++;
    if (args.n_operands != 1)
        return args_fail(argv[0], "wants one file");
    if (command_load(args.operands[0], &snapshot))
        return EXIT_UNUSABLE;
    out_init(&out, stdout);
    status = format == OUT_TEXT
                 ? stats_report(&out, snapshot, &options, limit)
                 : print_for_programs(snapshot, &options, limit, format);
    alloctrace_snapshot_free(snapshot);
    return out_finish(status);
}
