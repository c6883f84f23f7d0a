/* SPDX-License-Identifier: MIT */
/*
 * What it costs to look into snapshots: analysis N RUNS FILE [TUPLES]
 *
 * Makes two snapshots of N traces, each of its own call path, of which nine
 * tenths are in both: paths about 20 deep through 10,000 places in 200 files,
 * as a walk through a random program meets them; the traces stand in random
 * order. Half of the places know the type of what is allocated, and a tenth of
 * the allocations goes through a wrapper. The newer one is dumped to FILE and
 * loaded. Then everything is done RUNS times; prints a line for each thing:
 *
 *     name, least time of the processor in ms, resident bytes a trace at most
 *
 * of all snapshots that are held then: one, or both where they are compared.
 * TUPLES gets both as text, which bench/analysis reads: "size place
 * place ...", the most recent place first, and a line "-" between them.
 */
#include <alloctrace/analysis.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    N_PLACES = 10000,
    N_FILES = 200,
    N_FUNCTIONS = 2000,
    N_CALLEES = 6, /* of a place */
    N_WRAPPERS = 20,
    MAX_DEPTH = 32,
    MAX_RUNS = 100
};

/* A call path: the frame that was entered last, and where it was called. */
struct node {
    uint32_t parent;
    uint32_t place;
    uint32_t depth;
};

static struct node *nodes; /* 0 = outside of all */
static uint32_t n_nodes = 1;
static uint32_t *leaves; /* the paths that allocate */
static char file_names[N_FILES][48];
static char function_names[N_FUNCTIONS][32];
static char type_names[N_FUNCTIONS][32];
static uint64_t state = 88172645463325252u;

static void check(int error)
{
    if (error) {
        fprintf(stderr, "analysis: %s\n", alloctrace_strerror(error));
        exit(1);
    }
}

static void *room(size_t count, size_t size)
{
    void *block = calloc(count, size);

    if (!block)
        exit(1);
    return block;
}

static uint32_t below(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 20) % n);
}

static uint32_t mix(uint32_t a, uint32_t b)
{
    uint64_t key = ((uint64_t)a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15);

    return (uint32_t)(key >> 33);
}

/* ---- Paths ---- */

/* A walk: back a few calls, then on to where it allocates. */
static void paths_make(uint32_t count)
{
    uint32_t here = 0;

    nodes = room(8 * (size_t)count + 64, sizeof *nodes);
    leaves = room(count, sizeof *leaves);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t back = 1;
        uint32_t depth;

        while (back < 12 && below(3) == 0)
            back++;
        depth = nodes[here].depth + below(3);
        depth = depth > back ? depth - back : 0;
        depth = depth < 14 ? 14 + below(8) : depth > 26 ? 26 : depth;
        for (; here && (back > 0 || nodes[here].depth >= depth);
             back -= back > 0)
            here = nodes[here].parent;
        do {
            const uint32_t callee = below(N_CALLEES);
            const bool is_last = nodes[here].depth + 1 >= depth;

            nodes[n_nodes] = (struct node){
                here,
                is_last && below(10) == 0 ? below(N_WRAPPERS)
                : is_last
                    ? N_WRAPPERS + below(N_PLACES - N_WRAPPERS)
                    : N_WRAPPERS + mix(nodes[here].place, callee) %
                                       (N_PLACES - N_WRAPPERS),
                nodes[here].depth + 1};
            here = n_nodes++;
        } while (nodes[here].depth < depth);
        leaves[i] = here;
    }
}

static void paths_shuffle(uint32_t *first, uint32_t count)
{
    for (uint32_t i = count; i-- > 1;) {
        const uint32_t other = below(i + 1);
        const uint32_t leaf = first[i];

        first[i] = first[other];
        first[other] = leaf;
    }
}

/* ---- Snapshots ---- */

static struct alloctrace_frame frame_of(uint32_t place)
{
    const uint32_t function = place * (N_FUNCTIONS - 1) / N_PLACES;

    return (struct alloctrace_frame){
        .file = file_names[function % N_FILES],
        .function = function_names[function],
        .line = 10 + place % 4000,
        .type = place % 2 ? type_names[mix(place, 1) % N_FUNCTIONS] : "",
        .type_size = place % 2 ? 8 + place % 200 : 0,
        .kind = ALLOCTRACE_FRAME_CALL,
        .flags = place < N_WRAPPERS ? ALLOCTRACE_FRAME_RETURNED : 0,
    };
}

