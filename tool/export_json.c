/* SPDX-License-Identifier: MIT */
/*
 * A whole snapshot for programs: one JSON document, written as it is read.
 * Texts are valid UTF-8 whatever their bytes (see out_json_string), numbers
 * are integers, what is unknown is left out of frames and "" elsewhere.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "details.h"
#include "export.h"
#include "members.h"
#include "out.h"
#include "pathsum.h"
#include "report.h"

/* ---- Members: ,"name":value ---- */

/* A member that is left out if it says nothing. */
static void json_known_text(FILE *file, const char *name, const char *text)
{
    if (text && *text)
        json_text(file, name, text);
}

static void json_known_number(FILE *file, const char *name, uint64_t number)
{
    if (number)
        json_number(file, name, number);
}

static void json_flag(FILE *file, const char *name, bool is_set)
{
    if (is_set) {
        json_name(file, name);
        fputs("true", file);
    }
}

/* ---- The process ---- */

static void json_process(FILE *file, const alloctrace_snapshot *snapshot)
{
    const struct alloctrace_process *const process =
        alloctrace_snapshot_process(snapshot);

    fputs(",\"process\":{\"program\":", file);
    out_json_string(file, process->program);
    json_arguments(file, snapshot);
    json_text(file, "host", process->host);
    json_text(file, "writer", process->writer);
    json_text(file, "reason", process->reason);
    json_number(file, "pid", process->pid);
    json_number(file, "word_bits", process->word_bits);
    json_number(file, "traceback_limit", process->traceback_limit);
    json_number(file, "sequence", process->sequence);
    json_number(file, "sample", process->sample_bytes);
    json_number(file, "start_ns", process->start_ns);
    json_number(file, "dump_ns", process->dump_ns);
    json_number(file, "processes", process->n_processes);
    putc('}', file);
}

static void json_modules(FILE *file, const alloctrace_snapshot *snapshot)
{
    const size_t n = alloctrace_snapshot_module_count(snapshot);

    fputs(",\"modules\":[", file);
    for (uint32_t i = 1; i <= n; i++) {
        const struct alloctrace_module *const module =
            alloctrace_snapshot_module(snapshot, i);

        fputs(i > 1 ? ",\n{\"path\":" : "\n{\"path\":", file);
        out_json_string(file, module->path);
        json_text(file, "build_id", module->build_id);
        json_number(file, "begin", module->begin);
        json_number(file, "end", module->end);
        json_number(file, "bias", module->bias);
        putc('}', file);
    }
    putc(']', file);
}

static void json_threads(FILE *file, const alloctrace_snapshot *snapshot)
{
    const size_t n = alloctrace_snapshot_thread_count(snapshot);

    fputs(",\"threads\":[", file);
    for (uint32_t i = 1; i <= n; i++) {
        const struct alloctrace_thread *const thread =
            alloctrace_snapshot_thread(snapshot, i);

        fprintf(file, "%s{\"thread\":%" PRIu32 ",\"tid\":%" PRIu32,
                i > 1 ? "," : "", i, thread->tid);
        json_text(file, "name", thread->name);
        putc('}', file);
    }
    putc(']', file);
}

static void json_domains(FILE *file, const alloctrace_snapshot *snapshot)
{
    const size_t n = alloctrace_snapshot_domain_count(snapshot);

    fputs(",\"domains\":[", file);
    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_domain *const domain =
            alloctrace_snapshot_domain(snapshot, i);

        fprintf(file, "%s{\"domain\":%" PRIu32, i > 0 ? "," : "", domain->id);
        json_text(file, "name", domain->name);
        putc('}', file);
    }
    putc(']', file);
}

/* ---- Traces ---- */

static void json_frame(FILE *file, const struct alloctrace_frame *frame)
{
    static const char *const kinds[] = {"address", "call", "alloc", "inlined"};

    putc('{', file);
    report_json_frame(file, frame);
    json_known_number(file, "column", frame->column);
    json_known_text(file, "type", frame->type);
    json_known_number(file, "type_size", frame->type_size);
    json_known_text(file, "target", frame->target);
    if (frame->kind < sizeof kinds / sizeof *kinds)
        json_text(file, "kind", kinds[frame->kind]);
    json_known_number(file, "address", frame->address);
    if (frame->module)
        json_known_text(file, "module", frame->module->path);
    json_flag(file, "tail", frame->flags & ALLOCTRACE_FRAME_TAIL);
    json_flag(file, "returned", frame->flags & ALLOCTRACE_FRAME_RETURNED);
    json_flag(file, "library", frame->is_library);
    putc('}', file);
}

