/* SPDX-License-Identifier: MIT */
/* alloctrace info: what a dump is of, when, how much, what was dropped. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "basename.h"
#include "command.h"
#include "details.h"
#include "members.h"

const struct option info_options[] = {
    {"--format", "FORMAT", "text (default) or json"},
    {NULL, NULL, NULL},
};

int command_load(const char *path, alloctrace_snapshot **snapshot)
{
    struct alloctrace_error error;

    if (alloctrace_snapshot_load(path, snapshot, &error))
        return out_fail(path, &error);
    /* Names for code that was not instrumented are an extra: without memory
     * for them the addresses stay. */
    if (alloctrace_snapshot_symbolize(*snapshot))
        fputs("alloctrace: out of memory: some frames have no names\n", stderr);
    return 0;
}

/* The command line as it was given, or the program's path. */
static void print_command_line(FILE *file, const alloctrace_snapshot *snapshot)
{
    const size_t n = alloctrace_snapshot_argument_count(snapshot);

    if (n == 0)
        out_text(file, alloctrace_snapshot_process(snapshot)->program);
    for (size_t i = 0; i < n; i++) {
        const char *const argument = alloctrace_snapshot_argument(snapshot, i);

        fputs(i > 0 ? " " : "", file);
        out_text(file, i > 0 ? argument : base_name(argument));
    }
}

static void print_time(FILE *file, uint64_t ns)
{
    const time_t seconds = (time_t)(ns / 1000000000);
    char text[32] = "?";
    struct tm parts;

    if (gmtime_r(&seconds, &parts))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    fprintf(file, "%s.%03u UTC", text, (unsigned)(ns / 1000000 % 1000));
}

void info_headline(const struct out *out, const alloctrace_snapshot *snapshot)
{
    const struct alloctrace_summary *const sum =
        alloctrace_snapshot_summary(snapshot);

    out_bold(out);
    print_command_line(out->file, snapshot);
    out_plain(out);
    fprintf(out->file, "\nlive %s in %s, total %s in %s, peak %s\n",
            out_size((int64_t)sum->live_bytes),
            out_blocks((int64_t)sum->live_blocks),
            out_size((int64_t)sum->total_bytes),
            out_blocks((int64_t)sum->total_blocks),
            out_size((int64_t)sum->peak_bytes));
}

/* A standard error in percents, two digits. */
static void print_error(FILE *file, const alloctrace_snapshot *snapshot,
                        uint64_t size, const char *name)
{
    const double error =
        100 * alloctrace_snapshot_error(snapshot, (int64_t)size);

    fprintf(file, "%.*f%% %s", error < 1 ? 2 : error < 10, error, name);
}

/* That figures are estimates, and how good ones: their standard errors. */
static void print_sampling(FILE *file, const alloctrace_snapshot *snapshot)
{
    const struct alloctrace_summary *const sum =
        alloctrace_snapshot_summary(snapshot);

    fprintf(
        file, "estimates from sampling every %s (+-",
        out_size((int64_t)alloctrace_snapshot_process(snapshot)->sample_bytes));
    print_error(file, snapshot, sum->live_bytes, "live, ");
    print_error(file, snapshot, sum->total_bytes, "total, ");
    print_error(file, snapshot, sum->peak_bytes, "peak)\n");
}

void info_warnings(const struct out *out, const alloctrace_snapshot *snapshot)
{
    const struct alloctrace_summary *const sum =
        alloctrace_snapshot_summary(snapshot);

    if (alloctrace_snapshot_process(snapshot)->sample_bytes)
        print_sampling(out->file, snapshot);
    if (sum->dropped_blocks)
        fprintf(out->file, "not recorded: %s in %s\n",
                out_size((int64_t)sum->dropped_bytes),
                out_blocks((int64_t)sum->dropped_blocks));
    if (sum->cut_blocks)
        fprintf(out->file,
                "call paths cut to save memory: those of %s in %s\n",
                out_size((int64_t)sum->cut_bytes),
                out_blocks((int64_t)sum->cut_blocks));
    if (sum->bad_frames)
        fprintf(out->file,
                "frames that could not be read: %" PRIu64
                ", shown as <unknown>\n",
                sum->bad_frames);
    if (sum->collisions)
        fprintf(out->file, "call paths told apart wrongly: %" PRIu64 "\n",
                sum->collisions);
}

