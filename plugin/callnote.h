/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the early pass found out about a call, carried to the late one through
 * inlining, cloning and LTO.
 */
#ifndef ALLOCTRACE_PLUGIN_CALLNOTE_H
#define ALLOCTRACE_PLUGIN_CALLNOTE_H

struct call_note {
    bool is_returned;   /* the result may be what the function returns */
    unsigned type_size; /* bytes of one object of `type`; 0 = unknown */
    const char *type;   /* as the language writes it; "" = unknown */
    const char *target; /* what the result is stored in; "" = unknown */
};

/*
 * Note that CALL of FN is as NOTE says. For the early pass: FN is being
 * compiled, and nothing has been inlined into it.
 */
void at_note_attach(tree fn, gcall *call, const struct call_note *note);

/*
 * Read into *NOTE what is known of CALL, which stands in the source of FN.
 * Returns whether the early pass saw the call; if not, *NOTE says "unknown".
 * The strings live as long as the call.
 */
bool at_note_of_call(tree fn, const gcall *call, struct call_note *note);

/* The same for the call of CALLEE at LOCATION in FN, a call that is gone. */
bool at_note_of_place(tree fn, tree callee, location_t location,
                      struct call_note *note);

#endif
