/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_alloctrace.h"
#include "runtime.h"

START_TEST(equal_strings_have_one_id)
{
    char name[] = "lmem.c";
    const uint32_t id = string_intern(name);

    ck_assert_uint_gt(id, 0);
    ck_assert_uint_eq(string_intern("lmem.c"), id);
    ck_assert_uint_ne(string_intern("lmem.h"), id);
    ck_assert_uint_ne(string_intern("lmem.cc"), id);
}
END_TEST

START_TEST(a_string_outlives_what_it_was_made_from)
{
    char name[] = "gone.c";
    const uint32_t id = string_intern(name);

    memset(name, 'x', sizeof name - 1);
    ck_assert_str_eq(((struct string *)vector_at(&at_strings, id))->bytes,
                     "gone.c");
}
END_TEST

START_TEST(no_string_is_id_0_and_the_empty_one_is_not)
{
    ck_assert_uint_eq(string_intern(NULL), 0);
    ck_assert_uint_gt(string_intern(""), 0);
}
END_TEST

CHECK_MAIN("string", equal_strings_have_one_id,
           a_string_outlives_what_it_was_made_from,
           no_string_is_id_0_and_the_empty_one_is_not)
