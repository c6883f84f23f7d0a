/* SPDX-License-Identifier: MIT */
/*
 * The runtime's lock-free protocols as models of a few steps, and every order
 * in which their steps can take effect: exhaustively, not by chance. Each
 * protocol is checked as it is, and again with one mistake, which has to be
 * found; so a model that shows nothing fails.
 *
 * The machine: stores wait in their thread's buffer and reach memory in any
 * order, but for two to one place; a release store waits for all earlier ones
 * (partial store order: all that x86 and more than half of what Arm may do).
 * Loads happen in order, as acquire loads and loads through what they gave
 * do. Read-modify-writes act on memory at once; those that release wait for an
 * empty buffer. What is not modelled: loads that are made early.
 */
#include <stdbool.h>
#include <string.h>

#include "check_alloctrace.h"

enum {
    MAX_THREADS = 3,
    MAX_STEPS = 16,
    N_PLACES = 8,
    N_REGISTERS = 4,
    MAX_PENDING = 6
};

enum operation {
    END,
    STORE,    /* place a = b, relaxed */
    RELEASE,  /* place a = b, release */
    COPY,     /* place a = register b, relaxed */
    LOAD,     /* register a = place b */
    CLAIM,    /* register a = place b; if that was 0, b = c; releases */
    EXCHANGE, /* register a = place b; b = c; relaxed, atomic */
    ADD,      /* place a += b - register c, atomic */
    SKIP_IF,  /* register a == b: leave out c steps */
    EXPECT    /* register a is b, or the protocol is broken */
};

struct step {
    enum operation operation;
    int a, b, c;
};

struct model {
    struct step threads[MAX_THREADS][MAX_STEPS];
    bool (*is_good)(const int *places); /* when all is over; NULL: always */
};

struct store {
    int place, value;
    bool is_release;
};

struct thread_state {
    int at;
    int registers[N_REGISTERS];
    int n_pending;
    struct store pending[MAX_PENDING];
};

struct state {
    int places[N_PLACES];
    struct thread_state threads[MAX_THREADS];
};

static const struct model *model;
static unsigned long n_ends;   /* orders that came to an end */
static unsigned long n_broken; /* of them or of others */

static bool is_pending(const struct thread_state *thread, int place)
{
    for (int i = 0; i < thread->n_pending; i++)
        if (thread->pending[i].place == place)
            return true;
    return false;
}

/* What the thread itself sees there. */
static int look(const struct state *state, const struct thread_state *thread,
                int place)
{
    for (int i = thread->n_pending - 1; i >= 0; i--)
        if (thread->pending[i].place == place)
            return thread->pending[i].value;
    return state->places[place];
}

/* May the store reach memory before all that are pending? */
static bool may_leave(const struct thread_state *thread, int i)
{
    if (thread->pending[i].is_release)
        return i == 0;
    for (int k = 0; k < i; k++)
        if (thread->pending[k].place == thread->pending[i].place)
            return false;
    return true;
}

static void leave(struct state *state, struct thread_state *thread, int i)
{
    state->places[thread->pending[i].place] = thread->pending[i].value;
    memmove(&thread->pending[i], &thread->pending[i + 1],
            (size_t)(--thread->n_pending - i) * sizeof *thread->pending);
}

static void put(struct thread_state *thread, int place, int value,
                bool is_release)
{
    ck_assert_int_lt(thread->n_pending, MAX_PENDING);
    thread->pending[thread->n_pending++] =
        (struct store){place, value, is_release};
}

static bool can_do(const struct thread_state *thread, const struct step *step)
{
    switch (step->operation) {
    case END:
        return false;
    case CLAIM:
        return thread->n_pending == 0;
    case EXCHANGE:
        return !is_pending(thread, step->b);
    case ADD:
        return !is_pending(thread, step->a);
    default:
        return true;
    }
}

/* False: what was expected is not so. */
static bool act(struct state *state, struct thread_state *thread,
                const struct step *step)
{
    int *const registers = thread->registers;

    thread->at++;
    switch (step->operation) {
    case STORE:
    case RELEASE:
        put(thread, step->a, step->b, step->operation == RELEASE);
        break;
    case COPY:
        put(thread, step->a, registers[step->b], false);
        break;
    case LOAD:
        registers[step->a] = look(state, thread, step->b);
        break;
    case CLAIM:
        registers[step->a] = state->places[step->b];
        if (!registers[step->a])
            state->places[step->b] = step->c;
        break;
    case EXCHANGE:
        registers[step->a] = state->places[step->b];
        state->places[step->b] = step->c;
        break;
    case ADD:
        state->places[step->a] += step->b - registers[step->c];
        break;
    case SKIP_IF:
        thread->at += registers[step->a] == step->b ? step->c : 0;
        break;
    case EXPECT:
        return registers[step->a] == step->b;
    case END:
        break;
    }
    return true;
}

