/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All assembly text that depends on the target. The two functions cannot be
 * built by GCC itself: the unit is finished when it is known that it has
 * records, and they must be COMDAT, which GCC's constructors never are.
 *
 * Both are run by the C library with the stack as at any call. They find the
 * section's bounds relative to the program counter, so that one text serves
 * code for any place, and leave by a jump; where the jump's PLT entry wants a
 * register that belongs to the caller (i386) by a call.
 */
#include "gcc.h"

#include "alloctrace/abi.h"
#include "module.h"

#define BEGIN_SYMBOL "__start_" ALLOCTRACE_UNITS_SECTION
#define END_SYMBOL "__stop_" ALLOCTRACE_UNITS_SECTION
#define START_FUNCTION ALLOCTRACE_MODULE_GROUP "_start"
#define STOP_FUNCTION ALLOCTRACE_MODULE_GROUP "_stop"

#define NUMBER_TEXT(number) #number
#define MACRO_TEXT(macro) NUMBER_TEXT(macro)
#define ABI_TEXT MACRO_TEXT(ALLOCTRACE_ABI_VERSION)

/* How the two functions are written for one target. */
struct announcement {
    const char *state;   /* before the label; may be empty */
    const char *begin;   /* what opens the unwinder's description */
    const char *landing; /* what must stand where an indirect call arrives */
    const char *start;   /* the body that calls __alloctrace_module_add */
    const char *stop;    /* ... and the one for __alloctrace_module_remove */
    const char *end;     /* what closes the unwinder's description */
};

#define CFI_BEGIN "\t.cfi_startproc\n"
#define CFI_END "\t.cfi_endproc\n"

#if defined ALLOCTRACE_TARGET_X86

static const struct announcement x86_64 = {
    "", CFI_BEGIN, "\tendbr64\n",
    "\tleaq\t" BEGIN_SYMBOL "(%rip), %rdi\n"
    "\tleaq\t" END_SYMBOL "(%rip), %rsi\n"
    "\tmovl\t$" ABI_TEXT ", %edx\n"
    "\tjmp\t__alloctrace_module_add@PLT\n",
    "\tleaq\t" BEGIN_SYMBOL "(%rip), %rdi\n"
    "\tjmp\t__alloctrace_module_remove@PLT\n",
    CFI_END};

/*
 * The PLT of a library wants the GOT's address in %ebx, which is the caller's:
 * it is saved and the function is called. The program counter comes from a
 * real call and return, which a shadow stack in hardware asks for.
 */
#define I386_ENTER                                                            \
    "\tpushl\t%ebx\n"                                                         \
    "\t.cfi_adjust_cfa_offset 4\n"                                            \
    "\t.cfi_rel_offset ebx, 0\n"                                              \
    "\tcall\t2f\n"                                                            \
    "1:\taddl\t$_GLOBAL_OFFSET_TABLE_+(.-1b), %ebx\n"
#define I386_PUSH(symbol)                                                     \
    "\tleal\t" symbol "@GOTOFF(%ebx), %eax\n"                                 \
    "\tpushl\t%eax\n"                                                         \
    "\t.cfi_adjust_cfa_offset 4\n"
#define I386_LEAVE(n_bytes)                                                   \
    "\taddl\t$" n_bytes ", %esp\n"                                            \
    "\t.cfi_adjust_cfa_offset -" n_bytes "\n"                                 \
    "\tpopl\t%ebx\n"                                                          \
    "\t.cfi_adjust_cfa_offset -4\n"                                           \
    "\t.cfi_restore ebx\n"                                                    \
    "\tret\n"                                                                 \
    "2:\tmovl\t(%esp), %ebx\n"                                                \
    "\tret\n"

/* The stack is at a multiple of 16 when the runtime is called. */
static const struct announcement i386 = {
    "", CFI_BEGIN, "\tendbr32\n",
    I386_ENTER
    "\tsubl\t$12, %esp\n"
    "\t.cfi_adjust_cfa_offset 12\n"
    "\tpushl\t$" ABI_TEXT "\n"
    "\t.cfi_adjust_cfa_offset 4\n"
    I386_PUSH(END_SYMBOL)
    I386_PUSH(BEGIN_SYMBOL)
    "\tcall\t__alloctrace_module_add@PLT\n"
    I386_LEAVE("24"),
    I386_ENTER
    "\tsubl\t$4, %esp\n"
    "\t.cfi_adjust_cfa_offset 4\n"
    I386_PUSH(BEGIN_SYMBOL)
    "\tcall\t__alloctrace_module_remove@PLT\n"
    I386_LEAVE("8"),
    CFI_END};

const char *at_module_refusal(void)
{
    return ALLOCTRACE_TARGET_X32 ? "the x32 ABI" : NULL;
}

static struct announcement announcement_choose(void)
{
    struct announcement chosen = TARGET_64BIT ? x86_64 : i386;

