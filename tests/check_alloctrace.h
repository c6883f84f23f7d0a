/* SPDX-License-Identifier: MIT */
/*
 * The frame around a unit test: one file, one suite, one program.
 *
 *     START_TEST(a_freed_block_is_unknown) { ... } END_TEST
 *     CHECK_MAIN("block", a_freed_block_is_unknown, another_test)
 *
 * Each test runs in a process of its own (Check forks), so tests may leave
 * state behind.
 */
#ifndef CHECK_ALLOCTRACE_H
#define CHECK_ALLOCTRACE_H

#include <check.h>
#include <stdlib.h>

#define CHECK_MAIN(name, ...)                                                 \
    int main(void)                                                            \
    {                                                                         \
        const TTest *const tests[] = {__VA_ARGS__};                           \
        Suite *suite = suite_create(name);                                    \
        TCase *tcase = tcase_create(name);                                    \
        SRunner *runner;                                                      \
        int n_failed;                                                         \
                                                                              \
        tcase_set_timeout(tcase, 600); /* machines may be busy */             \
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)             \
            tcase_add_test(tcase, tests[i]);                                  \
        suite_add_tcase(suite, tcase);                                        \
        runner = srunner_create(suite);                                       \
        srunner_run_all(runner, CK_ENV);                                      \
        n_failed = srunner_ntests_failed(runner);                             \
        srunner_free(runner);                                                 \
        return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;                        \
    }

#endif
