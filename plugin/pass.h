/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plugin's two passes. */
#ifndef ALLOCTRACE_PLUGIN_PASS_H
#define ALLOCTRACE_PLUGIN_PASS_H

/* What was done to the unit, for `verbose`. */
struct pass_counts {
    unsigned n_functions;
    unsigned n_frames;    /* functions that got a frame */
    unsigned n_frameless; /* functions with rewritten calls, but no frame */
    unsigned n_regions;
    unsigned n_rewritten; /* calls that go to an entry now */
    unsigned n_noted;
    unsigned n_blind;     /* noted calls that compute their hash anew */
    unsigned n_skipped;   /* calls that cannot lead to an allocation */
};

extern struct pass_counts at_pass_counts;

/* Put the passes where they belong. */
void at_passes_register(const char *plugin_name);

#endif
