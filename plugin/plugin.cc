/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * alloctrace's GCC plugin: where GCC loads it. Checks the compiler, reads the
 * options, registers the rest; does nothing else.
 *
 * What is instrumented and how compiled code and runtime fit together:
 * alloctrace/abi.h. The way of a call through the plugin: allocfn and reach
 * (what is it?), frames, region, store (what is to be done?), site (its
 * record), rewrite and shadow (do it), emit and module (write the records).
 */
#include "gcc.h"

#include "allocfn.h"
#include "emit.h"
#include "module.h"
#include "options.h"
#include "pass.h"
#include "shadow.h"
#include "site.h"
#include "typetext.h"

/* GCC looks for it: the plugin is under a compatible licence. */
__attribute__((visibility("default"))) int plugin_is_GPL_compatible;

/* The C family's preprocessor is ready: say that the unit is instrumented. */
static void on_pragmas(void *, void *)
{
    if (cpp_define && &parse_in && parse_in)
        cpp_define(parse_in, "__ALLOCTRACE__=1");
}

static void counts_print(void)
{
    const struct pass_counts *counts = &at_pass_counts;
    unsigned n_sites;

    at_sites(&n_sites);
    fprintf(stderr,
            "alloctrace: %s: %u functions, %u with a frame, %u frameless, "
            "%u regions, %u sites, %u calls rewritten, %u noted, %u anew, "
            "%u cannot allocate\n",
            main_input_filename ? main_input_filename : "-",
            counts->n_functions, counts->n_frames, counts->n_frameless,
            counts->n_regions, n_sites, counts->n_rewritten, counts->n_noted,
            counts->n_blind, counts->n_skipped);
}

static void on_finish_unit(void *, void *)
{
    if (seen_error() || !asm_out_file)
        return;
    at_emit(asm_out_file);
    if (at_options.verbose && at_pass_counts.n_functions > 0)
        counts_print();
}

static bool compiler_is_ours(struct plugin_gcc_version *version)
{
    if (plugin_default_version_check(version, &gcc_version))
        return true;
    error("alloctrace: the plugin was built for GCC %s (%s), but loaded into "
          "GCC %s (%s)", gcc_version.basever, gcc_version.datestamp,
          version->basever, version->datestamp);
    return false;
}

__attribute__((visibility("default"))) int
plugin_init(struct plugin_name_args *info, struct plugin_gcc_version *version)
{
    static struct plugin_info about = {
        ALLOCTRACE_PLUGIN_VERSION,
        "traces allocations: see alloctrace(1)"};

    if (!compiler_is_ours(version) ||
        !at_options_parse(info->argv, info->argc))
        return 1;
    if (!at_module_is_supported()) {
        error("alloctrace: the target is not supported");
        return 1;
    }
    register_callback(info->base_name, PLUGIN_INFO, NULL, &about);
    register_callback(info->base_name, PLUGIN_PRAGMAS, on_pragmas, NULL);
    register_callback(info->base_name, PLUGIN_FINISH_UNIT, on_finish_unit,
                      NULL);
    at_allocfn_register_roots(info->base_name);
    at_shadow_register_roots(info->base_name);
    at_site_register_roots(info->base_name);
    at_typetext_register_roots(info->base_name);
    at_passes_register(info->base_name);
    return 0;
}
