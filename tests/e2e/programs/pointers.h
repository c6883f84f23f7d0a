/* SPDX-License-Identifier: MIT */
/* What pointers.c and plain.c, which is not instrumented, know of each other.
 */
#ifndef POINTERS_H
#define POINTERS_H

#include <stddef.h>

struct node {
    struct node *next;
    char text[40];
};

/* Allocate; none is instrumented. */
struct node *plain_make(size_t size);  /* a node, and what goes with it */
void *plain_take(size_t size);         /* in a function `take` of its own */
void *plain_pass(size_t size);         /* is left by a jump to malloc */
struct node *plain_call(struct node *(*function)(int), int n); /* calls it */

#endif
