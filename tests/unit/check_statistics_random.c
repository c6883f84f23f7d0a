/* SPDX-License-Identifier: MIT */
/*
 * Statistics and comparisons of random snapshots against what their rules say
 * by the letter: every trace is spread over the frames that it was made with,
 * keys are compared as texts and numbers, groups are found by looking through
 * all of them. Every grouping, cumulative or not, by both rules for recursion,
 * with and without limits and lines.
 */
#include <stdio.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "dumpfile.h"

enum { N_FRAMES = 24, N_PATHS = 40, N_TRACES = 60, MAX_DEPTH = 200 };
#define NAMED UINT32_C(0x80000000)

static const char *const files[] = {"a.c", "b.c", "aa.c"};
static const char *const functions[] = {"f", "g", "ff"};
static const char *const module_paths[] = {"", "/bin/a", "/lib/b", "/bin/a"};
static const char *const thread_names[] = {"", "main", "pool", "pool"};
static const char *const types[] = {"", "Node", "List"};
static const char *const domain_names[] = {"arena", "pool", "texture"};

/* ---- What is made ---- */

struct frame {
    const char *file, *function, *module, *type;
    uint32_t line, ordinal;
    uint32_t caller; /* frame + 1; 0 = none */
};

struct path {
    const struct frame *frames[MAX_DEPTH]; /* the most recent first */
    size_t depth;
    uint32_t id;
};

struct trace {
    const struct path *path;
    uint32_t thread, domain;
    int64_t figures[6];
};

/* A snapshot and what it was made of. */
struct made {
    alloctrace_snapshot *snapshot;
    struct frame frames[N_FRAMES];
    uint32_t frame_ids[N_FRAMES];
    struct path paths[N_PATHS];
    struct trace traces[N_TRACES];
    uint32_t limit;
    uint32_t shift; /* named domains are numbered from here */
};

static uint32_t below(uint32_t n)
{
    return (uint32_t)rand() % n;
}

static void make_frames(struct made *made, struct dumpfile *dump)
{
    for (uint32_t i = 0; i < N_FRAMES; i++) {
        struct frame *frame = &made->frames[i];
        const uint32_t module = below(4);

        *frame = (struct frame){
            .file = files[below(3)],
            .function = functions[below(3)],
            .module = module_paths[module],
            .type = types[below(3)],
            .line = 1 + below(3) * 9,
            .ordinal = below(3),
            .caller = i > 0 && below(3) == 0 ? 1 + below(i) : 0,
        };
        made->frame_ids[i] = dumpfile_frame(
            dump, (struct dumpframe){
                      .file = frame->file,
                      .function = frame->function,
                      .type = frame->type,
                      .line = frame->line,
                      .module = module,
                      .ordinal = frame->ordinal,
                      .kind = ALLOCTRACE_FRAME_CALL,
                      .caller = frame->caller
                                    ? made->frame_ids[frame->caller - 1]
                                    : 0,
                  });
    }
}

static void make_paths(struct made *made, struct dumpfile *dump)
{
    for (uint32_t i = 0; i < N_PATHS; i++) {
        struct path *path = &made->paths[i];
        const struct path *parent =
            i > 0 && below(5) ? &made->paths[below(i)] : NULL;
        uint32_t frame = 1 + below(N_FRAMES);

        path->id = dumpfile_traceback(dump, parent ? parent->id : 0,
                                      made->frame_ids[frame - 1]);
        for (; frame; frame = made->frames[frame - 1].caller)
            path->frames[path->depth++] = &made->frames[frame - 1];
        for (size_t k = 0; parent && k < parent->depth; k++)
            path->frames[path->depth++] = parent->frames[k];
        ck_assert_uint_lt(path->depth, MAX_DEPTH / 2);
    }
}

static void make_traces(struct made *made, struct dumpfile *dump)
{
    for (uint32_t i = 0; i < N_TRACES; i++) {
        struct trace *trace = &made->traces[i];

        *trace = (struct trace){
            .path = &made->paths[below(N_PATHS)],
            .thread = below(4),
            .domain = below(2) ? below(3) : made->shift + below(3),
        };
        for (int k = 0; k < 6; k++)
            trace->figures[k] = (int64_t)below(4) - (k < 2);
        dumpfile_trace_full(dump, trace->path->id, trace->thread,
                            trace->domain, trace->figures);
    }
}

