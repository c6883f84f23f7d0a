/* SPDX-License-Identifier: MIT */
/*
 * Adds up the dumps of several processes (or of several runs) into one, that
 * can be read like any other, as alloctrace_merge does for files; here they are
 * snapshots, which need not come from files.
 *
 *     gcc -g -O2 merge.c -o merge -lalloctrace-analysis -lm
 *     ./merge SUM FILE...
 *
 * Of what grow.c dumps, `./merge sum.alloctrace before.alloctrace
 * after.alloctrace` prints:
 *
 *     2 processes, 626888 B live
 */
#include <alloctrace/analysis.h>

#include <inttypes.h>
#include <stdio.h>

static int fail(const char *path, const char *message)
{
    fprintf(stderr, "merge: %s: %s\n", path, message);
    return 1;
}

/* Returns: 0, or 1 after a message. */
static int add(alloctrace_builder *builder, const char *path)
{
    alloctrace_snapshot *snapshot;
    struct alloctrace_error error;
    int code;

    if (alloctrace_snapshot_load(path, &snapshot, &error))
        return fail(path, error.message);
    code = alloctrace_builder_add_snapshot(builder, snapshot);
    alloctrace_snapshot_free(snapshot);
    return code ? fail(path, alloctrace_strerror(code)) : 0;
}

int main(int argc, char **argv)
{
    alloctrace_builder *builder;
    alloctrace_snapshot *sum;
    struct alloctrace_error error;
    int code;

    if (argc < 3) {
        fputs("usage: merge SUM FILE...\n", stderr);
        return 2;
    }
    code = alloctrace_builder_create(&builder);
    if (code)
        return fail(argv[1], alloctrace_strerror(code));
    for (int i = 2; i < argc; i++) {
        if (add(builder, argv[i])) {
            alloctrace_builder_free(builder);
            return 1;
        }
    }
    code = alloctrace_builder_finish(builder, &sum);
    if (code)
        return fail(argv[1], alloctrace_strerror(code));
    code = alloctrace_snapshot_dump(sum, argv[1], &error);
    if (code)
        fail(argv[1], error.message);
    else
        printf("%" PRIu32 " processes, %" PRIu64 " B live\n",
               alloctrace_snapshot_process(sum)->n_processes,
               alloctrace_snapshot_summary(sum)->live_bytes);
    alloctrace_snapshot_free(sum);
    return code != 0;
}
