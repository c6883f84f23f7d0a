/* SPDX-License-Identifier: MIT */
/*
 * A program that looks at itself, as live.py asks it to: `live MODE`. C and
 * C++. Exit status 0, or 1 and a line on standard error for each thing that is
 * not as it should be.
 */
#include <alloctrace.h>
#include <alloctrace/analysis.h>

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_THREADS 8
#define N_KEPT 100
#define N_SNAPSHOTS 60

static int n_wrong;

#define EXPECT(condition)                                               \
    do {                                                                \
        if (!(condition)) {                                             \
            fprintf(stderr, "line %d: not %s\n", __LINE__, #condition); \
            __atomic_fetch_add(&n_wrong, 1, __ATOMIC_RELAXED);          \
        }                                                               \
    } while (0)

static void *kept[N_KEPT];
static long line_kept;
static int is_over;

static void keep_some(void)
{
    for (int i = 0; i < N_KEPT; i++)
        line_kept = __LINE__, kept[i] = malloc(1000 + (size_t)i);
}

static void free_kept(void)
{
    for (int i = 0; i < N_KEPT; i++)
        free(kept[i]);
}

/* The blocks and bytes that are live of a line. */
static void expect_kept(const alloctrace_snapshot *snapshot)
{
    struct alloctrace_filter filter = alloctrace_filter_make(1, __FILE__);
    alloctrace_snapshot *part = NULL;
    long long blocks = 0;
    long long bytes = 0;

    filter.lineno = line_kept;
    EXPECT(!alloctrace_snapshot_filter_traces(snapshot, &filter, 1, &part));
    if (!part)
        return;
    for (size_t i = 0; i < alloctrace_snapshot_trace_count(part); i++) {
        blocks += alloctrace_snapshot_trace(part, i)->live_blocks;
        bytes += alloctrace_snapshot_trace(part, i)->live_bytes;
    }
    EXPECT(blocks == N_KEPT);
    EXPECT(bytes == N_KEPT * 1000 + N_KEPT * (N_KEPT - 1) / 2);
    alloctrace_snapshot_free(part);
}

static unsigned long long current(void)
{
    uint64_t bytes;

    alloctrace_get_traced_memory(&bytes, NULL);
    return bytes;
}

/* ---- Threads ---- */

/* A path of its own for each number. */
__attribute__((noinline)) static void *allocate(unsigned path, unsigned depth)
{
    if (depth == 0)
        return malloc(path % 500 + 1);
    if (path & 1)
        return allocate(path / 2, depth - 1);
    return allocate(path / 2, depth - 1);
}

static void *churn_once(void *number)
{
    for (unsigned i = 0; i < 300; i++)
        free(allocate((unsigned)(size_t)number * 1000 + i, 10));
    return NULL;
}

/* Threads that start and end, each of which allocates. */
static void *churn(void *number)
{
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        pthread_t thread;

        churn_once(number);
        if (pthread_create(&thread, NULL, churn_once, number) == 0)
            pthread_join(thread, NULL);
    }
    return NULL;
}

static void *ask(void *unused)
{
    for (unsigned i = 0; !__atomic_load_n(&is_over, __ATOMIC_RELAXED); i++) {
        alloctrace_traceback *traceback = NULL;

        EXPECT(alloctrace_get_object_traceback(0, kept[i % N_KEPT],
                                               &traceback) == 0);
        if (!traceback)
            break;
        EXPECT(alloctrace_traceback_frame(traceback, -1)->line == line_kept);
        alloctrace_traceback_free(traceback);
    }
    return unused;
}

static void take_and_expect(void)
{
    alloctrace_snapshot *snapshot = NULL;
    const int result = alloctrace_take_snapshot(&snapshot);

    EXPECT(result == 0);
    if (result)
        return;
    expect_kept(snapshot);
    EXPECT(alloctrace_snapshot_summary(snapshot)->unknown_frees == 0);
    alloctrace_snapshot_free(snapshot);
}

static void begin(pthread_t *threads)
{
    EXPECT(alloctrace_start(ALLOCTRACE_ALL_FRAMES) == 0);
    keep_some();
    for (size_t i = 0; i < N_THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, i ? churn : ask, (void *)i) ==
               0);
}

static void end(pthread_t *threads)
{
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    take_and_expect();
    free_kept();
}

static void run_threads(void)
{
    pthread_t threads[N_THREADS];

    begin(threads);
    for (int i = 0; i < N_SNAPSHOTS; i++)
        take_and_expect();
    end(threads);
}

static void run_forks(void)
{
    pthread_t threads[N_THREADS];

    begin(threads);
    for (int i = 0; i < 10; i++) {
        int status = -1;
        const pid_t child = fork();

        if (child == 0) {
            take_and_expect();
            free_kept();
            _exit(n_wrong != 0);
        }
        take_and_expect();
        waitpid(child, &status, 0);
        EXPECT(status == 0);
    }
    end(threads);
}

/* ---- Pauses ---- */

static void run_pauses(void)
{
    alloctrace_snapshot *snapshot = NULL;
    unsigned long long before;

    EXPECT(alloctrace_start(ALLOCTRACE_ALL_FRAMES) == 0);
    keep_some();
    before = current();
    alloctrace_pause();
    EXPECT(alloctrace_take_snapshot(&snapshot) == 0);
    kept[0] = realloc(kept[0], 5000);
    EXPECT(current() == before - 1000);
    alloctrace_resume();
    alloctrace_resume();
    expect_kept(snapshot);
    alloctrace_snapshot_free(snapshot);
    EXPECT(current() == before - 1000);
    free_kept();
    EXPECT(current() == 0);
    EXPECT(alloctrace_take_snapshot(&snapshot) == 0);
    EXPECT(alloctrace_snapshot_summary(snapshot)->unknown_frees == 0);
    alloctrace_snapshot_free(snapshot);
}

