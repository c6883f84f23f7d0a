/* SPDX-License-Identifier: MIT */
/* The smallest program that allocates: what it takes more when it is traced is
 * the tracer's fixed cost. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    char *const text = malloc(32);

    if (!text)
        return 1;
    snprintf(text, 32, "hello, %s", "world");
    puts(text);
    free(text);
    return 0;
}
