/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every GCC header, in the order GCC wants them, and every test of GCC's
 * version. The only file of the plugin that includes GCC.
 */
#ifndef ALLOCTRACE_PLUGIN_GCC_H
#define ALLOCTRACE_PLUGIN_GCC_H

/* First: GCC forbids the word malloc from here on, but not in older macros. */
#include "alloctrace/abi.h"

#include "gcc-plugin.h"

#include "plugin-version.h"
#include "tm.h"
#include "tree.h"
#include "rtl.h"
#include "tm_p.h"
#include "target.h"
#include "stringpool.h"
#include "attribs.h"
#include "stor-layout.h"
#include "function.h"
#include "basic-block.h"
#include "gimple.h"
#include "gimple-iterator.h"
#include "gimple-ssa.h"
#include "gimplify.h"
#include "tree-cfg.h"
#include "tree-eh.h"
#include "tree-dfa.h"
#include "tree-into-ssa.h"
#include "tree-pass.h"
#include "tree-phinodes.h"
#include "ssa-iterators.h"
#include "value-range.h"
#include "varasm.h"
#include "tree-ssanames.h"
#include "tree-ssa.h"
#include "cfganal.h"
#include "calls.h"
#include "cgraph.h"
#include "sreal.h"
#include "context.h"
#include "builtins.h"
#include "diagnostic-core.h"
#include "file-prefix-map.h"
#include "ipa-utils.h"
#include "langhooks.h"
#include "memmodel.h"
#include "output.h"
#include "cpplib.h"

/* libiberty's, linked into every compiler; its header is not installed. */
extern "C" char *cplus_demangle_v3(const char *mangled, int options);
extern "C" char *dlang_demangle(const char *mangled, int options);
#define DMGL_PARAMS 1
#define DMGL_ANSI 2

#if BUILDING_GCC_VERSION < 11000 || BUILDING_GCC_VERSION >= 16000
#error "alloctrace's plugin supports GCC 11 to 15"
#endif

/* system.h's, from GCC 12 on. */
#if BUILDING_GCC_VERSION < 12000
static inline bool startswith(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}
#endif

/*
 * The preprocessor belongs to the C family: the other compilers (f951, lto1)
 * load the plugin without these.
 */
extern cpp_reader *parse_in __attribute__((weak));
extern void cpp_define(cpp_reader *, const char *) __attribute__((weak));
extern cpp_options *cpp_get_options(cpp_reader *) __attribute__((weak));
extern cpp_callbacks *cpp_get_callbacks(cpp_reader *) __attribute__((weak));

/* C++'s printer of types: the other compilers load the plugin without it. */
extern const char *type_as_string(tree, int) __attribute__((weak));

/*
 * What lang_hooks.types.get_array_descr_info fills in. GCC has it in a header
 * that cannot be included alone; the first three members have stood like this
 * since GCC 8, the rest is only room.
 */
struct array_descr_info {
    int n_dimensions;
    int ordering;
    tree element_type;
    char rest[4096];
};

/* Objective-C's; the C family's other members have a stub that says NULL. */
extern const char *objc_maybe_printable_name(tree, int) __attribute__((weak));

/*
 * The machine that code is made for, as far as assembly text depends on it.
 * One compiler makes code for several ABIs, so that some are asked for at run
 * time.
 */
#if defined TARGET_64BIT && defined TARGET_SSE2
#define ALLOCTRACE_TARGET_X86 1
#define ALLOCTRACE_TARGET_X32 (TARGET_64BIT && TARGET_X32)
#define ALLOCTRACE_TARGET_X86_64 (TARGET_64BIT && !TARGET_X32)
#define ALLOCTRACE_TARGET_INTEL_SYNTAX (ASSEMBLER_DIALECT == ASM_INTEL)
#define ALLOCTRACE_TARGET_BRANCH_MARKS ((flag_cf_protection & CF_BRANCH) != 0)
#elif defined GCC_AARCH64_H
#define ALLOCTRACE_TARGET_AARCH64 1
#define ALLOCTRACE_TARGET_WANTS_SIZES 1 /* of external objects */
#elif defined GCC_ARM_H
#define ALLOCTRACE_TARGET_ARM 1
#elif defined GCC_RISCV_H
#define ALLOCTRACE_TARGET_RISCV 1
#endif
#ifndef ALLOCTRACE_TARGET_INTEL_SYNTAX
#define ALLOCTRACE_TARGET_INTEL_SYNTAX 0
#endif
#ifndef ALLOCTRACE_TARGET_WANTS_SIZES
#define ALLOCTRACE_TARGET_WANTS_SIZES 0
#endif

#endif
