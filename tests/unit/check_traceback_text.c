/* SPDX-License-Identifier: MIT */
/* Frames and tracebacks as values and as text: tracemalloc's vectors T29 and
 * T30, order, hash, parts and walks; and that only regular files are read, each
 * once. Linked with --wrap=open. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"

static struct dumpfile dump;

/* Files that were opened. */
static int n_opened;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    n_opened++;
    return __real_open(path, flags);
}

/* A traceback of frames as text, the most recent one first. */
static alloctrace_traceback *traceback_of(const char *path)
{
    alloctrace_traceback *traceback = NULL;
    alloctrace_snapshot *snapshot;
    uint32_t id;

    dumpfile_init(&dump);
    id = dumpfile_path(&dump, path);
    snapshot = dumpfile_load(&dump);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, id, &traceback),
                     0);
    alloctrace_snapshot_free(snapshot);
    return traceback;
}

/* Does the text say so? Frees it. */
static void expect_format(const alloctrace_traceback *traceback, int limit,
                          int is_recent_first, unsigned flags,
                          const char *expected)
{
    char *text = NULL;

    ck_assert_int_eq(alloctrace_traceback_format(traceback, limit,
                                                 is_recent_first, flags, &text),
                     0);
    ck_assert_str_eq(text, expected);
    alloctrace_text_free(text);
}

#define LINE(file) "  File \"" file "\", line 1\n"
#define A LINE("/no/a")
#define B LINE("/no/b")
#define C LINE("/no/c")

START_TEST(T29)
{
    alloctrace_traceback *abc = traceback_of("/no/c:1 /no/b:1 /no/a:1");

    expect_format(abc, ALLOCTRACE_NO_LIMIT, 0, 0, A B C);
    expect_format(abc, ALLOCTRACE_NO_LIMIT, 1, 0, C B A);
    expect_format(abc, 1, 0, 0, C);
    expect_format(abc, 2, 0, 0, B C);
    expect_format(abc, 2, 1, 0, C B);
    expect_format(abc, 3, 0, 0, A B C);
    expect_format(abc, 4, 1, 0, C B A);
    expect_format(abc, 2, 1, ALLOCTRACE_LIKE_CPYTHON, C B);
    alloctrace_traceback_free(abc);
}
END_TEST

START_TEST(T30)
{
    alloctrace_traceback *abc = traceback_of("/no/c:1 /no/b:1 /no/a:1");

    expect_format(abc, -1, 0, ALLOCTRACE_LIKE_CPYTHON, A B);
    expect_format(abc, -2, 0, ALLOCTRACE_LIKE_CPYTHON, A);
    expect_format(abc, -3, 0, ALLOCTRACE_LIKE_CPYTHON, "");
    expect_format(abc, -4, 0, ALLOCTRACE_LIKE_CPYTHON, "");
    expect_format(abc, INT_MIN, 0, ALLOCTRACE_LIKE_CPYTHON, "");
    expect_format(abc, 0, 0, ALLOCTRACE_LIKE_CPYTHON, "");
    expect_format(abc, -1, 1, ALLOCTRACE_LIKE_CPYTHON, B A);
    expect_format(abc, -1, 0, 0, A);
    expect_format(abc, -2, 0, 0, A B);
    expect_format(abc, -2, 1, 0, B A);
    expect_format(abc, -3, 0, 0, A B C);
    expect_format(abc, -4, 0, 0, A B C);
    expect_format(abc, INT_MIN, 1, 0, C B A);
    expect_format(abc, 0, 0, 0, "");
    alloctrace_traceback_free(abc);
}
END_TEST

