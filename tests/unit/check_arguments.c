/* SPDX-License-Identifier: MIT */
/* What the wrappers take a compiler's arguments to mean. */
#include "check_alloctrace.h"

#include "arguments.h"
#include "words.h"

#include <stdio.h>
#include <unistd.h>

struct example {
    const char *arguments; /* as in a response file */
    enum action action;
};

static enum action classify(const char *text)
{
    static char *const nothing[] = {NULL};
    struct words words = {0};
    enum action action;

    words_add_text(&words, text);
    action = arguments_classify(words.count ? words.word : nothing);
    words_fini(&words);
    return action;
}

static void check_examples(const struct example *examples)
{
    for (; examples->arguments; examples++) {
        const enum action action = classify(examples->arguments);

        ck_assert_msg(action == examples->action, "`%s`: %d instead of %d",
                      examples->arguments, action, examples->action);
    }
}

START_TEST(questions_are_left_alone)
{
    static const struct example examples[] = {
        {"", ACTION_NONE},
        {"-v", ACTION_NONE},
        {"--version", ACTION_NONE},
        {"--version -c a.c", ACTION_NONE},
        {"--help=optimizers", ACTION_NONE},
        {"-dumpversion", ACTION_NONE},
        {"-dumpmachine", ACTION_NONE},
        {"-print-prog-name=ld", ACTION_NONE},
        {"-print-multi-os-directory", ACTION_NONE},
        {"--print-search-dirs", ACTION_NONE},
        {"-Wl,--version", ACTION_NONE},
        {"-Wl,-v -O2", ACTION_NONE},
        {"-V", ACTION_NONE},
        {NULL, ACTION_NONE},
    };

    check_examples(examples);
}
END_TEST

START_TEST(preprocessing_is_left_alone)
{
    static const struct example examples[] = {
        {"-E a.c", ACTION_NONE},
        {"-E -x c -", ACTION_NONE},
        {"-c -E a.c", ACTION_NONE},
        {"-M a.c", ACTION_NONE},
        {"-MM -MG a.c", ACTION_NONE},
        {"-MD -c a.c", ACTION_COMPILE},
        {"-MMD -MP -MF .deps/a.d -MT a.o -c a.c", ACTION_COMPILE},
        {"-Wp,-MD,.a.d -c a.c", ACTION_COMPILE},
        {NULL, ACTION_NONE},
    };

    check_examples(examples);
}
END_TEST

START_TEST(compiling_is_told_from_linking)
{
    static const struct example examples[] = {
        {"-c a.c", ACTION_COMPILE},
        {"a.c -c", ACTION_COMPILE},
        {"-S a.c -o -", ACTION_COMPILE},
        {"-fsyntax-only a.c", ACTION_COMPILE},
        {"-c -x c -", ACTION_COMPILE},
        {"-c -xc -", ACTION_COMPILE},
        {"-c a.h", ACTION_COMPILE},
        {"a.c", ACTION_LINK_PROGRAM},
        {"a.o b.o", ACTION_LINK_PROGRAM},
        {"-x c -", ACTION_LINK_PROGRAM},
        {"-v a.c", ACTION_LINK_PROGRAM},
        {"-static a.o", ACTION_LINK_PROGRAM},
        {"-pie a.o", ACTION_LINK_PROGRAM},
        {"-lfoo", ACTION_LINK_PROGRAM},
        {"-Wl,--whole-archive,a.a", ACTION_LINK_PROGRAM},
        {"-nostartfiles crt.o a.o", ACTION_LINK_PROGRAM},
        {"-shared a.o", ACTION_LINK_SHARED},
        {"-shared -fPIC -DPIC a.o -Wl,-soname -Wl,liba.so.1 -o liba.so.1",
         ACTION_LINK_SHARED},
        {NULL, ACTION_NONE},
    };

    check_examples(examples);
}
END_TEST

