/* SPDX-License-Identifier: MIT */
/*
 * tracemalloc's behaviour of a process that traces itself, as CPython shows it:
 * vectors R1 to R14. C and C++. `vectors` runs all, `vectors R3` one of them; a
 * line on standard error for each thing that is not as it should be.
 *
 * With ALLOCTRACE_LIKE_CPYTHON_API, where CPython does otherwise than it says.
 */
#include <alloctrace.h>
#include <alloctrace/analysis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB 1048576

static int n_wrong;

#define EXPECT(condition)                                              \
    do {                                                               \
        if (!(condition)) {                                            \
            fprintf(stderr, "line %d: not %s\n", __LINE__, #condition); \
            n_wrong++;                                                 \
        }                                                              \
    } while (0)

/* Out of the compiler's sight, so that no allocation is left out. */
static void *volatile kept;

static void *keep(void *block)
{
    kept = block;
    return block;
}

/* The live blocks of a domain that were allocated at a line of this file, or
 * at any. */
struct live {
    long long blocks;
    long long bytes;
};

static struct live live_in(const alloctrace_snapshot *snapshot)
{
    struct live sum = {0, 0};

    for (size_t i = 0; i < alloctrace_snapshot_trace_count(snapshot); i++) {
        sum.blocks += alloctrace_snapshot_trace(snapshot, i)->live_blocks;
        sum.bytes += alloctrace_snapshot_trace(snapshot, i)->live_bytes;
    }
    return sum;
}

static struct live live_at(unsigned domain, long line)
{
    alloctrace_snapshot *whole = NULL;
    alloctrace_snapshot *part = NULL;
    struct live sum = {-1, -1};
    struct alloctrace_filter filter = alloctrace_filter_make(1, __FILE__);

    filter.domain = domain;
    if (line == 0)
        filter.filename_pattern = NULL;
    else
        filter.lineno = line;
    EXPECT(alloctrace_take_snapshot(&whole) == 0);
    if (whole && !alloctrace_snapshot_filter_traces(whole, &filter, 1, &part))
        sum = live_in(part);
    alloctrace_snapshot_free(part);
    alloctrace_snapshot_free(whole);
    return sum;
}

#define EXPECT_LIVE(domain, line, n_blocks, n_bytes)           \
    do {                                                       \
        const struct live live_now = live_at(domain, line);    \
                                                               \
        EXPECT(live_now.blocks == (long long)(n_blocks));      \
        EXPECT(live_now.bytes == (long long)(n_bytes));        \
    } while (0)

/* The line that allocated a block; 0 if it is not known. */
static long line_of(unsigned domain, const void *block)
{
    alloctrace_traceback *traceback;
    const struct alloctrace_frame *frame;
    long line = 0;
    const int result =
        alloctrace_get_object_traceback(domain, block, &traceback);

    if (result == ALLOCTRACE_EUNKNOWN_BLOCK)
        return 0;
    EXPECT(result == 0);
    if (result)
        return -1;
    frame = alloctrace_traceback_frame(traceback, -1);
    EXPECT(strcmp(frame->file, __FILE__) == 0);
    line = frame->line;
    alloctrace_traceback_free(traceback);
    return line;
}

static unsigned long long current(void)
{
    uint64_t bytes;

    alloctrace_get_traced_memory(&bytes, NULL);
    return bytes;
}

static unsigned long long peak(void)
{
    uint64_t bytes;

    alloctrace_get_traced_memory(NULL, &bytes);
    return bytes;
}

static void begin(void)
{
    alloctrace_stop();
    EXPECT(alloctrace_start(10) == 0);
}

static const void *const ADDRESS = (const void *)0x1000;

static void R1(void)
{
    EXPECT(alloctrace_start(-1) == ALLOCTRACE_EBAD_ARGUMENT);
    EXPECT(alloctrace_start(65536) == ALLOCTRACE_EBAD_ARGUMENT);
    EXPECT(!alloctrace_is_tracing());
    EXPECT(alloctrace_start(65535) == 0);
    EXPECT(alloctrace_get_traceback_limit() == 65535);
    alloctrace_stop();
#ifdef ALLOCTRACE_LIKE_CPYTHON_API
    EXPECT(alloctrace_start(0) == ALLOCTRACE_EBAD_ARGUMENT);
    EXPECT(!alloctrace_is_tracing());
    EXPECT(alloctrace_get_traceback_limit() == 65535);
#else
    EXPECT(alloctrace_start(ALLOCTRACE_ALL_FRAMES) == 0);
    alloctrace_stop();
    EXPECT(alloctrace_get_traceback_limit() == ALLOCTRACE_ENOT_TRACING);
#endif
}

static void R2(void)
{
#ifdef ALLOCTRACE_LIKE_CPYTHON_API
    EXPECT(alloctrace_get_traceback_limit() == 1);
#endif
    EXPECT(alloctrace_start(3) == 0);
#ifdef ALLOCTRACE_LIKE_CPYTHON_API
    EXPECT(alloctrace_start(9) == 0);
    EXPECT(alloctrace_start(0) == ALLOCTRACE_EBAD_ARGUMENT);
#else
    EXPECT(alloctrace_start(9) == ALLOCTRACE_ALREADY_TRACING);
    EXPECT(alloctrace_start(3) == 0);
    EXPECT(alloctrace_start(-1) == ALLOCTRACE_EBAD_ARGUMENT);
#endif
    EXPECT(alloctrace_get_traceback_limit() == 3);
}

static void R3(void)
{
    long line;

    begin();
    EXPECT(alloctrace_track(7, ADDRESS, 100) == 0);
    line = __LINE__ + 1;
    EXPECT(alloctrace_track(7, ADDRESS, 40) == 0);
    EXPECT_LIVE(7, 0, 1, 40);
    EXPECT_LIVE(7, line, 1, 40);
    EXPECT(line_of(7, ADDRESS) == line);
}

static void R4(void)
{
    EXPECT(alloctrace_start(10) == 0);
    alloctrace_track(7, ADDRESS, 40);
    EXPECT(alloctrace_track(8, ADDRESS, 11) == 0);
    EXPECT_LIVE(7, 0, 1, 40);
    EXPECT_LIVE(8, 0, 1, 11);
    EXPECT(alloctrace_untrack(7, ADDRESS) == 0);
    EXPECT_LIVE(7, 0, 0, 0);
    EXPECT_LIVE(8, 0, 1, 11);
    EXPECT(line_of(7, ADDRESS) == 0);
    EXPECT(line_of(8, ADDRESS) > 0);
}

static void R5(void)
{
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;

    begin();
    EXPECT(alloctrace_untrack(7, ADDRESS) == 0);
    alloctrace_track(7, ADDRESS, 40);
    EXPECT(alloctrace_untrack(7, ADDRESS) == 0);
    EXPECT(alloctrace_untrack(7, ADDRESS) == 0);
    alloctrace_stop();
    EXPECT(alloctrace_untrack(7, ADDRESS) == ALLOCTRACE_ENOT_TRACING);
    EXPECT(alloctrace_track(7, ADDRESS, 40) == ALLOCTRACE_ENOT_TRACING);
    EXPECT(alloctrace_take_snapshot(&snapshot) == ALLOCTRACE_ENOT_TRACING);
    EXPECT(alloctrace_get_object_traceback(7, ADDRESS, &traceback) ==
           ALLOCTRACE_ENOT_TRACING);
}

static void R6(void)
{
    unsigned long long before;

    begin();
    before = current();
    alloctrace_track(7, ADDRESS, 10 * MIB);
    EXPECT(current() == before + 10 * MIB);
    alloctrace_untrack(7, ADDRESS);
    EXPECT(current() == before);
    EXPECT(peak() >= 10 * MIB);
    alloctrace_reset_peak();
    EXPECT(peak() < MIB);
}

static void R7(void)
{
    begin();
    alloctrace_track(7, ADDRESS, 10 * MIB);
    alloctrace_track(7, ADDRESS, 10 * MIB);
    EXPECT(peak() >= 10 * MIB);
    EXPECT(peak() < 11 * MIB);
}

static void R8(void)
{
    alloctrace_snapshot *snapshot = NULL;

    begin();
    keep(malloc(1000));
    alloctrace_track(7, ADDRESS, 40);
    alloctrace_track(8, ADDRESS, 40);
    EXPECT(alloctrace_clear_traces() == 0);
    EXPECT(current() == 0);
    EXPECT(peak() == 0);
    EXPECT(alloctrace_take_snapshot(&snapshot) == 0);
    EXPECT(alloctrace_snapshot_trace_count(snapshot) == 0);
    alloctrace_snapshot_free(snapshot);
    EXPECT(line_of(0, kept) == 0);
    EXPECT(alloctrace_is_tracing());
}

static void R9(void)
{
    void *const freed = keep(malloc(1000));
    void *resized = keep(malloc(1000));
    long line;

    begin();
    EXPECT_LIVE(0, 0, 0, 0);
    EXPECT(line_of(0, freed) == 0);
    free(freed);
    EXPECT_LIVE(0, 0, 0, 0);
    line = __LINE__, resized = keep(realloc(resized, 5000));
    EXPECT_LIVE(0, 0, 1, 5000);
    EXPECT_LIVE(0, line, 1, 5000);
    EXPECT(line_of(0, resized) == line);
    free(resized);
    EXPECT_LIVE(0, 0, 0, 0);
}

static void R10(void)
{
    void *block;
    long line;

    begin();
    line = __LINE__, block = keep(malloc(100));
    EXPECT(line_of(0, block) == line);
    block = keep(realloc(block, 300));
    EXPECT_LIVE(0, line, 0, 0);
    EXPECT_LIVE(0, line + 2, 1, 300);
    EXPECT(line_of(0, block) == line + 2);
    EXPECT(current() == 300);
    free(block);
}

static void R11(void)
{
    volatile size_t impossible = SIZE_MAX / 4;
    long line;

    begin();
    line = __LINE__, keep(malloc(100));
    EXPECT(realloc(kept, impossible) == NULL);
    EXPECT_LIVE(0, 0, 1, 100);
    EXPECT_LIVE(0, line, 1, 100);
    EXPECT(line_of(0, kept) == line);
    free(kept);
}

static void R12(void)
{
    void *nothing;
    void *product;
    long line;

    begin();
    line = __LINE__, nothing = keep(malloc(0));
    product = keep(calloc(1111, 1113));
    EXPECT_LIVE(0, line, 1, 0);
    EXPECT_LIVE(0, line + 1, 1, 1236543);
    EXPECT(line_of(0, nothing) == line);
    free(nothing);
    free(product);
}

static int is_same_path(const alloctrace_snapshot *a, uint32_t a_id,
                        const alloctrace_snapshot *b, uint32_t b_id)
{
    alloctrace_traceback *left = NULL;
    alloctrace_traceback *right = NULL;
    int is_same = 0;

    if (!alloctrace_snapshot_traceback(a, a_id, &left) &&
        !alloctrace_snapshot_traceback(b, b_id, &right) &&
        alloctrace_traceback_count(left) == alloctrace_traceback_count(right)) {
        is_same = 1;
        for (ptrdiff_t i = 0;
             i < (ptrdiff_t)alloctrace_traceback_count(left); i++) {
            const struct alloctrace_frame *const one =
                alloctrace_traceback_frame(left, i);
            const struct alloctrace_frame *const other =
                alloctrace_traceback_frame(right, i);

            is_same &= strcmp(one->file, other->file) == 0 &&
                       one->line == other->line;
        }
    }
    alloctrace_traceback_free(left);
    alloctrace_traceback_free(right);
    return is_same;
}

static void expect_same_traces(const alloctrace_snapshot *a,
                               const alloctrace_snapshot *b)
{
    const size_t n = alloctrace_snapshot_trace_count(a);

    EXPECT(n >= 3);
    EXPECT(alloctrace_snapshot_trace_count(b) == n);
    for (size_t i = 0; i < n && i < alloctrace_snapshot_trace_count(b); i++) {
        const struct alloctrace_trace *const one =
            alloctrace_snapshot_trace(a, i);
        const struct alloctrace_trace *const other =
            alloctrace_snapshot_trace(b, i);

        EXPECT(one->domain == other->domain);
        EXPECT(one->live_bytes == other->live_bytes);
        EXPECT(one->live_blocks == other->live_blocks);
        EXPECT(is_same_path(a, one->traceback, b, other->traceback));
    }
}

static void R13(void)
{
    alloctrace_snapshot *snapshot = NULL;
    alloctrace_snapshot *loaded = NULL;
    struct alloctrace_error error;
    char path[64];
    void *block;

    begin();
    block = keep(malloc(100));
    alloctrace_track(7, ADDRESS, 40);
    alloctrace_track(8, ADDRESS, 50);
    sprintf(path, "vectors.%d.alloctrace", (int)getpid());
    EXPECT(alloctrace_take_snapshot(&snapshot) == 0);
    EXPECT(alloctrace_snapshot_set_attribute(snapshot, "build", "4711") == 0);
    EXPECT(alloctrace_snapshot_dump(snapshot, path, &error) == 0);
    EXPECT(alloctrace_snapshot_load(path, &loaded, &error) == 0);
    unlink(path);
    EXPECT(alloctrace_snapshot_traceback_limit(loaded) == 10);
    EXPECT(strcmp(alloctrace_snapshot_get_attribute(loaded, "build"),
                  "4711") == 0);
    expect_same_traces(snapshot, loaded);
    alloctrace_snapshot_free(snapshot);
    alloctrace_snapshot_free(loaded);
    free(block);
}

static void R14(void)
{
    void *block;
    long line;
    int status = -1;
    pid_t child;

    begin();
    line = __LINE__, block = keep(malloc(100));
    child = fork();
    if (child == 0) {
        EXPECT(alloctrace_is_tracing());
        EXPECT(alloctrace_get_traceback_limit() == 10);
        EXPECT_LIVE(0, line, 1, 100);
        EXPECT(line_of(0, block) == line);
        keep(malloc(200));
        EXPECT_LIVE(0, 0, 2, 300);
        _exit(n_wrong);
    }
    waitpid(child, &status, 0);
    EXPECT(status == 0);
    EXPECT_LIVE(0, 0, 1, 100);
    free(block);
}

static const struct {
    const char *name;
    void (*run)(void);
} VECTORS[] = {
    {"R1", R1},   {"R2", R2},   {"R3", R3},   {"R4", R4},   {"R5", R5},
    {"R6", R6},   {"R7", R7},   {"R8", R8},   {"R9", R9},   {"R10", R10},
    {"R11", R11}, {"R12", R12}, {"R13", R13}, {"R14", R14},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++)
        if (argc > 1 && strcmp(argv[1], VECTORS[i].name) == 0) {
            VECTORS[i].run();
            return n_wrong != 0;
        }
    return 2;
}