/* ---- Want of memory ---- */

static size_t addresses(void)
{
    FILE *const file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    EXPECT(file && fscanf(file, "%lu", &pages) == 1);
    if (file)
        fclose(file);
    return pages * (size_t)getpagesize();
}

static void take_within(size_t room, unsigned *n_done, unsigned *n_refused)
{
    const unsigned long long before = current();
    const size_t in_use = (size_t)mallinfo2().uordblks;
    struct rlimit limit;
    alloctrace_snapshot *snapshot = NULL;
    alloctrace_traceback *traceback = NULL;
    int result;
    int asked;

    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = addresses() + room;
    setrlimit(RLIMIT_AS, &limit);
    result = alloctrace_take_snapshot(&snapshot);
    if (result == 0)
        alloctrace_snapshot_free(snapshot);
    asked = alloctrace_get_object_traceback(0, kept[0], &traceback);
    if (asked == 0)
        alloctrace_traceback_free(traceback);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_AS, &limit);
    EXPECT(result == 0 || result == ALLOCTRACE_ENO_MEMORY);
    EXPECT(asked == 0 || asked == ALLOCTRACE_ENO_MEMORY);
    *n_done += result == 0;
    *n_refused += result != 0;
    EXPECT(current() == before);
    EXPECT((size_t)mallinfo2().uordblks == in_use);
}

static void run_scarcity(void)
{
    unsigned n_done = 0;
    unsigned n_refused = 0;
    size_t before;

    EXPECT(alloctrace_start(ALLOCTRACE_ALL_FRAMES) == 0);
    keep_some();
    for (unsigned i = 0; i < 4096; i++) /* a dump of a megabyte */
        free(allocate(i, 12));
    mallopt(M_MMAP_THRESHOLD, 4096);
    mallopt(M_TRIM_THRESHOLD, 0);
    take_and_expect();
    before = addresses();
    for (size_t room = 0; room < 4 << 20; room += 32 << 10)
        take_within(room, &n_done, &n_refused);
    EXPECT(addresses() < before + (1 << 20)); /* of a dump each time */
    EXPECT(n_done > 4);
    EXPECT(n_refused > 4);
    take_and_expect();
    free_kept();
}

/* Before the first start: code that is not instrumented allocates in a pause
 * (here the C library); then tracing starts in the pause. */
static void run_untraced(void)
{
    uint64_t size = 1;
    FILE *file;

    alloctrace_pause();
    file = fopen("/dev/null", "r");
    EXPECT(file && !fclose(file));
    EXPECT(!alloctrace_start(ALLOCTRACE_ALL_FRAMES));
    keep_some();
    EXPECT(!alloctrace_get_traced_memory(&size, NULL) && size == 0);
    free_kept();
    alloctrace_resume();
    keep_some();
    EXPECT(!alloctrace_get_traced_memory(&size, NULL) &&
           size == N_KEPT * 1000 + N_KEPT * (N_KEPT - 1) / 2);
    free_kept();
}

/* ---- All of it ---- */

/* Calls every function of alloctrace.h; what it prints is the same whether the
 * program is traced or not. */
static void run_all(void)
{
    const char *const text = "live";
    char *const block = strdup(text);
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;
    uint64_t bytes = 1;
    uint64_t peak = 1;
    void *dump;
    size_t size;
    struct alloctrace_scope scope;
    struct alloctrace_scope_result result;
    void *const stack = alloctrace_switch_stack(NULL);

    alloctrace_switch_stack(stack);
    if (alloctrace_start(3) < 0 || alloctrace_start(-1) >= 0)
        puts("cannot start");
    if (alloctrace_is_tracing() && alloctrace_get_traceback_limit() != 3)
        puts("another limit");
    if (alloctrace_get_last_traceback_limit() < 1)
        puts("no limit");
    alloctrace_track(7, block, 5);
    alloctrace_pause();
    free(strdup(text));
    alloctrace_resume();
    if (alloctrace_scope_begin(&scope) != alloctrace_scope_end(&scope, &result))
        puts("a scope");
    if (result.allocations || result.net)
        puts("a block in a scope");
    if (alloctrace_get_traced_memory(&bytes, &peak) || bytes > peak)
        puts("no memory");
    if (!alloctrace_is_tracing() && alloctrace_get_overhead_memory())
        puts("a tracer");
    if (!alloctrace_take_snapshot(&snapshot))
        alloctrace_snapshot_free(snapshot);
    if (!alloctrace_get_object_traceback(7, block, &traceback))
        alloctrace_traceback_free(traceback);
    if (!alloctrace_dump_memory(&dump, &size))
        alloctrace_dump_memory_free(dump, size);
    if (!alloctrace_dump_block(7, block, &dump, &size))
        alloctrace_dump_memory_free(dump, size);
    alloctrace_dump("/dev/null");
    alloctrace_dump_fd(-1);
    alloctrace_dump_traceback(-1, block);
    alloctrace_untrack(7, block);
    if (alloctrace_reset_peak() || alloctrace_clear_traces() ||
        alloctrace_stop())
        puts("cannot stop");
    puts(block);
    free(block);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"threads", run_threads},
                 {"forks", run_forks},
                 {"pauses", run_pauses},
                 {"scarcity", run_scarcity},
                 {"untraced", run_untraced},
                 {"all", run_all}};

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (argc == 2 && strcmp(argv[1], modes[i].name) == 0) {
            modes[i].run();
            return n_wrong != 0;
        }
    return 2;
}
