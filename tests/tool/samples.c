/* SPDX-License-Identifier: MIT */
/*
 * Makes the files that the cases in tests/tool/cases look at, in the current
 * folder: one good dump with everything in it, and one for each thing that
 * may be wrong.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dumpfile.h"

static void write_part(const char *name, const struct bytes *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");

    if (!file || fwrite(bytes->data, 1, size, file) != size || fclose(file)) {
        perror(name);
        exit(1);
    }
}

static void write_all(const char *name, const struct bytes *bytes)
{
    write_part(name, bytes, bytes->size);
}

static void set_process(struct dumpfile *dump)
{
    static const uint64_t summary[12] = {
        /* live */ 1065,
        66932,
        /* total */ 50000,
        12582912,
        /* peak, slack */ 102400,
        512,
        /* dropped, unknown, overhead, bad, collisions */ 0,
        0,
        4,
        98304,
        0,
        0};

    dump->program = "/usr/local/bin/kv";
    dump->start_ns = UINT64_C(1795228221170306345);
    dump->dump_ns = UINT64_C(1795228229500000000);
    dumpfile_argument(dump, "./kv");
    dumpfile_argument(dump, "--port");
    dumpfile_argument(dump, "80");
    for (int i = 0; i < 12; i++)
        dump->summary[i] = summary[i];
}

/* main -> serve -> [tail call in handle] -> node_new, inlined into insert. */
static uint32_t path_of_nodes(struct dumpfile *dump, uint32_t serve)
{
    uint32_t insert =
        dumpfile_frame(dump, (struct dumpframe){.file = "src/table.c",
                                                .line = 88,
                                                .function = "insert",
                                                .kind = 3,
                                                .callee = "node_new"});
    uint32_t node_new =
        dumpfile_frame(dump, (struct dumpframe){.file = "src/node.h",
                                                .line = 12,
                                                .function = "node_new",
                                                .callee = "malloc",
                                                .type = "struct node",
                                                .target = "node",
                                                .kind = 2,
                                                .caller = insert});

    return dumpfile_traceback(dump, serve, node_new);
}

/* serve -> qsort, which is not instrumented -> compare. */
static uint32_t path_through_qsort(struct dumpfile *dump, uint32_t main_path)
{
    uint32_t sort =
        dumpfile_frame(dump, (struct dumpframe){.file = "src/main.c",
                                                .line = 41,
                                                .function = "main",
                                                .callee = "qsort",
                                                .kind = 1});
    uint32_t compare =
        dumpfile_frame(dump, (struct dumpframe){.file = "src/main.c",
                                                .line = 20,
                                                .function = "compare",
                                                .callee = "malloc",
                                                .type = "char",
                                                .kind = 2});

    (void)main_path;
    return dumpfile_traceback(dump, dumpfile_traceback(dump, 0, sort), compare);
}

/* An address in a library that is not there. */
static uint32_t path_in_library(struct dumpfile *dump, uint32_t serve)
{
    uint32_t module =
        dumpfile_module(dump, "/nonexistent/libssl.so.3", "00ff",
                        0x7f0000001000, 0x7f0000100000, 0x7f0000000000);

    return dumpfile_traceback(
        dump, serve,
        dumpfile_frame(dump, (struct dumpframe){.address = 0x7f00000421f4,
                                                .module = module}));
}

