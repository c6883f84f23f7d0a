/* SPDX-License-Identifier: MIT */
/* alloctrace stats: a dump, summed up by a key. Text, JSON, CSV. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define TEXT_LIMIT 20

const struct option stats_options[] = {
    {"--group-by", "KEY",
     "filename, lineno (default), function, traceback, type, domain, thread "
     "or module"},
    {"--metric", "METRIC", "live (default), total or peak"},
    {"--limit", "N", "groups to print; 0: all; default 20 for text, else all"},
    {"--format", "FORMAT", "text (default), json or csv"},
    {NULL, NULL, NULL},
};

#define LIST_NAME(NAME, value, name) #name,
static const char *const groupings[] = {ALLOCTRACE_GROUPINGS(LIST_NAME) NULL};
static const char *const metrics[] = {ALLOCTRACE_METRICS(LIST_NAME) NULL};

/* What is printed: the groups and how they were asked for. */
struct report {
    const alloctrace_snapshot *snapshot;
    alloctrace_statistics *statistics;
    struct alloctrace_statistics_options options;
    size_t n_shown;
};

static const char *group_by_name(const struct report *report)
{
    return groupings[report->options.group_by - 1];
}

static const char *metric_name(const struct report *report)
{
    return metrics[report->options.metric - 1];
}

static bool has_frames(int group_by)
{
    return group_by == ALLOCTRACE_BY_FILENAME ||
           group_by == ALLOCTRACE_BY_LINENO ||
           group_by == ALLOCTRACE_BY_FUNCTION ||
           group_by == ALLOCTRACE_BY_TRACEBACK;
}

/* A group's key as people read it: "lmem.c:192 luaM_malloc_". */
static void format_place(const struct report *report, size_t index, char *text,
                         size_t size)
{
    const struct alloctrace_statistic *const group =
        alloctrace_statistics_get(report->statistics, index);
    alloctrace_traceback *traceback;
    const struct alloctrace_frame *frame;

    switch (report->options.group_by) {
    case ALLOCTRACE_BY_DOMAIN:
        snprintf(text, size, "domain %u", group->number);
        return;
    case ALLOCTRACE_BY_THREAD:
        snprintf(text, size, "thread %u %s", group->number, group->key);
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
    if (frame->line)
        snprintf(text, size, "%s:%u %s", frame->file, frame->line,
                 frame->function);
    else
        snprintf(text, size, "%s %s", frame->file, frame->function);
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
            has_frames(report->options.group_by) ? "place"
                                                 : group_by_name(report));
    out_plain(out);
    for (size_t i = 0; i < report->n_shown; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(report->statistics, i);

        format_place(report, i, place, sizeof place);
        fprintf(out->file, "%4zu %10s %5.1f%% %10" PRId64 " %9s  ", i + 1,
                out_size(group->size), share(report, group->size), group->count,
                out_mean(group->size, group->count));
        fprintf(out->file, "%s\n", fit(out, place, 46));
    }
}

/* What the call path lacks behind a frame: see `via` in analysis.h. */
static void print_via(const struct out *out,
                      const struct alloctrace_frame *frame)
{
    if (!frame->via)
        return;
    out_dim(out);
    fprintf(out->file, "           [%s %s]\n",
            frame->is_via_tail ? "tail call in" : "through", frame->via);
    out_plain(out);
}

static void print_frame(const struct out *out, size_t number,
                        const struct alloctrace_frame *frame)
{
    char place[4096];

    print_via(out, frame);
    if (frame->line)
        snprintf(place, sizeof place, "%s:%u", frame->file, frame->line);
    else
        snprintf(place, sizeof place, "%s", frame->file);
    fprintf(out->file, "      #%-3zu %-28s %s%s\n", number, place,
            frame->function, frame->is_inlined ? " (inlined)" : "");
}

