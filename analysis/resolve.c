/* SPDX-License-Identifier: MIT */
/*
 * Names for frames that are bare addresses. Loading labels each with its
 * module and offset ("[libc.so.6+0x1f4]"), so that every frame has a file
 * name; later a resolver may know better (symbol.c is one). The functions
 * that were inlined at an address become frames of their own at the end of
 * the table, linked by `caller` as the file's are.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Characters of a label besides the module's name, and those of the name: as
 * many as names of files have. */
#define LABEL_EXTRA 32
#define LABEL_NAME 255

static int add_text(alloctrace_snapshot *snapshot, const char *text,
                    uint32_t *string_id)
{
    return at_strings_add(&snapshot->strings, text, strlen(text), string_id);
}

/* ---- Labels ---- */

/* What stands for a module. */
struct label {
    const char *name;   /* in its path; "unknown" for number 0 */
    uint32_t string_id; /* of the name in brackets */
};

/* Name of a module without its folders; the same pointer's tail. */
static const char *module_name(const struct alloctrace_module *module)
{
    const char *slash = strrchr(module->path, '/');

    return slash ? slash + 1 : module->path;
}

/* Adds "[NAME]", the name of a module as a place. */
static int add_module_label(alloctrace_snapshot *snapshot,
                            struct label *module)
{
    char label[LABEL_NAME + LABEL_EXTRA];

    snprintf(label, sizeof label, "[%.*s]", LABEL_NAME, module->name);
    return add_text(snapshot, label, &module->string_id);
}

/* Adds "[NAME+OFFSET]", or "[ADDRESS]" outside all modules. */
static int add_address_label(alloctrace_snapshot *snapshot,
                             const struct at_frame *frame,
                             const struct label *module, uint32_t *string_id)
{
    char label[LABEL_NAME + LABEL_EXTRA];

    snprintf(label, sizeof label, "[%.*s%s0x%" PRIx64 "]", LABEL_NAME,
             frame->module ? module->name : "", frame->module ? "+" : "",
             frame->address - snapshot->modules[frame->module].bias);
    return add_text(snapshot, label, string_id);
}

/* A name that is empty is none, whatever its number. */
static int label_frame(alloctrace_snapshot *snapshot, struct at_frame *frame,
                       uint32_t unknown_id, const struct label *modules)
{
    if (*at_text(snapshot, frame->file)) {
        frame->place = frame->file;
        return 0;
    }
    if (!frame->address) {
        frame->file = frame->place = unknown_id;
        return 0;
    }
    frame->place = modules[frame->module].string_id;
    return add_address_label(snapshot, frame, &modules[frame->module],
                             &frame->file);
}

int at_snapshot_label(alloctrace_snapshot *snapshot)
{
    struct label *modules = calloc(snapshot->n_modules, sizeof *modules);
    uint32_t unknown_id;
    int result = ALLOCTRACE_ENO_MEMORY;

    if (!modules || add_text(snapshot, "<unknown>", &unknown_id))
        goto out;
    for (uint32_t i = 0; i < snapshot->n_modules; i++) {
        modules[i].name = i ? module_name(&snapshot->modules[i]) : "unknown";
        if (add_module_label(snapshot, &modules[i]))
            goto out;
    }
    for (uint32_t i = 0; i < snapshot->n_frames; i++)
        if (label_frame(snapshot, &snapshot->frames[i], unknown_id, modules))
            goto out;
    result = 0;
out:
    free(modules);
    return result;
}

/* ---- Resolving ---- */

/* Makes room for `count` more frames. */
static int frames_reserve(alloctrace_snapshot *snapshot, size_t count,
                          uint32_t *capacity)
{
    uint64_t wanted = (uint64_t)snapshot->n_frames + count;
    struct at_frame *frames;

    if (wanted <= *capacity)
        return 0;
    wanted += wanted / 2;
    if (wanted > UINT32_MAX || wanted > SIZE_MAX / sizeof *frames)
        return ALLOCTRACE_ENO_MEMORY;
    frames = realloc(snapshot->frames, (size_t)wanted * sizeof *frames);
    if (!frames)
        return ALLOCTRACE_ENO_MEMORY;
    snapshot->frames = frames;
    *capacity = (uint32_t)wanted;
    return 0;
}