static size_t path_of(uint32_t leaf, struct alloctrace_frame *frames)
{
    size_t n = 0;

    for (uint32_t i = leaf; i; i = nodes[i].parent)
        frames[n++] = frame_of(nodes[i].place);
    return n;
}

static struct alloctrace_trace figures_of(uint32_t leaf, uint32_t salt)
{
    const uint32_t blocks = 1 + mix(leaf, 7) % 3 + (mix(leaf, salt) % 50 == 0);
    const uint32_t bytes = blocks * 16 * (1 + mix(leaf, 9) % 40);

    return (struct alloctrace_trace){
        .live_blocks = blocks,
        .live_bytes = bytes,
        .total_blocks = 3 * blocks,
        .total_bytes = 3 * bytes,
        .peak_blocks = blocks,
        .peak_bytes = bytes,
    };
}

static alloctrace_snapshot *snapshot_make(const uint32_t *first, uint32_t count,
                                          uint32_t salt)
{
    struct alloctrace_frame frames[MAX_DEPTH];
    alloctrace_snapshot *snapshot;
    alloctrace_builder *builder;

    check(alloctrace_builder_create(&builder));
    for (uint32_t i = 0; i < count; i++) {
        const struct alloctrace_trace trace = figures_of(first[i], salt);
        const size_t n = path_of(first[i], frames);

        check(alloctrace_builder_add_trace(builder, &trace, frames, n, n));
    }
    check(alloctrace_builder_finish(builder, &snapshot));
    return snapshot;
}

static void tuples_write(FILE *file, const uint32_t *first, uint32_t count,
                         uint32_t salt)
{
    for (uint32_t i = 0; i < count; i++) {
        fprintf(file, "%" PRId64, figures_of(first[i], salt).live_bytes);
        for (uint32_t k = first[i]; k; k = nodes[k].parent)
            fprintf(file, " %" PRIu32, nodes[k].place);
        putc('\n', file);
    }
}

static void places_write(FILE *file)
{
    for (uint32_t i = 0; i < N_PLACES; i++) {
        const struct alloctrace_frame frame = frame_of(i);

        fprintf(file, "%s %" PRIu32 "\n", frame.file, frame.line);
    }
}

/* ---- Measuring ---- */

static double cpu_ms(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec * 1e3 +
           (double)usage.ru_utime.tv_usec / 1e3 +
           (double)usage.ru_stime.tv_sec * 1e3 +
           (double)usage.ru_stime.tv_usec / 1e3;
}

/* Bytes of a line of /proc/self/status. */
static double status_bytes(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    double kilobytes = 0;
    char line[128];

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kilobytes = strtod(line + strlen(name), NULL);
    if (file)
        fclose(file);
    return kilobytes * 1024;
}

/* Forgets how much was resident at most. */
static void peak_reset(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (file) {
        fputs("5", file);
        fclose(file);
    }
}

static double begin_ms;     /* of what is being measured */
static double ms[MAX_RUNS]; /* of each run */
static int n_ms;
static double most_bytes; /* of all runs */
static double base_bytes; /* resident before there was a snapshot */

/* What lies between calls of these two is what bench/instructions counts. */
__attribute__((noipa)) static void counted_begin(void)
{
    __asm__ volatile("");
}

__attribute__((noipa)) static void counted_end(void)
{
    __asm__ volatile("");
}

static void start(void)
{
    peak_reset();
    begin_ms = cpu_ms();
    counted_begin();
}

static void stop(void)
{
    double bytes;

    counted_end();
    ms[n_ms++] = cpu_ms() - begin_ms;
    bytes = status_bytes("VmHWM:") - base_bytes;
    if (bytes > most_bytes)
        most_bytes = bytes;
}

static void report(const char *what, const char *how, uint32_t n_traces)
{
    printf("%s%s,%" PRIu32 ",%.0f", what, how, n_traces, most_bytes);
    for (int i = 0; i < n_ms; i++)
        printf(",%.3f", ms[i]);
    putchar('\n');
    fflush(stdout);
    n_ms = 0;
    most_bytes = 0;
}

static const char *const groupings[] = {
#define NAME(NAME_, value, name) #name,
    ALLOCTRACE_GROUPINGS(NAME)
#undef NAME
};