static int json_traceback(FILE *file, const alloctrace_snapshot *snapshot,
                          uint32_t number)
{
    alloctrace_traceback *traceback;
    size_t n;

    if (alloctrace_snapshot_traceback(snapshot, number, &traceback))
        return ALLOCTRACE_ENO_MEMORY;
    n = alloctrace_traceback_count(traceback);
    json_number(file, "total_nframe",
                alloctrace_traceback_total_nframe(traceback));
    json_name(file, "traceback");
    putc('[', file);
    for (size_t i = 0; i < n; i++) {
        fputs(i > 0 ? "," : "", file);
        json_frame(file, alloctrace_traceback_frame(traceback, (ptrdiff_t)i));
    }
    putc(']', file);
    alloctrace_traceback_free(traceback);
    return 0;
}

/* {"blocks":1,"bytes":8} */
static void json_amount(FILE *file, const char *name, int64_t blocks,
                        int64_t bytes)
{
    json_name(file, name);
    fprintf(file, "{\"blocks\":%" PRId64 ",\"bytes\":%" PRId64 "}", blocks,
            bytes);
}

/* What is known besides if the program counted details. */
static int json_details(FILE *file, const alloctrace_snapshot *snapshot,
                        size_t index)
{
    struct alloctrace_detail *detail;

    if (!alloctrace_snapshot_has_details(snapshot))
        return 0;
    if (alloctrace_snapshot_detail(snapshot, index, &detail))
        return ALLOCTRACE_ENO_MEMORY;
    json_amount(file, "temporary", (int64_t)detail->temporary_blocks,
                (int64_t)detail->temporary_bytes);
    details_json(file, detail);
    alloctrace_detail_free(detail);
    return 0;
}

static int json_trace(FILE *file, const alloctrace_snapshot *snapshot,
                      size_t index, const char *type)
{
    const struct alloctrace_trace *const trace =
        alloctrace_snapshot_trace(snapshot, index);

    fprintf(file, "%s{\"domain\":%" PRIu32 ",\"thread\":%" PRIu32,
            index > 0 ? ",\n" : "\n", trace->domain, trace->thread);
    json_amount(file, "live", trace->live_blocks, trace->live_bytes);
    json_amount(file, "total", trace->total_blocks, trace->total_bytes);
    json_amount(file, "peak", trace->peak_blocks, trace->peak_bytes);
    json_text(file, "type", type);
    if (json_details(file, snapshot, index) ||
        json_traceback(file, snapshot, trace->traceback))
        return ALLOCTRACE_ENO_MEMORY;
    putc('}', file);
    return 0;
}

static int json_traces(FILE *file, const alloctrace_snapshot *snapshot)
{
    const size_t n = alloctrace_snapshot_trace_count(snapshot);
    const char **types;
    int error = 0;

    if (alloctrace_snapshot_trace_types(snapshot, &types))
        return ALLOCTRACE_ENO_MEMORY;
    fputs(",\"traces\":[", file);
    for (size_t i = 0; i < n && !error; i++)
        error = json_trace(file, snapshot, i, types[i]);
    putc(']', file);
    free(types);
    return error;
}

/* ---- Single blocks ---- */

/* `trace` is the position of the first trace with the block's traceback and
 * domain; there may be none, as blocks come and go while a dump is written. */
static void json_block(FILE *file, const struct alloctrace_block *block,
                       const struct pathsum *sum)
{
    fprintf(file,
            "{\"address\":%" PRIu64 ",\"size\":%" PRIu64 ",\"domain\":%" PRIu32
            ",\"trace\":",
            block->address, block->size, block->domain);
    if (sum)
        fprintf(file, "%zu}", sum->first);
    else
        fputs("null}", file);
}

static int json_blocks(FILE *file, const struct export_source *source)
{
    const alloctrace_snapshot *const snapshot = source->snapshot;
    const uint64_t n = alloctrace_snapshot_block_count(snapshot);
    struct pathsums sums = {0};

    if (n > 0 && pathsums_init(&sums, snapshot, source->metric)) {
        pathsums_fini(&sums);
        return ALLOCTRACE_ENO_MEMORY;
    }
    fputs(",\"blocks\":[", file);
    for (uint64_t i = 0; i < n; i++) {
        const struct alloctrace_block *const block =
            alloctrace_snapshot_block(snapshot, i);

        fputs(i > 0 ? ",\n" : "\n", file);
        json_block(file, block,
                   pathsums_find(&sums, export_traceback(source, block),
                                 block->domain));
    }
    putc(']', file);
    pathsums_fini(&sums);
    return 0;
}

int export_json(FILE *file, const struct export_source *source,
                struct alloctrace_error *error)
{
    const alloctrace_snapshot *const snapshot = source->snapshot;

    (void)error;
    fputs("{\"version\":1", file);
    json_process(file, snapshot);
    json_flag(file, "folded", source->folded);
    json_flag(file, "filtered", source->is_filtered);
    fputs(",\"summary\":{", file);
    json_summary(file, snapshot);
    putc('}', file);
    json_modules(file, snapshot);
    json_threads(file, snapshot);
    json_domains(file, snapshot);
    json_attributes(file, snapshot);
    if (json_traces(file, snapshot) || json_blocks(file, source))
        return ALLOCTRACE_ENO_MEMORY;
    fputs("}\n", file);
    return 0;
}