START_TEST(a_value_is_no_option_and_no_input)
{
    static const struct example examples[] = {
        {"a.c -o -c", ACTION_LINK_PROGRAM},
        {"-o -shared a.o", ACTION_LINK_PROGRAM},
        {"-include config.h -E a.c", ACTION_NONE},
        {"-include -E a.c", ACTION_LINK_PROGRAM},
        {"-c -MF -E a.c", ACTION_COMPILE},
        {"-I include -L lib", ACTION_NONE},
        {"--param a=1", ACTION_NONE},
        {"-c -o", ACTION_NONE},
        {NULL, ACTION_NONE},
    };

    check_examples(examples);
}
END_TEST

START_TEST(assembling_compiles_nothing)
{
    static const struct example examples[] = {
        {"-c a.s", ACTION_NONE},
        {"-c a.S -o a.o", ACTION_NONE},
        {"-c -x assembler-with-cpp a.asm", ACTION_NONE},
        {"-c -x assembler a.s -x none b.c", ACTION_COMPILE},
        {"-c a.S b.c", ACTION_COMPILE},
        {"a.S", ACTION_LINK_PROGRAM},
        {"-c a.o", ACTION_NONE},
        {NULL, ACTION_NONE},
    };

    check_examples(examples);
}
END_TEST

START_TEST(without_the_c_library_there_is_no_runtime)
{
    static const struct example examples[] = {
        {"-r a.o b.o -o c.o", ACTION_LINK_BARE},
        {"-nostdlib -Wl,-r a.o", ACTION_LINK_BARE},
        {"-nostdlib a.o", ACTION_LINK_BARE},
        {"-nodefaultlibs a.o -lgcc", ACTION_LINK_BARE},
        {"-nolibc -shared a.o", ACTION_LINK_BARE},
        {"-shared -nostdlib crti.o a.o -lstdc++ -lm -lc -lgcc_s crtn.o",
         ACTION_LINK_SHARED},
        {"-ffreestanding -c a.c", ACTION_NONE},
        {"-ffreestanding a.o", ACTION_LINK_PROGRAM},
        {NULL, ACTION_NONE},
    };

    check_examples(examples);
}
END_TEST

/* Writes a file and classifies `format` with its name in place of %s. */
static enum action classify_file(const char *text, const char *format)
{
    char path[] = "/tmp/check_arguments.XXXXXX";
    char arguments[256];
    FILE *file = fdopen(mkstemp(path), "w");
    enum action action;

    fputs(text, file);
    fclose(file);
    snprintf(arguments, sizeof arguments, format, path);
    action = classify(arguments);
    unlink(path);
    return action;
}

START_TEST(response_files_are_read)
{
    ck_assert_int_eq(classify_file("-c 'a b.c'\n-o a.o", "@%s"),
                     ACTION_COMPILE);
    ck_assert_int_eq(classify_file("-shared\n", "a.o @%s"), ACTION_LINK_SHARED);
    ck_assert_int_eq(classify_file("-x assembler", "-c @%s a.c"), ACTION_NONE);
    ck_assert_int_eq(classify_file("", "@%s"), ACTION_NONE);
    ck_assert_int_eq(classify("@/nonexistent.c"), ACTION_LINK_PROGRAM);
}
END_TEST

START_TEST(a_response_file_that_names_itself_ends)
{
    char path[] = "/tmp/check_arguments.XXXXXX";
    char argument[64];
    FILE *file = fdopen(mkstemp(path), "w");

    fprintf(file, "-c a.c @%s", path);
    fclose(file);
    snprintf(argument, sizeof argument, "@%s", path);
    ck_assert_int_eq(classify(argument), ACTION_COMPILE);
    unlink(path);
}
END_TEST

CHECK_MAIN("arguments", questions_are_left_alone, preprocessing_is_left_alone,
           compiling_is_told_from_linking, a_value_is_no_option_and_no_input,
           assembling_compiles_nothing,
           without_the_c_library_there_is_no_runtime, response_files_are_read,
           a_response_file_that_names_itself_ends)