/* Which process it was, or how many, and where. */
static void print_machine(FILE *file, const struct alloctrace_process *process)
{
    if (process->n_processes > 1)
        fprintf(file, "%u merged, ", process->n_processes);
    else
        fprintf(file, "%u ", process->pid);
    fputs("on ", file);
    out_text(file, *process->host ? process->host : "an unknown host");
    fputs(", ", file);
    if (process->word_bits)
        fprintf(file, "%u bits", process->word_bits);
    else
        fputs("32 or 64 bits", file);
}

static void print_process(FILE *file, const alloctrace_snapshot *snapshot)
{
    const struct alloctrace_process *const process =
        alloctrace_snapshot_process(snapshot);

    fputs("program    ", file);
    out_text(file, process->program);
    fputs("\ncommand    ", file);
    print_command_line(file, snapshot);
    fputs("\nprocess    ", file);
    print_machine(file, process);
    fputs("\nstarted    ", file);
    print_time(file, process->start_ns);
    fputs("\ndumped     ", file);
    print_time(file, process->dump_ns);
    fputs(" (", file);
    out_text(file, process->reason);
    if (process->sequence)
        fprintf(file, ", number %u", process->sequence);
    fputs(") by ", file);
    out_text(file, process->writer);
    fputs("\nframes     ", file);
    if (process->traceback_limit)
        fprintf(file, "%u of each traceback\n", process->traceback_limit);
    else
        fputs("all of each traceback\n", file);
    if (process->sample_bytes) {
        fputs("figures    ", file);
        print_sampling(file, snapshot);
    }
}

static void print_amount(FILE *file, const char *name, uint64_t bytes,
                         uint64_t blocks)
{
    fprintf(file, "%-10s %s in %s (%" PRIu64 " B)\n", name,
            out_size((int64_t)bytes), out_blocks((int64_t)blocks), bytes);
}

/* ---- Domains and details ---- */

/* What each domain holds: the two lists have a group for each. And details of
 * the whole program. */
struct parts {
    alloctrace_statistics *live;  /* owned */
    const struct alloctrace_statistic **by_number; /* owned: of `live` */
    alloctrace_statistics *total; /* owned; every domain that was used */
    struct alloctrace_detail *detail; /* owned; NULL = the dump has none */
};

static int compare_domains(const void *left, const void *right)
{
    const struct alloctrace_statistic *const *a = left;
    const struct alloctrace_statistic *const *b = right;

    return (*a)->number < (*b)->number ? -1 : (*a)->number > (*b)->number;
}

/* Lists what is live by number, for domains_live: there may be many. */
static int domains_sort(struct parts *parts)
{
    const size_t n = alloctrace_statistics_count(parts->live);

    parts->by_number = calloc(n + 1, sizeof *parts->by_number);
    if (!parts->by_number)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < n; i++)
        parts->by_number[i] = alloctrace_statistics_get(parts->live, i);
    qsort(parts->by_number, n, sizeof *parts->by_number, compare_domains);
    return 0;
}

static int parts_init(struct parts *parts,
                        const alloctrace_snapshot *snapshot)
{
    struct alloctrace_statistics_options options = {
        .size = sizeof options,
        .group_by = ALLOCTRACE_BY_DOMAIN,
        .metric = ALLOCTRACE_METRIC_LIVE};

    *parts = (struct parts){0};
    if (alloctrace_snapshot_statistics(snapshot, &options, &parts->live))
        return ALLOCTRACE_ENO_MEMORY;
    options.metric = ALLOCTRACE_METRIC_TOTAL;
    if (alloctrace_snapshot_statistics(snapshot, &options, &parts->total) ||
        domains_sort(parts))
        return ALLOCTRACE_ENO_MEMORY;
    return alloctrace_snapshot_has_details(snapshot)
               ? alloctrace_snapshot_detail_sum(snapshot, &parts->detail)
               : 0;
}

