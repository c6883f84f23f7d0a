/* SPDX-License-Identifier: MIT */
/*
 * Which frame answers for an allocation, and of what type it is: each branch
 * of the rule in docs/design.md ("Who answers for an allocation") on a path
 * made by hand. check_fold_random.c has paths that no one thought of.
 */
#include <stdio.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "dumpfile.h"

enum { CALL = 1, ALLOC = 2, INLINED = 3 }; /* kinds */
enum { R = 2 };                            /* a flag: the result is returned */

static struct dumpfile dump;

/* A frame in the words of these tests; what is left out is 0. */
struct level {
    const char *function;
    int flags;
    const char *type;
    uint32_t size;    /* of the type */
    int is_inlined;   /* into the next level outwards */
    const char *file; /* NULL = "a.c" */
};

/* Adds a path, the most recent frame first. Returns its number. */
static uint32_t add_path(const struct level *levels, size_t n)
{
    uint32_t path = 0;
    uint32_t caller = 0;

    while (n-- > 0) {
        const struct level *level = &levels[n];
        uint32_t frame = dumpfile_frame(
            &dump,
            (struct dumpframe){.file = level->file ? level->file : "a.c",
                               .function = level->function,
                               .line = (uint32_t)n + 1,
                               .type = level->type,
                               .type_size = level->size,
                               .flags = (uint32_t)level->flags,
                               .kind = n == 0                     ? ALLOC
                                       : levels[n - 1].is_inlined ? INLINED
                                                                  : CALL,
                               .caller = caller});

        /* The frame ends its site unless something was inlined into it. */
        caller = n > 0 && levels[n - 1].is_inlined ? frame : 0;
        if (!caller)
            path = dumpfile_traceback(&dump, path, frame);
    }
    return path;
}

#define PATH(...)                                          \
    add_path((const struct level[]){__VA_ARGS__},          \
             sizeof((const struct level[]){__VA_ARGS__}) / \
                 sizeof(struct level))

static void load(alloctrace_snapshot **raw, alloctrace_snapshot **folded)
{
    dumpfile_finish(&dump);
    ck_assert_int_eq(alloctrace_snapshot_load_bytes(dump.file.data,
                                                    dump.file.size, raw, NULL),
                     0);
    dumpfile_fini(&dump);
    if (folded)
        ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(*raw, folded), 0);
}

/* "luaH_new main", the most recent frame first. */
static void describe(alloctrace_traceback *traceback, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < alloctrace_traceback_count(traceback); i++)
        used += (size_t)snprintf(
            text + used, size - used, "%s%s", i > 0 ? " " : "",
            alloctrace_traceback_frame(traceback, -1 - (ptrdiff_t)i)->function);
    alloctrace_traceback_free(traceback);
}

/* Checks the only group by traceback: the folded path, what was left out of
 * it and the type. */
static void expect(const char *path, const char *wrappers, const char *type)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = ALLOCTRACE_BY_TRACEBACK};
    alloctrace_snapshot *raw;
    alloctrace_snapshot *folded;
    alloctrace_statistics *statistics;
    alloctrace_traceback *traceback;
    char text[512];

    load(&raw, &folded);
    ck_assert_int_eq(
        alloctrace_snapshot_statistics(folded, &options, &statistics), 0);
    ck_assert_uint_eq(alloctrace_statistics_count(statistics), 1);
    ck_assert_int_eq(alloctrace_statistics_traceback(statistics, 0, &traceback),
                     0);
    describe(traceback, text, sizeof text);
    ck_assert_str_eq(text, path);
    ck_assert_int_eq(alloctrace_statistics_wrappers(statistics, 0, &traceback),
                     0);
    describe(traceback, text, sizeof text);
    ck_assert_str_eq(text, wrappers);
    ck_assert_str_eq(alloctrace_statistics_get(statistics, 0)->type, type);
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(raw);
}

