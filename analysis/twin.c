/* SPDX-License-Identifier: MIT */
/*
 * Twins: calls that stand in a path twice. A call through a pointer is a site
 * like any other call; if the pointer is malloc's, the hook that it meets adds
 * the address that it returns to. The address is left out, so that the path
 * ends in the site, which knows the type and hands it on or not.
 *
 * An address is a twin if it lies in the function of the site outside it. For
 * an instrumented function has the site of its own call on top while it calls
 * anything: nothing lies between, or what did has left by a jump, and what it
 * jumped to returns what the call does. What allocates in between and is not
 * instrumented has addresses in functions of its own.
 *
 * The function is known by its module and
 *
 *   - by file, line and name, if there are lines. The last of a file's name
 *     will do: the compiler wrote the path as it was given, DWARF has another;
 *     and of a name in C++, for DWARF has them without scope and parameters;
 *   - else by the whole name, which no other function of the module may have.
 *
 * Whatever is not known keeps its frame.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Bytes of a name that is looked for in a longer one. */
#define MAX_WORD 256

/* What is known of the frames that a file has, by frame. */
struct twins {
    const alloctrace_snapshot *snapshot;
    const bool *is_sole; /* is its name that of one function only? */
    uint32_t *outer;     /* owned: the last frame of its site */
};

static bool is_equal(const char *a, const char *b)
{
    return strncmp(a, b, AT_MAX_NAME) == 0;
}

static const char *base_name(const char *path)
{
    const char *base = path;

    for (int i = 0; i < AT_MAX_NAME && path[i]; i++)
        if (path[i] == '/')
            base = path + i + 1;
    return base;
}

/* May a byte be part of an identifier? Those outside ASCII may. */
static bool is_letter(char byte)
{
    return byte == '_' || (byte >= '0' && byte <= '9') ||
           (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (unsigned char)byte >= 128;
}

/* Does a short name stand in a long one with scope and parameters? */
static bool has_word(const char *text, const char *word)
{
    const size_t size = strnlen(word, MAX_WORD + 1);

    if (size == 0 || size > MAX_WORD)
        return false;
    for (int i = 0; i < AT_MAX_NAME && text[i]; i++)
        if ((i == 0 || !is_letter(text[i - 1])) &&
            strncmp(text + i, word, size) == 0 && !is_letter(text[i + size]))
            return true;
    return false;
}

/* Is a symbol that of a function, or of a clone of it? */
static bool is_symbol_of(const char *symbol, const char *function)
{
    const size_t size = strcspn(symbol, ".");

    return size > 0 && size < AT_MAX_NAME &&
           strncmp(symbol, function, size) == 0 && !function[size];
}

/* Finds the last frame of each site of the file. Its callers have lower
 * numbers; those that resolving has added are addresses'. */
static void outer_find(struct twins *twins, uint32_t n_frames)
{
    const struct at_frame *frames = twins->snapshot->frames;

    for (uint32_t i = 1; i < n_frames; i++)
        twins->outer[i] =
            frames[i].caller && frames[i].caller < i
                ? twins->outer[frames[i].caller]
                : i;
}

/* The function that an address lies in: the last of what was inlined. */
static const struct at_frame *function_of(const alloctrace_snapshot *snapshot,
                                          uint32_t address)
{
    const struct at_frame *frame = &snapshot->frames[address];

    for (int i = 0; i < ALLOCTRACE_MAX_SYMBOLS && frame->caller; i++)
        frame = &snapshot->frames[frame->caller];
    return frame;
}

/* Does the address lie in the function of the site? */
static bool is_twin(const struct twins *twins, uint32_t address, uint32_t site)
{
    const alloctrace_snapshot *snapshot = twins->snapshot;
    const struct at_frame *const inner = function_of(snapshot, address);
    const struct at_frame *const outer = &snapshot->frames[twins->outer[site]];
    const char *const name = at_text(snapshot, inner->function);
    const char *const function = at_text(snapshot, outer->function);

    if (inner->kind != ALLOCTRACE_FRAME_ADDRESS || !inner->address ||
        outer->kind == ALLOCTRACE_FRAME_ADDRESS || !inner->module ||
        inner->module != snapshot->frames[site].module)
        return false;
    if (!inner->line)
        return twins->is_sole[address] && is_symbol_of(name, function);
    return inner->line == outer->line && has_word(function, name) &&
           is_equal(base_name(at_text(snapshot, inner->file)),
                    base_name(at_text(snapshot, outer->file)));
}

int at_twins_drop(alloctrace_snapshot *snapshot, const bool *is_sole,
                  uint32_t n_frames)
{
    struct twins twins = {snapshot, is_sole,
                          calloc(n_frames, sizeof *twins.outer)};

    if (!twins.outer)
        return ALLOCTRACE_ENO_MEMORY;
    outer_find(&twins, n_frames);
    for (uint32_t i = 1; i < snapshot->n_tracebacks; i++) {
        struct at_traceback *const inner = &snapshot->tracebacks[i];
        const struct at_traceback *const outer =
            &snapshot->tracebacks[inner->parent];

        if (inner->parent && is_twin(&twins, inner->frame, outer->frame)) {
            inner->frame = outer->frame;
            inner->parent = outer->parent;
        }
    }
    free(twins.outer);
    return 0;
}
