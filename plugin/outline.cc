/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Linking a frame takes some 50 bytes of x86-64 code. Where code is to be small
 * it calls this instead, in 21 bytes: an assembly function with a convention
 * of its own, which leaves all registers alone but three.
 *
 *     rax  in: the frame; out: the base (shadow.h)
 *     r11  in: the key of the first record; lost
 *     r10  lost
 *
 * Each object that needs it has a copy; the linker keeps one a module. What
 * differs between a module's objects, how they find the thread's word, is in
 * the name. Shadow frames are on the stack of functions that make calls, so
 * there is no red zone that the call could destroy.
 */
#include "gcc.h"

#include "alloctrace/abi.h"
#include "outline.h"
#include "shadow.h"
#include "statement.h"

#ifdef ALLOCTRACE_TARGET_X86

static bool is_used;

/* Large code may be further away than a call reaches. */
bool at_outline_is_possible(void)
{
    return ALLOCTRACE_TARGET_X86_64 &&
           (ix86_cmodel == CM_SMALL || ix86_cmodel == CM_SMALL_PIC ||
            ix86_cmodel == CM_MEDIUM || ix86_cmodel == CM_MEDIUM_PIC);
}

static bool is_local_exec(void)
{
    return at_shadow_model() == TLS_MODEL_LOCAL_EXEC;
}

static const char *symbol(void)
{
    return is_local_exec() ? "__alloctrace_link_le" : "__alloctrace_link_ie";
}

static tree operand(const char *constraint, tree value)
{
    return build_tree_list(
        build_tree_list(NULL_TREE, build_string(strlen(constraint) + 1,
                                                constraint)), value);
}

static tree clobber(const char *name)
{
    return build_tree_list(NULL_TREE, build_string(strlen(name) + 1, name));
}

tree at_outline_call(gimple_seq *seq, tree frame, tree key,
                     location_t location)
{
    vec<tree, va_gc> *outputs = NULL;
    vec<tree, va_gc> *inputs = NULL;
    vec<tree, va_gc> *clobbers = NULL;
    tree base = make_ssa_name(uint64_type_node);
    char text[100];
    gasm *call;

    snprintf(text, sizeof text, "mov{q\t%%3, %%%%r11|\tr11, %%3}\n\tcall\t%s",
             symbol());
    vec_safe_push(outputs, operand("=a", base));
    vec_safe_push(outputs, operand("=m", frame));
    vec_safe_push(inputs, operand("0", build_fold_addr_expr(frame)));
    vec_safe_push(inputs, operand("m", key));
    vec_safe_push(clobbers, clobber("r10"));
    vec_safe_push(clobbers, clobber("r11"));
    call = gimple_build_asm_vec(text, inputs, outputs, clobbers, NULL);
    gimple_asm_set_volatile(call, true);
    SSA_NAME_DEF_STMT(base) = call;
    at_append(seq, call, location);
    is_used = true;
    return base;
}

/* The thread's word is at %fs:PLACE, PLACE a constant or a register. */
static void body_write(FILE *out, const char *find, const char *place,
                       const char *find_again, const char *place_again)
{
    fprintf(out,
            "%s\tmovq\t%%fs:%s, %%r10\n"
            "\tmovq\t%%r10, (%%rax)\n"
            "\tmovq\t8(%%r10), %%r10\n" /* shadow.cc: append_base */
            "\timulq\t$0x%x, %%r10, %%r10\n"
            "\taddq\t%%r10, %%r11\n"
            "\tmovq\t%%r11, 8(%%rax)\n"
            "%s\tmovq\t%%rax, %%fs:%s\n"
            "\tmovq\t%%r10, %%rax\n"
            "\tret\n",
            find, place, ALLOCTRACE_HASH_K, find_again, place_again);
}

#define GOTTPOFF(register)                                                    \
    "\tmovq\t" ALLOCTRACE_THREAD_SYMBOL "@gottpoff(%rip), %" register "\n"

/* The function is at&t's text, whatever -masm the unit is in. */
void at_outline_write(FILE *out)
{
    const char *name = symbol();

    if (!is_used)
        return;
    fprintf(out,
            "\t.att_syntax prefix\n"
            "\t.pushsection\t.text.%s,\"axG\",%%progbits,%s,comdat\n"
            "\t.globl\t%s\n\t.hidden\t%s\n\t.type\t%s, %%function\n"
            "\t.p2align\t4\n%s:\n\t.cfi_startproc\n",
            name, name, name, name, name, name);
    if (is_local_exec())
        body_write(out, "", ALLOCTRACE_THREAD_SYMBOL "@tpoff", "",
                   ALLOCTRACE_THREAD_SYMBOL "@tpoff");
    else
        body_write(out, GOTTPOFF("r10"), "(%r10)", GOTTPOFF("r11"),
                   "(%r11)");
    fprintf(out, "\t.cfi_endproc\n\t.size\t%s, .-%s\n\t.popsection\n%s",
            name, name,
            ALLOCTRACE_TARGET_INTEL_SYNTAX ? "\t.intel_syntax noprefix\n"
                                              : "");
}

#else

bool at_outline_is_possible(void)
{
    return false;
}

tree at_outline_call(gimple_seq *, tree, tree, location_t)
{
    gcc_unreachable();
}

void at_outline_write(FILE *)
{
}

#endif