/* One path of `blocks` blocks with `bytes` bytes in all. */
#define EXPECT(blocks, bytes, path, wrappers, type, ...)               \
    do {                                                               \
        dumpfile_init(&dump);                                          \
        dumpfile_trace(&dump, PATH(__VA_ARGS__), 0, 0, blocks, bytes); \
        expect(path, wrappers, type);                                  \
    } while (0)

/* Lua: a header that every object begins with is not the object. */
START_TEST(lua_makes_a_table)
{
    EXPECT(
        100, 5600, "luaH_new luaV_execute main",
        "l_alloc luaM_malloc_ luaC_newobj", "Table",
        {.function = "l_alloc", .flags = R},
        {.function = "luaM_malloc_", .flags = R},
        {.function = "luaC_newobj", .flags = R, .type = "GCObject", .size = 16},
        {.function = "luaH_new", .flags = R, .type = "Table", .size = 56},
        {.function = "luaV_execute", .type = "Table", .size = 56},
        {.function = "main"});
}
END_TEST

/* The same functions make a string, which is no Table however it is long. */
START_TEST(lua_makes_a_string)
{
    EXPECT(
        10, 310, "createstrobj internshrstr", "l_alloc luaC_newobj", "TString",
        {.function = "l_alloc", .flags = R},
        {.function = "luaC_newobj", .flags = R, .type = "GCObject", .size = 16},
        {.function = "createstrobj", .flags = R, .type = "TString", .size = 24},
        {.function = "internshrstr"});
}
END_TEST

START_TEST(constructors_answer_for_what_they_make)
{
    EXPECT(
        1, 24, "node_new insert", "", "struct node",
        {.function = "node_new", .flags = R, .type = "struct node", .size = 24},
        {.function = "insert", .type = "struct node", .size = 24});
    /* So does the first of several views of one size, */
    EXPECT(
        1, 24, "node_new add insert", "xmalloc", "struct node",
        {.function = "xmalloc", .flags = R},
        {.function = "node_new", .flags = R, .type = "struct node", .size = 24},
        {.function = "add", .flags = R, .type = "struct item", .size = 24},
        {.function = "insert"});
    /* whatever lies inside it. */
    EXPECT(
        1, 24, "node_new insert", "", "struct node",
        {.function = "node_new", .flags = R, .type = "struct node", .size = 24},
        {.function = "insert", .type = "struct link", .size = 8});
}
END_TEST

START_TEST(types_that_are_too_large_are_climbed_past)
{
    EXPECT(
        2, 40, "b_new main", "pool_get", "struct b",
        {.function = "pool_get", .flags = R, .type = "union all", .size = 64},
        {.function = "b_new", .flags = R, .type = "struct b", .size = 20},
        {.function = "main"});
    /* The only type there is stays, even if it is too large. */
    EXPECT(1, 20, "main", "xmalloc", "struct flexible",
           {.function = "xmalloc", .flags = R},
           {.function = "main", .type = "struct flexible", .size = 64});
    /* Nothing fits: who does not hand on answers, and its type is unknown. */
    EXPECT(1, 20, "main", "xmalloc", "",
           {.function = "xmalloc", .flags = R, .type = "union all", .size = 64},
           {.function = "main"});
}
END_TEST

/* What is larger than the type is an array, or has a header. */
START_TEST(smaller_types_fit)
{
    EXPECT(1, 4096, "table_new", "xcalloc", "struct slot",
           {.function = "xcalloc", .flags = R},
           {.function = "table_new", .type = "struct slot", .size = 32});
    /* An unknown size fits, and gives way to a known one. */
    EXPECT(1, 16, "a_new main", "", "struct opaque",
           {.function = "a_new", .flags = R, .type = "struct opaque"},
           {.function = "main"});
    EXPECT(1, 16, "main", "a_new", "struct a",
           {.function = "a_new", .flags = R, .type = "struct opaque"},
           {.function = "main", .type = "struct a", .size = 16});
}
END_TEST

START_TEST(without_handing_on_nothing_is_climbed)
{
    EXPECT(1, 16, "f main", "", "", {.function = "f"}, {.function = "main"});
    EXPECT(1, 16, "f main", "", "", {.function = "f"},
           {.function = "main", .flags = R, .type = "struct a", .size = 16});
    EXPECT(1, 16, "g main", "f", "", {.function = "f", .flags = R},
           {.function = "g"},
           {.function = "main", .flags = R, .type = "struct a", .size = 16});
}
END_TEST

