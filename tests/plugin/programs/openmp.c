/* SPDX-License-Identifier: MIT */
/*
 * OpenMP: what GCC moves into functions of their own keeps its name. The calls
 * of OpenMP's library have no place in the source; they get the function's.
 */
// The linker warns of libgomp.a and dlopen, without the plugin too.
// not: -static -static-pie
// flags: -fopenmp -fno-optimize-sibling-calls
// variants: -O0|-O1|-O2|-O3|-Os|-O2 -fPIE -pie|-O2 -flto|-O2 -Wall -Wextra
#include <stdlib.h>

static void *volatile last;

__attribute__((noinline)) static void allocate(int n)
{
    last = malloc(n); /* @malloc */
    free(last);
}

__attribute__((noinline, noclone)) static void work(int n) /* @work */
{
#pragma omp parallel for num_threads(1)
    for (int i = 0; i < 2; i++)
        allocate(n + i); /* @loop */
#pragma omp critical
    allocate(n); /* @critical */
}

int main(void)
{
    work(3); /* @main */
    return 0;
}
// expect: malloc allocate@malloc < work@loop < work@work < main@main
// expect: malloc allocate@malloc < work@loop < work@work < main@main
// expect: malloc allocate@malloc < work@critical < main@main
