/* SPDX-License-Identifier: MIT */
/* Indirect functions: resolved before thread-local variables are there. (With
 * ThreadSanitizer and in the large model they fail without the plugin, too.) */
// not: -fsanitize=thread -mcmodel=large
// machine: x86_64
// flags: -fno-optimize-sibling-calls
#include <stdlib.h>

typedef int function(int n);

static void *volatile last;
static volatile int one = 1;

__attribute__((noinline)) static void allocate(int n)
{
    last = malloc(n); /* @malloc */
    free(last);
}

static int chosen(int n)
{
    allocate(n); /* @chosen */
    return n;
}

/* May allocate as far as the compiler knows, and would have a frame. */
__attribute__((noinline, noclone)) static int works(int n)
{
    if (n != one)
        last = malloc(n);
    return n;
}

static function *resolve(void)
{
    return works(1) ? chosen : NULL;
}

int indirect(int n) __attribute__((ifunc("resolve")));

__attribute__((target_clones("default", "avx2"), noinline)) int cloned(int n)
{
    allocate(n); /* @cloned */
    return n;
}

int main(void)
{
    return indirect(2) + cloned(3) - 5; /* @main */
}
// expect: malloc allocate@malloc < chosen@chosen < main@main
// expect: malloc allocate@malloc < cloned@cloned < main@main