/* Takes over what is known of one level; the rest stays as it was. */
static int frame_name(alloctrace_snapshot *snapshot, struct at_frame *frame,
                      const struct alloctrace_symbol *symbol)
{
    if (symbol->function && *symbol->function &&
        add_text(snapshot, symbol->function, &frame->function))
        return ALLOCTRACE_ENO_MEMORY;
    if (!symbol->file || !*symbol->file)
        return 0;
    if (add_text(snapshot, symbol->file, &frame->file))
        return ALLOCTRACE_ENO_MEMORY;
    frame->place = frame->file;
    frame->line = symbol->line;
    return 0;
}

/* Links as many new frames behind a frame as make a chain of `n_chain`. */
static void chain_link(alloctrace_snapshot *snapshot, uint32_t frame_id,
                       uint32_t n_chain)
{
    const struct at_frame bare = snapshot->frames[frame_id];
    uint32_t current = frame_id;

    snapshot->frames[current].n_chain = n_chain;
    while (--n_chain > 0) {
        uint32_t caller = snapshot->n_frames++;

        snapshot->frames[current].caller = caller;
        snapshot->frames[caller] = bare;
        snapshot->frames[caller].n_chain = n_chain;
        current = caller;
    }
}

/* Names the frame, and adds one for each level that it was inlined into. */
static int frame_expand(alloctrace_snapshot *snapshot, uint32_t frame_id,
                        const struct alloctrace_symbol *symbols,
                        size_t n_symbols)
{
    uint32_t current = frame_id;

    if (n_symbols == 0)
        return 0;
    chain_link(snapshot, frame_id, (uint32_t)n_symbols);
    for (size_t i = 0; i < n_symbols; i++) {
        if (frame_name(snapshot, &snapshot->frames[current], &symbols[i]))
            return ALLOCTRACE_ENO_MEMORY;
        current = snapshot->frames[current].caller;
    }
    return 0;
}

/* Is it an address that no one has named, alone in its site? */
static bool is_bare(const struct at_frame *frame)
{
    return frame->address && frame->module && !frame->caller && !frame->line;
}

/* Marks the frames that something was inlined into: they are no sites, and to
 * make them longer would leave the frames behind them with a wrong `n_chain`.
 * Only a forged file has addresses there. NULL: no memory. */
static bool *callers_mark(const alloctrace_snapshot *snapshot)
{
    bool *is_caller = calloc(snapshot->n_frames, sizeof *is_caller);

    for (uint32_t i = 0; is_caller && i < snapshot->n_frames; i++)
        is_caller[snapshot->frames[i].caller] = true;
    return is_caller;
}

/* Names the frames that are addresses, and says by frame whose name is that of
 * one function only. */
static int frames_name(alloctrace_snapshot *snapshot, const bool *is_caller,
                       bool *is_sole, alloctrace_resolver *resolver, void *data)
{
    struct alloctrace_symbol symbols[ALLOCTRACE_MAX_SYMBOLS];
    uint32_t n_frames = snapshot->n_frames;
    uint32_t capacity = n_frames;
    int result = 0;

    for (uint32_t i = 1; i < n_frames && !result; i++) {
        const struct at_frame *frame = &snapshot->frames[i];
        const struct alloctrace_module *module;
        size_t n_symbols;

        if (!is_bare(frame) || is_caller[i])
            continue;
        module = &snapshot->modules[frame->module];
        memset(symbols, 0, sizeof symbols);
        at_resume(); /* what it allocates is the user's */
        n_symbols =
            resolver(data, module, frame->address - module->bias - 1, symbols);
        at_pause();
        if (n_symbols > ALLOCTRACE_MAX_SYMBOLS)
            n_symbols = ALLOCTRACE_MAX_SYMBOLS;
        is_sole[i] = n_symbols == 1 && symbols[0].is_sole == 1;
        result = frames_reserve(snapshot, n_symbols, &capacity);
        if (!result)
            result = frame_expand(snapshot, i, symbols, n_symbols);
    }
    return result;
}

int alloctrace_snapshot_resolve(alloctrace_snapshot *snapshot,
                                alloctrace_resolver *resolver, void *data)
{
    AT_UNTRACED;
    const uint32_t n_frames = snapshot->n_frames;
    bool *is_caller;
    bool *is_sole;
    int result = ALLOCTRACE_ENO_MEMORY;

    if (!at_snapshot_is_sole(snapshot))
        return ALLOCTRACE_EBAD_ARGUMENT;
    is_caller = callers_mark(snapshot);
    is_sole = calloc(n_frames, sizeof *is_sole);
    if (is_caller && is_sole)
        result = frames_name(snapshot, is_caller, is_sole, resolver, data);
    if (!result)
        result = at_twins_drop(snapshot, is_sole, n_frames);
    free(is_caller);
    free(is_sole);
    at_snapshot_measure(snapshot);
    return result;
}
