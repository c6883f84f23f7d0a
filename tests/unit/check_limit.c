/* SPDX-License-Identifier: MIT */
/*
 * What is kept of paths: the innermost N frames, compared with a model that
 * knows the whole path of every allocation; recursion that is folded; tables
 * that are full. The model's key for a path is the list of its sites.
 */
#include <pthread.h>
#include <string.h>

#include "check_alloctrace.h"
#include "paths.h"

enum {
    MAX_DEPTH = 40,
    MAX_PATHS = 20000,
    STEPS = 10000,
    N_THREADS = 3,
    N_CALLS = 6, /* sites that call, from CALLS on */
    CALLS = 8,
    N_LEAVES = 4, /* sites that allocate, from LEAVES on */
    LEAVES = 40
};

/* A path that is kept, and what the model counted for it. */
struct known {
    unsigned n_sites;
    unsigned char sites[MAX_DEPTH]; /* innermost first */
    uint64_t total_blocks, total_bytes, live_blocks;
};

/* One thread's model. */
struct model {
    unsigned seed;
    uint32_t ledger_id;
    unsigned n;
    struct known known[MAX_PATHS];
};

static struct model models[N_THREADS];
static pthread_barrier_t barrier;

/* Site i is inlined into i - 1, that into i - 2, ... `n_inlined` deep: */
static unsigned frames_of(unsigned i)
{
    return i == CALLS + 1 ? 3 : i == CALLS + 3 || i == LEAVES + 2 ? 2 : 1;
}

static void inline_sites(void)
{
    static const unsigned inlined[][2] = {{CALLS + 1, 60}, {60, 61},
                                          {CALLS + 3, 60 + 2},
                                          {LEAVES + 2, 60 + 2}};

    for (unsigned i = 0; i < 4; i++)
        sites[inlined[i][0]].caller =
            (alloctrace_offset)((char *)&sites[inlined[i][1]] -
                                (char *)&sites[inlined[i][0]].caller);
}

static void start(int frames)
{
    at_options.frames = frames;
    sites_announce();
    inline_sites();
}

static unsigned next(struct model *model, unsigned n)
{
    model->seed = model->seed * 1103515245 + 12345;
    return model->seed / 65536 % n;
}

/* As many of the innermost sites as cover the limit. */
static struct known *model_find(struct model *model,
                                const unsigned char *innermost, unsigned depth)
{
    struct known wanted = {0};
    unsigned frames = 0;

    for (unsigned i = 0; i < depth; i++) {
        wanted.sites[wanted.n_sites++] = innermost[i];
        frames += frames_of(innermost[i]);
        if (at_options.frames && frames >= (unsigned)at_options.frames)
            break;
    }
    for (unsigned i = 0; i < model->n; i++)
        if (memcmp(model->known[i].sites, wanted.sites, MAX_DEPTH) == 0 &&
            model->known[i].n_sites == wanted.n_sites)
            return &model->known[i];
    ck_assert_uint_lt(model->n, MAX_PATHS);
    model->known[model->n] = wanted;
    return &model->known[model->n++];
}

static void allocate(struct model *model, const unsigned char *path,
                     unsigned depth)
{
    unsigned char innermost[MAX_DEPTH];
    const size_t size = next(model, 100);
    struct known *known;
    void *block;

    innermost[0] = (unsigned char)(LEAVES + next(model, N_LEAVES));
    for (unsigned i = 0; i < depth; i++)
        innermost[1 + i] = path[depth - 1 - i];
    known = model_find(model, innermost, depth + 1);
    block = __alloctrace_malloc(size, site(innermost[0]));
    ck_assert_ptr_nonnull(block);
    known->total_blocks++;
    known->total_bytes += size;
    if (next(model, 2))
        __alloctrace_free(block);
    else
        known->live_blocks++;
}

/* Random calls, returns and allocations; then the ledger stays as it is. */
static void *run(void *argument)
{
    struct alloctrace_shadow_frame frames[MAX_DEPTH];
    struct model *const model = argument;
    unsigned char path[MAX_DEPTH];
    unsigned depth = 0;

    for (unsigned step = 0; step < STEPS; step++) {
        const unsigned what = next(model, 10);

        if (what < 4 && depth < 12) {
            path[depth] = (unsigned char)(CALLS + next(model, N_CALLS));
            push(&frames[depth], path[depth]);
            depth++;
        } else if (what < 8 && depth > 0) {
            pop(&frames[--depth]);
        } else {
            allocate(model, path, depth);
        }
    }
    while (depth > 0)
        pop(&frames[--depth]);
    model->ledger_id = __alloctrace_thread.ledger->id;
    pthread_barrier_wait(&barrier);
    return NULL;
}

/* The account's path, as the model has it. */
static struct known read_account(const struct account *account)
{
    struct known known = {.total_blocks = account->total_blocks,
                          .total_bytes = account->total_bytes,
                          .live_blocks =
                              account->total_blocks - account->freed_blocks};

