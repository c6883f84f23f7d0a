/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The allocators that the options name; custom.cc asks. */
#ifndef ALLOCTRACE_PLUGIN_CUSTOMS_H
#define ALLOCTRACE_PLUGIN_CUSTOMS_H

/* One line NAME:SIZE[:FREE[:ARGUMENT]]. */
struct custom_line {
    char *name;           /* the function that allocates */
    char *free_name;      /* the one that gives back, or NULL */
    unsigned size;        /* NAME's argument that is the size, 0 = none ... */
    unsigned size_factor; /* ... or, with this one, the product; 0 = none */
    unsigned freed;       /* free_name's argument that is the block */
};

/* The first line that names DECL as allocator, or with IS_FREE as the one
 * that gives back; NULL if there is none. */
const struct custom_line *at_customs_find(tree decl, bool is_free);

/* DECL's name as lines give it and domains have it: without parameters. The
 * caller frees it. */
char *at_customs_name(tree decl);

#endif
