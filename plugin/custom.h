/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Step 0 of the data flow: the program's own allocators. What was declared to
 * be one, by attributes or options, and what a call of it says.
 */
#ifndef ALLOCTRACE_PLUGIN_CUSTOM_H
#define ALLOCTRACE_PLUGIN_CUSTOM_H

/* What a call of an allocator says. Arguments are numbered from 1; 0 = none. */
struct custom_alloc {
    char *name;           /* of the domain; the caller frees it */
    unsigned size;        /* the argument that is the size in bytes ... */
    unsigned size_factor; /* ... or, with this one, the product */
    unsigned old;         /* the block that is resized */
};

/* Whether CALL allocates from a pool of the program's; then *CUSTOM says how. */
bool at_custom_of_call(const gcall *call, struct custom_alloc *custom);

/*
 * The argument of CALL that is a block which CALL gives back to a pool, or 0.
 * *ALLOCATOR becomes the name of the allocator it is from, or NULL if there
 * are several.
 */
unsigned at_custom_freed(const gcall *call, const char **allocator);

/*
 * Take in what the options say: one line NAME:SIZE[:FREE[:ARGUMENT]], or a
 * file of such lines. Reports what is wrong with one; returns whether all was
 * good. WHERE is what a message names: the option.
 */
bool at_custom_add_line(const char *where, const char *line);
bool at_custom_add_file(const char *where, const char *path);

#endif
