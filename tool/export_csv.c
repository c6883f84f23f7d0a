/* SPDX-License-Identifier: MIT */
/*
 * A snapshot for spreadsheets (RFC 4180): a row a trace, in the order of the
 * file. The first column is the version of the columns; file, line and
 * function are those of the most recent frame, path has the functions of all,
 * oldest first.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "export.h"
#include "out.h"
#include "report.h"

static const char head[] =
    "version,live_blocks,live_bytes,total_blocks,total_bytes,peak_blocks,"
    "peak_bytes,domain,domain_name,thread,thread_name,type,file,line,function,"
    "total_nframe,path\r\n";

static int csv_trace(FILE *file, const alloctrace_snapshot *snapshot,
                     const struct alloctrace_trace *trace, const char *type)
{
    const struct alloctrace_thread *const thread =
        alloctrace_snapshot_thread(snapshot, trace->thread);
    alloctrace_traceback *traceback;
    const struct alloctrace_frame *frame;
    int error;

    if (alloctrace_snapshot_traceback(snapshot, trace->traceback, &traceback))
        return ALLOCTRACE_ENO_MEMORY;
    frame = alloctrace_traceback_frame(traceback, -1);
    fprintf(file,
            "1,%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64
            ",%" PRId64 ",%" PRIu32 ",",
            trace->live_blocks, trace->live_bytes, trace->total_blocks,
            trace->total_bytes, trace->peak_blocks, trace->peak_bytes,
            trace->domain);
    out_csv_string(file,
                   alloctrace_snapshot_domain_name(snapshot, trace->domain));
    fprintf(file, ",%" PRIu32 ",", trace->thread);
    out_csv_string(file, thread ? thread->name : "");
    putc(',', file);
    out_csv_string(file, type);
    putc(',', file);
    out_csv_string(file, frame->file);
    fprintf(file, ",%" PRIu32 ",", frame->line);
    out_csv_string(file, frame->function);
    fprintf(file, ",%" PRIu64 ",",
            alloctrace_traceback_total_nframe(traceback));
    error = report_csv_path(file, traceback);
    fputs("\r\n", file);
    alloctrace_traceback_free(traceback);
    return error;
}

int export_csv(FILE *file, const struct export_source *source,
               struct alloctrace_error *error)
{
    const alloctrace_snapshot *const snapshot = source->snapshot;
    const size_t n = alloctrace_snapshot_trace_count(snapshot);
    const char **types;
    int result = 0;

    (void)error;
    if (alloctrace_snapshot_trace_types(snapshot, &types))
        return ALLOCTRACE_ENO_MEMORY;
    fputs(head, file);
    for (size_t i = 0; i < n && !result; i++)
        result = csv_trace(file, snapshot,
                           alloctrace_snapshot_trace(snapshot, i), types[i]);
    free(types);
    return result;
}
