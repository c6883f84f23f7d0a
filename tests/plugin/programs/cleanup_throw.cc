/* SPDX-License-Identifier: MIT */
/* Cleanups of exceptions: destructors, GNU cleanups, variables whose size
 * varies, functions that call one another; rethrown, caught and thrown anew. */
// flags: -fno-optimize-sibling-calls -fno-ipa-icf
#include <alloca.h>
#include <cstdlib>

static volatile int zero;

__attribute__((noinline)) static void allocate(int n)
{
    char *p = (char *)malloc(n + 1); /* @allocate */

    p[0] = zero;
    free(p);
}

static void cleanup(int *n)
{
    allocate(*n); /* @cleanup */
}

__attribute__((noinline)) static void odd(int n);

__attribute__((noinline)) static void even(int n)
{
    volatile char *room = (char *)alloca(n + 1);

    room[n] = zero;
    if (n == 0)
        throw 5;
    allocate(n + room[n]); /* @even */
    odd(n - 1); /* @toodd */
    zero = room[n];
}

__attribute__((noinline)) static void odd(int n)
{
    __attribute__((cleanup(cleanup))) int guard = n; /* @guard */
    char room[n + 1];

    room[n] = zero;
    even(n - 1 + room[n]); /* @toeven */
    zero = room[n];
} /* @endodd */

__attribute__((noinline)) static void rethrows(int n)
{
    try {
        even(n); /* @try */
    } catch (int caught) {
        allocate(caught); /* @caught */
        try {
            throw;
        } catch (int again) {
            allocate(again); /* @again */
            throw 1L;
        }
    }
}

__attribute__((noinline)) static void filters(int n)
{
    try {
        rethrows(n); /* @inner */
    } catch (int) {
        allocate(100); /* @never */
    } catch (long caught) {
        allocate((int)caught); /* @long */
    }
    allocate(n); /* @after */
}

int main()
{
    for (int n = 0; n < 4; n += 2)
        filters(n); /* @main */
    return 0;
}
// expect: malloc allocate(int)@allocate < rethrows(int)@caught < filters(int)@inner < main@main
// expect: malloc allocate(int)@allocate < rethrows(int)@again < filters(int)@inner < main@main
// expect: malloc allocate(int)@allocate < filters(int)@long < main@main
// expect: malloc allocate(int)@allocate < filters(int)@after < main@main
// expect: malloc allocate(int)@allocate < even(int)@even < rethrows(int)@try < filters(int)@inner < main@main
// expect: malloc allocate(int)@allocate < cleanup(int*)@cleanup < odd(int)@endodd < even(int)@toodd < rethrows(int)@try < filters(int)@inner < main@main
// expect: malloc allocate(int)@allocate < rethrows(int)@caught < filters(int)@inner < main@main
// expect: malloc allocate(int)@allocate < rethrows(int)@again < filters(int)@inner < main@main
// expect: malloc allocate(int)@allocate < filters(int)@long < main@main
// expect: malloc allocate(int)@allocate < filters(int)@after < main@main