static void parts_fini(struct parts *parts)
{
    free(parts->by_number);
    alloctrace_statistics_free(parts->live);
    alloctrace_statistics_free(parts->total);
    alloctrace_detail_free(parts->detail);
}

/* What is live of the domain that is group `index` of the totals. */
static struct alloctrace_statistic domains_live(const struct parts *parts,
                                                size_t index)
{
    const struct alloctrace_statistic *const total =
        alloctrace_statistics_get(parts->total, index);
    const struct alloctrace_statistic *const *const found = bsearch(
        &total, parts->by_number, alloctrace_statistics_count(parts->live),
        sizeof *parts->by_number, compare_domains);

    return found ? **found : (struct alloctrace_statistic){0};
}

/* Domains that text has a line for; JSON has them all. */
#define SHOWN_DOMAINS 50

/* One line each; nothing if malloc is the only one, which the sums say. */
static void print_domains(FILE *file, const struct parts *parts)
{
    const size_t n = alloctrace_statistics_count(parts->total);

    if (n == 0 ||
        (n == 1 && alloctrace_statistics_get(parts->total, 0)->number == 0))
        return;
    for (size_t i = 0; i < n && i < SHOWN_DOMAINS; i++) {
        const struct alloctrace_statistic *const total =
            alloctrace_statistics_get(parts->total, i);
        const struct alloctrace_statistic live = domains_live(parts, i);

        fprintf(file, "domain     %u ", total->number);
        out_text(file, *total->key ? total->key : "(without a name)");
        fprintf(file, ": live %s in %s, total %s in %s\n", out_size(live.size),
                out_blocks(live.count), out_size(total->size),
                out_blocks(total->count));
    }
    if (n > SHOWN_DOMAINS)
        fprintf(file, "domains    %zu more, with fewer bytes\n",
                n - SHOWN_DOMAINS);
}

static void json_domains(FILE *file, const struct parts *parts)
{
    const size_t n = alloctrace_statistics_count(parts->total);

    fputs(",\"domains\":[", file);
    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_statistic *const total =
            alloctrace_statistics_get(parts->total, i);
        const struct alloctrace_statistic live = domains_live(parts, i);

        fprintf(file, "%s{\"id\":%u,\"name\":", i > 0 ? "," : "",
                total->number);
        out_json_string(file, total->key);
        fprintf(file,
                ",\"live_blocks\":%" PRId64 ",\"live_bytes\":%" PRId64
                ",\"total_blocks\":%" PRId64 ",\"total_bytes\":%" PRId64 "}",
                live.count, live.size, total->count, total->size);
    }
    putc(']', file);
}

/* ---- Attributes ---- */

/* One line each. */
static void print_attributes(FILE *file, const alloctrace_snapshot *snapshot)
{
    const size_t n = alloctrace_snapshot_attribute_count(snapshot);

    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_attribute *const attribute =
            alloctrace_snapshot_attribute(snapshot, i);

        fputs("attribute  ", file);
        out_text(file, attribute->key);
        fputs(": ", file);
        out_text(file, attribute->value);
        putc('\n', file);
    }
}

