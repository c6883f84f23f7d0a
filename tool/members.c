/* SPDX-License-Identifier: MIT */
/* See members.h. */
#include "members.h"

#include <inttypes.h>

#include "out.h"

void json_name(FILE *file, const char *name)
{
    fprintf(file, ",\"%s\":", name);
}

void json_number(FILE *file, const char *name, uint64_t number)
{
    json_name(file, name);
    fprintf(file, "%" PRIu64, number);
}

void json_text(FILE *file, const char *name, const char *text)
{
    json_name(file, name);
    out_json_string(file, text);
}

void json_arguments(FILE *file, const alloctrace_snapshot *snapshot)
{
    const size_t n = alloctrace_snapshot_argument_count(snapshot);

    json_name(file, "arguments");
    putc('[', file);
    for (size_t i = 0; i < n; i++) {
        fputs(i > 0 ? "," : "", file);
        out_json_string(file, alloctrace_snapshot_argument(snapshot, i));
    }
    putc(']', file);
}

void json_summary(FILE *file, const alloctrace_snapshot *snapshot)
{
    const struct alloctrace_summary *const sum =
        alloctrace_snapshot_summary(snapshot);

    fprintf(file, "\"live_blocks\":%" PRIu64, sum->live_blocks);
    json_number(file, "live_bytes", sum->live_bytes);
    json_number(file, "total_blocks", sum->total_blocks);
    json_number(file, "total_bytes", sum->total_bytes);
    json_number(file, "peak_bytes", sum->peak_bytes);
    json_number(file, "peak_slack", sum->peak_slack);
    json_number(file, "dropped_blocks", sum->dropped_blocks);
    json_number(file, "dropped_bytes", sum->dropped_bytes);
    json_number(file, "unknown_frees", sum->unknown_frees);
    json_number(file, "overhead_bytes", sum->overhead_bytes);
    json_number(file, "bad_frames", sum->bad_frames);
    json_number(file, "collisions", sum->collisions);
    json_number(file, "cut_blocks", sum->cut_blocks);
    json_number(file, "cut_bytes", sum->cut_bytes);
}

void json_attributes(FILE *file, const alloctrace_snapshot *snapshot)
{
    const size_t n = alloctrace_snapshot_attribute_count(snapshot);

    fputs(",\"attributes\":{", file);
    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_attribute *const attribute =
            alloctrace_snapshot_attribute(snapshot, i);

        fputs(i > 0 ? "," : "", file);
        out_json_string(file, attribute->key);
        putc(':', file);
        out_json_string(file, attribute->value);
    }
    putc('}', file);
}
