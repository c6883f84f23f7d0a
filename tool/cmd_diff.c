/* SPDX-License-Identifier: MIT */
/*
 * alloctrace diff: two dumps compared by a key. Text leaves out what did not
 * change; JSON and CSV have all groups, for a program to choose.
 */
#include <stdlib.h>
#include <string.h>

#include "basename.h"
#include "command.h"
#include "report.h"

const struct option diff_options[] = {
    STATS_OPTIONS,
    {"--all", NULL, "text: print groups that did not change, too"},
    {NULL, NULL, NULL},
};

/* One of the two dumps. */
struct side {
    alloctrace_snapshot *view; /* owned: folded, if that is to be */
    alloctrace_snapshot *part; /* owned: what passed the filters, or NULL */
};

static const alloctrace_snapshot *side_of(const struct side *side)
{
    return side->part ? side->part : side->view;
}

static void side_fini(struct side *side)
{
    alloctrace_snapshot_free(side->part);
    alloctrace_snapshot_free(side->view);
}

/* Returns 0, or 2 after a message. */
static int side_init(struct side *side, const char *path,
                     const struct stats_choice *choice)
{
    alloctrace_snapshot *snapshot;

    *side = (struct side){NULL, NULL};
    if (command_load(path, &snapshot))
        return EXIT_UNUSABLE;
    if (stats_check(path, snapshot, choice)) {
        alloctrace_snapshot_free(snapshot);
        return EXIT_UNUSABLE;
    }
    if (!stats_view(snapshot, choice, &side->view, &side->part))
        return 0;
    fputs("alloctrace: out of memory\n", stderr);
    return EXIT_UNUSABLE;
}

/* ---- What is printed ---- */

/* Lists the groups that changed. Returns 0 or ALLOCTRACE_ENO_MEMORY. */
static int changed_list(struct report *report)
{
    const size_t n = alloctrace_statistics_count(report->statistics);

    report->n_listed = 0;
    report->listed = malloc((n + 1) * sizeof *report->listed);
    for (size_t i = 0; report->listed && i < n; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(report->statistics, i);

        if (group->size_diff || group->count_diff)
            report->listed[report->n_listed++] = i;
    }
    return report->listed ? 0 : ALLOCTRACE_ENO_MEMORY;
}

static int report_init(struct report *report, const struct stats_choice *choice,
                       bool is_all)
{
    int error = alloctrace_snapshot_compare_to(
        report->snapshot, report->old, &choice->options, &report->statistics);

    if (error)
        return error;
    report->n_listed = alloctrace_statistics_count(report->statistics);
    if (choice->format == OUT_TEXT && !is_all)
        error = changed_list(report);
    report->n_shown = report->n_listed;
    if (choice->limit > 0 && choice->limit < report->n_shown)
        report->n_shown = (size_t)choice->limit;
    return error;
}

static int compare(const struct side *old, const struct side *new,
                   const struct stats_choice *choice, bool is_all)
{
    struct report report = {.is_folded = choice->is_folded,
                            .has_details = choice->has_details,
                            .options = choice->options,
                            .snapshot = side_of(new),
                            .whole = new->part ? new->view : NULL,
                            .old = side_of(old),
                            .old_whole = old->part ? old->view : NULL};
    struct out out;
    int error;

    out_init(&out, stdout);
    error = report_init(&report, choice, is_all);
    return out_finish(stats_print(&out, &report, choice, error));
}

/* ---- Doubts ---- */

/* The build that a dump is of; "" = unknown. */
static const char *build_of(const alloctrace_snapshot *snapshot)
{
    const char *const program = alloctrace_snapshot_process(snapshot)->program;
    const size_t n = alloctrace_snapshot_module_count(snapshot);

    for (uint32_t i = 1; *program && i <= n; i++) {
        const struct alloctrace_module *const module =
            alloctrace_snapshot_module(snapshot, i);

        if (strcmp(module->path, program) == 0)
            return module->build_id;
    }
    return "";
}

/* Are both known, and not the same? */
static bool is_other(const char *left, const char *right)
{
    return *left && *right && strcmp(left, right) != 0;
}

static void doubt(const struct out *out, bool is_doubtful, bool *is_first,
                  const char *what)
{
    if (!is_doubtful)
        return;
    fprintf(out->file, "%s%s", *is_first ? "mind: " : "; ", what);
    *is_first = false;
}

void diff_print_doubts(const struct out *out, const struct report *report)
{
    const struct alloctrace_process *const new =
        alloctrace_snapshot_process(report->snapshot);
    const struct alloctrace_process *const old =
        alloctrace_snapshot_process(report->old);
    const bool is_program =
        is_other(base_name(old->program), base_name(new->program));
    /* By others lines are no part of a key. */
    const bool has_lines = report->options.group_by == ALLOCTRACE_BY_LINENO ||
                           report->options.group_by == ALLOCTRACE_BY_TRACEBACK;
    const bool is_moving = report->options.flags & ALLOCTRACE_IGNORE_LINES;
    const bool is_deep = report->options.cumulative ||
                         report->options.group_by == ALLOCTRACE_BY_TRACEBACK;
    bool is_first = true;

    doubt(out, is_program, &is_first, "they are different programs");
    doubt(out,
          !is_program && has_lines && !is_moving &&
              is_other(build_of(report->old), build_of(report->snapshot)),
          &is_first, "they are different builds: if lines have moved use "
                     "--ignore-lines");
    doubt(out, old->word_bits != new->word_bits, &is_first,
          "one is of 32, one of 64 bits");
    doubt(out, old->sample_bytes != new->sample_bytes, &is_first,
          "they were sampled differently");
    doubt(out, is_deep && old->traceback_limit != new->traceback_limit,
          &is_first,
          "they keep different numbers of frames: the lower one is used");
    doubt(out, old->n_processes != new->n_processes, &is_first,
          "they are of different numbers of processes");
    if (!is_first)
        putc('\n', out->file);
}

int cmd_diff(int argc, char **argv)
{
    struct stats_choice choice = {0};
    struct side old = {NULL, NULL};
    struct side new = {NULL, NULL};
    struct args args;
    int status = EXIT_UNUSABLE;

    if (args_parse(&args, diff_options, argc, argv, false))
        return EXIT_UNUSABLE;
    if (stats_read(&args, argv[0], &choice))
        goto out;
    if (args.n_operands != 2)
        args_fail(argv[0], "wants two files: the older one, then the newer");
    else if (!side_init(&old, args.operands[0], &choice) &&
             !side_init(&new, args.operands[1], &choice))
        status = compare(&old, &new, &choice, args_get(&args, "--all"));
out:
    side_fini(&old);
    side_fini(&new);
    filters_fini(&choice.filters);
    return status;
}
