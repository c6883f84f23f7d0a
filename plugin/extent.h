/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a call says of the size of the memory it asks for. */
#ifndef ALLOCTRACE_PLUGIN_EXTENT_H
#define ALLOCTRACE_PLUGIN_EXTENT_H

enum { MAX_EXTENT_TERMS = 6 };

/* One constant in a size: alone, as a factor, or as an addend. */
struct extent_term {
    HOST_WIDE_INT bytes;
    enum { EXTENT_ALONE, EXTENT_FACTOR, EXTENT_ADDEND } kind;
    bool is_certain; /* the argument is known to be a size */
};

struct extent {
    struct extent_term terms[MAX_EXTENT_TERMS];
    unsigned n;
};

/* Find the constants in what CALL passes as sizes. */
void at_extent_of_call(const gcall *call, struct extent *extent);

/*
 * How well one or several objects of TYPE fit: 0 not at all or nothing is
 * known, 1 their number would be a whole one, 2 TYPE's size is part of the
 * size, 3 it is the size.
 */
int at_extent_fit(const struct extent *extent, tree type);

/* Whether the size is a number of times that of TYPE, by what is written. */
bool at_extent_is_array(const struct extent *extent, tree type);

#endif