static void make(struct made *made, uint32_t limit)
{
    struct dumpfile dump;

    memset(made, 0, sizeof *made);
    made->limit = limit;
    made->shift = NAMED + below(9);
    dumpfile_init(&dump);
    dump.traceback_limit = limit;
    dump.has_details = 1;
    for (int i = 1; i < 4; i++) {
        dumpfile_module(&dump, module_paths[i], NULL, 0, 1, 0);
        dumpfile_thread(&dump, (uint32_t)i, thread_names[i]);
    }
    for (uint32_t i = 0; i < 3; i++)
        dumpfile_domain(&dump, made->shift + i,
                        domain_names[(i + made->shift) % 3]);
    make_frames(made, &dump);
    make_paths(made, &dump);
    make_traces(made, &dump);
    dumpfile_finish(&dump);
    ck_assert_int_eq(alloctrace_snapshot_load_bytes(dump.file.data,
                                                    dump.file.size,
                                                    &made->snapshot, NULL),
                     0);
    dumpfile_fini(&dump);
}

/* ---- Groups by the letter ---- */

/* Part of a key, compared from left to right. */
struct part {
    const char *name, *owner;
    uint32_t number;
};

struct key {
    struct part parts[MAX_DEPTH]; /* the oldest frame first */
    size_t count;
};

struct group {
    struct key key;
    int64_t size, count, old_size, old_count;
    int64_t total_blocks; /* of the newer snapshot, each trace once */
    const char *type;     /* NULL = several */
    bool has_any;
};

struct groups {
    struct group items[N_TRACES * MAX_DEPTH];
    size_t count;
};

static struct groups groups; /* too large for a stack */

static int compare_keys(const struct key *a, const struct key *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const struct part *x = &a->parts[i];
        const struct part *y = &b->parts[i];
        int order = strcmp(x->name, y->name);

        if (!order)
            order = strcmp(x->owner, y->owner);
        if (order)
            return order;
        if (x->number != y->number)
            return x->number < y->number ? -1 : 1;
    }
    return (a->count > b->count) - (a->count < b->count);
}

static struct part frame_part(const struct frame *frame, int group_by,
                              unsigned flags)
{
    switch (group_by) {
    case ALLOCTRACE_BY_FILENAME:
        return (struct part){frame->file, "", 0};
    case ALLOCTRACE_BY_FUNCTION:
        return (struct part){frame->function, frame->file, 0};
    case ALLOCTRACE_BY_MODULE:
        return (struct part){frame->module, "", 0};
    default:
        if (flags & ALLOCTRACE_IGNORE_LINES && frame->ordinal)
            return (struct part){frame->file, frame->function, frame->ordinal};
        return (struct part){frame->file, "", frame->line};
    }
}

static struct key trace_key(const struct made *made, const struct trace *trace,
                            int group_by, unsigned flags, uint32_t limit,
                            bool is_diff)
{
    const struct path *path = trace->path;
    struct key key = {.count = 1};
    size_t kept = path->depth;

    switch (group_by) {
    case ALLOCTRACE_BY_TRACEBACK:
        if (limit && limit < kept)
            kept = limit;
        for (size_t i = 0; i < kept; i++)
            key.parts[kept - 1 - i] =
                frame_part(path->frames[i], group_by, flags);
        key.count = kept;
        break;
    case ALLOCTRACE_BY_TYPE:
        key.parts[0] = (struct part){path->frames[0]->type, "", 0};
        break;
    case ALLOCTRACE_BY_DOMAIN:
        key.parts[0] = (struct part){"", "", trace->domain};
        if (is_diff && trace->domain >= NAMED)
            key.parts[0] =
                (struct part){"named", domain_names[trace->domain % 3], 0};
        break;
    case ALLOCTRACE_BY_THREAD:
        key.parts[0] = (struct part){"", "", trace->thread};
        if (is_diff)
            key.parts[0] = (struct part){thread_names[trace->thread], "", 0};
        break;
    default:
        key.parts[0] = frame_part(path->frames[0], group_by, flags);
        break;
    }
    (void)made;
    return key;
}

static struct group *group_find(const struct key *key)
{
    for (size_t i = 0; i < groups.count; i++)
        if (compare_keys(&groups.items[i].key, key) == 0)
            return &groups.items[i];
    groups.items[groups.count] = (struct group){.key = *key, .type = ""};
    return &groups.items[groups.count++];
}

static void group_add(const struct key *key, const struct trace *trace,
                      int metric, bool is_old, bool is_again)
{
    struct group *group = group_find(key);
    const int64_t *figures = &trace->figures[2 * (metric - 1)];

    *(is_old ? &group->old_size : &group->size) += figures[1];
    *(is_old ? &group->old_count : &group->count) += figures[0];
    if (!is_old && !is_again)
        group->total_blocks += trace->figures[2];
    if (!figures[0] && !figures[1])
        return;
    if (!group->has_any)
        group->type = trace->path->frames[0]->type;
    else if (group->type && strcmp(group->type, trace->path->frames[0]->type))
        group->type = NULL;
    group->has_any = true;
}