static void make_good(struct dumpfile *dump, uint32_t limit)
{
    uint32_t main_path;
    uint32_t serve;

    dumpfile_init(dump);
    dump->traceback_limit = limit;
    set_process(dump);
    dumpfile_thread(dump, 4711, "kv");
    dumpfile_thread(dump, 4712, "kv-worker");
    main_path = dumpfile_traceback(
        dump, 0,
        dumpfile_frame(dump, (struct dumpframe){.file = "src/main.c",
                                                .line = 55,
                                                .function = "main",
                                                .callee = "serve",
                                                .kind = 1,
                                                .flags = 4}));
    serve = dumpfile_traceback(
        dump, main_path,
        dumpfile_frame(dump, (struct dumpframe){.file = "src/serve.c",
                                                .line = 130,
                                                .function = "serve",
                                                .callee = "handle",
                                                .kind = 1,
                                                .flags = 4}));
    dumpfile_trace_full(
        dump, path_of_nodes(dump, serve), 1, 0,
        (const int64_t[]){1000, 48000, 40000, 1920000, 1500, 72000});
    dumpfile_trace_full(dump, path_through_qsort(dump, main_path), 2, 0,
                        (const int64_t[]){60, 18000, 9000, 2700000, 60, 18000});
    dumpfile_trace_full(dump, path_in_library(dump, serve), 2, 0,
                        (const int64_t[]){4, 900, 900, 202500, 50, 12000});
    dumpfile_trace_full(dump, dumpfile_path(dump, "src/gone.c:3"), 1, 0,
                        (const int64_t[]){0, 0, 99, 7760380, 0, 0});
    dumpfile_trace_full(dump, 0, 0, 7, (const int64_t[]){1, 32, 1, 32, 1, 400});
    dumpfile_finish(dump);
}

static void write_good(const char *name, uint32_t limit)
{
    struct dumpfile dump;

    make_good(&dump, limit);
    write_all(name, &dump.file);
    dumpfile_fini(&dump);
}

/* Another run of the program of good.dump, built anew: compare() moved down a
 * line and allocates more, insert() allocates as well, in a new call, and
 * nodes are as they were. */
static void write_newer(void)
{
    static const struct dumpframe sites[] = {
        {.file = "src/node.h", .line = 12, .function = "node_new",
         .callee = "malloc", .type = "struct node", .kind = 2, .ordinal = 1},
        {.file = "src/main.c", .line = 21, .function = "compare",
         .callee = "malloc", .type = "char", .kind = 2, .ordinal = 1},
        {.file = "src/table.c", .line = 90, .function = "insert",
         .callee = "calloc", .type = "struct slot", .kind = 2, .ordinal = 2},
        {.file = "src/main.c", .line = 55, .function = "main",
         .callee = "serve", .kind = 1},
    };
    static const int64_t figures[2][3][6] = {
        {{1000, 48000, 40000, 1920000, 1500, 72000},
         {60, 18000, 9000, 2700000, 60, 18000},
         {0, 0, 0, 0, 0, 0}},
        {{1000, 48000, 40000, 1920000, 1500, 72000},
         {90, 27000, 9500, 2850000, 90, 27000},
         {2, 16384, 2, 16384, 2, 16384}}};

    for (uint32_t version = 0; version < 2; version++) {
        struct dumpfile dump;
        uint32_t root;

        dumpfile_init(&dump);
        set_process(&dump);
        dump.traceback_limit = version ? 8 : 0;
        dumpfile_module(&dump, "/usr/local/bin/kv", version ? "b2" : "a1", 0,
                        4096, 0);
        root = dumpfile_traceback(&dump, 0, dumpfile_frame(&dump, sites[3]));
        for (uint32_t i = 0; i < 3; i++) {
            struct dumpframe site = sites[i];

            site.line -= !version && i == 1;
            dumpfile_trace_full(
                &dump,
                dumpfile_traceback(&dump, root, dumpfile_frame(&dump, site)), 0,
                0, figures[version][i]);
        }
        dumpfile_finish(&dump);
        write_all(version ? "newer.dump" : "older.dump", &dump.file);
        dumpfile_fini(&dump);
    }
}

