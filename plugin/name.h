/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Languages: functions' names as they write them, and which are refused. */
#ifndef ALLOCTRACE_PLUGIN_NAME_H
#define ALLOCTRACE_PLUGIN_NAME_H

/* FN's name, which the caller frees. */
char *at_name_of_function(tree fn);

/*
 * Keep in the declarations of the unit's functions the names that cannot be
 * told in LTO's link step. To be called before GCC lets go of what only the
 * language knows.
 */
void at_names_keep(void);

/* Why code of this compiler's language is refused, or NULL. */
const char *at_language_refusal(void);

#endif
