/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The passes and their places.
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

#include "early.h"
#include "frames.h"
#include "lto.h"
#include "mark.h"
#include "pass.h"
#include "reach.h"
#include "notice.h"
#include "rewrite.h"

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

static const pass_data program_data = {
    IPA_PASS, "alloctrace_program", OPTGROUP_NONE, TV_NONE, 0, 0, 0, 0, 0};
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

class mark_pass : public gimple_opt_pass {
public:
    mark_pass() : gimple_opt_pass(mark_data, g) {}
    unsigned execute(function *fun) final override { return at_mark(fun); }
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
    pass_register(plugin_name, new program_pass, "pure-const",
                  PASS_POS_INSERT_AFTER);
    pass_register(plugin_name, new mark_pass, "ssa", PASS_POS_INSERT_AFTER);
    pass_register(plugin_name, new reach_pass, "simdclone",
                  PASS_POS_INSERT_AFTER);
    pass_register(plugin_name, new instrument_pass, "*warn_function_noreturn",
                  PASS_POS_INSERT_BEFORE);
}
