/* SPDX-License-Identifier: MIT */
/*
 * What commands print: text for people (colours and the width of a terminal,
 * if it is one), JSON and CSV for programs; and how they end.
 */
#ifndef ALLOCTRACE_OUT_H
#define ALLOCTRACE_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "alloctrace/analysis.h"

/* Exit statuses. */
enum { EXIT_DONE = 0, EXIT_CHECK_FAILED = 1, EXIT_UNUSABLE = 2 };

/* Formats, in the order of out_formats. */
enum out_format { OUT_TEXT, OUT_JSON, OUT_CSV };
extern const char *const out_formats[];

/* Where text for people goes. */
struct out {
    FILE *file;
    int width; /* columns of the terminal; 0 = not one: cut nothing */
    bool is_coloured;
};

/* Colours when `file` is a terminal, unless NO_COLOR is set (no-color.org). */
void out_init(struct out *out, FILE *file);

/* Switches to bold or dim text and back; nothing without colours. */
void out_bold(const struct out *out);
void out_dim(const struct out *out);
void out_plain(const struct out *out);

/* Sizes for people, in one of a few static buffers: use within one call. */
const char *out_size(int64_t bytes);
const char *out_mean(int64_t bytes, int64_t count);
/* "1 block", "17 blocks". Likewise. */
const char *out_blocks(int64_t count);

/* Bytes of the UTF-8 sequence that a text begins with; 0 = it is none. Refuses
 * overlong forms, surrogates and what is above U+10FFFF. */
unsigned out_utf8_size(const char *bytes);

/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void out_json_string(FILE *file, const char *text);

/* Text from a file: control characters, which might make a terminal do what
 * the file wants, become question marks. */
void out_text(FILE *file, const char *text);

/* A field of CSV (RFC 4180), quoted where it must be. */
void out_csv_string(FILE *file, const char *text);

/* "alloctrace: FILE: what is wrong (at byte N)". Returns EXIT_UNUSABLE. */
int out_fail(const char *file, const struct alloctrace_error *error);

/* Flushes standard output. Returns `status`, or EXIT_UNUSABLE after a message
 * if what was printed did not get through. */
int out_finish(int status);

#endif
