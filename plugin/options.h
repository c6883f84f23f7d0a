/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plugin's options, parsed once at its start and constant afterwards. */
#ifndef ALLOCTRACE_PLUGIN_OPTIONS_H
#define ALLOCTRACE_PLUGIN_OPTIONS_H

struct options {
#define OPTION(name, field, values, fallback, help) int field;
#define TEXT_OPTION(name, take, help)
#include "options.def"
#undef TEXT_OPTION
#undef OPTION
};

/* Values of `tls_model`, in the order of options.def. */
enum { TLS_AUTO, TLS_INITIAL_EXEC, TLS_LOCAL_EXEC };

extern struct options at_options;

struct plugin_argument;

/*
 * Parse the plugin's N arguments into at_options. Reports each bad one as a
 * compiler error. Returns whether all were good.
 */
bool at_options_parse(const struct plugin_argument *arguments, int n);

#endif
