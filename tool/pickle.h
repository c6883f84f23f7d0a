/* SPDX-License-Identifier: MIT */
/*
 * Python's pickles, protocol 4: what is needed of the format to write texts,
 * numbers and tuples, and to refer to them again. Nothing is kept but the
 * number of things that can be referred to (Python calls them the memo).
 *
 * Errors of the stream stay with the stream.
 */
#ifndef ALLOCTRACE_PICKLE_H
#define ALLOCTRACE_PICKLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Instructions that have no operands: they work on a stack. */
enum pickle_instruction {
    PICKLE_MARK = '(',    /* push a mark */
    PICKLE_TUPLE = 't',   /* what is above the mark, as a tuple */
    PICKLE_TUPLE1 = 0x85, /* the topmost one, two or three as a tuple */
    PICKLE_TUPLE2 = 0x86,
    PICKLE_TUPLE3 = 0x87,
    PICKLE_EMPTY_TUPLE = ')',
    PICKLE_EMPTY_LIST = ']',
    PICKLE_EMPTY_DICT = '}',
    PICKLE_APPENDS = 'e',   /* what is above the mark, into the list below */
    PICKLE_SETITEMS = 'u',  /* likewise keys and values, into a dict */
    PICKLE_DUPLICATE = '2', /* push the topmost once more */
    PICKLE_STACK_GLOBAL = 0x93, /* module and name: what is called so */
    PICKLE_NEWOBJ = 0x81,       /* class and arguments: an object */
    PICKLE_BUILD = 'b',         /* object and dict: set its attributes */
    PICKLE_STOP = '.'
};

/* A pickle that is being written. */
struct pickle {
    FILE *file;
    uint32_t n_memo; /* things that can be referred to */
};

void pickle_begin(struct pickle *pickle, FILE *file);

void pickle_put(struct pickle *pickle, enum pickle_instruction instruction);

/* Pushes an integer. */
void pickle_number(struct pickle *pickle, uint64_t number);

/* Pushes a text. Bytes that are no UTF-8 become what Python makes of them in
 * names of files (surrogateescape). */
void pickle_text(struct pickle *pickle, const char *text);

/* Gives the topmost thing a number. Returns it. */
uint32_t pickle_memoize(struct pickle *pickle);

/* Pushes the thing of a number. */
void pickle_get(struct pickle *pickle, uint32_t number);

#endif