/* Steps that no other thread can see need not be tried in every order. A store
 * is seen when it leaves the buffer. */
static bool is_private(const struct step *step)
{
    return step->operation == STORE || step->operation == RELEASE ||
           step->operation == COPY || step->operation == SKIP_IF ||
           step->operation == EXPECT;
}

static void explore(const struct state *state);

/* Takes the thread's next step and goes on. */
static void go_on(const struct state *state, int t)
{
    struct state next = *state;
    struct thread_state *const thread = &next.threads[t];

    if (act(&next, thread, &model->threads[t][thread->at]))
        explore(&next);
    else
        n_broken++;
}

/* All that the thread can do next. False: nothing ever. */
static bool explore_thread(const struct state *state, int t)
{
    const struct thread_state *const thread = &state->threads[t];
    const struct step *const step = &model->threads[t][thread->at];

    for (int i = 0; i < thread->n_pending; i++)
        if (may_leave(thread, i)) {
            struct state next = *state;

            leave(&next, &next.threads[t], i);
            explore(&next);
        }
    if (can_do(thread, step))
        go_on(state, t);
    return thread->n_pending > 0 || step->operation != END;
}

/* All that can happen from here on. */
static void explore(const struct state *state)
{
    bool is_end = true;

    for (int t = 0; t < MAX_THREADS; t++)
        if (is_private(&model->threads[t][state->threads[t].at])) {
            go_on(state, t);
            return;
        }
    for (int t = 0; t < MAX_THREADS; t++)
        if (explore_thread(state, t))
            is_end = false;
    if (is_end) {
        n_ends++;
        n_broken += model->is_good && !model->is_good(state->places);
    }
}

static unsigned long count_broken(const struct model *checked)
{
    const struct state start = {.places = {0}};

    model = checked;
    n_ends = n_broken = 0;
    explore(&start);
    ck_assert_uint_gt(n_ends, 1); /* there is something to choose */
    return n_broken;
}

static void check_both(const struct model *right, const struct model *wrong)
{
    ck_assert_uint_eq(count_broken(right), 0);
    ck_assert_uint_gt(count_broken(wrong), 0);
}

/* ledger_add and put_chunk of a dump: facts, then the number of accounts.
 * Places: 0, 1 = facts, 2 = n_used. */
#define READ_FACTS                                                     \
    {{LOAD, 0, 2, 0}, {SKIP_IF, 0, 0, 4}, {LOAD, 1, 0, 0},             \
     {EXPECT, 1, 7, 0}, {LOAD, 2, 1, 0}, {EXPECT, 2, 8, 0}, {END, 0, 0, 0}}

START_TEST(a_dump_sees_what_an_account_is)
{
    static const struct model right = {
        {{{STORE, 0, 7, 0}, {STORE, 1, 8, 0}, {RELEASE, 2, 1, 0}}, READ_FACTS},
        NULL};
    static const struct model early = {
        {{{STORE, 0, 7, 0}, {RELEASE, 2, 1, 0}, {STORE, 1, 8, 0}}, READ_FACTS},
        NULL};
    static const struct model relaxed = {
        {{{STORE, 0, 7, 0}, {STORE, 1, 8, 0}, {STORE, 2, 1, 0}}, READ_FACTS},
        NULL};

    check_both(&right, &early);
    check_both(&right, &relaxed);
}
END_TEST

/* ledger_create and ledger_live_sum. Places: 0 = the ledger's contents, 1 =
 * its address in the vector, 2 = how many the vector has. The number comes
 * before the address (vector_add), so who reads it must expect none. */
START_TEST(a_ledger_is_followed_when_it_is_there)
{
    static const struct model right = {
        {{{RELEASE, 2, 1, 0}, {STORE, 0, 7, 0}, {RELEASE, 1, 5, 0}},
         {{LOAD, 0, 2, 0}, {SKIP_IF, 0, 0, 4}, {LOAD, 1, 1, 0},
          {SKIP_IF, 1, 0, 2}, {LOAD, 2, 0, 0}, {EXPECT, 2, 7, 0}}},
        NULL};
    static const struct model trusting = {
        {{{RELEASE, 2, 1, 0}, {STORE, 0, 7, 0}, {RELEASE, 1, 5, 0}},
         {{LOAD, 0, 2, 0}, {SKIP_IF, 0, 0, 2}, {LOAD, 1, 1, 0},
          {EXPECT, 1, 5, 0}}},
        NULL};
    static const struct model relaxed = {
        {{{RELEASE, 2, 1, 0}, {STORE, 0, 7, 0}, {STORE, 1, 5, 0}},
         {{LOAD, 0, 2, 0}, {SKIP_IF, 0, 0, 4}, {LOAD, 1, 1, 0},
          {SKIP_IF, 1, 0, 2}, {LOAD, 2, 0, 0}, {EXPECT, 2, 7, 0}}},
        NULL};

    check_both(&right, &trusting);
    check_both(&right, &relaxed);
}
END_TEST