START_TEST(unknown_flags_are_refused)
{
    alloctrace_traceback *a = traceback_of("/no/a:1");
    char *text = NULL;

    ck_assert_int_eq(alloctrace_traceback_format(a, 1, 0, 1U << 20, &text),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(
        alloctrace_traceback_format(a, 1, 0, ALLOCTRACE_IGNORE_LINES, &text),
        ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_ptr_null(text);
    alloctrace_traceback_free(a);
}
END_TEST

START_TEST(functions_are_named_where_they_are_known)
{
    alloctrace_traceback *traceback;
    alloctrace_snapshot *snapshot;
    uint32_t id;

    dumpfile_init(&dump);
    id = dumpfile_frame(&dump, (struct dumpframe){.file = "/no/a",
                                                  .line = 1,
                                                  .function = "f\x1b(int)",
                                                  .kind = 2});
    id = dumpfile_traceback(&dump, dumpfile_path(&dump, "/no/b:1"), id);
    snapshot = dumpfile_load(&dump);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, id, &traceback),
                     0);
    expect_format(traceback, ALLOCTRACE_NO_LIMIT, 0, ALLOCTRACE_WITH_FUNCTIONS,
                  B "  File \"/no/a\", line 1, in f\x1b(int)\n");
    expect_format(traceback, ALLOCTRACE_NO_LIMIT, 0, 0, B A);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *const file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

/* A folder of its own, in which the test goes on. */
static void enter_folder(char name[32])
{
    strcpy(name, "/tmp/check_text.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(name));
    ck_assert_int_eq(chdir(name), 0);
}

static void leave_folder(const char *name)
{
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(name), 0);
}

START_TEST(source_lines_follow_their_frames)
{
    static const char source[] = "one\n\t two  \n\n  \nfive";
    alloctrace_traceback *traceback;
    char folder[32];

    enter_folder(folder);
    write_file("s", source, sizeof source - 1);
    traceback = traceback_of("s:0 s:1 s:2 s:3 s:4 s:5 s:6 s:4294967295");
    expect_format(traceback, ALLOCTRACE_NO_LIMIT, 1, 0,
                  "  File \"s\", line 0\n"
                  "  File \"s\", line 1\n    one\n"
                  "  File \"s\", line 2\n    two\n"
                  "  File \"s\", line 3\n"
                  "  File \"s\", line 4\n"
                  "  File \"s\", line 5\n    five\n"
                  "  File \"s\", line 6\n"
                  "  File \"s\", line 4294967295\n");
    alloctrace_traceback_free(traceback);
    unlink("s");
    leave_folder(folder);
}
END_TEST

START_TEST(a_file_with_a_byte_0_is_no_source)
{
    static const char source[] = "one\ntwo\0";
    alloctrace_traceback *traceback = traceback_of("s:1");
    char folder[32];

    enter_folder(folder);
    write_file("s", source, sizeof source - 2);
    expect_format(traceback, 1, 0, 0, "  File \"s\", line 1\n    one\n");
    write_file("s", source, sizeof source - 1);
    expect_format(traceback, 1, 0, 0, "  File \"s\", line 1\n");
    alloctrace_traceback_free(traceback);
    unlink("s");
    leave_folder(folder);
}
END_TEST

/* A pipe without a writer would block for ever. */
START_TEST(what_is_no_regular_file_is_not_opened)
{
    alloctrace_traceback *traceback =
        traceback_of("pipe:1 folder:1 /dev/zero:1 /dev/tty:1 <s>:1 link:1");
    char folder[32];

    enter_folder(folder);
    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    ck_assert_int_eq(mkdir("folder", 0700), 0);
    ck_assert_int_eq(symlink("pipe", "link"), 0);
    write_file("<s>", "text\n", 5);
    n_opened = 0;
    expect_format(traceback, ALLOCTRACE_NO_LIMIT, 1, 0,
                  LINE("pipe") LINE("folder") LINE("/dev/zero") LINE("/dev/tty")
                      LINE("<s>") LINE("link"));
    ck_assert_int_eq(n_opened, 0);
    alloctrace_traceback_free(traceback);
    unlink("pipe");
    unlink("link");
    unlink("<s>");
    rmdir("folder");
    leave_folder(folder);
}
END_TEST

/* Larger than any source: a file of 1 TiB that takes no room on the disk. */
START_TEST(a_huge_file_is_not_read)
{
    alloctrace_traceback *traceback = traceback_of("s:1");
    char folder[32];

    enter_folder(folder);
    write_file("s", "one\n", 4);
    ck_assert_int_eq(truncate("s", (off_t)1 << 38), 0);
    expect_format(traceback, 1, 0, 0, LINE("s"));
    alloctrace_traceback_free(traceback);
    unlink("s");
    leave_folder(folder);
}
END_TEST

START_TEST(each_file_is_opened_once)
{
    alloctrace_traceback *traceback = NULL;
    alloctrace_snapshot *snapshot;
    char *text = NULL;
    char folder[32];
    uint32_t id = 0;

    enter_folder(folder);
    write_file("s", "one\ntwo\nthree\n", 14);
    write_file("t", "uno\ndue\n", 8);
    dumpfile_init(&dump);
    for (uint32_t i = 0; i < 1000; i++)
        id = dumpfile_traceback(
            &dump, id,
            dumpfile_frame(&dump, (struct dumpframe){.file = i % 3 ? "s" : "t",
                                                     .line = i % 4}));
    snapshot = dumpfile_load(&dump);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, id, &traceback),
                     0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 1000);
    n_opened = 0;
    ck_assert_int_eq(alloctrace_traceback_format(traceback, ALLOCTRACE_NO_LIMIT,
                                                 1, 0, &text),
                     0);
    ck_assert_int_eq(n_opened, 2);
    ck_assert_ptr_nonnull(strstr(text, "\"t\", line 2\n    due\n"));
    ck_assert_ptr_nonnull(strstr(text, "\"s\", line 3\n    three\n"));
    alloctrace_text_free(text);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
    unlink("s");
    unlink("t");
    leave_folder(folder);
}
END_TEST

