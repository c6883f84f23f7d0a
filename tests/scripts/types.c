/* SPDX-License-Identifier: MIT */
/* Blocks whose types are known by reading: 20 of a struct, half of them through
 * a wrapper; 10 of bytes; 12 of which nothing can be known. */
#include <stdlib.h>

struct point {
    int x, y;
};

struct point *points[20];
char *names[10];
void *others[12];

__attribute__((noinline)) static void *hand_on(size_t size)
{
    return malloc(size);
}

int main(void)
{
    for (int i = 0; i < 10; i++) {
        points[i] = malloc(sizeof *points[i]);
        points[10 + i] = hand_on(sizeof *points[i]);
        names[i] = malloc(5);
        others[i] = hand_on(30);
    }
    others[10] = malloc(17);
    others[11] = calloc(3, 9);
    return 0;
}
