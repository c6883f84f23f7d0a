/* SPDX-License-Identifier: MIT */
/*
 * Details as they are printed: temporary blocks, reallocs and the histogram of
 * sizes, for people and for programs.
 */
#include "details.h"

#include <inttypes.h>

/* Columns of the longest bar of a histogram. */
#define BAR 30

static double share_of(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static void print_temporary(FILE *file, const struct alloctrace_detail *detail)
{
    fprintf(file, "%s (%.1f%%), %s of %s\n",
            out_blocks((int64_t)detail->temporary_blocks),
            share_of(detail->temporary_blocks, detail->total_blocks),
            out_size((int64_t)detail->temporary_bytes),
            out_size((int64_t)detail->total_bytes));
}

static void print_resized(FILE *file, const struct alloctrace_detail *detail)
{
    fprintf(file,
            "%" PRIu64 ", %" PRIu64 " in place; moved %s, grew by %s, "
            "shrank by %s\n",
            detail->resized_blocks, detail->resized_in_place,
            out_size((int64_t)detail->moved_bytes),
            out_size((int64_t)detail->grown_bytes),
            out_size((int64_t)detail->shrunk_bytes));
}

void details_print_sum(FILE *file, const struct alloctrace_detail *detail)
{
    fputs("temporary  ", file);
    print_temporary(file, detail);
    fputs("reallocs   ", file);
    print_resized(file, detail);
}

/* Blocks of the largest class; blocks of all. */
static uint64_t count_blocks(const struct alloctrace_detail *detail,
                             uint64_t *sum)
{
    uint64_t most = 0;

    *sum = 0;
    for (size_t i = 0; i < detail->n_sizes; i++) {
        *sum += detail->sizes[i].blocks;
        if (detail->sizes[i].blocks > most)
            most = detail->sizes[i].blocks;
    }
    return most;
}

/* Sizes beyond what a signed number holds are nobody's. */
static const char *size_text(uint64_t size)
{
    return out_size(size < INT64_MAX ? (int64_t)size : INT64_MAX);
}

static void print_class(FILE *file, const struct alloctrace_size_class *class,
                        uint64_t most, uint64_t sum)
{
    int bar = (int)((double)class->blocks / (double)most * BAR);

    fprintf(file, "%16s", size_text(class->from));
    if (class->to > class->from)
        fprintf(file, " to %-9s", size_text(class->to));
    else
        fprintf(file, "%13s", "");
    fprintf(file, " %10" PRIu64 " %5.1f%%  ", class->blocks,
            share_of(class->blocks, sum));
    for (bar = bar > 0 ? bar : 1; bar > 0; bar--)
        putc('#', file);
    putc('\n', file);
}

static void print_sizes(FILE *file, const struct alloctrace_detail *detail)
{
    uint64_t sum;
    const uint64_t most = count_blocks(detail, &sum);

    if (!detail->total_blocks)
        return;
    fprintf(file, "       sizes %s to %s, average %s\n",
            out_size((int64_t)detail->smallest),
            out_size((int64_t)detail->largest),
            out_mean((int64_t)detail->total_bytes,
                     (int64_t)detail->total_blocks));
    for (size_t i = 0; i < detail->n_sizes; i++)
        print_class(file, &detail->sizes[i], most, sum);
    if (sum < detail->total_blocks)
        fprintf(file, "       of unknown size: %s\n",
                out_blocks((int64_t)(detail->total_blocks - sum)));
}

int details_print(const struct out *out, const struct report *report,
                  size_t index)
{
    struct alloctrace_detail *detail;

    if (alloctrace_statistics_detail(report->statistics, index, &detail))
        return ALLOCTRACE_ENO_MEMORY;
    out_dim(out);
    fputs("       temporary ", out->file);
    print_temporary(out->file, detail);
    if (detail->resized_blocks) {
        fputs("       reallocs ", out->file);
        print_resized(out->file, detail);
    }
    print_sizes(out->file, detail);
    out_plain(out);
    alloctrace_detail_free(detail);
    return 0;
}

#define NUMBERS(NUMBER)      \
    NUMBER(total_blocks)     \
    NUMBER(total_bytes)      \
    NUMBER(temporary_blocks) \
    NUMBER(temporary_bytes)  \
    NUMBER(resized_blocks)   \
    NUMBER(resized_in_place) \
    NUMBER(moved_bytes)      \
    NUMBER(grown_bytes)      \
    NUMBER(shrunk_bytes)     \
    NUMBER(smallest)         \
    NUMBER(largest)

void details_json(FILE *file, const struct alloctrace_detail *detail)
{
    fputs(",\"details\":{", file);
#define JSON_NUMBER(name) fprintf(file, "\"" #name "\":%" PRIu64 ",", detail->name);
    NUMBERS(JSON_NUMBER)
#undef JSON_NUMBER
    fputs("\"sizes\":[", file);
    for (size_t i = 0; i < detail->n_sizes; i++)
        fprintf(file,
                "%s{\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"blocks\":%" PRIu64
                ",\"bytes\":%" PRIu64 "}",
                i > 0 ? "," : "", detail->sizes[i].from, detail->sizes[i].to,
                detail->sizes[i].blocks, detail->sizes[i].bytes);
    fputs("]}", file);
}

void details_csv_head(FILE *file)
{
#define CSV_NAME(name) fputs("," #name, file);
    NUMBERS(CSV_NAME)
#undef CSV_NAME
}

void details_csv(FILE *file, const struct alloctrace_detail *detail)
{
#define CSV_NUMBER(name) fprintf(file, ",%" PRIu64, detail->name);
    NUMBERS(CSV_NUMBER)
#undef CSV_NUMBER
}
