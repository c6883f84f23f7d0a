/* SPDX-License-Identifier: MIT */
/* Allocates a little, says so, and ends with a status of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
    char *memory = malloc(strlen(text) + 1);

    return memory ? strcpy(memory, text) : NULL;
}

int main(int argc, char **argv)
{
    char *text = copy(argc > 1 ? argv[1] : "hello");

    if (!text)
        return 1;
    puts(text);
    free(text);
    return 7;
}
