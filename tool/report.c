/* SPDX-License-Identifier: MIT */
/*
 * Statistics for people: a headline, then a table of groups (table.c), or
 * their call paths with the most recent frame first. Widths are for 80
 * columns; what is longer is cut on a terminal only.
 */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "brevity.h"
#include "command.h"
#include "location.h"
#include "details.h"

/* Frames of one call path that are shown: of a deep recursion the most recent
 * ones and a few of the oldest. JSON has them all. */
#define SHOWN_FRAMES 64
#define RECENT_FRAMES 48

/* Functions that are named in one line of those that were left out. */
#define SHOWN_WRAPPERS 12

#define LIST_NAME(NAME, value, name) #name,
const char *const report_groupings[] = {ALLOCTRACE_GROUPINGS(LIST_NAME) NULL};
const char *const report_metrics[] = {ALLOCTRACE_METRICS(LIST_NAME) NULL};

const char *report_group_by(const struct report *report)
{
    return report_groupings[report->options.group_by - 1];
}

const char *report_metric(const struct report *report)
{
    return report_metrics[report->options.metric - 1];
}

bool report_has_frames(int group_by)
{
    return group_by == ALLOCTRACE_BY_FILENAME ||
           group_by == ALLOCTRACE_BY_LINENO ||
           group_by == ALLOCTRACE_BY_FUNCTION ||
           group_by == ALLOCTRACE_BY_TRACEBACK;
}

const char *report_change(int64_t bytes, char text[ALLOCTRACE_SIZE_TEXT])
{
    return alloctrace_format_size((double)bytes, bytes != 0, text);
}

double report_share(const struct report *report, int64_t size)
{
    const int64_t sum = alloctrace_statistics_sum(report->statistics)->size;

    return sum > 0 ? 100.0 * (double)size / (double)sum : 0.0;
}

/* What the call path lacks behind a frame: see `via` in analysis.h. */
static void print_via(const struct out *out,
                      const struct alloctrace_frame *frame)
{
    if (!frame->via)
        return;
    out_dim(out);
    fprintf(out->file, "           [%s ",
            frame->is_via_tail ? "tail call in" : "through");
    out_text(out->file, frame->via);
    fputs("]\n", out->file);
    out_plain(out);
}

/* Name of a function that was left out, in at most `room` columns. */
static const char *wrapper_name(const char *name, size_t room,
                                char text[LOCATION_SIZE])
{
    /* So they are called by symbol tables, of whatever kind they are. */
    if (strncmp(name, "_Znw", 4) == 0)
        return "operator new";
    if (strncmp(name, "_Zna", 4) == 0)
        return "operator new[]";
    brevity_fit(name, room, text, LOCATION_SIZE);
    return text;
}

static const char *frame_name(const struct alloctrace_frame *frame, size_t room,
                              char text[LOCATION_SIZE])
{
    if (frame->is_library)
        return "the C++ library";
    return wrapper_name(*frame->function ? frame->function : frame->file, room,
                        text);
}

/* The functions between a group's first frame and the allocation, as they
 * called one another. */
static int print_wrappers(const struct out *out, const struct report *report,
                          size_t index)
{
    const size_t room = out->width > 0 ? (size_t)out->width / 2 : LOCATION_SIZE;
    alloctrace_traceback *traceback;
    char buffers[2][LOCATION_SIZE];
    const char *last = "";
    size_t n;

    if (alloctrace_statistics_wrappers(report->statistics, index, &traceback))
        return ALLOCTRACE_ENO_MEMORY;
    n = alloctrace_traceback_count(traceback);
    for (size_t i = 0; i < n; i++) {
        const char *const name =
            frame_name(alloctrace_traceback_frame(traceback, (ptrdiff_t)i),
                       room, buffers[i % 2]);

        if (i == 0) {
            out_dim(out);
            fprintf(out->file, "           [%sthrough ",
                    alloctrace_statistics_get(report->statistics, index)
                            ->has_several_ways
                        ? "mostly "
                        : "");
        } else if (strcmp(name, last) == 0) {
            continue;
        } else if (i >= SHOWN_WRAPPERS) {
            fprintf(out->file, ", %zu more", n - i);
            break;
        } else {
            fputs(", ", out->file);
        }
        out_text(out->file, name);
        last = name;
    }
    if (n > 0) {
        fputs("]\n", out->file);
        out_plain(out);
    }
    alloctrace_traceback_free(traceback);
    return 0;
}

