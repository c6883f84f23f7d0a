/* SPDX-License-Identifier: MIT */
/* Frames as people read them: "lmem.c:192 luaM_malloc_". */
#ifndef ALLOCTRACE_LOCATION_H
#define ALLOCTRACE_LOCATION_H

#include <stddef.h>

#include "alloctrace/analysis.h"

/* Longest location that is written. */
enum { LOCATION_SIZE = 8192 };

/*
 * Writes a frame as text: its file and line, in at least `width` columns if a
 * function follows, and the function. With `room`, which is not 0, the text
 * is at most as many columns wide: names are shortened first, then folders.
 */
void location_format(const struct alloctrace_frame *frame, size_t width,
                     size_t room, char text[LOCATION_SIZE]);

/* Cuts the beginning of a place or a file's name: folders, or if that is not
 * enough what is replaced by dots. */
void location_cut(char *place, size_t room);

#endif