START_TEST(the_outermost_frame_ends_every_climb)
{
    EXPECT(1, 16, "worker", "xmalloc", "", {.function = "xmalloc", .flags = R},
           {.function = "worker", .flags = R});
    EXPECT(1, 16, "worker", "", "", {.function = "worker", .flags = R});
    EXPECT(1, 16, "worker", "", "struct a",
           {.function = "worker", .flags = R, .type = "struct a", .size = 16});
    EXPECT(1, 16, "a_new worker", "", "struct a",
           {.function = "a_new", .flags = R, .type = "struct a", .size = 16},
           {.function = "worker", .flags = R});
    EXPECT(1, 16, "worker", "xstrdup", "char",
           {.function = "xstrdup", .flags = R, .type = "char", .size = 1},
           {.function = "worker", .flags = R, .type = "char", .size = 1});
}
END_TEST

/* What an allocator says of memory is no type, whoever asks for it. */
START_TEST(words_are_a_type_where_they_stay)
{
    EXPECT(1, 16, "set_name", "xstrdup", "char",
           {.function = "xstrdup", .flags = R, .type = "char", .size = 1},
           {.function = "set_name", .type = "char", .size = 1});
    EXPECT(1, 16, "set_name", "", "unsigned char",
           {.function = "set_name", .type = "unsigned char", .size = 1});
    EXPECT(1, 16, "conn_new", "arena_get", "struct conn",
           {.function = "arena_get", .flags = R, .type = "u8", .size = 1},
           {.function = "conn_new", .type = "struct conn", .size = 16});
    EXPECT(9, 900, "balance", "sqlite3MemMalloc sqlite3Malloc", "u8 *",
           {.function = "sqlite3MemMalloc",
            .flags = R,
            .type = "sqlite3_int64",
            .size = 8},
           {.function = "sqlite3Malloc", .flags = R},
           {.function = "balance", .type = "u8 *", .size = 8});
    EXPECT(1, 16, "keep", "xcalloc", "",
           {.function = "xcalloc", .flags = R, .type = "long", .size = 8},
           {.function = "keep"});
}
END_TEST

/* But a constructor makes one, and not room for many. */
START_TEST(words_that_are_alone_are_objects)
{
    EXPECT(1, 8, "handle_new main", "", "struct handle",
           {.function = "handle_new",
            .flags = R,
            .type = "struct handle",
            .size = 8},
           {.function = "main", .type = "struct handle", .size = 8});
    EXPECT(1, 15, "handle_new main", "", "struct handle",
           {.function = "handle_new",
            .flags = R,
            .type = "struct handle",
            .size = 8},
           {.function = "main"});
    EXPECT(1, 7, "main", "handle_new", "",
           {.function = "handle_new",
            .flags = R,
            .type = "struct handle",
            .size = 8},
           {.function = "main"});
}
END_TEST

/* A struct that ends with a byte of a string is larger than short strings. */
START_TEST(padding_need_not_be_allocated)
{
    EXPECT(
        1, 26, "createstrobj main", "luaC_newobj", "TString",
        {.function = "luaC_newobj", .flags = R, .type = "GCObject", .size = 16},
        {.function = "createstrobj", .flags = R, .type = "TString", .size = 32},
        {.function = "main"});
    EXPECT(
        1, 24, "luaC_newobj createstrobj main", "", "GCObject",
        {.function = "luaC_newobj", .flags = R, .type = "GCObject", .size = 16},
        {.function = "createstrobj", .flags = R, .type = "TString", .size = 32},
        {.function = "main"});
}
END_TEST

