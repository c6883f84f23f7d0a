/* SPDX-License-Identifier: MIT */
/* Twin of interpose.c for the unit tests: nothing is interposed. Never
 * called; their addresses tell real.c that the C library's names are not
 * ours. */
#include "hooks.h"

#define NONE(name) __asm__(".globl hook_" #name "\n.set hook_" #name ", 0")

NONE(malloc);
NONE(calloc);
NONE(realloc);
NONE(free);
NONE(memalign);
NONE(aligned_alloc);
NONE(posix_memalign);
NONE(valloc);
NONE(pvalloc);
