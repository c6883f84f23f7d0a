/* SPDX-License-Identifier: MIT */
/*
 * Statistics for people: a headline, then a table of groups, or their call
 * paths with the most recent frame first. Widths are for 80 columns; what is
 * longer is cut on a terminal only.
 */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "command.h"

/* Frames of one call path that are shown: of a deep recursion the most recent
 * ones and a few of the oldest. JSON has them all. */
#define SHOWN_FRAMES 64
#define RECENT_FRAMES 48

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

/* "lmem.c:192 luaM_malloc_"; what stands before the function takes at least
 * `width` columns. */
static void format_frame(const struct alloctrace_frame *frame, int width,
                         char *text, size_t size)
{
    char place[4096];

    if (frame->line)
        snprintf(place, sizeof place, "%s:%u", frame->file, frame->line);
    else
        snprintf(place, sizeof place, "%s", frame->file);
    if (*frame->function)
        snprintf(text, size, "%-*s %s", width, place, frame->function);
    else
        snprintf(text, size, "%s", place);
}

/* A group's key as people read it: "lmem.c:192 luaM_malloc_". */
void report_place(const struct report *report, size_t index, char *text,
                  size_t size)
{
    const struct alloctrace_statistic *const group =
        alloctrace_statistics_get(report->statistics, index);
    alloctrace_traceback *traceback;
    const struct alloctrace_frame *frame;

    switch (report->options.group_by) {
    case ALLOCTRACE_BY_DOMAIN:
        if (*group->key)
            snprintf(text, size, "%s", group->key);
        else
            snprintf(text, size, "domain %u", group->number);
        return;
    case ALLOCTRACE_BY_THREAD:
        if (group->number)
            snprintf(text, size, "thread %u %s", group->number, group->key);
        else
            snprintf(text, size, "<unknown>");
        return;
    case ALLOCTRACE_BY_LINENO:
    case ALLOCTRACE_BY_FUNCTION:
        break;
    default:
        snprintf(text, size, "%s", *group->key ? group->key : "<unknown>");
        return;
    }
    if (alloctrace_statistics_traceback(report->statistics, index,
                                        &traceback)) {
        snprintf(text, size, "%s", group->key);
        return;
    }
    frame = alloctrace_traceback_frame(traceback, -1);
    format_frame(frame, 0, text, size);
    alloctrace_traceback_free(traceback);
}

static double share(const struct report *report, int64_t size)
{
    const int64_t sum = alloctrace_statistics_sum(report->statistics)->size;

    return sum > 0 ? 100.0 * (double)size / (double)sum : 0.0;
}

/* On a terminal the end of a long place is what tells places apart. */
static const char *fit(const struct out *out, const char *text, int used)
{
    static char cut[512];
    const int room = out->width - used;

    if (out->width == 0 || (int)strlen(text) <= room || room < 8)
        return text;
    snprintf(cut, sizeof cut, "...%s", text + strlen(text) - (room - 3));
    return cut;
}

static void print_rows(const struct out *out, const struct report *report)
{
    char place[4096];

    out_dim(out);
    fprintf(out->file, "%4s %10s %6s %10s %9s  %s\n", "", "size", "share",
            "blocks", "average",
            report_has_frames(report->options.group_by)
                ? "place"
                : report_group_by(report));
    out_plain(out);
    for (size_t i = 0; i < report->n_shown; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(report->statistics, i);

        report_place(report, i, place, sizeof place);
        fprintf(out->file, "%4zu %10s %5.1f%% %10" PRId64 " %9s  ", i + 1,
                out_size(group->size), share(report, group->size), group->count,
                out_mean(group->size, group->count));
        out_text(out->file, fit(out, place, 46));
        putc('\n', out->file);
    }
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

static void print_frame(const struct out *out, size_t number,
                        const struct alloctrace_frame *frame)
{
    char text[8192];

    print_via(out, frame);
    format_frame(frame, 28, text, sizeof text);
    fprintf(out->file, "      #%-3zu ", number);
    out_text(out->file, text);
    fputs(frame->is_inlined ? " (inlined)\n" : "\n", out->file);
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
        fprintf(out->file, "      ... older frames not kept: %" PRIu64 "\n",
                alloctrace_traceback_total_nframe(traceback) - n);
    alloctrace_traceback_free(traceback);
    return 0;
}

static int print_paths(const struct out *out, const struct report *report)
{
    for (size_t i = 0; i < report->n_shown; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(report->statistics, i);

        out_bold(out);
        fprintf(out->file, "%4zu  %s in %s", i + 1, out_size(group->size),
                out_blocks(group->count));
        out_plain(out);
        fprintf(out->file, ", average %s, %.1f%%\n",
                group->count ? out_mean(group->size, group->count) : "-",
                share(report, group->size));
        if (print_path(out, report, i))
            return ALLOCTRACE_ENO_MEMORY;
    }
    return 0;
}

/* The groups that were not printed, in one line. */
static void print_rest(const struct out *out, const struct report *report)
{
    const size_t n = alloctrace_statistics_count(report->statistics);
    int64_t size = 0;
    int64_t count = 0;

    for (size_t i = report->n_shown; i < n; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(report->statistics, i);

        size += group->size;
        count += group->count;
    }
    if (report->n_shown < n)
        fprintf(out->file, "     ... %zu more: %s in %s\n", n - report->n_shown,
                out_size(size), out_blocks(count));
}

int report_print(const struct out *out, const struct report *report)
{
    const struct alloctrace_statistic *const sum =
        alloctrace_statistics_sum(report->statistics);
    int error = 0;

    info_headline(out, report->snapshot);
    info_warnings(out, report->snapshot);
    fprintf(out->file, "\n%s by %s: %s in %s\n", report_metric(report),
            report_group_by(report), out_size(sum->size),
            out_blocks(sum->count));
    if (report->options.group_by == ALLOCTRACE_BY_TRACEBACK)
        error = print_paths(out, report);
    else if (report->n_shown > 0)
        print_rows(out, report);
    print_rest(out, report);
    return error;
}
