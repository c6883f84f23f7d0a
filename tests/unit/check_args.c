/* SPDX-License-Identifier: MIT */
/* Options and operands of a command line. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "check_alloctrace.h"

static const struct option options[] = {
    {"--limit", "N", "a number"}, {"--key", "KEY", "a name"},
    {"--all", NULL, "a flag"},    {"-o", "FILE", "short"},
    {NULL, NULL, NULL},
};

static struct args args;
static char *words[24];
static char storage[24][64];

/* Reads a command line of words with single spaces between. */
static int parse(const char *line, bool is_leading)
{
    int n = 0;

    for (const char *at = line; *at;) {
        size_t size = strcspn(at, " ");

        snprintf(storage[n], sizeof storage[n], "%.*s", (int)size, at);
        words[n] = storage[n];
        n++;
        at += size + (at[size] == ' ');
    }
    words[n] = NULL;
    return args_parse(&args, options, n, words, is_leading);
}

START_TEST(options_stand_anywhere)
{
    ck_assert_int_eq(parse("c a --limit 5 b --key=x --all -o f d", false), 0);
    ck_assert_str_eq(args_get(&args, "--limit"), "5");
    ck_assert_str_eq(args_get(&args, "--key"), "x");
    ck_assert_str_eq(args_get(&args, "-o"), "f");
    ck_assert_ptr_nonnull(args_get(&args, "--all"));
    ck_assert_int_eq(args.n_operands, 3);
    ck_assert_str_eq(args.operands[0], "a");
    ck_assert_str_eq(args.operands[2], "d");
}
END_TEST

START_TEST(nothing_given_is_nothing)
{
    ck_assert_int_eq(parse("c", false), 0);
    ck_assert_int_eq(args.n_operands, 0);
    ck_assert_ptr_null(args_get(&args, "--all"));
}
END_TEST

START_TEST(the_last_one_counts)
{
    ck_assert_int_eq(parse("c --limit 1 --limit=2", false), 0);
    ck_assert_str_eq(args_get(&args, "--limit"), "2");
}
END_TEST

/* Checks the next option in the order of the command line. */
static void expect_next(int *at, const char *name, const char *value)
{
    const char *found;

    ck_assert_str_eq(args_next(&args, at, &found), name);
    if (value)
        ck_assert_str_eq(found, value);
    else
        ck_assert_ptr_null(found);
}

START_TEST(options_are_gone_through_in_their_order)
{
    const char *value;
    int at = 0;

    ck_assert_int_eq(parse("c a --limit 5 b --key=x=y --all --limit=6 c "
                           "--limit --all -o f -- --all d",
                           false),
                     0);
    expect_next(&at, "--limit", "5");
    expect_next(&at, "--key", "x=y");
    expect_next(&at, "--all", NULL);
    expect_next(&at, "--limit", "6");
    expect_next(&at, "--limit", "--all");
    expect_next(&at, "-o", "f");
    ck_assert_ptr_null(args_next(&args, &at, &value));
    ck_assert_ptr_null(args_next(&args, &at, &value));
    ck_assert_int_eq(args.n_operands, 5);
    ck_assert_str_eq(args.operands[2], "c");
    ck_assert_str_eq(args.operands[3], "--all");
    ck_assert_str_eq(args.operands[4], "d");
    ck_assert_ptr_null(args.operands[5]);
}
END_TEST

START_TEST(options_behind_operands_may_be_all_there_is)
{
    const char *value;
    int at = 0;

    ck_assert_int_eq(parse("c --all", false), 0);
    expect_next(&at, "--all", NULL);
    ck_assert_ptr_null(args_next(&args, &at, &value));
    ck_assert_int_eq(parse("c --all p --all", true), 0);
    at = 0;
    expect_next(&at, "--all", NULL);
    ck_assert_ptr_null(args_next(&args, &at, &value));
    ck_assert_int_eq(args.n_operands, 2);
    ck_assert_int_eq(parse("c", true), 0);
    at = 0;
    ck_assert_ptr_null(args_next(&args, &at, &value));
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
    ck_assert_int_eq(parse("c --all -- --limit -- x", false), 0);
    ck_assert_int_eq(args.n_operands, 3);
    ck_assert_str_eq(args.operands[0], "--limit");
    ck_assert_str_eq(args.operands[1], "--");
    ck_assert_ptr_null(args_get(&args, "--limit"));
}
END_TEST

