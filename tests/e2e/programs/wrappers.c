/* SPDX-License-Identifier: MIT */
/* Wrappers around wrappers, called directly and through a pointer; who asked
 * keeps the memory. */
#include <stdlib.h>
#include <string.h>

#define APART __attribute__((noinline, noclone))

void *kept[3];
void *(*volatile allocate)(size_t);

static APART void *xmalloc(size_t size)
{
    void *memory = malloc(size);

    if (!memory)
        abort();
    return memory;
}

static APART void *pool_get(size_t size)
{
    return allocate(size);
}

APART void keep_a(void)
{
    kept[0] = xmalloc(100);
}

APART void keep_b(void)
{
    kept[1] = pool_get(50);
}

APART void keep_c(void)
{
    kept[2] = malloc(7);
}

int main(void)
{
    allocate = xmalloc;
    keep_a();
    keep_b();
    keep_c();
    return 0;
}
