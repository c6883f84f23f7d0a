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
 * alloctrace_mark: after "ssa", the first pass in which calls and their
 * arguments are plain to see, and before any inlining. Under LTO this comes
 * when a unit is compiled.
 *
 * alloctrace_program: among the passes over the whole program, of which the
 * middle step of LTO consists; after the inliner and "pure-const", for it uses
 * what they found out.
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
#include "early.h"
#include "frames.h"
#include "lto.h"
#include "mark.h"
#include "notice.h"
#include "options.h"
#include "pass.h"
#include "reach.h"
#include "rewrite.h"
#include "type.h"
#include "typetext.h"

static unsigned function_instrument(function *fun)
{
    struct plan plan;
    unsigned todo;

    at_plan_init(&plan, fun);
    at_notice_function(&plan, fun);
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

static const pass_data program_data = {
    IPA_PASS, "alloctrace_program", OPTGROUP_NONE, TV_NONE, 0, 0, 0, 0, 0};

static const pass_data note_data = {
    GIMPLE_PASS, "alloctrace_note", OPTGROUP_NONE, TV_NONE,
    PROP_cfg | PROP_ssa, 0, 0, 0, 0};

static const pass_data mark_data = {
    GIMPLE_PASS, "alloctrace_mark", OPTGROUP_NONE, TV_NONE,
    PROP_cfg | PROP_ssa, 0, 0, 0, 0};

static const pass_data reach_data = {
    SIMPLE_IPA_PASS, "alloctrace_reach", OPTGROUP_NONE, TV_NONE, 0, 0, 0, 0, 0};

static const pass_data instrument_data = {
    GIMPLE_PASS, "alloctrace", OPTGROUP_NONE, TV_NONE,
    PROP_cfg | PROP_ssa, 0, 0, 0, 0};

static void program_generate(void)
{
    if (flag_generate_lto)
        at_lto_mark_add();
}

namespace {

class program_pass : public ipa_opt_pass_d {
public:
    program_pass()
        : ipa_opt_pass_d(program_data, g, program_generate, NULL, NULL, NULL,
                         NULL, NULL, 0, NULL, NULL)
    {
    }
    unsigned execute(function *) final override
    {
        at_lto_mark_remove();
        if (flag_wpa) {
            at_early_compute();
            at_reach_compute();
            at_reach_publish();
        }
        return 0;
    }
};

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

class mark_pass : public gimple_opt_pass {
public:
    mark_pass() : gimple_opt_pass(mark_data, g) {}
    unsigned execute(function *fun) final override { return at_mark(fun); }
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
        at_early_compute();
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
    pass_register(plugin_name, new program_pass, "pure-const",
                  PASS_POS_INSERT_AFTER);
    /* What is registered last comes first: marks take the notes over. */
    pass_register(plugin_name, new mark_pass, "ssa", PASS_POS_INSERT_AFTER);
    pass_register(plugin_name, new note_pass, "ssa", PASS_POS_INSERT_AFTER);
    pass_register(plugin_name, new reach_pass, "simdclone",
                  PASS_POS_INSERT_AFTER);
    pass_register(plugin_name, new instrument_pass, "*warn_function_noreturn",
                  PASS_POS_INSERT_BEFORE);
}
