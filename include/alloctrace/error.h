/* SPDX-License-Identifier: MIT */
/*
 * What went wrong: errors of the analysis, and words for every error code.
 * Part of alloctrace/analysis.h, which says what holds for every function.
 */
#ifndef ALLOCTRACE_ERROR_H
#define ALLOCTRACE_ERROR_H

#include "../alloctrace.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#ifndef alloctrace_nodiscard
#define alloctrace_nodiscard __attribute__((warn_unused_result))
#endif

/* The value of `offset` when no place in a file is meant. */
#define ALLOCTRACE_NO_OFFSET UINT64_MAX

/* Why a file was refused. The caller's. */
struct alloctrace_error {
    int code;          /* one of ALLOCTRACE_E*; 0 = none */
    uint64_t offset;   /* where in the file, in bytes, or NO_OFFSET */
    char message[232]; /* what is wrong: one line, no full stop, no newline */
};

/*
 * Says what an error code means.
 *
 * Context: any thread; async-signal-safe.
 * Returns: a constant text, also for a code that does not exist.
 */
const char *alloctrace_strerror(int code);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
