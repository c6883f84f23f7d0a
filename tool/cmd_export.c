/* SPDX-License-Identifier: MIT */
/*
 * alloctrace export: a dump in the formats of others. A format is a line of
 * the table below and a writer in a file of its own.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "export.h"
#include "filters.h"
#include "interrupt.h"
#include "outfile.h"

/* FORMAT(name, suffix, is it binary, has it a metric, one line of help). */
#define FORMATS(FORMAT)                                                 \
    FORMAT(tracemalloc, ".pickle", true, true,                          \
           "a tuple a block, for tracemalloc.Snapshot.load of CPython") \
    FORMAT(json, ".json", false, false, "everything, for programs")     \
    FORMAT(csv, ".csv", false, false, "a row a trace, for spreadsheets")

struct format {
    const char *name;
    const char *suffix; /* of names of such files */
    bool is_binary;     /* nothing for a terminal */
    bool has_metric;    /* one of the metrics is exported, and not all */
    export_writer *write;
};

#define LIST_FORMAT(name, suffix, is_binary, has_metric, help) \
    {#name, suffix, is_binary, has_metric, export_##name},
static const struct format formats[] = {FORMATS(LIST_FORMAT)};
enum { N_FORMATS = sizeof formats / sizeof *formats };

#define LIST_NAME(name, suffix, is_binary, has_metric, help) #name,
static const char *const names[] = {FORMATS(LIST_NAME) NULL};
#define LIST_HELP(name, suffix, is_binary, has_metric, help) \
    "; " #name ": " help

const struct option export_options[] = {
    {"--format", "FORMAT",
     "what to write (default: what the name of the file ends with)" FORMATS(
         LIST_HELP)},
    {"-o", "FILE",
     "where to write it; there is a whole file or none (default: standard "
     "output)"},
    {"--metric", "METRIC",
     "live (default), total or peak: the blocks of formats that have one kind "
     "only (tracemalloc)"},
    {"--fold-wrappers", NULL,
     "account what wrappers hand on (xmalloc, operator new, the inside of the "
     "C++ library) to their callers"},
    {"--no-fold-wrappers", NULL,
     "account it to the functions that call the allocator (default)"},
    FILTER_OPTIONS,
    {NULL, NULL, NULL},
};

/* What was asked for. */
struct choice {
    const struct format *format;
    const char *output; /* name of the file; NULL = standard output */
    struct filters filters;
    int metric; /* enum alloctrace_metric */
    bool is_folded;
};

static const struct format *format_of_file(const char *path)
{
    const size_t length = path ? strlen(path) : 0;

    for (int i = 0; i < N_FORMATS; i++) {
        const size_t n = strlen(formats[i].suffix);

        if (length > n && strcmp(path + length - n, formats[i].suffix) == 0)
            return &formats[i];
    }
    return NULL;
}

static int read_format(const struct args *args, const char *command,
                       struct choice *choice)
{
    int number;

    if (args_choice(args, command, "--format", names, -1, &number))
        return EXIT_UNUSABLE;
    choice->format =
        number < 0 ? format_of_file(choice->output) : &formats[number];
    if (!choice->format)
        return args_fail(command, "wants --format");
    return 0;
}

static int choice_read(const struct args *args, const char *command,
                       struct choice *choice)
{
    static const char *const metrics[] = {"live", "total", "peak", NULL};

    choice->output = args_get(args, "-o");
    if (read_format(args, command, choice) ||
        args_choice(args, command, "--metric", metrics, 0, &choice->metric) ||
        stats_read_fold(args, command, false, &choice->is_folded))
        return EXIT_UNUSABLE;
    choice->metric += ALLOCTRACE_METRIC_LIVE;
    if (args_get(args, "--metric") && !choice->format->has_metric)
        return args_fail(command, "%s has all metrics; --metric is for others",
                         choice->format->name);
    if (choice->format->is_binary && !choice->output && isatty(STDOUT_FILENO))
        return args_fail(command, "%s is nothing for a terminal; wants -o FILE",
                         choice->format->name);
    return 0;
}

/* ---- Exporting ---- */

/* Makes the table of export_source. Returns 0 or ALLOCTRACE_ENO_MEMORY. */
static int list_folded(struct export_source *source,
                       const alloctrace_snapshot *snapshot,
                       const alloctrace_snapshot *folded)
{
    const size_t n = alloctrace_snapshot_traceback_count(snapshot) + 1;
    uint32_t *const numbers = malloc(n * sizeof *numbers);

    if (!numbers)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < n; i++)
        numbers[i] = (uint32_t)i;
    for (size_t i = 0; i < alloctrace_snapshot_trace_count(snapshot); i++)
        numbers[alloctrace_snapshot_trace(snapshot, i)->traceback] =
            alloctrace_snapshot_trace(folded, i)->traceback;
    source->folded = numbers;
    source->n_folded = n;
    return 0;
}