START_TEST(a_frame_is_written_as_far_as_it_fits)
{
    const struct alloctrace_frame frame = {.file = "main.c",
                                           .line = 4294967295};
    char text[20];

    ck_assert_uint_eq(alloctrace_frame_format(&frame, NULL, 0), 17);
    for (size_t size = 1; size < sizeof text; size++) {
        memset(text, '#', sizeof text);
        ck_assert_uint_eq(alloctrace_frame_format(&frame, text, size), 17);
        ck_assert_uint_eq(strlen(text), size <= 17 ? size - 1 : 17);
        ck_assert_int_eq(strncmp(text, "main.c:4294967295", strlen(text)), 0);
        ck_assert_int_eq(text[size], '#');
    }
}
END_TEST

START_TEST(a_trace_is_written_with_its_most_recent_frame)
{
    alloctrace_snapshot *snapshot;
    char text[64];

    dumpfile_init(&dump);
    dump.traceback_limit = 2;
    dumpfile_trace(&dump, dumpfile_path(&dump, "c.c:3 b.c:2 a.c:1"), 0, 0, 2,
                   20480);
    dumpfile_trace(&dump, 0, 0, 0, 1, 7);
    snapshot = dumpfile_load(&dump);
    ck_assert_uint_eq(
        alloctrace_trace_format(snapshot, 0, 0, text, sizeof text), 15);
    ck_assert_str_eq(text, "c.c:3: 20.0 KiB");
    /* The oldest frame that is kept. */
    alloctrace_trace_format(snapshot, 0, ALLOCTRACE_LIKE_CPYTHON, text,
                            sizeof text);
    ck_assert_str_eq(text, "b.c:2: 20.0 KiB");
    alloctrace_trace_format(snapshot, 1, ALLOCTRACE_LIKE_CPYTHON, text,
                            sizeof text);
    ck_assert_str_eq(text, "<unknown>:0: 7 B");
    ck_assert_uint_eq(
        alloctrace_trace_format(snapshot, 2, 0, text, sizeof text), 0);
    ck_assert_str_eq(text, "");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* As tuples of Python compare: ("b.c", 9) < ("b.c", 10) < ("c", 1). */
START_TEST(frames_are_ordered_by_file_and_line)
{
    static const struct alloctrace_frame frames[] = {
        {.file = "", .line = 5},         {.file = "B.c", .line = 0},
        {.file = "b", .line = 99},       {.file = "b.c", .line = 9},
        {.file = "b.c", .line = 10},     {.file = "b.c", .line = UINT32_MAX},
        {.file = "b.c\x01", .line = 1},  {.file = "c", .line = 1},
        {.file = "\xc3\xa9", .line = 1}, {.file = "\xff", .line = 0}};
    enum { N = sizeof frames / sizeof *frames };

    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            char file[8];
            struct alloctrace_frame copy = frames[j];
            int order;

            strcpy(file, frames[j].file);
            copy.file = file;
            copy.function = "does not count";
            order = alloctrace_frame_compare(&frames[i], &copy);
            ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
            ck_assert_int_eq(alloctrace_frame_hash(&frames[i]) ==
                                 alloctrace_frame_hash(&copy),
                             i == j);
        }
}
END_TEST