static void print_text(FILE *file, const alloctrace_snapshot *snapshot,
                       const struct parts *parts)
{
    const struct alloctrace_summary *const sum =
        alloctrace_snapshot_summary(snapshot);
    const uint64_t n_blocks = alloctrace_snapshot_block_count(snapshot);

    print_process(file, snapshot);
    print_amount(file, "live", sum->live_bytes, sum->live_blocks);
    print_amount(file, "total", sum->total_bytes, sum->total_blocks);
    fprintf(file, "peak       %s (%" PRIu64 " B",
            out_size((int64_t)sum->peak_bytes), sum->peak_bytes);
    if (sum->peak_slack)
        fprintf(file, "; exact to %s",
                out_size((int64_t)sum->peak_slack));
    fputs(")\n", file);
    print_domains(file, parts);
    if (parts->detail)
        details_print_sum(file, parts->detail);
    print_amount(file, "dropped", sum->dropped_bytes, sum->dropped_blocks);
    print_amount(file, "cut", sum->cut_bytes, sum->cut_blocks);
    fprintf(file,
            "paths      %zu; traces %zu, threads %zu, loaded files %zu\n"
            "overhead   %s resident\n"
            "unknown    %" PRIu64 " frees of blocks that were not recorded\n"
            "unreadable %" PRIu64 " frames\n"
            "collisions %" PRIu64 " (looked for with ALLOCTRACE_VERIFY=1)\n",
            alloctrace_snapshot_traceback_count(snapshot),
            alloctrace_snapshot_trace_count(snapshot),
            alloctrace_snapshot_thread_count(snapshot),
            alloctrace_snapshot_module_count(snapshot),
            out_size((int64_t)sum->overhead_bytes), sum->unknown_frees,
            sum->bad_frames, sum->collisions);
    if (n_blocks)
        fprintf(file, "blocks     %" PRIu64 " listed one by one\n", n_blocks);
    print_attributes(file, snapshot);
}

static void json_process(FILE *file, const alloctrace_snapshot *snapshot)
{
    const struct alloctrace_process *const process =
        alloctrace_snapshot_process(snapshot);

    json_text(file, "program", process->program);
    json_arguments(file, snapshot);
    json_text(file, "host", process->host);
    json_text(file, "writer", process->writer);
    json_text(file, "reason", process->reason);
    json_number(file, "pid", process->pid);
    json_number(file, "processes", process->n_processes);
    json_number(file, "word_bits", process->word_bits);
    json_number(file, "traceback_limit", process->traceback_limit);
    json_number(file, "sequence", process->sequence);
    if (process->sample_bytes)
        json_number(file, "sample", process->sample_bytes);
    json_number(file, "start_ns", process->start_ns);
    json_number(file, "dump_ns", process->dump_ns);
}

static void print_json(FILE *file, const alloctrace_snapshot *snapshot,
                       const struct parts *parts)
{
    fputs("{\"version\":1", file);
    json_process(file, snapshot);
    putc(',', file);
    json_summary(file, snapshot);
    json_number(file, "listed_blocks",
                alloctrace_snapshot_block_count(snapshot));
    json_attributes(file, snapshot);
    json_domains(file, parts);
    if (parts->detail)
        details_json(file, parts->detail);
    fputs("}\n", file);
}

static int print_info(const alloctrace_snapshot *snapshot, int format)
{
    struct parts parts;
    const int error = parts_init(&parts, snapshot);

    if (error)
        fputs("alloctrace: out of memory\n", stderr);
    else if (format == OUT_TEXT)
        print_text(stdout, snapshot, &parts);
    else
        print_json(stdout, snapshot, &parts);
    parts_fini(&parts);
    return error ? EXIT_UNUSABLE : EXIT_DONE;
}

int cmd_info(int argc, char **argv)
{
    static const char *const formats[] = {"text", "json", NULL};
    alloctrace_snapshot *snapshot;
    struct alloctrace_error error;
    struct args args;
    int format;
    int status;

    if (args_parse(&args, info_options, argc, argv, false) ||
        args_choice(&args, argv[0], "--format", formats, 0, &format))
        return EXIT_UNUSABLE;
    if (args.n_operands != 1)
        return args_fail(argv[0], "wants one file");
    if (alloctrace_snapshot_load(args.operands[0], &snapshot, &error))
        return out_fail(args.operands[0], &error);
    status = print_info(snapshot, format);
    alloctrace_snapshot_free(snapshot);
    return out_finish(status);
}
