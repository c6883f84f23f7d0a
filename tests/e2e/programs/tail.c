/* SPDX-License-Identifier: MIT */
/* Every call on the way to the allocator is a jump: when malloc is called,
 * nothing on the stack tells of mid and last. */
#include <stdlib.h>

__attribute__((noipa)) void *my_malloc(size_t n)
{
    return malloc(n);
}

__attribute__((noipa)) void *last(size_t n)
{
    return my_malloc(n + 1);
}

__attribute__((noipa)) void *mid(size_t n)
{
    return last(n + 1);
}

__attribute__((noipa)) void *outer(size_t n)
{
    char *const p = mid(n + 1);

    p[0] = 1;
    return p;
}

int main(void)
{
    return outer(97) == NULL;
}