/* By their frames, the oldest first; a beginning of another is less. */
START_TEST(tracebacks_are_ordered_from_the_oldest_frame)
{
    static const char *const paths[] = {"a:1",        "z:9 a:1", "z:10 a:1",
                                        "z:9 a:2",    "y:1 b:1", "z:1 b:1",
                                        "a:1 z:1 b:1"};
    enum { N = sizeof paths / sizeof *paths };

    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            alloctrace_traceback *left = traceback_of(paths[i]);
            alloctrace_traceback *right = traceback_of(paths[j]);
            const int order = alloctrace_traceback_compare(left, right);

            ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
            ck_assert_int_eq(alloctrace_traceback_hash(left) ==
                                 alloctrace_traceback_hash(right),
                             i == j);
            alloctrace_traceback_free(left);
            alloctrace_traceback_free(right);
        }
}
END_TEST

START_TEST(a_traceback_contains_its_frames)
{
    alloctrace_traceback *traceback = traceback_of("c.c:3 b.c:2 a.c:1");
    struct alloctrace_frame frame = {.file = "b.c", .line = 2};

    ck_assert_int_eq(alloctrace_traceback_contains(traceback, &frame), 1);
    frame.line = 1;
    ck_assert_int_eq(alloctrace_traceback_contains(traceback, &frame), 0);
    frame.file = "a.c";
    ck_assert_int_eq(alloctrace_traceback_contains(traceback, &frame), 1);
    frame.file = "c.c";
    frame.line = 3;
    ck_assert_int_eq(alloctrace_traceback_contains(traceback, &frame), 1);
    alloctrace_traceback_free(traceback);
}
END_TEST

/* The lines of the frames of a part: "12" of a traceback of lines 0 .. 4. */
static void expect_slice(const alloctrace_traceback *traceback, ptrdiff_t start,
                         ptrdiff_t stop, const char *expected)
{
    alloctrace_traceback *slice = NULL;
    char text[16] = "";
    size_t n;

    ck_assert_int_eq(alloctrace_traceback_slice(traceback, start, stop, &slice),
                     0);
    n = alloctrace_traceback_count(slice);
    for (size_t i = 0; i < n; i++)
        text[i] =
            (char)('0' + alloctrace_traceback_frame(slice, (ptrdiff_t)i)->line);
    ck_assert_msg(strcmp(text, expected) == 0, "[%td:%td] is '%s', not '%s'",
                  start, stop, text, expected);
    ck_assert_uint_eq(alloctrace_traceback_total_nframe(slice), 5);
    alloctrace_traceback_free(slice);
}

/* "01234"[start:stop] */
START_TEST(slices_are_those_of_python)
{
    alloctrace_traceback *traceback = traceback_of("f:4 f:3 f:2 f:1 f:0");
    static const char digits[] = "01234";

    for (ptrdiff_t start = -7; start <= 7; start++)
        for (ptrdiff_t stop = -7; stop <= 7; stop++) {
            char expected[8] = "";

            for (ptrdiff_t i = 0, n = 0; i < 5; i++)
                if (i >= (start < 0 ? start + 5 : start) &&
                    i < (stop < 0 ? stop + 5 : stop))
                    expected[n++] = digits[i];
            expect_slice(traceback, start, stop, expected);
        }
    expect_slice(traceback, 0, PTRDIFF_MAX, "01234");
    expect_slice(traceback, -2, PTRDIFF_MAX, "34");
    expect_slice(traceback, PTRDIFF_MIN, PTRDIFF_MAX, "01234");
    expect_slice(traceback, PTRDIFF_MAX, PTRDIFF_MIN, "");
    expect_slice(traceback, PTRDIFF_MIN, PTRDIFF_MIN, "");
    alloctrace_traceback_free(traceback);
}
END_TEST

