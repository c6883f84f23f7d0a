/* SPDX-License-Identifier: MIT */
/* Call paths: order, inlined frames, the limit, and what is between frames. */
#include <string.h>

/* Compiled code's frame has the name of the public one; only here they meet. */
#define alloctrace_frame alloctrace_shadow_frame
#include "alloctrace/abi.h"
#undef alloctrace_frame
#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "dumpfile.h"

/* The file hands on what compiled code says: the numbers are the same. */
_Static_assert((int)ALLOCTRACE_FRAME_CALL == (int)ALLOCTRACE_SITE_CALL, "");
_Static_assert((int)ALLOCTRACE_FRAME_ALLOC == (int)ALLOCTRACE_SITE_ALLOC, "");
_Static_assert((int)ALLOCTRACE_FRAME_INLINED == (int)ALLOCTRACE_SITE_INLINED,
               "");
_Static_assert(ALLOCTRACE_FRAME_TAIL == ALLOCTRACE_SITE_TAIL, "");
_Static_assert(ALLOCTRACE_FRAME_RETURNED == ALLOCTRACE_SITE_RETURNED, "");
_Static_assert(ALLOCTRACE_FRAME_CALLEE_HERE == ALLOCTRACE_SITE_CALLEE_HERE, "");

static struct dumpfile dump;
static alloctrace_snapshot *snapshot;
static alloctrace_traceback *traceback;

/* Ends the dump and gets a path of it. */
static void get(uint32_t traceback_id)
{
    dumpfile_finish(&dump);
    ck_assert_int_eq(alloctrace_snapshot_load_bytes(
                         dump.file.data, dump.file.size, &snapshot, NULL),
                     0);
    dumpfile_fini(&dump);
    ck_assert_int_eq(
        alloctrace_snapshot_traceback(snapshot, traceback_id, &traceback), 0);
}

static void done(void)
{
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}

static const struct alloctrace_frame *frame_at(ptrdiff_t index)
{
    const struct alloctrace_frame *frame =
        alloctrace_traceback_frame(traceback, index);

    ck_assert_ptr_nonnull(frame);
    return frame;
}

START_TEST(frames_are_counted_from_either_end)
{
    uint32_t id;

    dumpfile_init(&dump);
    id = dumpfile_path(&dump, "c.c:3 b.c:2 a.c:1");
    get(id);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 3);
    ck_assert_str_eq(frame_at(0)->file, "a.c");
    ck_assert_str_eq(frame_at(2)->file, "c.c");
    ck_assert_str_eq(frame_at(-1)->file, "c.c");
    ck_assert_str_eq(frame_at(-3)->file, "a.c");
    ck_assert_ptr_null(alloctrace_traceback_frame(traceback, 3));
    ck_assert_ptr_null(alloctrace_traceback_frame(traceback, -4));
    ck_assert_ptr_null(alloctrace_traceback_frame(traceback, PTRDIFF_MIN));
    ck_assert_ptr_null(alloctrace_traceback_frame(traceback, PTRDIFF_MAX));
    done();
}
END_TEST

START_TEST(no_traceback_is_one_unknown_frame)
{
    dumpfile_init(&dump);
    get(0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 1);
    ck_assert_str_eq(frame_at(0)->file, "<unknown>");
    ck_assert_uint_eq(frame_at(0)->line, 0);
    ck_assert_str_eq(frame_at(0)->function, "");
    alloctrace_traceback_free(traceback);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, 12345, &traceback),
                     0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 1);
    done();
}
END_TEST

/* in <- middle <- out are one site; main is the next. */
static uint32_t inlined_path(void)
{
    uint32_t main_frame = dumpfile_frame(
        &dump, (struct dumpframe){.file = "main.c", .function = "main"});
    uint32_t out = dumpfile_frame(
        &dump, (struct dumpframe){.file = "out.c", .function = "out"});
    uint32_t middle = dumpfile_frame(
        &dump,
        (struct dumpframe){.file = "mid.c", .function = "mid", .caller = out});
    uint32_t in = dumpfile_frame(
        &dump,
        (struct dumpframe){.file = "in.c", .function = "in", .caller = middle});

    return dumpfile_traceback(&dump, dumpfile_traceback(&dump, 0, main_frame),
                              in);
}

