/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers for equal things: a hash table from a thing to its position. */
#ifndef ALLOCTRACE_PLUGIN_INTERN_H
#define ALLOCTRACE_PLUGIN_INTERN_H

/* key => position in the owner's array; starts out as zeros. */
struct intern {
    struct intern_slot *slots; /* open addressing; position + 1, 0 = free */
    unsigned n_slots;          /* a power of two */
    unsigned n_used;
};

/* Whether the thing at POSITION of the owner's array equals KEY. */
typedef bool (*intern_equal)(unsigned position, const void *key);

/*
 * The position of the thing that equals KEY. If there is none, NEXT is noted
 * as its position and returned: the caller then appends the thing there.
 */
unsigned at_intern(struct intern *table, hashval_t hash, intern_equal equal,
                   const void *key, unsigned next);

#endif