START_TEST(inlined_levels_are_levels)
{
    EXPECT(1, 56, "luaH_new main", "l_alloc luaC_newobj", "Table",
           {.function = "l_alloc", .flags = R, .is_inlined = 1},
           {.function = "luaC_newobj", .flags = R, .is_inlined = 1},
           {.function = "luaH_new",
            .flags = R,
            .type = "Table",
            .size = 56,
            .is_inlined = 1},
           {.function = "main", .type = "Table", .size = 56});
    /* From one site into the middle of another. */
    EXPECT(1, 56, "c d e", "a b", "", {.function = "a", .flags = R},
           {.function = "b", .flags = R, .is_inlined = 1},
           {.function = "c", .is_inlined = 1},
           {.function = "d", .flags = R, .type = "T", .size = 4},
           {.function = "e"});
    /* Nothing is known of the caller of an outermost inlined chain either. */
    EXPECT(1, 56, "b", "a", "", {.function = "a", .flags = R, .is_inlined = 1},
           {.function = "b", .flags = R});
}
END_TEST

/* The C++ library's insides answer for nothing, but know the type. */
START_TEST(the_library_is_left)
{
#define LIBRARY .file = "/usr/include/c++/12/bits/stl_vector.h"
    EXPECT(4, 64, "fill main", "allocate _M_allocate _M_realloc_insert", "Foo",
           {.function = "allocate",
            .flags = R,
            .type = "Foo",
            .size = 16,
            .is_inlined = 1,
            LIBRARY},
           {.function = "_M_allocate",
            .flags = R,
            .type = "Foo",
            .size = 16,
            .is_inlined = 1,
            LIBRARY},
           {.function = "_M_realloc_insert", LIBRARY}, {.function = "fill"},
           {.function = "main"});
    EXPECT(4, 64, "fill main", "allocate push_back", "Foo",
           {.function = "allocate", .type = "Foo", .size = 16, LIBRARY},
           {.function = "push_back", .is_inlined = 1, LIBRARY},
           {.function = "fill"}, {.function = "main"});
    /* A function that the library calls is no part of it. */
    EXPECT(1, 16, "less sort main", "", "", {.function = "less"},
           {.function = "sort", LIBRARY}, {.function = "main"});
    EXPECT(1, 16, "allocate start", "", "", {.function = "allocate", LIBRARY},
           {.function = "start", LIBRARY});
#undef LIBRARY
}
END_TEST

/* ---- Addresses ---- */

static size_t name_address(void *data, const struct alloctrace_module *module,
                           uint64_t address, struct alloctrace_symbol *symbols)
{
    (void)module;
    (void)address;
    symbols[0].function = data;
    return 1;
}

/* Folds main -> make -> an address that is named `function`. */
static void expect_address(char *function, const char *path)
{
    static const struct level levels[] = {
        {.function = "make", .flags = R},
        {.function = "main", .type = "struct a", .size = 8}};
    alloctrace_snapshot *raw;
    alloctrace_snapshot *folded;
    alloctrace_traceback *traceback;
    uint32_t frame;
    char text[512];

    dumpfile_init(&dump);
    dumpfile_module(&dump, "/lib/a.so", NULL, 0, 99, 0);
    frame =
        dumpfile_frame(&dump, (struct dumpframe){.address = 9, .module = 1});
    dumpfile_trace(&dump, dumpfile_traceback(&dump, add_path(levels, 2), frame),
                   0, 0, 1, 8);
    load(&raw, NULL);
    ck_assert_int_eq(alloctrace_snapshot_resolve(raw, name_address, function),
                     0);
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(raw, &folded), 0);
    ck_assert_int_eq(alloctrace_snapshot_traceback(
                         folded,
                         alloctrace_snapshot_trace(folded, 0)->traceback,
                         &traceback),
                     0);
    describe(traceback, text, sizeof text);
    ck_assert_msg(!strcmp(text, path), "%s: %s, not %s", function, text, path);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(raw);
}

START_TEST(addresses_of_known_allocators_hand_on)
{
    static char known[][32] = {
        "_Znwm",    "_ZnajSt11align_val_t", "operator new",     "strdup",
        "__strdup", "__GI___strdup",        "___vasprintf_chk", "_IO_vasprintf",
        "getdelim"};
    static char others[][32] = {"g_malloc", "fopen", "_ZN3fooEv", "operator+",
                                "strdupa"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        expect_address(known[i], "main");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char path[256];

        snprintf(path, sizeof path, "%s make main", others[i]);
        expect_address(others[i], path);
    }
}
END_TEST