    if (!ALLOCTRACE_TARGET_BRANCH_MARKS)
        chosen.landing = "";
    return chosen;
}

#elif defined ALLOCTRACE_TARGET_AARCH64

#define AARCH64_ADDRESS(reg, symbol)                                          \
    "\tadrp\t" reg ", " symbol "\n"                                           \
    "\tadd\t" reg ", " reg ", :lo12:" symbol "\n"

/* The landing is `bti c`, which older processors take for a no-operation.
 * The return address is never stored, so that there is nothing to sign. */
static const struct announcement aarch64 = {
    "\t.balign\t4\n", CFI_BEGIN, "\thint\t34\n",
    AARCH64_ADDRESS("x0", BEGIN_SYMBOL)
    AARCH64_ADDRESS("x1", END_SYMBOL)
    "\tmov\tw2, " ABI_TEXT "\n"
    "\tb\t__alloctrace_module_add\n",
    AARCH64_ADDRESS("x0", BEGIN_SYMBOL)
    "\tb\t__alloctrace_module_remove\n",
    CFI_END};

const char *at_module_refusal(void)
{
    return POINTER_SIZE == 64 ? NULL : "the ILP32 ABI";
}

static struct announcement announcement_choose(void)
{
    return aarch64;
}

#elif defined ALLOCTRACE_TARGET_RISCV

static const struct announcement riscv = {
    "\t.balign\t4\n", CFI_BEGIN, "",
    "\tlla\ta0, " BEGIN_SYMBOL "\n"
    "\tlla\ta1, " END_SYMBOL "\n"
    "\tli\ta2, " ABI_TEXT "\n"
    "\ttail\t__alloctrace_module_add@plt\n",
    "\tlla\ta0, " BEGIN_SYMBOL "\n"
    "\ttail\t__alloctrace_module_remove@plt\n",
    CFI_END};

const char *at_module_refusal(void)
{
    return NULL;
}

static struct announcement announcement_choose(void)
{
    return riscv;
}

#elif defined ALLOCTRACE_TARGET_ARM

/* In ARM state, whatever the unit's functions are in: the addresses in
 * .init_array and the linker's veneers see to the change. The C library's own
 * frames end an unwinding, so that it never comes to these functions. */
static const struct announcement arm = {
    "\t.arm\n\t.balign\t4\n", "\t.fnstart\n", "",
    "\tldr\tr0, 3f\n"
    "\tldr\tr1, 4f\n"
    "1:\tadd\tr0, pc, r0\n"
    "2:\tadd\tr1, pc, r1\n"
    "\tmov\tr2, #" ABI_TEXT "\n"
    "\tb\t__alloctrace_module_add(PLT)\n"
    "3:\t.word\t" BEGIN_SYMBOL "-(1b+8)\n"
    "4:\t.word\t" END_SYMBOL "-(2b+8)\n",
    "\tldr\tr0, 3f\n"
    "1:\tadd\tr0, pc, r0\n"
    "\tb\t__alloctrace_module_remove(PLT)\n"
    "3:\t.word\t" BEGIN_SYMBOL "-(1b+8)\n",
    "\t.cantunwind\n\t.fnend\n"};

const char *at_module_refusal(void)
{
    return TARGET_FDPIC ? "the FDPIC ABI" : NULL;
}

static struct announcement announcement_choose(void)
{
    return arm;
}

#else
#error "no module announcement for this target"
#endif

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

static void function_write(FILE *out, const char *name, const char *array,
                           const char *body)
{
    const struct announcement how = announcement_choose();
    const int n_bytes = POINTER_SIZE / BITS_PER_UNIT;

    fprintf(out,
            "\t.pushsection\t.text.%s,\"axG\",%%progbits,"
            ALLOCTRACE_MODULE_GROUP ",comdat\n"
            "%s\t.globl\t%s\n\t.hidden\t%s\n\t.type\t%s, %%function\n%s:\n"
            "%s%s%s%s\t.size\t%s, .-%s\n\t.popsection\n",
            name, how.state, name, name, name, name, how.begin, how.landing,
            body, how.end, name, name);
    fprintf(out,
            "\t.pushsection\t.%s.00000,\"awG\",%%%s,"
            ALLOCTRACE_MODULE_GROUP ",comdat\n"
            "\t.balign\t%d\n\t%s\t%s\n\t.popsection\n",
            array, array, n_bytes, n_bytes == 8 ? ".quad" : ".long", name);
}

void at_module_write(FILE *out)
{
    const struct announcement how = announcement_choose();

    syntax_begin(out);
    fputs("\t.hidden\t" BEGIN_SYMBOL "\n\t.hidden\t" END_SYMBOL "\n", out);
    function_write(out, START_FUNCTION, "init_array", how.start);
    function_write(out, STOP_FUNCTION, "fini_array", how.stop);
    syntax_end(out);
}
