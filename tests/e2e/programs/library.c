/* SPDX-License-Identifier: MIT */
/* A library that allocates, and says where it did. */
#include <alloctrace.h>

#include <stdlib.h>

static void *library_allocate(size_t size)
{
    return malloc(size);
}

int library_run(void);

int library_run(void)
{
    void *block = library_allocate(100);
    int error = alloctrace_dump_traceback(1, block);

    free(block);
    return error;
}