static void source_fini(struct export_source *source)
{
    alloctrace_snapshot_free(source->snapshot);
    free(source->folded);
}

/* Folds and filters a snapshot, which is freed, as far as that was asked for.
 * Returns 0 or ALLOCTRACE_ENO_MEMORY. */
static int source_init(struct export_source *source,
                       alloctrace_snapshot *snapshot,
                       const struct choice *choice)
{
    alloctrace_snapshot *made = NULL;
    int result = 0;

    *source =
        (struct export_source){.snapshot = snapshot, .metric = choice->metric};
    if (choice->is_folded) {
        result = alloctrace_snapshot_fold_wrappers(snapshot, &made);
        if (!result) {
            source->snapshot = made;
            result = list_folded(source, snapshot, made);
            alloctrace_snapshot_free(snapshot);
        }
    }
    if (!result)
        result = filters_apply(&choice->filters, source->snapshot, &made);
    if (!result && made) {
        alloctrace_snapshot_free(source->snapshot);
        source->snapshot = made;
        source->is_filtered = true;
    }
    if (result)
        source_fini(source);
    return result;
}

static int fail_export(const char *path, int code,
                       struct alloctrace_error *error)
{
    if (code == ALLOCTRACE_ENO_MEMORY)
        snprintf(error->message, sizeof error->message, "%s",
                 alloctrace_strerror(code));
    return out_fail(path, error);
}

/* Returns 0, or 2 after a message. */
static int export_source(const char *path, const struct export_source *source,
                         const struct choice *choice)
{
    struct alloctrace_error error = {.offset = ALLOCTRACE_NO_OFFSET};
    struct outfile out;
    int code;

    interrupt_init();
    if (outfile_open(&out, choice->output))
        return EXIT_UNUSABLE;
    code = choice->format->write(out.file, source, &error);
    return outfile_close(&out, code ? fail_export(path, code, &error) : 0);
}

static int export_file(const char *path, const struct choice *choice)
{
    struct alloctrace_error error = {.offset = ALLOCTRACE_NO_OFFSET};
    struct export_source source;
    alloctrace_snapshot *snapshot;
    int status;

    if (command_load(path, &snapshot))
        return EXIT_UNUSABLE;
    status = source_init(&source, snapshot, choice);
    if (status)
        return fail_export(path, status, &error);
    status = export_source(path, &source, choice);
    source_fini(&source);
    return status;
}

int cmd_export(int argc, char **argv)
{
    struct choice choice;
    struct args args;
    int status;

    if (args_parse(&args, export_options, argc, argv, false) ||
        choice_read(&args, argv[0], &choice))
        return EXIT_UNUSABLE;
    if (args.n_operands != 1)
        return args_fail(argv[0], "wants one file");
    status = filters_read(&choice.filters, &args, argv[0]);
    if (!status)
        status = export_file(args.operands[0], &choice);
    filters_fini(&choice.filters);
    return status;
}
