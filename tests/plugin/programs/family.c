/* SPDX-License-Identifier: MIT */
/* Every function of the family goes to its entry; results come back. */
// flags: -fno-builtin
#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void *p;

int main(void)
{
    p = malloc(1); /* @malloc */
    free(p);
    p = calloc(1, 2); /* @calloc */
    p = realloc(p, 3); /* @realloc */
    p = reallocarray(p, 2, 2); /* @reallocarray */
    free(p);
    p = aligned_alloc(64, 64); /* @aligned_alloc */
    free(p);
    p = memalign(64, 6); /* @memalign */
    free(p);
    if (posix_memalign(&p, 64, 7) != 0) /* @posix_memalign */
        return 1;
    free(p);
    p = valloc(8); /* @valloc */
    free(p);
    p = pvalloc(9); /* @pvalloc */
    free(p);
    p = strdup("ten"); /* @strdup */
    free(p);
    p = strndup("eleven", 11); /* @strndup */
    if (strcmp(p, "eleven") != 0)
        return 1;
    free(p);
    return 0;
}
// expect: malloc main@malloc
// expect: calloc main@calloc
// expect: realloc main@realloc
// expect: reallocarray main@reallocarray
// expect: aligned_alloc main@aligned_alloc
// expect: memalign main@memalign
// expect: posix_memalign main@posix_memalign
// expect: valloc main@valloc
// expect: pvalloc main@pvalloc
// expect: strdup main@strdup
// expect: strndup main@strndup