static int print_path(const struct out *out, const struct report *report,
                      size_t index)
{
    alloctrace_traceback *traceback;
    size_t n;

    if (alloctrace_statistics_traceback(report->statistics, index, &traceback))
        return ALLOCTRACE_ENO_MEMORY;
    n = alloctrace_traceback_count(traceback);
    for (size_t i = 0; i < n; i++)
        print_frame(out, i,
                    alloctrace_traceback_frame(traceback, -1 - (ptrdiff_t)i));
    if (alloctrace_traceback_total_nframe(traceback) > n)
        fprintf(out->file, "      ... %" PRIu64 " more frames\n",
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

static int print_text(const struct out *out, const struct report *report)
{
    const struct alloctrace_statistic *const sum =
        alloctrace_statistics_sum(report->statistics);
    int error = 0;

    info_headline(out, report->snapshot);
    info_warnings(out, report->snapshot);
    fprintf(out->file, "\n%s by %s: %s in %s\n", metric_name(report),
            group_by_name(report), out_size(sum->size), out_blocks(sum->count));
    if (report->options.group_by == ALLOCTRACE_BY_TRACEBACK)
        error = print_paths(out, report);
    else if (report->n_shown > 0)
        print_rows(out, report);
    print_rest(out, report);
    return error;
}

static void json_frame(FILE *file, const struct alloctrace_frame *frame)
{
    fputs("{\"file\":", file);
    out_json_string(file, frame->file);
    fprintf(file, ",\"line\":%u,\"function\":", frame->line);
    out_json_string(file, frame->function);
    if (frame->is_inlined)
        fputs(",\"inlined\":true", file);
    if (frame->via) {
        fputs(",\"via\":", file);
        out_json_string(file, frame->via);
    }
    putc('}', file);
}

static int json_frames(FILE *file, const struct report *report, size_t index)
{
    alloctrace_traceback *traceback;
    size_t n;

    if (alloctrace_statistics_traceback(report->statistics, index, &traceback))
        return ALLOCTRACE_ENO_MEMORY;
    fputs(",\"traceback\":[", file);
    n = alloctrace_traceback_count(traceback);
    for (size_t i = 0; i < n; i++) {
        fputs(i > 0 ? "," : "", file);
        json_frame(file, alloctrace_traceback_frame(traceback, (ptrdiff_t)i));
    }
    putc(']', file);
    alloctrace_traceback_free(traceback);
    return 0;
}

static int print_json(FILE *file, const struct report *report)
{
    fprintf(file,
            "{\"version\":1,\"group_by\":\"%s\",\"metric\":\"%s\","
            "\"statistics\":[",
            group_by_name(report), metric_name(report));
    for (size_t i = 0; i < report->n_shown; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(report->statistics, i);

        fprintf(file, "%s{\"size\":%" PRId64 ",\"count\":%" PRId64,
                i > 0 ? "," : "", group->size, group->count);
        if (!has_frames(report->options.group_by)) {
            char place[4096];

            format_place(report, i, place, sizeof place);
            fputs(",\"key\":", file);
            out_json_string(file, place);
        } else if (json_frames(file, report, i)) {
            return ALLOCTRACE_ENO_MEMORY;
        }
        putc('}', file);
    }
    fputs("]}\n", file);
    return 0;
}

/* The functions of a path, oldest first, as one field. */
static int csv_path(FILE *file, const alloctrace_traceback *traceback)
{
    const size_t n = alloctrace_traceback_count(traceback);
    char *text = NULL;
    size_t size;
    FILE *const joined = open_memstream(&text, &size);

    if (!joined)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_frame *const frame =
            alloctrace_traceback_frame(traceback, (ptrdiff_t)i);

        fprintf(joined, "%s%s", i > 0 ? ";" : "",
                *frame->function ? frame->function : frame->file);
    }
    if (fclose(joined) != 0 || !text)
        return ALLOCTRACE_ENO_MEMORY;
    out_csv_string(file, text);
    free(text);
    return 0;
}

static int csv_frames(FILE *file, const struct report *report, size_t index)
{
    alloctrace_traceback *traceback;
    const struct alloctrace_frame *frame;
    int error;

    if (alloctrace_statistics_traceback(report->statistics, index, &traceback))
        return ALLOCTRACE_ENO_MEMORY;
    frame = alloctrace_traceback_frame(traceback, -1);
    out_csv_string(file, frame->file);
    fprintf(file, ",%u,", frame->line);
    out_csv_string(file, frame->function);
    putc(',', file);
    error = csv_path(file, traceback);
    alloctrace_traceback_free(traceback);
    return error;
}

/* A row a group; the first column is the version of these columns. */
static int print_csv(FILE *file, const struct report *report)
{
    const bool is_frames = has_frames(report->options.group_by);

    fprintf(file, "version,size,count,%s\r\n",
            is_frames ? "file,line,function,path" : "key");
    for (size_t i = 0; i < report->n_shown; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(report->statistics, i);
        char place[4096];

        fprintf(file, "1,%" PRId64 ",%" PRId64 ",", group->size, group->count);
        if (!is_frames) {
            format_place(report, i, place, sizeof place);
            out_csv_string(file, place);
        } else if (csv_frames(file, report, i)) {
            return ALLOCTRACE_ENO_MEMORY;
        }
        fputs("\r\n", file);
    }
    return 0;
}

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
    error = print_text(out, &report);
    alloctrace_statistics_free(report.statistics);
    return error ? fail_memory() : 0;
}

static int print_for_programs(const alloctrace_snapshot *snapshot,
                              const struct alloctrace_statistics_options *how,
                              uint64_t limit, int format)
{
    struct report report;
    int error;

    if (report_init(&report, snapshot, how, limit))
        return EXIT_UNUSABLE;
    error = format == OUT_JSON ? print_json(stdout, &report)
                               : print_csv(stdout, &report);
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
        args_choice(&args, argv[0], "--group-by", groupings,
                    ALLOCTRACE_BY_LINENO - 1, &options.group_by) ||
        args_choice(&args, argv[0], "--metric", metrics,
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
