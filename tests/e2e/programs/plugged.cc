/* SPDX-License-Identifier: MIT */
/* A library in C++ that a program in C loads: see loader.c. */
static void *volatile sink;

__attribute__((noinline)) static int *make(int n)
{
    return new int[n]; /* @make */
}

extern "C" int plugged(int n)
{
    int *p = make(n); /* @plugged */

    sink = p;
    delete[] p;
    sink = make(n + 1); /* @kept */
    return n;
}
