/* SPDX-License-Identifier: MIT */
/*
 * What filters cost: filters FRAMES LIMIT TRACES, run by bench/filters. Makes
 * a dump of that many traces, each of some path of a random tree of as many
 * tracebacks, and prints for each filter the seconds of the processor that it
 * takes of the raw and of the folded snapshot, and what passes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "alloctrace/analysis.h"
#include "dumpfile.h"

enum { N_MODULES = 8, N_THREADS = 16 };

#define CHECK(call)                                    \
    do {                                               \
        if (call) {                                    \
            fputs("filters: out of memory\n", stderr); \
            exit(1);                                   \
        }                                              \
    } while (0)

static double user_time(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec +
           (double)usage.ru_utime.tv_usec * 1e-6;
}

/* A frame of one of FRAMES / 10 files and FRAMES / 3 functions; a quarter of
 * them allocate and know a type, a fifth was inlined, a seventh hands on. */
static uint32_t make_frame(struct dumpfile *dump, uint32_t i, uint32_t outer)
{
    char file[80];
    char function[48];
    char type[24];

    snprintf(file, sizeof file, "/home/user/src/component%u/some_source_%u.c",
             i % 97, i / 10);
    snprintf(function, sizeof function, "component%u_function_%u", i % 97,
             i / 3);
    snprintf(type, sizeof type, "struct thing_%u", i % 1000);
    return dumpfile_frame(dump,
                          (struct dumpframe){.file = file,
                                             .function = function,
                                             .line = i % 5000 + 1,
                                             .module = 1 + i % N_MODULES,
                                             .kind = i % 4 == 0 ? 2 : 1,
                                             .type = i % 4 == 0 ? type : NULL,
                                             .type_size = 16,
                                             .caller = i % 5 == 1 ? outer : 0,
                                             .flags = i % 7 == 0 ? 2 : 0});
}

static void make_names(struct dumpfile *dump)
{
    char name[48];

    for (uint32_t i = 0; i < N_MODULES; i++) {
        snprintf(name, sizeof name, "/usr/lib/libsomething%u.so.1", i);
        dumpfile_module(dump, name, NULL, i * 100, i * 100 + 50, 0);
    }
    for (uint32_t i = 0; i < N_THREADS; i++) {
        snprintf(name, sizeof name, "worker %u", i);
        dumpfile_thread(dump, i + 1, name);
    }
}

static alloctrace_snapshot *make_snapshot(uint32_t n_frames, uint32_t limit,
                                          uint32_t n_traces)
{
    alloctrace_snapshot *snapshot;
    struct dumpfile dump;
    uint32_t frame = 0;

    dumpfile_init(&dump);
    dump.traceback_limit = limit;
    make_names(&dump);
    for (uint32_t i = 0; i < n_frames; i++)
        frame = make_frame(&dump, i, frame);
    for (uint32_t i = 0; i < n_traces; i++) {
        const uint32_t back = (uint32_t)rand() % (i < 1000 ? i + 1 : 1000);

        dumpfile_traceback(&dump, rand() % 10 ? i - back : 0,
                           1 + (uint32_t)rand() % n_frames);
    }
    for (uint32_t i = 0; i < n_traces; i++)
        dumpfile_trace(&dump, 1 + (uint32_t)rand() % n_traces,
                       1 + i % N_THREADS, i % 3, 1, i % 1000);
    dumpfile_finish(&dump);
    CHECK(alloctrace_snapshot_load_bytes(dump.file.data, dump.file.size,
                                         &snapshot, NULL));
    dumpfile_fini(&dump);
    return snapshot;
}

static void measure(const char *name, const alloctrace_snapshot *const both[2],
                    struct alloctrace_filter filter)
{
    printf("%-28s", name);
    for (int i = 0; i < 2; i++) {
        alloctrace_snapshot *filtered;
        const double begin = user_time();

        CHECK(
            alloctrace_snapshot_filter_traces(both[i], &filter, 1, &filtered));
        printf(" %9.6f s %8zu", user_time() - begin,
               alloctrace_snapshot_trace_count(filtered));
        alloctrace_snapshot_free(filtered);
    }
    putchar('\n');
}

static void measure_all(const alloctrace_snapshot *const both[2])
{
    const struct alloctrace_filter none = alloctrace_filter_make(1, NULL);
    struct alloctrace_filter filter = none;

    measure("nothing", both, filter);
    filter.filename_pattern = "*a*e*7*.c";
    measure("file *a*e*7*.c", both, filter);
    filter.filename_pattern = "*/component5/*";
    filter.all_frames = 1;
    measure("file */component5/*, all", both, filter);
    filter.function_pattern = "*_[0-9]*9";
    filter.module_pattern = "*";
    filter.type_pattern = "*";
    filter.thread_pattern = "*";
    filter.domain = 1;
    measure("everything, all", both, filter);
    filter = none;
    filter.type_pattern = "*7*";
    measure("type *7*", both, filter);
    filter.type_pattern = NULL;
    filter.thread_pattern = "*1*";
    measure("thread *1*", both, filter);
}

int main(int argc, char **argv)
{
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *folded;

    if (argc != 4 || atoi(argv[3]) <= 0)
        return 2;
    snapshot = make_snapshot((uint32_t)atoi(argv[1]), (uint32_t)atoi(argv[2]),
                             (uint32_t)atoi(argv[3]));
    CHECK(alloctrace_snapshot_fold_wrappers(snapshot, &folded));
    measure_all((const alloctrace_snapshot *const[]){snapshot, folded});
    alloctrace_snapshot_free(snapshot);
    alloctrace_snapshot_free(folded);
    return 0;
}
