/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The announcement of a module's site records to the runtime. */
#ifndef ALLOCTRACE_PLUGIN_MODULE_H
#define ALLOCTRACE_PLUGIN_MODULE_H

/* NULL, or what about the present target has no support. */
const char *at_module_refusal(void);

/*
 * Write a constructor and a destructor in a COMDAT group, so that the linker
 * keeps one of each in a module.
 */
void at_module_write(FILE *out);

#endif
