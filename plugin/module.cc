/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All assembly text that depends on the target. The two functions cannot be
 * built by GCC itself: the unit is finished when it is known that it has
 * records, and they must be COMDAT, which GCC's constructors never are.
 */
#include "gcc.h"

#include "alloctrace/abi.h"
#include "module.h"

#define BEGIN_SYMBOL "__start_" ALLOCTRACE_UNITS_SECTION
#define END_SYMBOL "__stop_" ALLOCTRACE_UNITS_SECTION
#define START_FUNCTION ALLOCTRACE_MODULE_GROUP "_start"
#define STOP_FUNCTION ALLOCTRACE_MODULE_GROUP "_stop"

#ifdef ALLOCTRACE_TARGET_X86

bool at_module_is_supported(void)
{
    return ALLOCTRACE_TARGET_X86_64;
}

static void start_body_write(FILE *out)
{
    fprintf(out,
            "\tleaq\t" BEGIN_SYMBOL "(%%rip), %%rdi\n"
            "\tleaq\t" END_SYMBOL "(%%rip), %%rsi\n"
            "\tmovl\t$%d, %%edx\n"
            "\tjmp\t__alloctrace_module_add@PLT\n",
            ALLOCTRACE_ABI_VERSION);
}

static void stop_body_write(FILE *out)
{
    fputs("\tleaq\t" BEGIN_SYMBOL "(%rip), %rdi\n"
          "\tjmp\t__alloctrace_module_remove@PLT\n", out);
}

/* With -masm=intel the assembler is in a mode that does not read the above. */
static void syntax_begin(FILE *out)
{
    if (ALLOCTRACE_TARGET_INTEL_SYNTAX)
        fputs("\t.att_syntax prefix\n", out);
}

static void syntax_end(FILE *out)
{
    if (ALLOCTRACE_TARGET_INTEL_SYNTAX)
        fputs("\t.intel_syntax noprefix\n", out);
}

/* What must stand where an indirect call arrives. */
static const char *landing(void)
{
    return ALLOCTRACE_TARGET_BRANCH_MARKS ? "\tendbr64\n" : "";
}

#define POINTER_DIRECTIVE "\t.quad\t"

#else
#error "no module announcement for this target"
#endif

static void function_write(FILE *out, const char *name, const char *array,
                           void (*body_write)(FILE *))
{
    fprintf(out,
            "\t.pushsection\t.text.%s,\"axG\",%%progbits,"
            ALLOCTRACE_MODULE_GROUP ",comdat\n"
            "\t.globl\t%s\n\t.hidden\t%s\n\t.type\t%s, %%function\n%s:\n"
            "\t.cfi_startproc\n%s",
            name, name, name, name, name, landing());
    body_write(out);
    fprintf(out,
            "\t.cfi_endproc\n\t.size\t%s, .-%s\n\t.popsection\n"
            "\t.pushsection\t.%s.00000,\"awG\",%%%s,"
            ALLOCTRACE_MODULE_GROUP ",comdat\n"
            "\t.balign\t%d\n" POINTER_DIRECTIVE "%s\n\t.popsection\n",
            name, name, array, array, POINTER_SIZE / BITS_PER_UNIT, name);
}

void at_module_write(FILE *out)
{
    syntax_begin(out);
    fputs("\t.hidden\t" BEGIN_SYMBOL "\n\t.hidden\t" END_SYMBOL "\n", out);
    function_write(out, START_FUNCTION, "init_array", start_body_write);
    function_write(out, STOP_FUNCTION, "fini_array", stop_body_write);
    syntax_end(out);
}
