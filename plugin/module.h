/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The announcement of a module's site records to the runtime. */
#ifndef ALLOCTRACE_PLUGIN_MODULE_H
#define ALLOCTRACE_PLUGIN_MODULE_H

/* Whether the announcement can be written for the present target. */
bool at_module_is_supported(void);

/*
 * Write a constructor and a destructor in a COMDAT group, so that the linker
 * keeps one of each in a module.
 */
void at_module_write(FILE *out);

#endif