static void print_frame(const struct out *out, size_t number,
                        const struct alloctrace_frame *frame)
{
    const char *const suffix = frame->is_inlined ? " (inlined)" : "";
    const size_t used = 11 + strlen(suffix);
    char text[LOCATION_SIZE];

    print_via(out, frame);
    location_format(frame, 28,
                    (size_t)out->width > used ? (size_t)out->width - used : 0,
                    text);
    fprintf(out->file, "      #%-3zu ", number);
    out_text(out->file, text);
    fprintf(out->file, "%s\n", suffix);
}

static int print_path(const struct out *out, const struct report *report,
                      size_t index)
{
    alloctrace_traceback *traceback;
    size_t n;

    if (alloctrace_statistics_traceback(report->statistics, index, &traceback))
        return ALLOCTRACE_ENO_MEMORY;
    n = alloctrace_traceback_count(traceback);
    for (size_t i = 0; i < n; i++) {
        if (n > SHOWN_FRAMES && i == RECENT_FRAMES) {
            i = n - (SHOWN_FRAMES - RECENT_FRAMES);
            fprintf(out->file, "      ... %zu frames between\n",
                    i - RECENT_FRAMES);
        }
        print_frame(out, i,
                    alloctrace_traceback_frame(traceback, -1 - (ptrdiff_t)i));
    }
    if (alloctrace_traceback_total_nframe(traceback) > n)
        fprintf(out->file, "      ... %s: %" PRIu64 "\n",
                alloctrace_snapshot_traceback_limit(report->snapshot)
                    ? "older frames not kept"
                    : "frames of recursion not kept, at most",
                alloctrace_traceback_total_nframe(traceback) - n);
    alloctrace_traceback_free(traceback);
    return 0;
}

/* "+12.0 KiB in +3 blocks, now " in front of what there is; of statistics
 * nothing. */
static void print_change(const struct out *out, const struct report *report,
                         const struct alloctrace_statistic *group)
{
    const int64_t count = group->count_diff;
    char change[ALLOCTRACE_SIZE_TEXT];

    if (!report->old)
        return;
    if (!group->size_diff && !count)
        fputs("no change, now ", out->file);
    else
        fprintf(out->file,
                count ? "%s in %+" PRId64 " block%s, now "
                      : "%s in %" PRId64 " block%s, now ",
                report_change(group->size_diff, change), count,
                count == 1 || count == -1 ? "" : "s");
}

/* What a call path allocated: one line. */
static void print_path_head(const struct out *out, const struct report *report,
                            size_t place)
{
    const struct alloctrace_statistic *const group = alloctrace_statistics_get(
        report->statistics, report_index(report, place));
    char type[LOCATION_SIZE];

    brevity_fit(group->type,
                out->width > 0 ? (size_t)out->width / 2 : LOCATION_SIZE, type,
                sizeof type);
    out_bold(out);
    fprintf(out->file, "%4zu  ", place + 1);
    print_change(out, report, group);
    fprintf(out->file, "%s in %s", out_size(group->size),
            out_blocks(group->count));
    out_plain(out);
    fputs(*type ? " of " : "", out->file);
    out_text(out->file, type);
    if (!report->old)
        fprintf(out->file, ", average %s, %.1f%%",
                group->count ? out_mean(group->size, group->count) : "-",
                report_share(report, group->size));
    if (!report->old && alloctrace_snapshot_process(report->snapshot)->sample_bytes)
        fprintf(out->file, ", standard error %.0f%%",
                100 * alloctrace_snapshot_error(report->snapshot, group->size));
    putc('\n', out->file);
}

static int print_paths(const struct out *out, const struct report *report)
{
    for (size_t i = 0; i < report->n_shown; i++) {
        const size_t index = report_index(report, i);

        print_path_head(out, report, i);
        if (print_wrappers(out, report, index) ||
            print_path(out, report, index) ||
            (report->has_details && details_print(out, report, index)))
            return ALLOCTRACE_ENO_MEMORY;
    }
    return 0;
}

/* The groups that were not printed, in one line. Cumulative ones have much in
 * common, and no sum. */
static void print_rest(const struct out *out, const struct report *report)
{
    const size_t n = report->n_listed;
    struct alloctrace_statistic sum = {0};

    for (size_t i = report->n_shown; i < n; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(report->statistics,
                                      report_index(report, i));

        sum.size += group->size;
        sum.count += group->count;
        sum.size_diff += group->size_diff;
        sum.count_diff += group->count_diff;
    }
    if (report->n_shown == n)
        return;
    fprintf(out->file, "     ... %zu more", n - report->n_shown);
    if (!report->options.cumulative) {
        fputs(": ", out->file);
        print_change(out, report, &sum);
        fprintf(out->file, "%s in %s", out_size(sum.size),
                out_blocks(sum.count));
    }
    putc('\n', out->file);
}