/* block.c: two threads make the same leaf, a third one looks it up. Places: 0
 * = the root's entry; 1, 2 = is leaf 1, 2 set up; 3, 4 = which leaf each of
 * the two then uses. */
static bool use_one_leaf(const int *places)
{
    return places[3] == places[0] && places[4] == places[0];
}

#define LOOK_UP                                                       \
    {{LOAD, 0, 0, 0}, {SKIP_IF, 0, 0, 6}, {SKIP_IF, 0, 2, 3},         \
     {LOAD, 1, 1, 0}, {EXPECT, 1, 1, 0}, {SKIP_IF, 0, 1, 2},          \
     {LOAD, 1, 2, 0}, {EXPECT, 1, 1, 0}}
#define CLAIM_LEAF(leaf, used)                                        \
    {{STORE, leaf, 1, 0}, {CLAIM, 0, 0, leaf}, {COPY, used, 0, 0},    \
     {SKIP_IF, 0, 1, 2}, {SKIP_IF, 0, 2, 1}, {STORE, used, leaf, 0}}
#define STORE_LEAF(leaf, used)                                        \
    {{STORE, leaf, 1, 0}, {LOAD, 0, 0, 0}, {SKIP_IF, 0, 1, 3},        \
     {SKIP_IF, 0, 2, 2}, {RELEASE, 0, leaf, 0}, {STORE, used, leaf, 0}}

START_TEST(threads_agree_on_a_leaf)
{
    static const struct model right = {
        {CLAIM_LEAF(1, 3), CLAIM_LEAF(2, 4), LOOK_UP}, use_one_leaf};
    static const struct model stored = {
        {STORE_LEAF(1, 3), STORE_LEAF(2, 4)}, use_one_leaf};

    check_both(&right, &stored);
}
END_TEST

/* peak.c, publish: the owner (live 5, then 9) and a thread that shares the peak
 * (it saw 5) publish for one ledger. Places: 0 = published, 1 = the sum. */
static bool is_sum(const int *places)
{
    return places[0] == places[1];
}

START_TEST(the_published_sum_is_that_of_what_was_published)
{
    static const struct model right = {
        {{{EXCHANGE, 0, 0, 5}, {ADD, 1, 5, 0}, {EXCHANGE, 1, 0, 9},
          {ADD, 1, 9, 1}},
         {{EXCHANGE, 0, 0, 5}, {ADD, 1, 5, 0}}},
        is_sum};
    static const struct model plain = {
        {{{LOAD, 0, 0, 0}, {STORE, 0, 5, 0}, {ADD, 1, 5, 0}},
         {{LOAD, 0, 0, 0}, {STORE, 0, 5, 0}, {ADD, 1, 5, 0}}},
        is_sum};

    check_both(&right, &plain);
}
END_TEST

/* tenant.c: a thread that ends and one that takes its ledger over, under the
 * lock. Places: 0 = a counter, 1 = is_free, 2 = the lock. The second thread
 * gives up if the lock is taken; else it must see the last count. */
#define TAKE_OVER                                                     \
    {{EXCHANGE, 0, 2, 1}, {SKIP_IF, 0, 1, 5}, {LOAD, 1, 1, 0},           \
     {SKIP_IF, 1, 0, 2}, {LOAD, 2, 0, 0}, {EXPECT, 2, 6, 0},          \
     {RELEASE, 2, 0, 0}}

START_TEST(who_takes_a_ledger_over_sees_its_last_count)
{
    static const struct model right = {
        {{{STORE, 0, 6, 0}, {EXCHANGE, 0, 2, 1}, {SKIP_IF, 0, 1, 2},
          {STORE, 1, 1, 0}, {RELEASE, 2, 0, 0}},
         TAKE_OVER},
        NULL};
    static const struct model unlocked = {
        {{{STORE, 0, 6, 0}, {STORE, 1, 1, 0}}, TAKE_OVER}, NULL};
    static const struct model late = {
        {{{EXCHANGE, 0, 2, 1}, {SKIP_IF, 0, 1, 3}, {STORE, 1, 1, 0},
          {RELEASE, 2, 0, 0}, {STORE, 0, 6, 0}},
         TAKE_OVER},
        NULL};

    check_both(&right, &unlocked);
    check_both(&right, &late);
}
END_TEST

CHECK_MAIN("model", a_dump_sees_what_an_account_is,
           a_ledger_is_followed_when_it_is_there, threads_agree_on_a_leaf,
           the_published_sum_is_that_of_what_was_published,
           who_takes_a_ledger_over_sees_its_last_count)