/* Once for each frame, or for each key. */
static void add_cumulative(const struct trace *trace,
                           const struct alloctrace_statistics_options *options,
                           uint32_t limit, bool is_old)
{
    const struct path *path = trace->path;

    for (size_t i = 0; i < path->depth && (!limit || i < limit); i++) {
        struct key key = {.count = 1};
        bool is_again = false;

        key.parts[0] =
            frame_part(path->frames[i], options->group_by, options->flags);
        for (size_t k = 0; k < i; k++) {
            const struct key other = {
                .parts = {frame_part(path->frames[k], options->group_by,
                                     options->flags)},
                .count = 1};

            is_again = is_again || !compare_keys(&key, &other);
        }
        if (!is_again || options->flags & ALLOCTRACE_LIKE_CPYTHON)
            group_add(&key, trace, options->metric, is_old, is_again);
    }
}

static int64_t magnitude(int64_t number)
{
    return number < 0 ? -number : number;
}

static int compare_groups(const void *left, const void *right)
{
    const struct group *a = left;
    const struct group *b = right;
    const int64_t x[] = {magnitude(a->size - a->old_size), a->size,
                         magnitude(a->count - a->old_count), a->count};
    const int64_t y[] = {magnitude(b->size - b->old_size), b->size,
                         magnitude(b->count - b->old_count), b->count};

    for (int i = 0; i < 4; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? 1 : -1;
    return -compare_keys(&a->key, &b->key);
}

static int compare_plain(const void *left, const void *right)
{
    const struct group *a = left;
    const struct group *b = right;

    if (a->size != b->size)
        return a->size < b->size ? 1 : -1;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return -compare_keys(&a->key, &b->key);
}

/* All that there is to be, in its order. */
static void groups_make(const struct made *made, const struct made *old,
                        const struct alloctrace_statistics_options *options)
{
    const struct made *sides[] = {made, old};
    uint32_t limits[] = {made->limit, old ? old->limit : 0};
    size_t n = 0;

    if (old && !(options->flags & ALLOCTRACE_LIKE_CPYTHON) && limits[0] &&
        limits[1])
        limits[0] = limits[1] = limits[0] < limits[1] ? limits[0] : limits[1];
    else if (old && !(options->flags & ALLOCTRACE_LIKE_CPYTHON))
        limits[0] = limits[1] = limits[0] + limits[1];
    groups.count = 0;
    for (int s = 0; s < (old ? 2 : 1); s++) {
        for (size_t i = 0; i < N_TRACES; i++) {
            const struct trace *trace = &sides[s]->traces[i];
            const struct key key =
                trace_key(sides[s], trace, options->group_by, options->flags,
                          limits[s], old != NULL);

            if (options->cumulative)
                add_cumulative(trace, options, limits[s], s);
            else
                group_add(&key, trace, options->metric, s, false);
        }
    }
    for (size_t i = 0; i < groups.count; i++) {
        const struct group *group = &groups.items[i];

        if (group->size || group->count || group->old_size || group->old_count)
            groups.items[n++] = *group;
    }
    groups.count = n;
    qsort(groups.items, n, sizeof *groups.items,
          old ? compare_groups : compare_plain);
}

/* ---- Both ---- */

static void expect_frames(const alloctrace_statistics *statistics, size_t index,
                          const struct group *group, int group_by,
                          unsigned flags)
{
    alloctrace_traceback *traceback;

    ck_assert_int_eq(
        alloctrace_statistics_traceback(statistics, index, &traceback), 0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), group->key.count);
    for (size_t i = 0; i < group->key.count; i++) {
        const struct alloctrace_frame *frame =
            alloctrace_traceback_frame(traceback, (ptrdiff_t)i);
        const struct part *part = &group->key.parts[i];

        if (group_by == ALLOCTRACE_BY_FUNCTION) {
            ck_assert_str_eq(frame->function, part->name);
            ck_assert_str_eq(frame->file, part->owner);
        } else {
            ck_assert_str_eq(frame->file, part->name);
            if (*part->owner)
                ck_assert_str_eq(frame->function, part->owner);
            else
                ck_assert_uint_eq(frame->line, part->number);
        }
    }
    (void)flags;
    alloctrace_traceback_free(traceback);
}

