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

/* The value of --target= among GCC's configuration arguments, or "". */
static const char *target_of(const struct plugin_gcc_version *version,
                             int *length)
{
    static const char option[] = "--target=";
    const char *at = strstr(version->configuration_arguments, option);

    at = at ? at + sizeof option - 1 : "";
    *length = strcspn(at, " '");
    return at;
}

/*
 * Says which compiler the plugin is for. Nothing of GCC's may be called here
 * but the C library: what this very compiler does not have is NULL.
 */
static bool compiler_is_ours(const struct plugin_gcc_version *version)
{
    const char *ours;
    const char *theirs;
    int n_ours;
    int n_theirs;

    if (strcmp(gcc_version.basever, version->basever) == 0 &&
        strcmp(gcc_version.datestamp, version->datestamp) == 0 &&
        strcmp(gcc_version.devphase, version->devphase) == 0 &&
        strcmp(gcc_version.revision, version->revision) == 0 &&
        strcmp(gcc_version.configuration_arguments,
               version->configuration_arguments) == 0)
        return true;
    ours = target_of(&gcc_version, &n_ours);
    theirs = target_of(version, &n_theirs);
    fprintf(stderr,
            "alloctrace: this plugin was built for GCC %s (%s) for %.*s, but "
            "was loaded into GCC %s (%s) for %.*s: compile with "
            "alloctrace-gcc, which takes the plugin of its compiler, or build "
            "alloctrace with -DALLOCTRACE_PLUGIN_COMPILERS=COMPILER\n",
            gcc_version.basever, gcc_version.datestamp, n_ours, ours,
            version->basever, version->datestamp, n_theirs, theirs);
    return false;
}

__attribute__((visibility("default"))) int
plugin_init(struct plugin_name_args *info, struct plugin_gcc_version *version)
{
    static struct plugin_info about = {
        ALLOCTRACE_PLUGIN_VERSION,
        "traces allocations: see alloctrace(1)"};

    const char *refusal;

    if (!compiler_is_ours(version) ||
        !at_options_parse(info->argv, info->argc))
        return 1;
    refusal = at_module_refusal();
    if (refusal != NULL) {
        error("alloctrace: %s is not supported", refusal);
        return 1;
    }
    register_callback(info->base_name, PLUGIN_INFO, NULL, &about);
    register_callback(info->base_name, PLUGIN_PRAGMAS, on_pragmas, NULL);
    register_callback(info->base_name, PLUGIN_FINISH_UNIT, on_finish_unit,
                      NULL);
    at_allocfn_register_roots(info->base_name);
    at_shadow_register_roots(info->base_name);
    at_site_register_roots(info->base_name);
    at_passes_register(info->base_name);
    return 0;
}
