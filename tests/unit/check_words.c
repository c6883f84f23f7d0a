/* SPDX-License-Identifier: MIT */
/* Lists of words: splitting as a response file is, quoting as a shell reads. */
#include "check_alloctrace.h"

#include "words.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Splits `text` and joins the words with bars. */
static const char *split(const char *text)
{
    static char joined[256];
    struct words words = {0};

    words_add_text(&words, text);
    joined[0] = 0;
    for (size_t i = 0; i < words.count; i++) {
        strcat(joined, i ? "|" : "");
        strcat(joined, words.word[i]);
    }
    words_fini(&words);
    return joined;
}

START_TEST(text_is_split_at_white_space)
{
    ck_assert_str_eq(split(""), "");
    ck_assert_str_eq(split("  \n\t "), "");
    ck_assert_str_eq(split(" -c\ta.c\n-O2 "), "-c|a.c|-O2");
}
END_TEST

START_TEST(quotes_and_backslashes_keep_words_together)
{
    ck_assert_str_eq(split("'a b' \"c d\""), "a b|c d");
    ck_assert_str_eq(split("-D'X=\"1 2\"'y"), "-DX=\"1 2\"y");
    ck_assert_str_eq(split("a\\ b c\\\\d"), "a b|c\\d");
    ck_assert_str_eq(split("'' x"), "|x");
}
END_TEST

START_TEST(many_words_are_kept)
{
    struct words words = {0};

    for (int i = 0; i < 1000; i++)
        words_addf(&words, "w%d", i);
    ck_assert_uint_eq(words.count, 1000);
    ck_assert_str_eq(words.word[999], "w999");
    ck_assert_ptr_null(words.word[1000]);
    words_fini(&words);
    ck_assert_uint_eq(words.count, 0);
}
END_TEST

START_TEST(printed_words_are_quoted_for_a_shell)
{
    const char *expected = "-O2 '' 'a b' 'it'\\''s' -Wl,-x=__a_*\n";
    struct words words = {0};
    char text[128] = "";
    FILE *file = tmpfile();

    words_add(&words, "-O2");
    words_add(&words, "");
    words_add(&words, "a b");
    words_add(&words, "it's");
    words_add(&words, "-Wl,-x=__a_*");
    fflush(stdout);
    ck_assert_int_ge(dup2(fileno(file), STDOUT_FILENO), 0);
    words_print(&words);
    fflush(stdout);
    rewind(file);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, file));
    ck_assert_str_eq(text, expected);
    words_fini(&words);
    fclose(file);
}
END_TEST

CHECK_MAIN("words", text_is_split_at_white_space,
           quotes_and_backslashes_keep_words_together, many_words_are_kept,
           printed_words_are_quoted_for_a_shell)
