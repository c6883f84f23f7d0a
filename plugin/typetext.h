/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Types as the language of the unit writes them. */
#ifndef ALLOCTRACE_PLUGIN_TYPETEXT_H
#define ALLOCTRACE_PLUGIN_TYPETEXT_H

/*
 * Write all types that the unit's functions use, now, if GCC is about to take
 * apart what the front end knows of them, as it does for LTO. To be called
 * before that.
 */
void at_typetext_begin_unit(void);

/*
 * TYPE without its qualifiers: `struct conn`, `std::vector<int>`,
 * `real(kind=8)`; "" if it cannot be written. Lasts.
 */
const char *at_typetext(tree type);

/* TYPE, or the complete one that TYPE has been made a stand-in for. */
tree at_typetext_complete(tree type);

/* Whether the unit is Fortran. */
bool at_typetext_is_fortran(void);

/* Whether TYPE is what Fortran describes an array by. */
bool at_typetext_is_descriptor(tree type);

/* The type of the elements of an array with descriptor TYPE, or NULL_TREE. */
tree at_typetext_element(tree type);

/* Tell GCC's collector which trees the file keeps. */
void at_typetext_register_roots(const char *plugin_name);

#endif
