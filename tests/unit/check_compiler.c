/* SPDX-License-Identifier: MIT */
/* What the wrappers take a compiler for, from what -v prints. */
#include "check_alloctrace.h"

#include "compiler.h"

#include <string.h>

static struct compiler read_of(const char *text)
{
    struct compiler compiler;

    ck_assert_int_eq(compiler_read(&compiler, text), 0);
    return compiler;
}

START_TEST(gcc_tells_version_and_machine)
{
    const struct compiler compiler =
        read_of("Using built-in specs.\nTarget: aarch64-linux-gnu\n"
                "Configured with: ../configure --target=x\n"
                "gcc version 12.2.0 (Debian 12.2.0-14)\n");

    ck_assert_int_eq(compiler.major, 12);
    ck_assert_str_eq(compiler.machine, "aarch64-linux-gnu");
    ck_assert_str_eq(compiler.name, "gcc");
}
END_TEST

START_TEST(vendors_are_left_out)
{
    ck_assert_str_eq(
        read_of("Target: x86_64-pc-linux-gnu\ngcc version 15.1.0\n").machine,
        "x86_64-linux-gnu");
    ck_assert_str_eq(
        read_of("Target: x86_64-redhat-linux\ngcc version 14.2.1\n").machine,
        "x86_64-linux");
    ck_assert_str_eq(
        read_of("Target: i686-linux-gnu\ngcc version 12.2.0\n").machine,
        "i386-linux-gnu");
    ck_assert_str_eq(
        read_of("Target: arm-linux-gnueabihf\ngcc version 11.3.0\n").machine,
        "arm-linux-gnueabihf");
}
END_TEST

START_TEST(clang_is_no_gcc)
{
    const struct compiler compiler =
        read_of("Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu\n"
                "Thread model: posix\nFound candidate GCC installation: "
                "/usr/lib/gcc/x86_64-linux-gnu/12\n");

    ck_assert_int_eq(compiler.major, 0);
    ck_assert_str_eq(compiler.name, "clang");
}
END_TEST

START_TEST(what_is_no_compiler_is_refused)
{
    struct compiler compiler;

    ck_assert_int_eq(compiler_read(&compiler, ""), -1);
    ck_assert_int_eq(compiler_read(&compiler, "gcc version 12.2.0\n"), -1);
    ck_assert_int_eq(compiler_read(&compiler, "Target: i386\n"), -1);
}
END_TEST

START_TEST(an_abi_option_changes_the_machine)
{
    static const char *const cases[][3] = {
        {"x86_64-linux-gnu", "-m32", "i386-linux-gnu"},
        {"x86_64-linux-gnu", "-m64", "x86_64-linux-gnu"},
        {"x86_64-linux-gnu", "-mx32", "x86_64-linux-gnux32"},
        {"i386-linux-gnu", "-m64", "x86_64-linux-gnu"},
        {"x86_64-linux-gnu", NULL, "x86_64-linux-gnu"},
        {"aarch64-linux-gnu", "-m32", "aarch64-linux-gnu"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct compiler compiler = {.major = 12};
        char machine[MACHINE_SIZE];

        strcpy(compiler.machine, cases[i][0]);
        compiler_machine(&compiler, cases[i][1], machine);
        ck_assert_str_eq(machine, cases[i][2]);
    }
}
END_TEST

START_TEST(the_file_of_a_distribution_says_what_it_is)
{
    static const struct {
        const char *path;
        int major;
        const char *machine;
    } cases[] = {
        {"/usr/bin/x86_64-linux-gnu-gcc-12", 12, "x86_64-linux-gnu"},
        {"/usr/bin/x86_64-linux-gnu-g++-11", 11, "x86_64-linux-gnu"},
        {"/usr/bin/x86_64-linux-gnu-gfortran-9", 9, "x86_64-linux-gnu"},
        {"/usr/bin/i686-linux-gnu-gcc-12", 12, "i386-linux-gnu"},
        {"/opt/a-gcc-1/arm-linux-gnueabihf-gcc-12", 12,
         "arm-linux-gnueabihf"},
        {"/usr/bin/x86_64-pc-linux-gnu-gcc-15", 15, "x86_64-linux-gnu"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct compiler compiler;

        ck_assert_int_eq(compiler_read_name(&compiler, cases[i].path), 0);
        ck_assert_int_eq(compiler.major, cases[i].major);
        ck_assert_str_eq(compiler.machine, cases[i].machine);
        ck_assert_str_eq(compiler.name, "gcc");
    }
}
END_TEST

START_TEST(other_files_say_nothing)
{
    static const char *const paths[] = {
        "/usr/bin/gcc", "/usr/bin/gcc-12", "/usr/bin/ccache",
        "/usr/bin/x86_64-linux-gnu-gcc", "/usr/bin/x86_64-linux-gnu-gcc-",
        "/usr/bin/x86_64-linux-gnu-gcc-ar-12",
        "/usr/bin/x86_64-linux-gnu-gcc-12.2", "/usr/bin/-gcc-12",
        "/usr/bin/x86_64-linux-gnu-gcc-12-wrapped",
        "/usr/bin/x86_64-linux-gnu-gcc-0", "/usr/bin/my-gcc-12",
        "/usr/bin/x86_64-linux-gnu-clang-14",
        "/usr/bin/x86_64-w64-mingw32-gcc-12",
        "/usr/bin/x86_64-linux-gnu-gcc-123456789012", "/usr/bin/", "",
    };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct compiler compiler;

        ck_assert_int_eq(compiler_read_name(&compiler, paths[i]), -1);
    }
}
END_TEST

CHECK_MAIN("compiler", gcc_tells_version_and_machine, vendors_are_left_out,
           clang_is_no_gcc, what_is_no_compiler_is_refused,
           the_file_of_a_distribution_says_what_it_is, other_files_say_nothing,
           an_abi_option_changes_the_machine)