    for (uint32_t id = account_traceback(account); id;
         id = traceback_at(id)->parent) {
        ck_assert_uint_lt(known.n_sites, MAX_DEPTH);
        known.sites[known.n_sites++] =
            (unsigned char)(place_at(traceback_at(id)->place)->line - 1);
    }
    return known;
}

static bool model_has(const struct model *model, const struct known *found)
{
    for (unsigned i = 0; i < model->n; i++)
        if (memcmp(&model->known[i], found, sizeof *found) == 0)
            return true;
    return false;
}

/* The ledger has the model's paths, each once with the same figures, and no
 * others but one of use_fast_half. */
static void check_ledger(const struct model *model)
{
    const struct ledger *const ledger = ledger_at(model->ledger_id);
    unsigned n = 0;

    for (const struct account_chunk *chunk = ledger->chunks; chunk;
         chunk = chunk->next)
        for (uint32_t i = 0; i < chunk->n_used; i++) {
            const struct known found = read_account(&chunk->accounts[i]);

            if (found.sites[0] == N_SITES - 1)
                continue;
            ck_assert(model_has(model, &found));
            ck_assert(!purse_is_cut(&chunk->accounts[i]));
            n++;
        }
    ck_assert_uint_eq(n, model->n);
}

static void check_limit(int frames)
{
    pthread_t threads[N_THREADS];

    start(frames);
    pthread_barrier_init(&barrier, NULL, N_THREADS);
    for (unsigned i = 0; i < N_THREADS; i++) {
        models[i].seed = 100 * (unsigned)frames + i;
        pthread_create(&threads[i], NULL, run, &models[i]);
    }
    for (unsigned i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < N_THREADS; i++)
        check_ledger(&models[i]);
    ck_assert_uint_eq(at_collisions, 0);
    ck_assert_uint_eq(at_bad_frames, 0);
}

#define LIMIT_TEST(name, frames) \
    START_TEST(name)             \
    {                            \
        check_limit(frames);     \
    }                            \
    END_TEST

START_TEST(one_frame_is_the_site)
{
    check_limit(1);
    /* Found at once by the site alone: nothing was to be remembered, but a
     * thread's first path, which was met before there was a ledger. */
    ck_assert_uint_le(ledger_at(2)->cache.young.n_used, 1);
}
END_TEST

LIMIT_TEST(two_frames, 2)
LIMIT_TEST(three_frames_may_end_within_a_place, 3)
LIMIT_TEST(five_frames, 5)
LIMIT_TEST(more_frames_than_there_are, 60)
LIMIT_TEST(all_frames, 0)

START_TEST(verifying_agrees_with_a_limit)
{
    at_options.verify = true;
    check_limit(4);
}
END_TEST

/* The account of a block below `depth` calls of site i, allocated at a leaf. */
static struct account *leaf_at_depth(unsigned leaf, unsigned i, unsigned depth)
{
    static struct alloctrace_shadow_frame frames[100000];
    struct alloctrace_shadow_frame *const top = __alloctrace_thread.top;
    struct account *account;
    void *block;

    for (unsigned k = depth; k > 0; k--)
        push(&frames[k], i);
    block = __alloctrace_malloc(1, site(leaf));
    account = block_get(block).account;
    __alloctrace_thread.top = top;
    return account;
}

static struct account *at_depth(unsigned i, unsigned depth)
{
    return leaf_at_depth(LEAVES, i, depth);
}

static uint32_t left_out(const struct account *account)
{
    return traceback_at(account_traceback(account))->left_out;
}

START_TEST(what_is_outside_a_limit_is_counted)
{
    start(5);
    /* The first of two depths with the same five frames counts. */
    ck_assert_uint_eq(left_out(at_depth(CALLS, 30)), 26);
    ck_assert_uint_eq(left_out(at_depth(CALLS, 20)), 26);
    ck_assert_uint_eq(left_out(at_depth(CALLS + 1, 20)), 3 * 18);
    ck_assert_uint_eq(left_out(at_depth(CALLS + 2, 99999)), 65535);
    ck_assert_uint_eq(left_out(leaf_at_depth(LEAVES + 1, CALLS + 2, 40000)),
                      39996);
    ck_assert_uint_eq(left_out(leaf_at_depth(LEAVES + 3, CALLS + 2, 40001)),
                      39997);
    ck_assert_uint_eq(left_out(at_depth(CALLS + 4, 3)), 0);
}
END_TEST

/* All sites are in one function from here on. */
static void name_function(void)
{
    static char name[] = "f";

    for (unsigned i = 0; i < N_SITES; i++)
        sites[i].function =
            (alloctrace_offset)(name - (char *)&sites[i].function);
}