/* ---- Groups ---- */

static alloctrace_statistics *sum(const alloctrace_snapshot *snapshot, int by)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = by};
    alloctrace_statistics *statistics;

    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics), 0);
    return statistics;
}

/* The average is that of all that a path ever allocated: threads together. */
START_TEST(sizes_are_averages_of_the_path)
{
    alloctrace_snapshot *raw;
    alloctrace_snapshot *folded;
    alloctrace_statistics *statistics;
    uint32_t path;

    dumpfile_init(&dump);
    path = PATH({.function = "a_new", .flags = R, .type = "A", .size = 24},
                {.function = "main", .type = "B", .size = 8});
    dumpfile_trace_full(&dump, path, 0, 0,
                        (const int64_t[]){1, 8, 3, 24, 0, 0}); /* 24 in 3 */
    dumpfile_trace_full(&dump, path, 0, 7,
                        (const int64_t[]){1, 40, 1, 36, 0, 0}); /* 60 in 4 */
    load(&raw, &folded);
    statistics = sum(folded, ALLOCTRACE_BY_TYPE);
    ck_assert_uint_eq(alloctrace_statistics_count(statistics), 1);
    ck_assert_str_eq(alloctrace_statistics_get(statistics, 0)->key, "B");
    ck_assert_str_eq(alloctrace_statistics_get(statistics, 0)->type, "B");
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(raw);
}
END_TEST

/* One caller, two wrappers, two types: 30 bytes of C, 8 and 4 of B. */
static void load_two_ways(alloctrace_snapshot **raw,
                          alloctrace_snapshot **folded)
{
    static const struct level caller = {
        .function = "make", .type = "B", .size = 4};

    dumpfile_init(&dump);
    dumpfile_trace(
        &dump,
        PATH({.function = "xmalloc", .flags = R}, caller, {.function = "main"}),
        0, 0, 1, 8);
    dumpfile_trace(&dump,
                   PATH({.function = "xrealloc", .flags = R}, caller,
                        {.function = "main"}),
                   0, 0, 1, 4);
    dumpfile_trace(&dump,
                   PATH({.function = "c_new", .type = "C", .size = 30},
                        {.function = "main"}),
                   0, 0, 1, 30);
    load(raw, folded);
}

START_TEST(groups_say_what_came_into_them)
{
    alloctrace_snapshot *raw;
    alloctrace_snapshot *folded;
    alloctrace_statistics *statistics;
    const struct alloctrace_statistic *group;
    alloctrace_traceback *traceback;
    char text[64];

    load_two_ways(&raw, &folded);
    statistics = sum(folded, ALLOCTRACE_BY_FUNCTION);
    ck_assert_uint_eq(alloctrace_statistics_count(statistics), 2);
    group = alloctrace_statistics_get(statistics, 1);
    ck_assert_str_eq(group->key, "make");
    ck_assert_int_eq(group->size, 12);
    ck_assert_str_eq(group->type, "B");
    ck_assert_int_eq(group->has_several_ways, 1);
    ck_assert_int_eq(group->has_several_types, 0);
    ck_assert_int_eq(alloctrace_statistics_wrappers(statistics, 1, &traceback),
                     0);
    describe(traceback, text, sizeof text);
    ck_assert_str_eq(text, "xmalloc");
    alloctrace_statistics_free(statistics);
    statistics = sum(folded, ALLOCTRACE_BY_FILENAME);
    group = alloctrace_statistics_get(statistics, 0);
    ck_assert_int_eq(group->size, 42);
    ck_assert_str_eq(group->type, "");
    ck_assert_int_eq(group->has_several_types, 1);
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(raw);
}
END_TEST