static void measure_statistics(const alloctrace_snapshot *snapshot,
                               const alloctrace_snapshot *old, int runs,
                               uint32_t n_traces)
{
    static const char *const names[2][2] = {
        {"statistics ", "cumulative "},
        {"compare ", "compare cumulative "}};
    struct alloctrace_statistics_options options = {.size = sizeof options};

    for (int i = 0; i < 16; i++) {
        options.group_by = 1 + i % 8;
        options.cumulative = i / 8;
        if (options.cumulative &&
            options.group_by >= ALLOCTRACE_BY_TRACEBACK &&
            options.group_by != ALLOCTRACE_BY_MODULE)
            continue;
        for (int run = 0; run < runs; run++) {
            alloctrace_statistics *statistics;

            start();
            check(old ? alloctrace_snapshot_compare_to(snapshot, old, &options,
                                                       &statistics)
                      : alloctrace_snapshot_statistics(snapshot, &options,
                                                       &statistics));
            stop();
            alloctrace_statistics_free(statistics);
        }
        report(names[old != NULL][options.cumulative],
               groupings[options.group_by - 1], n_traces);
    }
}

static void measure_filter(const alloctrace_snapshot *snapshot,
                           const char *name, int runs, uint32_t n_traces,
                           int all_frames)
{
    struct alloctrace_filter filter = alloctrace_filter_make(0, "*/file1*.c");

    filter.all_frames = all_frames;
    for (int run = 0; run < runs; run++) {
        alloctrace_snapshot *filtered;

        start();
        check(alloctrace_snapshot_filter_traces(snapshot, &filter, 1,
                                                &filtered));
        stop();
        alloctrace_snapshot_free(filtered);
    }
    report(name, "", n_traces);
}

/* Dumps a snapshot and loads it again. */
static alloctrace_snapshot *measure_file(alloctrace_snapshot *snapshot,
                                         const char *path, int runs,
                                         uint32_t n_traces)
{
    for (int run = 0; run < runs; run++) {
        start();
        check(alloctrace_snapshot_dump(snapshot, path, NULL));
        stop();
    }
    report("dump", "", n_traces);
    for (int run = 0; run < runs; run++) {
        alloctrace_snapshot_free(snapshot);
        start();
        check(alloctrace_snapshot_load(path, &snapshot, NULL));
        stop();
    }
    report("load", "", n_traces);
    return snapshot;
}

static void names_make(void)
{
    for (uint32_t i = 0; i < N_FILES; i++)
        snprintf(file_names[i], sizeof file_names[i],
                 "src/component%" PRIu32 "/file%" PRIu32 ".c", i % 12, i);
    for (uint32_t i = 0; i < N_FUNCTIONS; i++) {
        snprintf(function_names[i], sizeof function_names[i],
                 "component_function_%" PRIu32, mix(i, 3) % 1000000);
        snprintf(type_names[i], sizeof type_names[i], "struct thing_%" PRIu32,
                 mix(i, 5) % 1000000);
    }
}

int main(int argc, char **argv)
{
    const uint32_t n = argc > 3 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    const int runs = argc > 3 ? atoi(argv[2]) : 0;
    const uint32_t n_new = n / 10;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *old;

    if (n < 10 || runs < 1 || runs > MAX_RUNS) {
        fputs("usage: analysis N RUNS FILE [TUPLES]\n", stderr);
        return 2;
    }
    names_make();
    paths_make(n + n_new);
    paths_shuffle(leaves, n + n_new);
    if (argc > 4) {
        FILE *file = fopen(argv[4], "w");

        if (!file)
            return 1;
        places_write(file);
        tuples_write(file, leaves + n_new, n, 1);
        fputs("-\n", file);
        tuples_write(file, leaves, n, 2);
        fclose(file);
    }
    base_bytes = status_bytes("VmRSS:");
    snapshot = snapshot_make(leaves + n_new, n, 1);
    fprintf(stderr, "%zu tracebacks\n",
            alloctrace_snapshot_traceback_count(snapshot));
    snapshot = measure_file(snapshot, argv[3], runs, n);
    measure_statistics(snapshot, NULL, runs, n);
    measure_filter(snapshot, "filter", runs, n, 0);
    measure_filter(snapshot, "filter all frames", runs, n, 1);
    old = snapshot_make(leaves, n, 2);
    measure_statistics(snapshot, old, runs, 2 * n);
    alloctrace_snapshot_free(old);
    alloctrace_snapshot_free(snapshot);
    return 0;
}