START_TEST(a_slice_outlives_what_it_was_cut_from)
{
    alloctrace_traceback *traceback = traceback_of("c.c:3 b.c:2 a.c:1");
    alloctrace_traceback *slice;

    ck_assert_int_eq(alloctrace_traceback_slice(traceback, 1, -1, &slice), 0);
    alloctrace_traceback_free(traceback);
    ck_assert_str_eq(alloctrace_traceback_frame(slice, 0)->file, "b.c");
    expect_format(slice, -5, 0, ALLOCTRACE_LIKE_CPYTHON, "");
    expect_format(slice, 5, 0, 0, "  File \"b.c\", line 2\n");
    traceback = slice;
    ck_assert_int_eq(alloctrace_traceback_slice(traceback, 1, 1, &slice), 0);
    ck_assert_uint_eq(alloctrace_traceback_count(slice), 0);
    expect_format(slice, ALLOCTRACE_NO_LIMIT, 0, 0, "");
    ck_assert_int_lt(alloctrace_traceback_compare(slice, traceback), 0);
    alloctrace_traceback_free(slice);
    alloctrace_traceback_free(traceback);
}
END_TEST

/* All but `via`, which a walk does not have. */
static void expect_same_frame(const struct alloctrace_frame *a,
                              const struct alloctrace_frame *b)
{
    ck_assert_ptr_eq(a->file, b->file);
    ck_assert_ptr_eq(a->function, b->function);
    ck_assert_ptr_eq(a->type, b->type);
    ck_assert_ptr_eq(a->target, b->target);
    ck_assert_ptr_eq(a->module, b->module);
    ck_assert_uint_eq(a->address, b->address);
    ck_assert_uint_eq(a->line, b->line);
    ck_assert_uint_eq(a->kind, b->kind);
    ck_assert_uint_eq(a->flags, b->flags);
    ck_assert_int_eq(a->is_inlined, b->is_inlined);
    ck_assert_int_eq(a->is_library, b->is_library);
}

/* Paths with inlined frames, addresses, limits: a walk and a copy agree. */
START_TEST(a_walk_has_the_frames_of_the_traceback)
{
    for (uint32_t limit = 0; limit <= 6; limit++) {
        alloctrace_snapshot *snapshot;
        uint32_t id;

        dumpfile_init(&dump);
        dump.traceback_limit = limit;
        dumpfile_module(&dump, "/lib/a.so", NULL, 0, 99, 0);
        id = dumpfile_path(&dump, "b.c:2 a.c:1");
        id = dumpfile_traceback(
            &dump, id,
            dumpfile_frame(&dump,
                           (struct dumpframe){.address = 17, .module = 1}));
        id = dumpfile_frame(&dump, (struct dumpframe){.file = "o.c",
                                                      .function = "outer",
                                                      .line = 8,
                                                      .kind = 3});
        id = dumpfile_frame(&dump,
                            (struct dumpframe){.file = "/include/c++/12/new",
                                               .type = "int",
                                               .target = "x",
                                               .line = 9,
                                               .caller = id,
                                               .flags = 2,
                                               .kind = 2});
        dumpfile_traceback(&dump, 3, id);
        snapshot = dumpfile_load(&dump);
        for (uint32_t path = 0; path <= 6; path++) {
            struct alloctrace_walk walk;
            alloctrace_traceback *kept;
            ptrdiff_t n;

            ck_assert_int_eq(
                alloctrace_snapshot_traceback(snapshot, path, &kept), 0);
            n = (ptrdiff_t)alloctrace_traceback_count(kept);
            alloctrace_walk_begin(&walk, snapshot, path);
            for (ptrdiff_t i = 1; i <= n; i++)
                expect_same_frame(alloctrace_walk_next(&walk),
                                  alloctrace_traceback_frame(kept, -i));
            ck_assert_ptr_null(alloctrace_walk_next(&walk));
            ck_assert_ptr_null(alloctrace_walk_next(&walk));
            alloctrace_traceback_free(kept);
        }
        alloctrace_snapshot_free(snapshot);
    }
}
END_TEST

CHECK_MAIN("traceback_text", T29, T30, unknown_flags_are_refused,
           functions_are_named_where_they_are_known,
           source_lines_follow_their_frames, a_file_with_a_byte_0_is_no_source,
           what_is_no_regular_file_is_not_opened, a_huge_file_is_not_read,
           each_file_is_opened_once, a_frame_is_written_as_far_as_it_fits,
           a_trace_is_written_with_its_most_recent_frame,
           frames_are_ordered_by_file_and_line,
           tracebacks_are_ordered_from_the_oldest_frame,
           a_traceback_contains_its_frames, slices_are_those_of_python,
           a_slice_outlives_what_it_was_cut_from,
           a_walk_has_the_frames_of_the_traceback)
