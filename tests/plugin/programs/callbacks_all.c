/* SPDX-License-Identifier: MIT */
/* The rest of the C library's functions that call back. */
// flags: -fno-optimize-sibling-calls -pthread
#define _GNU_SOURCE
#include <dirent.h>
#include <ftw.h>
#include <link.h>
#include <pthread.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile int zero;
static int n_calls;
/* Not the copy of it in the header, which may be inlined. */
static void *(*const volatile search)(const void *, const void *, size_t,
                                      size_t, __compar_fn_t) = bsearch;

__attribute__((noinline)) static void allocate(int n)
{
    char *p = malloc(n + 1); /* @allocate */

    p[0] = zero;
    free(p);
}

/* Is it the first call since the last question? */
__attribute__((noinline)) static int is_first(void)
{
    return n_calls++ == 0;
}

static int compare(const void *a, const void *b)
{
    if (is_first())
        allocate(1); /* @compare */
    return *(const int *)a - *(const int *)b;
}

static int compare_with(const void *a, const void *b, void *with)
{
    if (is_first())
        allocate(*(int *)with); /* @with */
    return *(const int *)a - *(const int *)b;
}

static void visit(const void *node, VISIT which, int depth)
{
    (void)node;
    (void)which;
    allocate(depth); /* @visit */
}

static void destroy(void *node)
{
    (void)node;
    allocate(2); /* @destroy */
}

static int filter(const struct dirent *entry)
{
    if (is_first())
        allocate(3); /* @filter */
    return entry->d_name[0] == 'n' && entry->d_name[1] == 'u';
}

static int walk(const char *path, const struct stat *status, int type)
{
    (void)path;
    (void)status;
    allocate(type & 1); /* @walk */
    return 1;
}

static int object(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)info;
    (void)unused;
    allocate(size & 1); /* @object */
    return 1;
}

static void once(void)
{
    allocate(4); /* @once */
}

static void handler(int number)
{
    allocate(number); /* @handler */
}

__attribute__((noinline)) static void sort(int *numbers)
{
    int with = 5;

    n_calls = 0;
    qsort(numbers, 3, sizeof *numbers, compare); /* @qsort */
    n_calls = 0;
    qsort_r(numbers, 3, sizeof *numbers, compare_with, &with); /* @qsortr */
}

__attribute__((noinline)) static void find(const int *numbers)
{
    size_t n = 3;

    n_calls = 0;
    if (!search(numbers, numbers, 3, sizeof *numbers, compare)) /* @bsearch */
        abort();
    n_calls = 0;
    if (!lfind(numbers, numbers, &n, sizeof *numbers, compare)) /* @lfind */
        abort();
}

__attribute__((noinline)) static void plant(const int *numbers)
{
    void *root = NULL;

    tsearch(&numbers[0], &root, compare);
    n_calls = 0;
    tsearch(&numbers[0], &root, compare); /* @tsearch */
    n_calls = 0;
    tfind(&numbers[0], &root, compare); /* @tfind */
    twalk(root, visit); /* @twalk */
    tdestroy(root, destroy); /* @tdestroy */
}

__attribute__((noinline)) static void files(void)
{
    struct dirent **names;
    int n;

    n_calls = 0;
    n = scandir("/dev", &names, filter, alphasort); /* @scandir */
    while (n-- > 0)
        free(names[n]);
    free(names);
    ftw("/dev/null", walk, 1); /* @ftw */
    dl_iterate_phdr(object, NULL); /* @phdr */
}

int main(void)
{
    pthread_once_t control = PTHREAD_ONCE_INIT;
    int numbers[] = {3, 1, 2};

    sort(numbers); /* @sort */
    find(numbers); /* @find */
    plant(numbers); /* @plant */
    files(); /* @files */
    pthread_once(&control, once); /* @ponce */
    signal(SIGUSR1, handler);
    raise(SIGUSR1); /* @raise */
    allocate(0); /* @end */
    return 0;
}
// expect: malloc allocate@allocate < compare@compare < sort@qsort < main@sort
// expect: malloc allocate@allocate < compare_with@with < sort@qsortr < main@sort
// expect: malloc allocate@allocate < compare@compare < find@bsearch < main@find
// expect: malloc allocate@allocate < compare@compare < find@lfind < main@find
// expect: malloc allocate@allocate < compare@compare < plant@tsearch < main@plant
// expect: malloc allocate@allocate < compare@compare < plant@tfind < main@plant
// expect: malloc allocate@allocate < visit@visit < plant@twalk < main@plant
// expect: malloc allocate@allocate < destroy@destroy < plant@tdestroy < main@plant
// expect: malloc allocate@allocate < filter@filter < files@scandir < main@files
// expect: malloc allocate@allocate < walk@walk < files@ftw < main@files
// expect: malloc allocate@allocate < object@object < files@phdr < main@files
// expect: malloc allocate@allocate < once@once < main@ponce
// expect: malloc allocate@allocate < handler@handler < main@raise
// expect: malloc allocate@allocate < main@end
