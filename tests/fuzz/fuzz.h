/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets are made of. A target is a function that is given
 * bytes and must come back, whatever they are:
 *
 *     bytes -> fuzz_load.c -> play.c -> look.c, same.c    snapshots
 *     bytes -> fuzz_pattern.c                             patterns
 *     bytes -> mutate.c -> other bytes                    snapshots, again
 *
 * A file may bring what to do with it along, its *script*: a record of a tag
 * that readers do not know and skip. So what is done with a file is part of
 * it, is changed by the fuzzer as all else, and is the same in every run.
 *
 * The targets run under libFuzzer (scripts/fuzz) and under replay.c.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alloctrace/analysis.h"

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data, size_t size,
                                 const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t max_size, unsigned seed);

/* Ends the run if what must hold does not. */
#define REQUIRE(condition) \
    ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* ---- script.c ---- */

/* Tag of the record with the script. */
#define SCRIPT_TAG UINT32_C(0x46555a5a)

/* What is still to be done. At its end everything is 0. */
struct script {
    const uint8_t *bytes; /* in the file; not owned */
    size_t left;
};

/* Finds the script of a file, which may be damaged. */
void script_find(struct script *script, const uint8_t *file, size_t size);
uint8_t script_byte(struct script *script);
uint32_t script_word(struct script *script);

/* A number that is at an edge of 0 .. count - 1, inside or outside, or any. */
uint64_t script_number(struct script *script, uint64_t count);

#define SCRIPT_TEXT 64

/* A short text without NUL. Returns NULL now and then. */
const char *script_text(struct script *script, char text[SCRIPT_TEXT]);

/* ---- meter.c ---- */

/*
 * Bounds the memory and, where code is built to be counted, the steps that
 * calls may take until meter_end: in proportion to `size` bytes that they were
 * given, and for steps times their logarithm. What takes more ends the run.
 */
void meter_begin(uint64_t size);
void meter_end(void);

/* Prints the highest shares of what is allowed that were seen. */
void meter_report(void);

/* ---- look.c ---- */

/* Reads all there is to see. */
void look_snapshot(const alloctrace_snapshot *snapshot);
void look_statistics(const alloctrace_statistics *statistics, unsigned flags,
                     bool is_cumulative);

/* Reads a traceback; NULL if it is too deep to be copied. The caller frees
 * it. */
alloctrace_traceback *look_traceback(const alloctrace_snapshot *snapshot,
                                     uint32_t traceback_id);
void look_frame(const struct alloctrace_frame *frame);

/* ---- same.c ---- */

/* What of a snapshot must be the same. */
enum {
    SAME_TYPES = 1,   /* of objects; and what is grouped by them */
    SAME_THREADS = 2, /* what is grouped by them; and by domains */
    SAME_NUMBERS = 4  /* of threads */
};

/* Checks that two snapshots give the same statistics. */
void same_statistics(const alloctrace_snapshot *left,
                     const alloctrace_snapshot *right, unsigned what);

/* Checks that a snapshot was dumped and loaded whole. */
void same_snapshot(const alloctrace_snapshot *left,
                   const alloctrace_snapshot *right, unsigned what);

/* ---- play.c ---- */

/* Does with a snapshot of `size` bytes what a script says; frees it. */
void play(alloctrace_snapshot *snapshot, uint64_t size, struct script *script);

#endif
