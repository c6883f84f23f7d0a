/* SPDX-License-Identifier: MIT */
/*
 * Files that a command writes: whole under their names, or not there at all.
 */
#ifndef ALLOCTRACE_OUTFILE_H
#define ALLOCTRACE_OUTFILE_H

#include <stdio.h>

/* A file that is being written. */
struct outfile {
    FILE *file;       /* where to write */
    const char *name; /* for messages; not owned */
    char *target;     /* owned: what it will be called; NULL = written there
                         directly */
    char *temporary;  /* owned: what it is called until then; likewise */
};

/*
 * Opens a file under a temporary name beside `path`; NULL and "-" are standard
 * output. What exists and is no regular file (a pipe, /dev/null) is written
 * directly; what a symbolic link leads to is replaced, and not the link.
 *
 * Returns 0 and the caller ends it with outfile_close, or 2 after a message.
 */
int outfile_open(struct outfile *out, const char *path);

/*
 * Ends a file: with a `status` of 0 under its name, else not at all. Returns
 * `status`, or 2 after a message if the file did not get through.
 */
int outfile_close(struct outfile *out, int status);

#endif
