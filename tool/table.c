/* SPDX-License-Identifier: MIT */
/*
 * Groups in rows: figures, what the group is, and of what type its objects
 * are. On a terminal the columns share its width; elsewhere nothing is cut.
 */
#include <inttypes.h>
#include <string.h>

#include "location.h"
#include "brevity.h"
#include "details.h"
#include "report.h"

/* Columns of the figures, with the spaces behind them: of statistics, and of
 * comparisons. */
#define FIGURES 46
#define DIFF_FIGURES 49

/* Without a terminal places are made as wide as the widest, up to this. */
#define PADDED_PLACE 40

/* Least columns that a type is given on a terminal. */
#define MIN_TYPE 10

/* How wide the columns are. */
struct table {
    size_t room;  /* of a place; 0 = whatever it takes */
    size_t width; /* that places are padded to */
    size_t type;  /* of a type; 0 = there is no such column */
};

/* A key that is no frame. */
static void format_key(const struct report *report,
                       const struct alloctrace_statistic *group, size_t room,
                       char text[LOCATION_SIZE])
{
    switch (report->options.group_by) {
    case ALLOCTRACE_BY_DOMAIN:
        if (*group->key)
            snprintf(text, LOCATION_SIZE, "%s", group->key);
        else
            snprintf(text, LOCATION_SIZE, "domain %u", group->number);
        return;
    case ALLOCTRACE_BY_THREAD:
        if (group->number)
            snprintf(text, LOCATION_SIZE, "thread %u %s", group->number,
                     group->key);
        else
            snprintf(text, LOCATION_SIZE, "<unknown>");
        return;
    case ALLOCTRACE_BY_TYPE:
        brevity_fit(*group->key ? group->key : "<unknown>",
                 room ? room : LOCATION_SIZE, text, LOCATION_SIZE);
        return;
    default:
        snprintf(text, LOCATION_SIZE, "%s",
                 *group->key ? group->key : "<unknown>");
        if (room > 0)
            location_cut(text, room);
        return;
    }
}

void report_place(const struct report *report, size_t index, size_t room,
                  char text[LOCATION_SIZE])
{
    const struct alloctrace_statistic *const group =
        alloctrace_statistics_get(report->statistics, index);
    alloctrace_traceback *traceback;

    if ((report->options.group_by != ALLOCTRACE_BY_LINENO &&
         report->options.group_by != ALLOCTRACE_BY_FUNCTION) ||
        alloctrace_statistics_traceback(report->statistics, index,
                                        &traceback)) {
        format_key(report, group, room, text);
        return;
    }
    location_format(alloctrace_traceback_frame(traceback, -1), 0, room, text);
    alloctrace_traceback_free(traceback);
}

/* The type of a group's objects; "" = nothing to say. */
static const char *type_of(const struct alloctrace_statistic *group)
{
    return group->has_several_types ? "(several types)" : group->type;
}

/* The widest type of the groups that are shown; 0 = types are no column. */
static size_t widest_type(const struct report *report)
{
    size_t widest = 0;

    if (report->options.group_by != ALLOCTRACE_BY_LINENO &&
        report->options.group_by != ALLOCTRACE_BY_FUNCTION)
        return 0;
    for (size_t i = 0; i < report->n_shown; i++) {
        const size_t width =
            strlen(type_of(alloctrace_statistics_get(
                report->statistics, report_index(report, i))));

        if (width > widest)
            widest = width;
    }
    return widest;
}

static size_t widest_place(const struct report *report, size_t room)
{
    char place[LOCATION_SIZE];
    size_t widest = 0;

    for (size_t i = 0; i < report->n_shown; i++) {
        size_t width;

        report_place(report, report_index(report, i), room, place);
        width = strlen(place);
        if (width > widest)
            widest = width;
    }
    return widest;
}

static struct table table_plan(const struct out *out,
                               const struct report *report)
{
    const size_t figures = report->old ? DIFF_FIGURES : FIGURES;
    const size_t columns = (size_t)out->width;
    struct table table = {.type = widest_type(report)};
    size_t least;

    if (columns > figures + 8)
        table.room = columns - figures;
    if (table.type == 0)
        return table;
    if (table.room > 0) {
        least = table.room / 3 > MIN_TYPE ? table.room / 3 : MIN_TYPE;
        if (table.type > least)
            table.type = least;
        if (table.room < table.type + 2 + MIN_TYPE) {
            table.type = 0;
            return table;
        }
        table.room -= table.type + 2;
    }
    table.width = widest_place(report, table.room);
    if (table.room == 0 && table.width > PADDED_PLACE)
        table.width = PADDED_PLACE;
    return table;
}

static void print_type(const struct out *out, const struct table *table,
                       const struct alloctrace_statistic *group,
                       size_t place_width)
{
    char type[LOCATION_SIZE];

    brevity_fit(type_of(group), table->room ? table->type : sizeof type, type,
             sizeof type);
    if (!*type)
        return;
    if (place_width < table->width)
        fprintf(out->file, "%*s", (int)(table->width - place_width), "");
    fputs("  ", out->file);
    out_text(out->file, type);
}

static void print_figures(const struct out *out, const struct report *report,
                          const struct alloctrace_statistic *group)
{
    char change[ALLOCTRACE_SIZE_TEXT];

    if (!report->old) {
        fprintf(out->file, " %10s %5.1f%% %10" PRId64 " %9s  ",
                out_size(group->size), report_share(report, group->size),
                group->count, out_mean(group->size, group->count));
        return;
    }
    fprintf(out->file, " %10s %10s ", report_change(group->size_diff, change),
            out_size(group->size));
    fprintf(out->file, group->count_diff ? "%+10" PRId64 : "%10" PRId64,
            group->count_diff);
    fprintf(out->file, " %10" PRId64 "  ", group->count);
}

static void print_row(const struct out *out, const struct report *report,
                      const struct table *table, size_t place_number)
{
    const size_t index = report_index(report, place_number);
    const struct alloctrace_statistic *const group =
        alloctrace_statistics_get(report->statistics, index);
    char place[LOCATION_SIZE];

    report_place(report, index, table->room, place);
    fprintf(out->file, "%4zu", place_number + 1);
    print_figures(out, report, group);
    out_text(out->file, place);
    if (table->type > 0)
        print_type(out, table, group, strlen(place));
    putc('\n', out->file);
}

int report_table(const struct out *out, const struct report *report)
{
    const struct table table = table_plan(out, report);
    const char *const what = report_has_frames(report->options.group_by)
                                 ? "place"
                                 : report_group_by(report);

    out_dim(out);
    if (report->old)
        fprintf(out->file, "%4s %10s %10s %10s %10s  ", "", "change", "size",
                "change", "blocks");
    else
        fprintf(out->file, "%4s %10s %6s %10s %9s  ", "", "size", "share",
                "blocks", "average");
    if (table.type > 0)
        fprintf(out->file, "%-*s  type\n", (int)table.width, what);
    else
        fprintf(out->file, "%s\n", what);
    out_plain(out);
    for (size_t i = 0; i < report->n_shown; i++) {
        print_row(out, report, &table, i);
        if (report->has_details &&
            details_print(out, report, report_index(report, i)))
            return ALLOCTRACE_ENO_MEMORY;
    }
    return 0;
}
