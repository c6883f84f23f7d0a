/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plugin's passes. */
#ifndef ALLOCTRACE_PLUGIN_PASS_H
#define ALLOCTRACE_PLUGIN_PASS_H

/* Put the passes where they belong. */
void at_passes_register(const char *plugin_name);

#endif
