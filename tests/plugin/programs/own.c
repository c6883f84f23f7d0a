/* SPDX-License-Identifier: MIT */
/* A unit's own functions of the family are not the C library's. */
// not: -fwhole-program
// flags: -fno-builtin
#include <stddef.h>

static char memory[1024];
static size_t used;

/* Another prototype under a known name: left alone. */
int valloc(int a, int b);
int valloc(int a, int b)
{
    return a + b;
}

void *pvalloc(size_t n);
__attribute__((noinline)) void *pvalloc(size_t n)
{
    used += n;
    return memory + used - n;
}

void *malloc(size_t n);
void free(void *p);

int main(void)
{
    char *volatile p = pvalloc(3);
    char *volatile q = malloc(2); /* @malloc */

    free(q);
    return valloc(1, -1) + (p != memory);
}
// expect: malloc main@malloc