/* Which functions a table is without: as many as fit into a line. */
static void print_left_out(const struct out *out, const struct report *report)
{
    static const char begin[] = "     wrappers left out: ";
    const size_t n = alloctrace_snapshot_wrapper_count(report->snapshot);
    const size_t columns = out->width > 0 ? (size_t)out->width : 79;
    size_t column = sizeof begin - 1;
    char buffer[LOCATION_SIZE];

    if (n == 0 || (report->options.group_by != ALLOCTRACE_BY_MODULE &&
                   !report_has_frames(report->options.group_by)))
        return;
    out_dim(out);
    fputs(begin, out->file);
    for (size_t i = 0; i < n; i++) {
        const char *const name =
            wrapper_name(alloctrace_snapshot_wrapper(report->snapshot, i),
                         columns / 2, buffer);

        if (i > 0 && column + strlen(name) + strlen(" and 99 more") > columns) {
            fprintf(out->file, " and %zu more", n - i);
            break;
        }
        fputs(i > 0 ? ", " : "", out->file);
        out_text(out->file, name);
        column += strlen(name) + 2;
    }
    putc('\n', out->file);
    out_plain(out);
}

/* What the whole program's details say, if there are any. */
static int print_details_sum(const struct out *out,
                             const alloctrace_snapshot *snapshot)
{
    struct alloctrace_detail *detail;

    if (!alloctrace_snapshot_has_details(snapshot))
        return 0;
    if (alloctrace_snapshot_detail_sum(snapshot, &detail))
        return ALLOCTRACE_ENO_MEMORY;
    details_print_sum(out->file, detail);
    alloctrace_detail_free(detail);
    return 0;
}

/* That what follows is not all, if it is not. */
static int print_filtered(const struct out *out, const struct report *report)
{
    return report->whole ? filters_print(out, report->whole, report->snapshot,
                                         report->options.metric)
                         : 0;
}

/* What all groups are together, and what there is to know of it. */
static void print_sum(const struct out *out, const struct report *report)
{
    const struct alloctrace_statistic *const sum =
        alloctrace_statistics_sum(report->statistics);

    fprintf(out->file, "\n%s by %s%s%s: ", report_metric(report),
            report_group_by(report),
            report->options.cumulative ? ", cumulative" : "",
            report->options.flags & ALLOCTRACE_IGNORE_LINES
                ? ", lines ignored"
                : "");
    print_change(out, report, sum);
    fprintf(out->file, "%s in %s\n", out_size(sum->size),
            out_blocks(sum->count));
}

/* What was looked at: one dump, or the older one and then the newer one. */
static int print_heads(const struct out *out, const struct report *report)
{
    int error = 0;

    if (report->old) {
        fputs("old: ", out->file);
        info_headline(out, report->old);
        if (report->old_whole)
            error = filters_print(out, report->old_whole, report->old,
                                  report->options.metric);
        info_warnings(out, report->old);
        fputs("new: ", out->file);
    }
    info_headline(out, report->snapshot);
    if (!error)
        error = print_filtered(out, report);
    if (!error)
        error = print_details_sum(out, report->snapshot);
    info_warnings(out, report->snapshot);
    if (report->old)
        diff_print_doubts(out, report);
    return error;
}

/* Groups that a comparison left out. */
static void print_unchanged(const struct out *out, const struct report *report)
{
    const size_t n =
        alloctrace_statistics_count(report->statistics) - report->n_listed;

    if (n > 0)
        fprintf(out->file, "     %zu did not change (--all shows %s)\n", n,
                n == 1 ? "it" : "them");
}

int report_print(const struct out *out, const struct report *report)
{
    int error = print_heads(out, report);

    print_sum(out, report);
    if (!error && report->options.group_by == ALLOCTRACE_BY_TRACEBACK)
        error = print_paths(out, report);
    else if (!error && report->n_shown > 0)
        error = report_table(out, report);
    if (report->whole && alloctrace_snapshot_trace_count(report->snapshot) == 0)
        fputs("     nothing passed the filters\n", out->file);
    print_rest(out, report);
    print_unchanged(out, report);
    if (report->options.group_by != ALLOCTRACE_BY_TRACEBACK)
        print_left_out(out, report);
    return error;
}