START_TEST(rounds_of_recursion_are_left_out)
{
    struct account *kept;

    start(0);
    sites[CALLS].caller = 0;
    name_function();
    kept = at_depth(CALLS, 200);
    ck_assert_uint_eq(left_out(kept), 0);
    ck_assert_ptr_ne(at_depth(CALLS, 199), kept);
    ck_assert_ptr_eq(at_depth(CALLS, 201), kept);
    ck_assert_ptr_eq(at_depth(CALLS, 99999), kept);
    ck_assert_ptr_eq(at_depth(CALLS, 500), kept);
    ck_assert_uint_eq(kept->total_blocks, 4);
    ck_assert_uint_eq(
        traceback_at(traceback_at(account_traceback(kept))->parent)->left_out,
        99999 - 200);
    ck_assert(!purse_is_cut(kept));
    ck_assert_uint_le(at_tracebacks.n, 403);
}
END_TEST

/* A tree of calls, each making two; a block at each. */
static uint64_t grow(unsigned depth)
{
    struct alloctrace_shadow_frame frame;
    uint64_t n = 1;

    __alloctrace_free(__alloctrace_malloc(3, site(LEAVES)));
    if (depth == 0)
        return n;
    for (unsigned i = 0; i < 2; i++) {
        push(&frame, CALLS + 4 + i);
        n += grow(depth - 1);
        pop(&frame);
    }
    return n;
}

/* What the first thread's accounts hold; part of it was cut. */
static uint64_t count_blocks(uint64_t *cut)
{
    uint64_t n = 0;

    *cut = 0;
    for (const struct account_chunk *chunk = ledger_at(1)->chunks; chunk;
         chunk = chunk->next)
        for (uint32_t i = 0; i < chunk->n_used; i++) {
            const struct account *const account = &chunk->accounts[i];

            ck_assert_uint_eq(account->total_blocks, account->freed_blocks);
            n += account->total_blocks;
            *cut += purse_is_cut(account) ? account->total_blocks : 0;
        }
    return n;
}

static void check_full(int frames, uint64_t max_memory)
{
    uint64_t n;
    uint64_t cut;

    at_options.max_memory = max_memory;
    start(frames);
    n = grow(15) + 1; /* and one of use_fast_half */
    ck_assert_uint_eq(count_blocks(&cut), n);
    ck_assert_uint_gt(cut, 0);
    ck_assert_uint_eq(at_dropped_blocks, 0);
    /* What is had in any case: the first chunk and the first tables. */
    ck_assert_uint_le(budget_used(), max_memory + (512 << 10));
}

START_TEST(what_does_not_fit_is_counted_under_a_prefix)
{
    check_full(0, 2 << 20);
}
END_TEST

START_TEST(what_does_not_fit_is_counted_at_its_site)
{
    check_full(14, 1 << 20);
}
END_TEST

START_TEST(without_any_memory_totals_are_exact)
{
    check_full(0, 0);
}
END_TEST

START_TEST(a_cut_path_is_counted_under_its_longest_known_prefix)
{
    struct alloctrace_shadow_frame known;
    struct alloctrace_shadow_frame unknown;
    uint32_t parent;
    void *block;

    start(0);
    push(&known, CALLS);
    block = __alloctrace_malloc(1, site(LEAVES));
    parent =
        traceback_at(account_traceback(block_get(block).account))->parent;
    at_options.max_memory = 0;
    push(&unknown, CALLS + 1);
    block = __alloctrace_malloc(1, site(LEAVES));
    ck_assert(purse_is_cut(block_get(block).account));
    ck_assert_uint_eq(account_traceback(block_get(block).account), parent);
    ck_assert_ptr_eq(
        block_get(__alloctrace_malloc(1, site(LEAVES + 1))).account,
        block_get(block).account);
}
END_TEST

static void *free_it(void *block)
{
    __alloctrace_free(block);
    return NULL;
}

START_TEST(what_another_thread_frees_is_subtracted_where_it_was_counted)
{
    struct alloctrace_shadow_frame frame;
    uint64_t live = 0;
    uint32_t traceback;
    pthread_t thread;
    void *block;

    start(0);
    push(&frame, CALLS);
    block = __alloctrace_malloc(100, site(LEAVES));
    at_options.max_memory = 0;
    traceback = account_traceback(block_get(block).account);
    pthread_create(&thread, NULL, free_it, block);
    pthread_join(thread, NULL);
    for (uint32_t id = 1; id <= at_ledgers.n; id++)
        for (uint32_t i = 0; i < ledger_at(id)->chunks->n_used; i++) {
            const struct account *const account =
                &ledger_at(id)->chunks->accounts[i];

            if (account_traceback(account) == traceback)
                live += account->total_bytes - account->freed_bytes;
        }
    ck_assert_uint_eq(live, 0);
    ck_assert_int_eq(ledger_live_sum(), 0);
}
END_TEST

CHECK_MAIN("limit", one_frame_is_the_site, two_frames,
           three_frames_may_end_within_a_place, five_frames,
           more_frames_than_there_are, all_frames,
           verifying_agrees_with_a_limit, what_is_outside_a_limit_is_counted,
           rounds_of_recursion_are_left_out,
           what_does_not_fit_is_counted_under_a_prefix,
           what_does_not_fit_is_counted_at_its_site,
           without_any_memory_totals_are_exact,
           a_cut_path_is_counted_under_its_longest_known_prefix,
           what_another_thread_frees_is_subtracted_where_it_was_counted)
