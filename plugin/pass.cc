/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The passes and their places.
 *
 * alloctrace_types: before "*free_lang_data", which strips the types for LTO.
 *
 * alloctrace_note: after "ssa", before anything is inlined or optimised: the
 * last time that the code is as the source has it. What is known of objects
 * is noted at the calls.
 *
 * alloctrace_reach: after "simdclone", among the last passes that see the
 * whole unit. The inliner has decided by then, so that the call graph is what
 * the code will be; bodies are still there.
 *
 * alloctrace: before "*warn_function_noreturn", that is after "optimized" and
 * right before a function becomes RTL. No optimisation of GCC's sees what is
 * inserted, so none is hindered by it: inlining, removal of malloc and free
 * in pairs, and marking of tail calls have happened. Under LTO this comes in
 * the link step, once for each function.
 */
#include "gcc.h"

#include "callnote.h"
#include "destination.h"
#include "frames.h"
#include "options.h"
#include "pass.h"
#include "reach.h"
#include "rewrite.h"
#include "type.h"
#include "typetext.h"

struct pass_counts at_pass_counts;

static void plan_count(const struct plan *plan)
{
    const bool has_frame = !plan->regions.is_empty();

    at_pass_counts.n_functions++;
    at_pass_counts.n_frames += has_frame;
    at_pass_counts.n_regions += plan->regions.length();
    at_pass_counts.n_skipped += plan->n_skipped;
    at_pass_counts.n_frameless += !has_frame && !plan->calls.is_empty();
    for (unsigned i = 0; i < plan->calls.length(); i++) {
        const struct planned_call *planned = &plan->calls[i];

        at_pass_counts.n_rewritten += planned->allocfn != ALLOCFN_NONE;
        at_pass_counts.n_noted += planned->is_noted;
        at_pass_counts.n_blind += planned->is_noted && planned->held < 0;
    }
}

static unsigned function_instrument(function *fun)
{
    struct plan plan;
    unsigned todo;

    at_plan_init(&plan, fun);
    plan_count(&plan);
    todo = at_rewrite(&plan, fun);
    at_plan_fini(&plan);
    free_dominance_info(CDI_DOMINATORS);
    return todo;
}

/* Number the statements of FUN; put its calls that may allocate in CALLS. */
static void calls_gather(function *fun, vec<gcall *> *calls)
{
    unsigned uid = 0;
    basic_block bb;

    FOR_EACH_BB_FN(bb, fun) {
        for (gphi_iterator gsi = gsi_start_phis(bb); !gsi_end_p(gsi);
             gsi_next(&gsi))
            gimple_set_uid(gsi.phi(), ++uid);
        for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi);
             gsi_next(&gsi)) {
            gcall *call = dyn_cast<gcall *>(gsi_stmt(gsi));

            gimple_set_uid(gsi_stmt(gsi), ++uid);
            if (call && at_reach_call_may_allocate(call))
                calls->safe_push(call);
        }
    }
}

static void note_call(function *fun, gcall *call)
{
    struct finding finding;
    struct call_note note = {false, 0, "", ""};

    if (!at_type_find(fun, call, &finding))
        return;
    note.is_returned = finding.is_returned;
    if (finding.type) {
        tree size = TYPE_SIZE_UNIT(finding.type);

        note.type = at_typetext(finding.type);
        if (size && tree_fits_uhwi_p(size) && tree_to_uhwi(size) <= UINT_MAX)
            note.type_size = tree_to_uhwi(size);
    }
    if (finding.destination)
        note.target = at_destination_text(finding.destination);
    at_note_attach(fun->decl, call, &note);
}

static unsigned note_calls(function *fun)
{
    auto_vec<gcall *> calls;

    calls_gather(fun, &calls);
    for (unsigned i = 0; i < calls.length(); i++)
        note_call(fun, calls[i]);
    return 0;
}

static const pass_data types_data = {
    SIMPLE_IPA_PASS, "alloctrace_types", OPTGROUP_NONE, TV_NONE, 0, 0, 0, 0,
    0};

static const pass_data note_data = {
    GIMPLE_PASS, "alloctrace_note", OPTGROUP_NONE, TV_NONE,
    PROP_cfg | PROP_ssa, 0, 0, 0, 0};

static const pass_data reach_data = {
    SIMPLE_IPA_PASS, "alloctrace_reach", OPTGROUP_NONE, TV_NONE, 0, 0, 0, 0, 0};

static const pass_data instrument_data = {
    GIMPLE_PASS, "alloctrace", OPTGROUP_NONE, TV_NONE,
    PROP_cfg | PROP_ssa, 0, 0, 0, 0};

namespace {

class types_pass : public simple_ipa_opt_pass {
public:
    types_pass() : simple_ipa_opt_pass(types_data, g) {}
    bool gate(function *) final override { return at_options.objects; }
    unsigned execute(function *) final override
    {
        at_typetext_begin_unit();
        return 0;
    }
};

class note_pass : public gimple_opt_pass {
public:
    note_pass() : gimple_opt_pass(note_data, g) {}
    bool gate(function *) final override { return at_options.objects; }
    unsigned execute(function *fun) final override
    {
        return note_calls(fun);
    }
};

class reach_pass : public simple_ipa_opt_pass {
public:
    reach_pass() : simple_ipa_opt_pass(reach_data, g) {}
    unsigned execute(function *) final override
    {
        at_allocfn_begin_unit();
        at_reach_compute();
        return 0;
    }
};

class instrument_pass : public gimple_opt_pass {
public:
    instrument_pass() : gimple_opt_pass(instrument_data, g) {}
    unsigned execute(function *fun) final override
    {
        return function_instrument(fun);
    }
};

} // namespace

static void pass_register(const char *plugin_name, opt_pass *pass,
                          const char *reference, enum pass_positioning_ops op)
{
    struct register_pass_info info = {pass, reference, 1, op};

    register_callback(plugin_name, PLUGIN_PASS_MANAGER_SETUP, NULL, &info);
}

void at_passes_register(const char *plugin_name)
{
    pass_register(plugin_name, new types_pass, "*free_lang_data",
                  PASS_POS_INSERT_BEFORE);
    pass_register(plugin_name, new note_pass, "ssa", PASS_POS_INSERT_AFTER);
    pass_register(plugin_name, new reach_pass, "simdclone",
                  PASS_POS_INSERT_AFTER);
    pass_register(plugin_name, new instrument_pass, "*warn_function_noreturn",
                  PASS_POS_INSERT_BEFORE);
}
