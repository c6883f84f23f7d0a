/* SPDX-License-Identifier: MIT */
/* Two builds of this are compared: in the newer one lines have moved (where a
 * comment begins with "moved:", more of them stand), and with -DMORE table_fill
 * allocates once more. */
#include <stdlib.h>
#include <string.h>

/* moved: 3 */
static void *kept[64];
static int n_kept;

static void keep(void *block)
{
    kept[n_kept++] = block;
}

static inline void *pair_new(size_t size)
{
    /* moved: 2 */
    keep(malloc(size));
    return calloc(1, size);
}

__attribute__((noinline)) static void table_fill(int n)
{
    keep(malloc(100)); keep(malloc(200)); /* two in one line */
    /* moved: 1 */
    for (int i = 0; i < n; i++)
        keep(pair_new(24));
    /* moved: 40 */
    keep(realloc(NULL, 300));
#ifdef MORE
    keep(malloc(5000));
#endif
}

__attribute__((noinline)) static void names_add(const char *name)
{
    keep(strdup(name));
    /* moved: 7 */
    keep(pair_new(48));
}

int main(void)
{
    table_fill(3);
    /* moved: 5 */
    names_add("one");
    names_add("another");
    return kept[0] == NULL;
}
