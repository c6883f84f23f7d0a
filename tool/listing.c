/* SPDX-License-Identifier: MIT */
/*
 * Statistics for programs: JSON and CSV, plain bytes, with a version field.
 * Oldest frame first, as in tracemalloc.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "details.h"
#include "report.h"

void report_json_frame(FILE *file, const struct alloctrace_frame *frame)
{
    fputs("\"file\":", file);
    out_json_string(file, frame->file);
    fprintf(file, ",\"line\":%u,\"function\":", frame->line);
    out_json_string(file, frame->function);
    if (frame->is_inlined)
        fputs(",\"inlined\":true", file);
    if (frame->via) {
        fputs(",\"via\":", file);
        out_json_string(file, frame->via);
    }
}

static void json_frame(FILE *file, const struct alloctrace_frame *frame)
{
    putc('{', file);
    report_json_frame(file, frame);
    putc('}', file);
}

/* The functions that folding left out, if it did: oldest first. */
static int json_wrappers(FILE *file, const struct report *report, size_t index)
{
    alloctrace_traceback *traceback;
    size_t n;

    if (alloctrace_statistics_wrappers(report->statistics, index, &traceback))
        return ALLOCTRACE_ENO_MEMORY;
    n = alloctrace_traceback_count(traceback);
    for (size_t i = 0; i < n; i++) {
        fputs(i > 0 ? "," : ",\"wrappers\":[", file);
        json_frame(file, alloctrace_traceback_frame(traceback, (ptrdiff_t)i));
    }
    if (n > 0)
        putc(']', file);
    alloctrace_traceback_free(traceback);
    return 0;
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
    if (report->options.group_by == ALLOCTRACE_BY_TRACEBACK &&
        alloctrace_traceback_total_nframe(traceback) > n)
        fprintf(file, ",\"total_nframe\":%" PRIu64,
                alloctrace_traceback_total_nframe(traceback));
    alloctrace_traceback_free(traceback);
    return json_wrappers(file, report, index);
}

/* A key that is no frame: a number for domains and threads, else a name. */
static void json_key(FILE *file, const struct report *report,
                     const struct alloctrace_statistic *group)
{
    fputs(",\"key\":", file);
    switch (report->options.group_by) {
    case ALLOCTRACE_BY_DOMAIN:
    case ALLOCTRACE_BY_THREAD:
        fprintf(file, "%u,\"name\":", group->number);
        out_json_string(file, group->key);
        break;
    default:
        out_json_string(file, *group->key ? group->key : "<unknown>");
        break;
    }
}

static int json_details(FILE *file, const struct report *report, size_t index)
{
    struct alloctrace_detail *detail;

    if (!alloctrace_snapshot_has_details(report->snapshot))
        return 0;
    if (alloctrace_statistics_detail(report->statistics, index, &detail))
        return ALLOCTRACE_ENO_MEMORY;
    details_json(file, detail);
    alloctrace_detail_free(detail);
    return 0;
}

int report_json(FILE *file, const struct report *report)
{
    const uint64_t sample =
        alloctrace_snapshot_process(report->snapshot)->sample_bytes;

    fprintf(file, "{\"version\":1,\"group_by\":\"%s\",\"metric\":\"%s\",%s%s",
            report_group_by(report), report_metric(report),
            report->is_folded ? "\"folded\":true," : "",
            report->whole ? "\"filtered\":true," : "");
    if (report->options.cumulative)
        fputs("\"cumulative\":true,", file);
    if (report->options.flags & ALLOCTRACE_IGNORE_LINES)
        fputs("\"ignore_lines\":true,", file);
    if (sample)
        fprintf(file, "\"sample\":%" PRIu64 ",", sample);
    fputs("\"statistics\":[", file);
    for (size_t i = 0; i < report->n_shown; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(report->statistics, i);

        fprintf(file, "%s{\"size\":%" PRId64 ",\"count\":%" PRId64,
                i > 0 ? "," : "", group->size, group->count);
        if (report->old)
            fprintf(file, ",\"size_diff\":%" PRId64 ",\"count_diff\":%" PRId64,
                    group->size_diff, group->count_diff);
        if (sample)
            fprintf(file, ",\"error\":%.3g",
                    alloctrace_snapshot_error(report->snapshot, group->size));
        if (*group->type && report_has_frames(report->options.group_by)) {
            fputs(",\"type\":", file);
            out_json_string(file, group->type);
        }
        if (!report_has_frames(report->options.group_by)) {
            json_key(file, report, group);
        } else if (json_frames(file, report, i)) {
            return ALLOCTRACE_ENO_MEMORY;
        }
        if (json_details(file, report, i))
            return ALLOCTRACE_ENO_MEMORY;
        putc('}', file);
    }
    fputs("]}\n", file);
    return 0;
}

int report_csv_path(FILE *file, const alloctrace_traceback *traceback)
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
    error = report_csv_path(file, traceback);
    alloctrace_traceback_free(traceback);
    return error;
}

static int csv_details(FILE *file, const struct report *report, size_t index)
{
    struct alloctrace_detail *detail;

    if (!report->has_details)
        return 0;
    if (alloctrace_statistics_detail(report->statistics, index, &detail))
        return ALLOCTRACE_ENO_MEMORY;
    details_csv(file, detail);
    alloctrace_detail_free(detail);
    return 0;
}

/* A row a group; the first column is the version of these columns. */
int report_csv(FILE *file, const struct report *report)
{
    const bool is_frames = report_has_frames(report->options.group_by);
    const bool is_number = report->options.group_by == ALLOCTRACE_BY_DOMAIN ||
                           report->options.group_by == ALLOCTRACE_BY_THREAD;

    fprintf(file, "version,size,count,%s%s",
            report->old ? "size_diff,count_diff," : "",
            is_frames ? "file,line,function,path" : "key");
    if (report->has_details)
        details_csv_head(file);
    fputs("\r\n", file);
    for (size_t i = 0; i < report->n_shown; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(report->statistics, i);
        char place[LOCATION_SIZE];

        fprintf(file, "1,%" PRId64 ",%" PRId64 ",", group->size, group->count);
        if (report->old)
            fprintf(file, "%" PRId64 ",%" PRId64 ",", group->size_diff,
                    group->count_diff);
        if (is_number) {
            report_place(report, i, 0, place);
            out_csv_string(file, place);
        } else if (!is_frames) {
            out_csv_string(file, *group->key ? group->key : "<unknown>");
        } else if (csv_frames(file, report, i)) {
            return ALLOCTRACE_ENO_MEMORY;
        }
        if (csv_details(file, report, i))
            return ALLOCTRACE_ENO_MEMORY;
        fputs("\r\n", file);
    }
    return 0;
}