START_TEST(a_dash_alone_is_an_operand)
{
    ck_assert_int_eq(parse("c -", false), 0);
    ck_assert_str_eq(args.operands[0], "-");
}
END_TEST

START_TEST(what_follows_a_program_is_its_own)
{
    ck_assert_int_eq(parse("c --all prog --limit -o --", true), 0);
    ck_assert_int_eq(args.n_operands, 4);
    ck_assert_str_eq(args.operands[1], "--limit");
    ck_assert_str_eq(args.operands[3], "--");
    ck_assert_ptr_null(words[5]); /* execvp needs the end */
    ck_assert_int_eq(parse("c --all -- prog -x", true), 0);
    ck_assert_str_eq(args.operands[0], "prog");
    ck_assert_int_eq(args.n_operands, 2);
    ck_assert_ptr_null(args.operands[2]);
}
END_TEST

START_TEST(wrong_options_are_errors)
{
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    ck_assert_int_eq(parse("c --nothing", false), 2);
    ck_assert_int_eq(parse("c --limi 5", false), 2);
    ck_assert_int_eq(parse("c --limit", false), 2);
    ck_assert_int_eq(parse("c --all=yes", false), 2);
    ck_assert_int_eq(parse("c -x", false), 2);
}
END_TEST

static int number(const char *line, uint64_t limit, uint64_t *value)
{
    ck_assert_int_eq(parse(line, false), 0);
    return args_number(&args, "c", "--limit", limit, 7, value);
}

START_TEST(numbers_are_read_and_bounded)
{
    uint64_t value;

    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    ck_assert_int_eq(number("c", 10, &value), 0);
    ck_assert_uint_eq(value, 7);
    ck_assert_int_eq(number("c --limit 10", 10, &value), 0);
    ck_assert_uint_eq(value, 10);
    ck_assert_int_eq(
        number("c --limit 18446744073709551615", UINT64_MAX, &value), 0);
    ck_assert_uint_eq(value, UINT64_MAX);
    ck_assert_int_eq(
        number("c --limit 18446744073709551616", UINT64_MAX, &value), 2);
    ck_assert_int_eq(number("c --limit 11", 10, &value), 2);
    ck_assert_int_eq(number("c --limit 1", 0, &value), 2);
    ck_assert_int_eq(number("c --limit 5", 3, &value), 2);
    ck_assert_int_eq(number("c --limit=", 10, &value), 2);
    ck_assert_int_eq(number("c --limit=-1", 10, &value), 2);
    ck_assert_int_eq(number("c --limit=1x", 10, &value), 2);
}
END_TEST

START_TEST(names_are_chosen_from_a_list)
{
    static const char *const names[] = {"file", "line", NULL};
    int choice;

    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    parse("c --key line", false);
    ck_assert_int_eq(args_choice(&args, "c", "--key", names, 0, &choice), 0);
    ck_assert_int_eq(choice, 1);
    parse("c", false);
    ck_assert_int_eq(args_choice(&args, "c", "--key", names, 0, &choice), 0);
    ck_assert_int_eq(choice, 0);
    parse("c --key lin", false);
    ck_assert_int_eq(args_choice(&args, "c", "--key", names, 0, &choice), 2);
}
END_TEST

CHECK_MAIN("args", options_stand_anywhere, nothing_given_is_nothing,
           the_last_one_counts, options_are_gone_through_in_their_order,
           options_behind_operands_may_be_all_there_is,
           two_dashes_end_the_options, a_dash_alone_is_an_operand,
           what_follows_a_program_is_its_own, wrong_options_are_errors,
           numbers_are_read_and_bounded, names_are_chosen_from_a_list)
