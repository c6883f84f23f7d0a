/* SPDX-License-Identifier: MIT */
/*
 * The dump that a program wrote: which name a pattern of ALLOCTRACE_DUMP gave
 * it, and whether it is new.
 */
#ifndef ALLOCTRACE_OUTCOME_H
#define ALLOCTRACE_OUTCOME_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Makes a pattern absolute, so that the program may change its folder.
 *
 * Returns: the pattern, which the caller frees; NULL without memory or folder.
 */
char *outcome_pattern(const char *pattern);

/* A file by which a dump of an earlier run is told from that of this one. */
struct outcome {
    char *path;      /* owned; NULL = there is none */
    bool is_regular; /* a pipe or device keeps nothing to report on */
    dev_t device;    /* these three make it the same file */
    ino_t inode;
    long long changed_ns;
};

/* Finds the newest file that a pattern may have named; `pid` is what %p stands
 * for, 0 = any process. */
void outcome_find(struct outcome *outcome, const char *pattern, pid_t pid);
void outcome_fini(struct outcome *outcome);

/* Is it the same file as before, unchanged? */
bool outcome_is_same(const struct outcome *a, const struct outcome *b);

/*
 * Says why a program wrote no dump, as far as can be told from outside: one
 * line on standard error. `status` is waitpid's.
 */
void outcome_explain(const char *program, int status);

#endif