START_TEST(wrappers_are_listed_by_what_came_through_them)
{
    alloctrace_snapshot *raw;
    alloctrace_snapshot *folded;

    load_two_ways(&raw, &folded);
    ck_assert_uint_eq(alloctrace_snapshot_wrapper_count(raw), 0);
    ck_assert_uint_eq(alloctrace_snapshot_wrapper_count(folded), 2);
    ck_assert_str_eq(alloctrace_snapshot_wrapper(folded, 0), "xmalloc");
    ck_assert_str_eq(alloctrace_snapshot_wrapper(folded, 1), "xrealloc");
    ck_assert_ptr_null(alloctrace_snapshot_wrapper(folded, 2));
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(raw);
}
END_TEST

/* The limit is applied to what is left, and the raw snapshot stays whole. */
START_TEST(folding_is_a_view)
{
    alloctrace_snapshot *raw;
    alloctrace_snapshot *folded;
    alloctrace_snapshot *twice = NULL;
    alloctrace_traceback *traceback;
    char text[64];

    dumpfile_init(&dump);
    dump.traceback_limit = 2;
    dumpfile_trace(&dump,
                   PATH({.function = "xmalloc", .flags = R}, {.function = "a"},
                        {.function = "b"}, {.function = "c"}),
                   0, 0, 1, 8);
    load(&raw, &folded);
    ck_assert_int_eq(alloctrace_snapshot_traceback(raw, 4, &traceback), 0);
    describe(traceback, text, sizeof text);
    ck_assert_str_eq(text, "xmalloc a");
    ck_assert_int_eq(alloctrace_snapshot_traceback(
                         folded,
                         alloctrace_snapshot_trace(folded, 0)->traceback,
                         &traceback),
                     0);
    ck_assert_uint_eq(alloctrace_traceback_total_nframe(traceback), 3);
    describe(traceback, text, sizeof text);
    ck_assert_str_eq(text, "a b");
    ck_assert_uint_eq(alloctrace_snapshot_trace(raw, 0)->traceback, 4);
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(folded, &twice),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(alloctrace_snapshot_resolve(folded, name_address, NULL),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_ptr_null(twice);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(raw);
}
END_TEST

/* Recursion that hands on, a million deep with a path at each level: linear,
 * or this would not end. */
START_TEST(deep_recursion_takes_no_time)
{
    enum { DEPTH = 1000000 };
    alloctrace_snapshot *raw;
    alloctrace_snapshot *folded;
    alloctrace_statistics *statistics;
    uint32_t frame;
    uint32_t path = 0;

    dumpfile_init(&dump);
    path = PATH({.function = "main"});
    frame = dumpfile_frame(&dump, (struct dumpframe){.file = "a.c",
                                                     .function = "build",
                                                     .type = "struct big",
                                                     .type_size = 100,
                                                     .flags = R,
                                                     .kind = CALL});
    for (int i = 0; i < DEPTH; i++) {
        path = dumpfile_traceback(&dump, path, frame);
        dumpfile_trace(&dump, path, 0, 0, 1, 8);
    }
    load(&raw, &folded);
    statistics = sum(folded, ALLOCTRACE_BY_TRACEBACK);
    ck_assert_uint_eq(alloctrace_statistics_count(statistics), 1);
    ck_assert_int_eq(alloctrace_statistics_get(statistics, 0)->count, DEPTH);
    ck_assert_uint_eq(alloctrace_snapshot_wrapper_count(folded), 1);
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(raw);
}
END_TEST

CHECK_MAIN("fold", lua_makes_a_table, lua_makes_a_string,
           constructors_answer_for_what_they_make,
           types_that_are_too_large_are_climbed_past, smaller_types_fit,
           without_handing_on_nothing_is_climbed,
           the_outermost_frame_ends_every_climb,
           words_are_a_type_where_they_stay, words_that_are_alone_are_objects,
           padding_need_not_be_allocated, inlined_levels_are_levels,
           the_library_is_left, addresses_of_known_allocators_hand_on,
           sizes_are_averages_of_the_path, groups_say_what_came_into_them,
           wrappers_are_listed_by_what_came_through_them, folding_is_a_view,
           deep_recursion_takes_no_time)
