/* SPDX-License-Identifier: MIT */
/* The last part of a path. */
#ifndef ALLOCTRACE_BASENAME_H
#define ALLOCTRACE_BASENAME_H

#include <string.h>

/* What is behind the last slash: a part of `path`, all of it without one. */
static inline const char *base_name(const char *path)
{
    const char *const slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

#endif
