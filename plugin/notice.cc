/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Beside the data flow: adds up what was planned for the functions of the
 * unit, and prints it if the option `verbose` asks for it. Warns where the
 * plan cannot keep the promise that each allocation has its traceback, unless
 * the option `no-warn` is given.
 */
#include "gcc.h"

#include "alloctrace/abi.h"
#include "frames.h"
#include "notice.h"
#include "options.h"
#include "site.h"

/* What was done to the unit. */
static struct {
    unsigned n_functions;
    unsigned n_frames;     /* functions that got a frame */
    unsigned n_frameless;  /* those with changed calls, but without a frame */
    unsigned n_left_alone; /* those whose attributes forbid changes */
    unsigned n_regions;
    unsigned n_allocfns; /* calls that go to an entry of the runtime now */
    unsigned n_noted;    /* calls that may allocate and are in a frame */
    unsigned n_blind;    /* of those: the hash is computed anew */
    unsigned n_tail;     /* calls that may allocate and leave by a jump */
    unsigned n_skipped[N_REACHES]; /* calls that cannot allocate */
} counts;

static void function_count(const struct plan *plan)
{
    const bool has_frame = !plan->regions.is_empty();

    counts.n_functions++;
    counts.n_frames += has_frame;
    counts.n_left_alone += plan->is_left_alone;
    counts.n_frameless += !has_frame && !plan->calls.is_empty();
    counts.n_regions += plan->regions.length();
    for (unsigned i = 0; i < N_REACHES; i++)
        counts.n_skipped[i] += plan->n_skipped[i];
    for (unsigned i = 0; i < plan->calls.length(); i++) {
        const struct planned_call *planned = &plan->calls[i];

        counts.n_allocfns += planned->allocfn != ALLOCFN_NONE;
        counts.n_noted += planned->is_noted;
        counts.n_blind += planned->is_noted && planned->held < 0;
        counts.n_tail += planned->is_tail && planned->may_allocate;
    }
}

/* The attribute by which FUN is left alone, or NULL: for another reason. */
static const char *reason_of(const function *fun)
{
    static const char *const names[] = {"no_instrument_function", "naked"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (lookup_attribute(names[i], DECL_ATTRIBUTES(fun->decl)))
            return names[i];
    return NULL;
}

/* The first call of FUN that may allocate, or NULL. */
static const gcall *call_that_allocates(function *fun)
{
    basic_block bb;

    FOR_EACH_BB_FN(bb, fun)
    for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi);
         gsi_next(&gsi)) {
        const gcall *call = dyn_cast<gcall *>(gsi_stmt(gsi));

        if (call && at_reach_call_may_allocate(call))
            return call;
    }
    return NULL;
}

static void left_alone_warn(function *fun)
{
    const gcall *call = call_that_allocates(fun);

    if (call != NULL && reason_of(fun) != NULL)
        warning_at(gimple_location(call), 0,
                   "alloctrace: %qD has the attribute %qs, so what is "
                   "allocated here counts as its caller%'s",
                   fun->decl, reason_of(fun));
}

void at_notice_function(const struct plan *plan, function *fun)
{
    function_count(plan);
    if (plan->is_left_alone && !at_options.no_warn)
        left_alone_warn(fun);
}

static void count_print(FILE *out, const char *what, unsigned n)
{
    fprintf(out, "    %-24s %7u\n", what, n);
}

/* Records of places by what they say. */
static void sites_print(FILE *out)
{
    unsigned n;
    const struct site *sites = at_sites(&n);
    unsigned n_wrappers = 0;
    unsigned n_typed = 0;

    for (unsigned i = 0; i < n; i++) {
        n_wrappers += (sites[i].flags & ALLOCTRACE_SITE_RETURNED) != 0;
        n_typed += sites[i].type != 0;
    }
    count_print(out, "sites", n);
    count_print(out, "  wrappers", n_wrappers);
    count_print(out, "  types known", n_typed);
}

static void skipped_print(FILE *out)
{
    unsigned n = 0;

    for (int i = REACH_CONST; i < N_REACHES; i++)
        n += counts.n_skipped[i];
    count_print(out, "calls skipped", n);
    count_print(out, "  const or pure", counts.n_skipped[REACH_CONST]);
    count_print(out, "  builtin", counts.n_skipped[REACH_BUILTIN]);
    count_print(out, "  C library", counts.n_skipped[REACH_LIBRARY]);
    count_print(out, "  this program", counts.n_skipped[REACH_PROGRAM]);
}

void at_notice_unit(FILE *out)
{
    if (counts.n_functions == 0)
        return;
    fprintf(out, "alloctrace: %s\n",
            main_input_filename ? main_input_filename : "-");
    count_print(out, "functions", counts.n_functions);
    count_print(out, "  with a frame", counts.n_frames);
    count_print(out, "  frameless", counts.n_frameless);
    count_print(out, "  left alone", counts.n_left_alone);
    count_print(out, "regions", counts.n_regions);
    sites_print(out);
    count_print(out, "calls of the allocator", counts.n_allocfns);
    count_print(out, "calls noted", counts.n_noted);
    count_print(out, "  hash anew", counts.n_blind);
    count_print(out, "calls by jump", counts.n_tail);
    skipped_print(out);
}
