/* SPDX-License-Identifier: MIT */
/*
 * A program that was not instrumented, linked with the library for its API.
 * Prints whether it was traced to begin with; starts and stops.
 */
#define ALLOCTRACE_API
#include <alloctrace.h>

#include <stdio.h>
#include <stdlib.h>

static uint64_t current(void)
{
    uint64_t bytes;

    alloctrace_get_traced_memory(&bytes, NULL);
    return bytes;
}

int main(void)
{
    void *volatile block;
    uint64_t before;

    printf("%d\n", alloctrace_is_tracing());
    alloctrace_stop();
    if (alloctrace_start(ALLOCTRACE_ALL_FRAMES) || !alloctrace_is_tracing())
        return 1;
    before = current();
    block = malloc(5000);
    if (current() != before + 5000)
        return 2;
    free(block);
    if (current() != before || alloctrace_clear_traces() || current() != 0)
        return 3;
    block = malloc(77);
    return 0;
}
