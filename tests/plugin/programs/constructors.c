/* SPDX-License-Identifier: MIT */
/* At the link step GCC makes a function that calls all constructors, and has
 * no place in the source. */
// flags: -fno-optimize-sibling-calls
// variants: -O0 -flto|-O2 -flto
#include <stdlib.h>

static void *volatile sink;

__attribute__((noipa)) static void allocate(int n)
{
    sink = malloc(n); /* @allocate */
    free(sink);
}

__attribute__((constructor)) static void first(void)
{
    allocate(1); /* @first */
    allocate(2); /* @second */
}

__attribute__((constructor)) static void third(void)
{
    allocate(3); /* @third */
    allocate(4); /* @fourth */
}

int main(void)
{
    allocate(5); /* @main */
    return 0;
}
// Constructors of one priority have no order; GCC's link step begins at the end.
// expect: malloc allocate@allocate < third@third < _sub_I_65535_0:*
// expect: malloc allocate@allocate < third@fourth < _sub_I_65535_0:*
// expect: malloc allocate@allocate < first@first < _sub_I_65535_0:*
// expect: malloc allocate@allocate < first@second < _sub_I_65535_0:*
// expect: malloc allocate@allocate < main@main
