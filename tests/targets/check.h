/* SPDX-License-Identifier: MIT */
/*
 * As much of the Check library as tests/unit uses, in one header, for machines
 * that the library is not installed for. Each test runs in a process of its
 * own. A failed comparison prints both values and ends the test.
 */
#ifndef ALLOCTRACE_TESTS_CHECK_H
#define ALLOCTRACE_TESTS_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    const char *name;
    void (*body)(int);
} TTest;

typedef struct {
    TTest tests[256];
    int begin[256]; /* of a loop: the test is run for begin <= i < end */
    int end[256];
    int n;
} TCase;

typedef TCase Suite;
typedef TCase SRunner;

enum { CK_ENV };

#define START_TEST(name)                                                      \
    static void name##_body(int _i __attribute__((unused)));                  \
    static const TTest name##_test = {#name, name##_body};                    \
    static const TTest *const name = &name##_test;                            \
    static void name##_body(int _i __attribute__((unused)))
#define END_TEST

static inline TCase *tcase_create(const char *name)
{
    static TCase tcase;

    (void)name;
    return &tcase;
}

static inline void tcase_set_timeout(TCase *tcase, double seconds)
{
    (void)tcase;
    (void)seconds;
}

static inline void tcase_add_loop_test(TCase *tcase, const TTest *test,
                                       int begin, int end)
{
    tcase->begin[tcase->n] = begin;
    tcase->end[tcase->n] = end;
    tcase->tests[tcase->n++] = *test;
}

static inline void tcase_add_test(TCase *tcase, const TTest *test)
{
    tcase_add_loop_test(tcase, test, 0, 1);
}

#define suite_create(name) tcase_create(name)
#define suite_add_tcase(suite, tcase) ((void)(suite), (void)(tcase))
#define srunner_create(suite) (suite)
#define srunner_free(runner) ((void)(runner))

static int check_n_failed;

static inline void check_run(const TTest *test, int i)
{
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        test->body(i);
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (status != 0) {
        printf("%s[%d]: status %#x\n", test->name, i, (unsigned)status);
        check_n_failed++;
    }
}

static inline void srunner_run_all(SRunner *runner, int mode)
{
    int n = 0;

    (void)mode;
    for (int i = 0; i < runner->n; i++)
        for (int k = runner->begin[i]; k < runner->end[i]; k++, n++)
            check_run(&runner->tests[i], k);
    printf("%d tests, %d failed\n", n, check_n_failed);
}

#define srunner_ntests_failed(runner) ((void)(runner), check_n_failed)

#define CHECK_FAIL(...)                                                       \
    do {                                                                      \
        printf("%s:%d: ", __FILE__, __LINE__);                                \
        printf(__VA_ARGS__);                                                  \
        printf("\n");                                                         \
        fflush(stdout);                                                       \
        _exit(1);                                                             \
    } while (0)
#define CHECK_COMPARE(type, format, a, op, b)                                 \
    do {                                                                      \
        const type check_a = (type)(a);                                       \
        const type check_b = (type)(b);                                       \
        if (!(check_a op check_b))                                            \
            CHECK_FAIL("%s " #op " %s: " format ", " format, #a, #b, check_a, \
                       check_b);                                              \
    } while (0)

#define ck_assert(condition)                                                  \
    do {                                                                      \
        if (!(condition))                                                     \
            CHECK_FAIL("%s", #condition);                                     \
    } while (0)
#define ck_assert_msg(condition, ...)                                         \
    do {                                                                      \
        if (!(condition))                                                     \
            CHECK_FAIL(__VA_ARGS__);                                          \
    } while (0)
#define ck_assert_int_eq(a, b) CHECK_COMPARE(intmax_t, "%jd", a, ==, b)
#define ck_assert_int_ne(a, b) CHECK_COMPARE(intmax_t, "%jd", a, !=, b)
#define ck_assert_int_ge(a, b) CHECK_COMPARE(intmax_t, "%jd", a, >=, b)
#define ck_assert_int_gt(a, b) CHECK_COMPARE(intmax_t, "%jd", a, >, b)
#define ck_assert_uint_eq(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, ==, b)
#define ck_assert_uint_ne(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, !=, b)
#define ck_assert_uint_ge(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, >=, b)
#define ck_assert_uint_gt(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, >, b)
#define ck_assert_uint_le(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, <=, b)
#define ck_assert_uint_lt(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, <, b)
#define ck_assert_ptr_eq(a, b) CHECK_COMPARE(void *, "%p", a, ==, b)
#define ck_assert_ptr_ne(a, b) CHECK_COMPARE(void *, "%p", a, !=, b)
#define ck_assert_ptr_null(a) CHECK_COMPARE(void *, "%p", a, ==, NULL)
#define ck_assert_ptr_nonnull(a) CHECK_COMPARE(void *, "%p", a, !=, NULL)
#define ck_assert_mem_eq(a, b, n) ck_assert(memcmp(a, b, n) == 0)
#define ck_assert_str_eq(a, b)                                                \
    do {                                                                      \
        const char *const check_a = (a);                                      \
        const char *const check_b = (b);                                      \
        if (strcmp(check_a, check_b) != 0)                                    \
            CHECK_FAIL("%s == %s: \"%s\", \"%s\"", #a, #b, check_a, check_b); \
    } while (0)
#define ck_assert_str_ne(a, b) ck_assert(strcmp(a, b) != 0)

#endif
