/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Step 3 of the data flow: the constant site records of the unit. */
#ifndef ALLOCTRACE_PLUGIN_SITE_H
#define ALLOCTRACE_PLUGIN_SITE_H

/* One record, as abi.h has it, with numbers in place of offsets. */
struct site {
    unsigned file;     /* number of a string; 0 = none */
    unsigned function; /* number of a string */
    unsigned caller;   /* number of a record + 1; 0 = none. Until records are
                          closed the inlined calls count from 0 */
    unsigned callee;   /* number of a string; 0 = none */
    unsigned type;     /* number of a string; 0 = unknown */
    unsigned target;   /* number of a string; 0 = unknown */
    unsigned type_size; /* bytes; 0 = unknown */
    unsigned line;
    unsigned short column;
    unsigned char kind;  /* enum alloctrace_site_kind */
    unsigned char flags; /* ALLOCTRACE_SITE_* */
};

/*
 * The number of the record for CALL in the function being compiled, made if
 * there is none like it: KIND and FLAGS as in abi.h; the rest is read off the
 * call. Whether the result is returned is taken from the call's note; from
 * FLAGS only if it has none.
 */
unsigned at_site_of_call(gcall *call, int kind, int flags);

/*
 * Whether CALL is no call of the source: the function being compiled goes on
 * in a part of itself that GCC split off. (Where the remaining head was
 * inlined into another function, the call stands for the call of the whole,
 * and at_site_of_call makes such a record.)
 */
bool at_site_is_continuation(const gcall *call);

/* The key of call record SITE, plus ADDEND: a constant in memory. */
tree at_site_key_memory(unsigned site, unsigned addend);

/* A new value that holds it; the statement that loads it is added to SEQ. */
tree at_site_key(gimple_seq *seq, unsigned site, unsigned addend,
                 location_t location);

/* No more records are made: all get their final numbers, those of inlined
 * calls behind those of calls. */
void at_sites_close(void);

/* All records, after they were closed, for emission; *N is their number. */
const struct site *at_sites(unsigned *n);

/* A key that code loads. */
struct site_key {
    unsigned site;
    unsigned addend;
};

/* All such keys, in the order of the array; *N is their number. */
const struct site_key *at_site_keys(unsigned *n);

/* String STRING of the records; *N, if given, is the number of strings. */
const char *at_site_string(unsigned string, unsigned *n);

/* Tell GCC's collector which trees the file keeps. */
void at_site_register_roots(const char *plugin_name);

#endif