static void expect_key(const alloctrace_statistics *statistics, size_t index,
                       const struct group *group,
                       const struct alloctrace_statistics_options *options)
{
    const struct alloctrace_statistic *got =
        alloctrace_statistics_get(statistics, index);
    const struct part *part = &group->key.parts[0];
    const bool is_diff = alloctrace_statistics_is_diff(statistics);

    switch (options->group_by) {
    case ALLOCTRACE_BY_TYPE:
    case ALLOCTRACE_BY_MODULE:
        ck_assert_str_eq(got->key, part->name);
        break;
    case ALLOCTRACE_BY_DOMAIN:
        if (*part->name)
            ck_assert_str_eq(got->key, part->owner);
        else
            ck_assert_uint_eq(got->number, part->number);
        break;
    case ALLOCTRACE_BY_THREAD:
        if (is_diff)
            ck_assert_str_eq(got->key, part->name);
        else
            ck_assert_uint_eq(got->number, part->number);
        break;
    default:
        expect_frames(statistics, index, group, options->group_by,
                      options->flags);
        break;
    }
}

static void expect_detail(const alloctrace_statistics *statistics, size_t index,
                          const struct group *group)
{
    struct alloctrace_detail *detail;

    ck_assert_int_eq(alloctrace_statistics_detail(statistics, index, &detail),
                     0);
    ck_assert_int_eq((int64_t)detail->total_blocks, group->total_blocks);
    alloctrace_detail_free(detail);
}

static void compare(const struct made *made, const struct made *old,
                    struct alloctrace_statistics_options options)
{
    alloctrace_statistics *statistics;

    options.size = sizeof options;
    groups_make(made, old, &options);
    ck_assert_int_eq(old ? alloctrace_snapshot_compare_to(
                               made->snapshot, old->snapshot, &options,
                               &statistics)
                         : alloctrace_snapshot_statistics(
                               made->snapshot, &options, &statistics),
                     0);
    ck_assert_uint_eq(alloctrace_statistics_count(statistics), groups.count);
    for (size_t i = 0; i < groups.count; i++) {
        const struct group *group = &groups.items[i];
        const struct alloctrace_statistic *got =
            alloctrace_statistics_get(statistics, i);

        ck_assert_int_eq(got->size, group->size);
        ck_assert_int_eq(got->count, group->count);
        ck_assert_int_eq(got->size_diff,
                         old ? group->size - group->old_size : 0);
        ck_assert_int_eq(got->count_diff,
                         old ? group->count - group->old_count : 0);
        ck_assert_int_eq(got->has_several_types, !group->type);
        ck_assert_str_eq(got->type, group->type ? group->type : "");
        expect_key(statistics, i, group, &options);
        expect_detail(statistics, i, group);
    }
    alloctrace_statistics_free(statistics);
}

/* Everything that can be asked of a snapshot, or of two. */
static void compare_all(const struct made *made, const struct made *old)
{
    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++)
        for (int metric = ALLOCTRACE_METRIC_LIVE;
             metric <= ALLOCTRACE_METRIC_PEAK; metric++)
            for (unsigned flags = 0; flags < 4; flags++)
                for (int cumulative = 0; cumulative < 2; cumulative++)
                    if (!cumulative || by < ALLOCTRACE_BY_TRACEBACK ||
                        by == ALLOCTRACE_BY_MODULE)
                        compare(made, old,
                                (struct alloctrace_statistics_options){
                                    .group_by = by,
                                    .metric = metric,
                                    .cumulative = cumulative,
                                    .flags = flags});
}

START_TEST(statistics_are_what_the_rules_say)
{
    static const uint32_t limits[] = {0, 1, 3, 100};
    static struct made made;

    for (unsigned seed = 0; seed < 20; seed++) {
        srand(seed);
        make(&made, limits[seed % 4]);
        compare_all(&made, NULL);
        alloctrace_snapshot_free(made.snapshot);
    }
}
END_TEST

START_TEST(comparisons_are_what_the_rules_say)
{
    static const uint32_t limits[] = {0, 1, 3, 100};
    static struct made made;
    static struct made old;

    for (unsigned seed = 0; seed < 20; seed++) {
        srand(1000 + seed);
        make(&made, limits[seed % 4]);
        make(&old, limits[seed / 4 % 4]);
        compare_all(&made, &old);
        alloctrace_snapshot_free(made.snapshot);
        alloctrace_snapshot_free(old.snapshot);
    }
}
END_TEST

CHECK_MAIN("statistics_random", statistics_are_what_the_rules_say,
           comparisons_are_what_the_rules_say)
