/* SPDX-License-Identifier: MIT */
/* The texts of errors. */
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"

START_TEST(each_code_has_a_text_of_its_own)
{
    for (int code = ALLOCTRACE_EBAD_VERSION; code <= 0; code++) {
        ck_assert_str_ne(alloctrace_strerror(code), "unknown error");
        for (int other = ALLOCTRACE_EBAD_VERSION; other < code; other++)
            ck_assert_str_ne(alloctrace_strerror(code),
                             alloctrace_strerror(other));
    }
}
END_TEST

START_TEST(codes_that_do_not_exist_have_a_text)
{
    ck_assert_str_eq(alloctrace_strerror(1), "unknown error");
    ck_assert_str_eq(alloctrace_strerror(-1000), "unknown error");
}
END_TEST

CHECK_MAIN("fault", each_code_has_a_text_of_its_own,
           codes_that_do_not_exist_have_a_text)
