/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What object a call allocates, and where its address goes. */
#ifndef ALLOCTRACE_PLUGIN_TYPE_H
#define ALLOCTRACE_PLUGIN_TYPE_H

struct finding {
    tree type;        /* of the object, or NULL_TREE */
    tree destination; /* the variable or place it is stored in, or NULL_TREE */
    bool is_returned; /* the function may return it, or store it in `*out` */
};

/*
 * Whether CALL hands out memory: as its result, or through a pointer to the
 * pointer. Then follow the address through the function and fill in *FINDING.
 * For the early pass, while the code is as it was written. Statements have
 * to be numbered in the order of the source.
 */
bool at_type_find(function *fun, gcall *call, struct finding *finding);

#endif