static void write_damaged(void)
{
    struct dumpfile dump;

    make_good(&dump, 0);
    write_part("cut.dump", &dump.file, 500);
    dump.file.data[38] ^= 0x20; /* the case of a letter */
    write_all("flipped.dump", &dump.file);
    dump.file.data[38] ^= 0x20;
    bytes_add(&dump.file, "more", 4);
    write_all("trailing.dump", &dump.file);
    dump.file.data[8] = 9;
    write_all("future.dump", &dump.file);
    dump.file.size = 0;
    write_all("nothing.dump", &dump.file);
    bytes_add(&dump.file, "a,b,c\n1,2,3\n", 12);
    write_all("foreign.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* A program that allocated nothing. */
static void write_empty(void)
{
    struct dumpfile dump;

    dumpfile_init(&dump);
    dumpfile_finish(&dump);
    write_all("empty.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* Names that try to be something else, and what could not be recorded. */
static void write_odd(void)
{
    struct dumpfile dump;

    dumpfile_init(&dump);
    dump.summary[6] = 12;
    dump.summary[7] = 20480;
    dump.summary[10] = 3;
    dump.summary[11] = 1;
    dumpfile_trace(
        &dump,
        dumpfile_traceback(
            &dump, 0,
            dumpfile_frame(
                &dump,
                (struct dumpframe){.file = "a\"b\\c,\x1b[31m\xff\xc3\xa4.cc",
                                   .line = 1,
                                   .function = "map<int, char>::put",
                                   .type = "a;b,c"})),
        0, 0, 3, 10);
    dumpfile_finish(&dump);
    write_all("odd.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* Recursion 1000 deep, with two more functions at its start. */
static void write_deep(void)
{
    struct dumpfile dump;
    uint32_t frame;
    uint32_t last;

    dumpfile_init(&dump);
    last = dumpfile_path(&dump, "start.c:2 main.c:1");
    frame = dumpfile_frame(
        &dump,
        (struct dumpframe){.file = "r.c", .line = 5, .function = "recurse"});
    for (int i = 0; i < 998; i++)
        last = dumpfile_traceback(&dump, last, frame);
    dumpfile_trace(&dump, last, 0, 0, 1, 64);
    dumpfile_finish(&dump);
    write_all("deep.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* Memory of malloc, of an allocator of the program's own and of a library's
 * that has not said its name. */
static void write_domains(void)
{
    struct dumpfile dump;

    dumpfile_init(&dump);
    dumpfile_domain(&dump, 0x80000000, "operator new");
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:1"), 0, 0, 1, 100);
    dumpfile_trace_full(&dump, dumpfile_path(&dump, "b.cc:2"), 0, 0x80000000,
                        (const int64_t[]){3, 60, 5, 90, 4, 80});
    dumpfile_trace_full(&dump, dumpfile_path(&dump, "c.c:3"), 0, 7,
                        (const int64_t[]){0, 0, 2, 4096, 1, 2048});
    dumpfile_finish(&dump);
    write_all("domains.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* A file that was merged of several, of which somebody has said something. */
static void write_merged(void)
{
    struct dumpfile dump;
    uint32_t path;

    dumpfile_init(&dump);
    set_process(&dump);
    dump.n_processes = 3;
    dump.reason = "odd \x1b[31m";
    path = dumpfile_path(&dump, "lib.c:3 main.c:7");
    dumpfile_trace(&dump, path, 0, 0, 2, 30);
    dumpfile_block(&dump, 0x1000, 10, path, 0);
    dumpfile_block(&dump, 0x2000, 20, path, 0);
    dumpfile_attribute(&dump, "commit", "0123abcd");
    dumpfile_attribute(&dump, "odd \x1b[31m\n\"key\"", "two\nlines");
    dumpfile_attribute(&dump, "empty", "");
    dumpfile_finish(&dump);
    write_all("merged.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* Estimates. */
static void write_sampled(void)
{
    struct dumpfile dump;

    dumpfile_init(&dump);
    dump.program = "/usr/local/bin/kv";
    dump.sample_bytes = 512 * 1024;
    dump.summary[0] = 700000;
    dump.summary[1] = 53477376;
    dump.summary[2] = 9000000;
    dump.summary[3] = UINT64_C(858993459200);
    dump.summary[4] = 104857600;
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:1"), 0, 0, 600000,
                   52428800);
    dumpfile_trace(&dump, dumpfile_path(&dump, "b.c:2"), 0, 0, 100000, 1048576);
    dumpfile_finish(&dump);
    write_all("sampled.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* A frame of a path in which functions hand on what they were given. */
static uint32_t handed_on(struct dumpfile *dump, uint32_t parent,
                          const char *file, uint32_t line, const char *function,
                          const char *type, uint32_t type_size)
{
    return dumpfile_traceback(
        dump, parent,
        dumpfile_frame(dump, (struct dumpframe){.file = file,
                                                .line = line,
                                                .function = function,
                                                .type = type,
                                                .type_size = type_size,
                                                .kind = 1,
                                                .flags = 2}));
}

/* Lua makes tables and strings: two paths through the same wrappers, and one
 * through others to where the first one ends. */
static void write_wrappers(void)
{
    struct dumpfile dump;
    uint32_t execute;
    uint32_t table;
    uint32_t path;

    dumpfile_init(&dump);
    execute = dumpfile_path(&dump, "lvm.c:1350");
    table = handed_on(&dump, execute, "ltable.c", 625, "luaH_new", "Table", 56);
    path = handed_on(&dump, table, "lgc.c", 260, "luaC_newobj", "GCObject", 16);
    path = handed_on(&dump, path, "lmem.c", 192, "luaM_malloc_", NULL, 0);
    path = handed_on(&dump, path, "lauxlib.c", 1018, "l_alloc", NULL, 0);
    dumpfile_trace(&dump, path, 0, 0, 100, 5600);
    path = handed_on(&dump, table, "lmem.c", 192, "luaM_malloc_", NULL, 0);
    dumpfile_trace(&dump, path, 0, 0, 1, 56);
    path = handed_on(&dump, execute, "lstring.c", 148, "createstrobj",
                     "TString", 24);
    path = handed_on(&dump, path, "lgc.c", 260, "luaC_newobj", "GCObject", 16);
    path = handed_on(&dump, path, "lauxlib.c", 1018, "l_alloc", NULL, 0);
    dumpfile_trace(&dump, path, 0, 0, 10, 330);
    dumpfile_trace(&dump, dumpfile_path(&dump, "lua.c:3"), 0, 0, 1, 9);
    dumpfile_finish(&dump);
    write_all("wrappers.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* Long names of C++, and memory that the library allocates for its callers. */
static void write_cxx(void)
{
    static const struct dumpframe sites[] = {
        {.file = "src/very/deep/folder/of/sources/cache.cc",
         .line = 12,
         .function = "void cache::Cache<std::pair<int, int>, Entry>::put("
                     "std::pair<int, int> const&, Entry)",
         .type = "cache::Node<std::pair<int, int>, Entry>",
         .kind = 2},
        {.file = "main.cc",
         .line = 7,
         .function = "main(int, char**)::{lambda(int, char const*)#1}::"
                     "operator()(int, char const*) const",
         .kind = 1},
    };
    struct dumpfile dump;
    uint32_t path;

    dumpfile_init(&dump);
    dumpfile_trace(
        &dump, dumpfile_traceback(&dump, 0, dumpfile_frame(&dump, sites[0])), 0,
        0, 9, 900);
    path = dumpfile_traceback(&dump, 0, dumpfile_frame(&dump, sites[1]));
    path = handed_on(&dump, path, "/usr/include/c++/12/bits/vector.tcc", 453,
                     "void std::vector<Foo>::_M_realloc_insert<Foo>(Foo&&)",
                     NULL, 0);
    path = handed_on(&dump, path, "/usr/include/c++/12/bits/new_allocator.h",
                     137, "std::__new_allocator<Foo>::allocate(unsigned long)",
                     "Foo", 40);
    dumpfile_trace(&dump, path, 0, 0, 2, 120);
    dumpfile_finish(&dump);
    write_all("cxx.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* What is kept of recursion, and paths that were cut. */
static void write_left_out(void)
{
    struct dumpfile dump;
    uint32_t path;

    dumpfile_init(&dump);
    dump.summary[2] = 7;
    dump.summary[3] = 4096;
    dump.summary[12] = 4;
    dump.summary[13] = 4000;
    dump.has_left_out = true;
    path = dumpfile_path(&dump, "walk.c:9 main.c:3");
    dump.left_out = 998;
    path = dumpfile_traceback(
        &dump, path,
        dumpfile_frame(&dump, (struct dumpframe){.file = "walk.c", .line = 9}));
    path = dumpfile_traceback(
        &dump, path,
        dumpfile_frame(&dump, (struct dumpframe){.file = "walk.c", .line = 5}));
    dumpfile_trace(&dump, path, 0, 0, 3, 96);
    dumpfile_finish(&dump);
    write_all("left_out.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* ALLOCTRACE_DETAIL=1: two threads at one place, a place of its own, one whose
 * blocks could not all be sorted by size, and one that only freed. */
static void write_details(void)
{
    struct dumpfile dump;
    uint32_t parse;
    uint32_t grow;

    dumpfile_init(&dump);
    dumpfile_thread(&dump, 4711, "main");
    dumpfile_thread(&dump, 4712, "worker");
    parse = dumpfile_path(&dump, "parse.c:20 main.c:1");
    grow = dumpfile_path(&dump, "grow.c:7 main.c:2");
    dumpfile_trace_full(&dump, parse, 1, 0,
                        (const int64_t[]){10, 400, 1000, 40000, 20, 800});
    dumpfile_trace_full(&dump, parse, 2, 0,
                        (const int64_t[]){0, 0, 500, 9000, 10, 100});
    dumpfile_trace_full(&dump, grow, 1, 0,
                        (const int64_t[]){1, 4096, 9, 8176, 1, 4096});
    dumpfile_trace_full(&dump, grow, 2, 0,
                        (const int64_t[]){-1, -16, 0, 0, -1, -16});
    dumpfile_detail(&dump, grow, 1, 0,
                    (const uint64_t[]){8, 4080, 8, 5, 2032, 4080, 0, 16, 4096});
    dumpfile_detail(&dump, parse, 1, 0,
                    (const uint64_t[]){900, 36000, 0, 0, 0, 0, 0, 40, 40});
    dumpfile_detail(&dump, parse, 2, 0,
                    (const uint64_t[]){100, 1800, 3, 1, 70, 90, 12, 0, 64});
    dumpfile_detail(&dump, grow, 2, 0,
                    (const uint64_t[]){0, 0, 0, 0, 0, 0, 0, 0, 0});
    dumpfile_size(&dump, parse, 2, 0, 7, 30, 1800);
    dumpfile_size(&dump, parse, 1, 0, 7, 1000, 40000);
    dumpfile_size(&dump, parse, 2, 0, 0, 20, 0);
    dumpfile_size(&dump, parse, 2, 0, 5, 450, 7200);
    for (uint32_t i = 0; i < 8; i++)
        dumpfile_size(&dump, grow, 1, 0, 5 + i, 1, UINT64_C(16) << i);
    dumpfile_finish(&dump);
    write_all("details.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* More domains than fit on a screen. */
static void write_many_domains(void)
{
    struct dumpfile dump;

    dumpfile_init(&dump);
    for (uint32_t i = 0; i < 60; i++)
        dumpfile_trace_full(
            &dump, dumpfile_path(&dump, "a.c:1"), 0, i * 7 % 60,
            (const int64_t[]){i % 2, i % 2 ? i : 0, 1, 100 + i, 1, 1});
    dumpfile_finish(&dump);
    write_all("many_domains.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* A file whose name ends like a line. */
static void write_colon(void)
{
    struct dumpfile dump;

    dumpfile_init(&dump);
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:7:3"), 0, 0, 1, 10);
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:7"), 0, 0, 1, 20);
    dumpfile_finish(&dump);
    write_all("colon.dump", &dump.file);
    dumpfile_fini(&dump);
}

/* More live blocks than anyone would have in a list, and a path that has bytes
 * but no blocks. */
static void write_many_blocks(void)
{
    struct dumpfile dump;

    dumpfile_init(&dump);
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:1"), 0, 0, 999999999,
                   INT64_C(1) << 40);
    dumpfile_trace(&dump, dumpfile_path(&dump, "b.c:2"), 0, 0, 2, 2);
    dumpfile_trace(&dump, dumpfile_path(&dump, "c.c:3"), 0, 0, 0, 8);
    dumpfile_finish(&dump);
    write_all("many_blocks.dump", &dump.file);
    dumpfile_fini(&dump);
}

int main(void)
{
    write_many_blocks();
    write_colon();
    write_many_domains();
    write_details();
    write_good("good.dump", 0);
    write_good("limited.dump", 2);
    write_damaged();
    write_empty();
    write_odd();
    write_deep();
    write_left_out();
    write_domains();
    write_sampled();
    write_newer();
    write_merged();
    write_wrappers();
    write_cxx();
    return 0;
}