START_TEST(inlined_callers_are_frames)
{
    dumpfile_init(&dump);
    get(inlined_path());
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 4);
    ck_assert_str_eq(frame_at(-1)->file, "in.c");
    ck_assert_int_eq(frame_at(-1)->is_inlined, 1);
    ck_assert_str_eq(frame_at(-2)->file, "mid.c");
    ck_assert_int_eq(frame_at(-2)->is_inlined, 1);
    ck_assert_str_eq(frame_at(-3)->file, "out.c");
    ck_assert_int_eq(frame_at(-3)->is_inlined, 0);
    ck_assert_str_eq(frame_at(-4)->file, "main.c");
    done();
}
END_TEST

START_TEST(the_limit_keeps_the_most_recent_frames)
{
    dumpfile_init(&dump);
    dump.traceback_limit = 2; /* cuts within the inlined ones */
    get(inlined_path());
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 2);
    ck_assert_uint_eq(alloctrace_traceback_total_nframe(traceback), 4);
    ck_assert_str_eq(frame_at(0)->file, "mid.c");
    ck_assert_str_eq(frame_at(1)->file, "in.c");
    ck_assert_uint_eq(alloctrace_snapshot_traceback_limit(snapshot), 2);
    done();
}
END_TEST

/* main calls `callee`, which is not the next frame inwards (`inner`). */
static uint32_t path_via(const char *callee, uint32_t flags, const char *inner)
{
    uint32_t call =
        dumpfile_frame(&dump, (struct dumpframe){.file = "main.c",
                                                 .function = "main",
                                                 .callee = callee,
                                                 .kind = ALLOCTRACE_FRAME_CALL,
                                                 .flags = flags});
    uint32_t alloc = dumpfile_frame(
        &dump, (struct dumpframe){.file = "in.c",
                                  .function = inner,
                                  .callee = "malloc",
                                  .kind = ALLOCTRACE_FRAME_ALLOC});

    return dumpfile_traceback(&dump, dumpfile_traceback(&dump, 0, call), alloc);
}

START_TEST(a_tail_call_is_named)
{
    dumpfile_init(&dump);
    get(path_via("mid", ALLOCTRACE_FRAME_CALLEE_HERE, "inner"));
    ck_assert_str_eq(frame_at(0)->via, "mid");
    ck_assert_int_eq(frame_at(0)->is_via_tail, 1);
    ck_assert_ptr_null(frame_at(1)->via);
    done();
}
END_TEST

START_TEST(a_function_that_was_not_instrumented_is_named)
{
    dumpfile_init(&dump);
    get(path_via("qsort", 0, "compare"));
    ck_assert_str_eq(frame_at(0)->via, "qsort");
    ck_assert_int_eq(frame_at(0)->is_via_tail, 0);
    done();
}
END_TEST

START_TEST(the_next_frame_is_not_named_again)
{
    dumpfile_init(&dump);
    get(path_via("inner", ALLOCTRACE_FRAME_CALLEE_HERE, "inner"));
    ck_assert_ptr_null(frame_at(0)->via);
    done();
}
END_TEST

/* What counts is the function of the whole site, not what is inlined in it. */
START_TEST(inlined_functions_are_not_called)
{
    uint32_t call;
    uint32_t out;
    uint32_t in;

    dumpfile_init(&dump);
    call = dumpfile_frame(&dump,
                          (struct dumpframe){.function = "main",
                                             .callee = "out",
                                             .kind = ALLOCTRACE_FRAME_CALL});
    out = dumpfile_frame(&dump, (struct dumpframe){.function = "out"});
    in = dumpfile_frame(&dump,
                        (struct dumpframe){.function = "in", .caller = out});
    get(dumpfile_traceback(&dump, dumpfile_traceback(&dump, 0, call), in));
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 3);
    ck_assert_ptr_null(frame_at(0)->via);
    done();
}
END_TEST

CHECK_MAIN("path", frames_are_counted_from_either_end,
           no_traceback_is_one_unknown_frame, inlined_callers_are_frames,
           the_limit_keeps_the_most_recent_frames, a_tail_call_is_named,
           a_function_that_was_not_instrumented_is_named,
           the_next_frame_is_not_named_again, inlined_functions_are_not_called)
