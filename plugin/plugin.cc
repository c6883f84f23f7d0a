/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * alloctrace's GCC plugin: where GCC loads it. Checks the compiler, reads the
 * options, registers the rest; does nothing else.
 *
 * What is instrumented and how compiled code and runtime fit together:
 * alloctrace/abi.h. The way of a call through the plugin: custom and mark (is
 * it an allocator of the program's own?), allocfn and reach (what is it?), frames, region, store (what is to be done?), site (its
 * record), rewrite and shadow (do it), emit and module (write the records).
 */
#include "gcc.h"

#include "allocfn.h"
#include "emit.h"
#include "mark.h"
#include "module.h"
#include "name.h"
#include "options.h"
#include "pass.h"
#include "notice.h"
#include "shadow.h"
#include "site.h"
#include "typetext.h"

/* GCC looks for it: the plugin is under a compatible licence. */
__attribute__((visibility("default"))) int plugin_is_GPL_compatible;

/*
 * The C family's preprocessor is ready: say that the unit is instrumented.
 * Text that was preprocessed before (-save-temps, a .i file) has no use for
 * it, and takes a definition for a damaged line directive.
 */
static void on_pragmas(void *, void *)
{
    cpp_callbacks *callbacks;
    void (*define)(cpp_reader *, location_t, cpp_hashnode *);

    if (!cpp_define || !&parse_in || !parse_in ||
        cpp_get_options(parse_in)->preprocessed)
        return;
    /* -g3 notes where macros are defined. There is no line as yet. */
    callbacks = cpp_get_callbacks(parse_in);
    define = callbacks->define;
    callbacks->define = NULL;
    cpp_define(parse_in, "__ALLOCTRACE__=1");
    callbacks->define = define;
}

/* All functions are there, and the language is still known. */
static void on_ipa_start(void *, void *)
{
    if (flag_generate_lto)
        at_names_keep();
}

static void on_finish_unit(void *, void *)
{
    if (seen_error() || !asm_out_file)
        return;
    at_emit(asm_out_file);
    if (at_options.verbose)
        at_notice_unit(stderr);
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
    if (at_language_refusal() != NULL) {
        /* That alone: had we failed, GCC would say so in further lines. */
        error("alloctrace: %s", at_language_refusal());
        return 0;
    }
    register_callback(info->base_name, PLUGIN_INFO, NULL, &about);
    register_callback(info->base_name, PLUGIN_PRAGMAS, on_pragmas, NULL);
    register_callback(info->base_name, PLUGIN_ALL_IPA_PASSES_START,
                      on_ipa_start, NULL);
    register_callback(info->base_name, PLUGIN_FINISH_UNIT, on_finish_unit,
                      NULL);
    at_allocfn_register_roots(info->base_name);
    at_mark_register_roots(info->base_name);
    at_shadow_register_roots(info->base_name);
    at_site_register_roots(info->base_name);
    at_typetext_register_roots(info->base_name);
    at_passes_register(info->base_name);
    return 0;
}
