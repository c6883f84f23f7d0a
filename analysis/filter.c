/* SPDX-License-Identifier: MIT */
/*
 * Filters: which traces are looked at. Patterns (glob.c) are tested once for
 * each name. What is asked of all frames of a path is carried from callers to
 * callees, one step for each frame and each traceback, whatever the limit and
 * however deep paths are. select.c makes the snapshot of what is left.
 *
 * Time: for each filter linear in names times pattern, frames, tracebacks and
 * traces.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* As a distance: there is no such frame. */
#define NOWHERE UINT64_MAX

/* What is known of a trace while filters are looked at. */
enum verdict {
    IS_INCLUDED = 1, /* it matches an inclusive filter */
    IS_EXCLUDED = 2  /* it matches an exclusive one */
};

/* Which names match a pattern: each is tested when it is first asked for. */
struct names {
    struct at_pattern pattern;
    uint8_t *known; /* owned: by the name's number: 0 = not tested yet, 1 = no,
                       2 = yes; NULL = all match, as nothing is asked of them */
};

/* One filter and what is found out for it. */
struct filtering {
    const alloctrace_snapshot *snapshot;
    const uint32_t *types; /* by trace; NULL = no filter asks for types */
    struct alloctrace_filter filter;
    struct names files;     /* by string */
    struct names functions; /* by string */
    struct names typed;     /* by string */
    struct names modules;   /* by number */
    struct names threads;   /* by number */
    bool *frames; /* owned: by frame, whether all that is asked of one frame is
                     true of it; NULL = nothing is asked */
    uint64_t *distances; /* owned: by traceback, from its most recent frame to
                            the first outwards that matches; NULL = only the
                            most recent one is looked at */
};

/* ---- Reading filters ---- */

/* Copies as many members as the caller knows; the others ask for nothing. */
static int filter_read(const void *given, size_t size,
                       struct alloctrace_filter *filter)
{
    const unsigned char *const bytes = given;

    *filter = alloctrace_filter_make(0, NULL);
    memcpy(filter, given, size < sizeof *filter ? size : sizeof *filter);
    for (size_t i = sizeof *filter; i < size; i++)
        if (bytes[i])
            return ALLOCTRACE_EBAD_ARGUMENT;
    if (filter->size != size || filter->lineno < ALLOCTRACE_ANY ||
        filter->lineno > UINT32_MAX || filter->domain < ALLOCTRACE_ANY ||
        filter->domain > UINT32_MAX)
        return ALLOCTRACE_EBAD_ARGUMENT;
    return 0;
}

/* Is it the size of a struct that has none of its members in part? */
static bool is_size(size_t size)
{
#define END(member)                               \
    (offsetof(struct alloctrace_filter, member) + \
     sizeof(((struct alloctrace_filter *)0)->member))
    static const size_t ends[] = {END(filename_pattern), END(lineno),
                                  END(domain),           END(function_pattern),
                                  END(module_pattern),   END(type_pattern),
                                  END(thread_pattern)};
#undef END

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (size == ends[i])
            return true;
    return size >= sizeof(struct alloctrace_filter) &&
           size % _Alignof(struct alloctrace_filter) == 0;
}

/* Reads the filter of a number; the first says how large all are. */
static int filter_get(const struct alloctrace_filter *filters, size_t index,
                      struct alloctrace_filter *filter)
{
    return filter_read((const char *)filters + index * filters->size,
                       filters->size, filter);
}

/* What a list of filters is like. */
struct traits {
    bool has_inclusive;
    bool has_types; /* one asks for types */
};

static int filters_check(const struct alloctrace_filter *filters, size_t count,
                         struct traits *traits)
{
    struct alloctrace_filter filter;

    *traits = (struct traits){false, false};
    if (count > 0 && (!filters || !is_size(filters->size)))
        return ALLOCTRACE_EBAD_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        if (filter_get(filters, i, &filter))
            return ALLOCTRACE_EBAD_ARGUMENT;
        traits->has_inclusive = traits->has_inclusive || filter.inclusive;
        traits->has_types = traits->has_types || filter.type_pattern;
    }
    return 0;
}

/* ---- Names ---- */

/* Prepares for the names 0 .. count - 1; nothing is asked of them if `text` is
 * NULL. */
static int names_init(struct names *names, const char *text, bool is_file,
                      uint32_t count)
{
    if (!text)
        return 0;
    names->known = calloc(count, sizeof *names->known);
    if (!names->known)
        return ALLOCTRACE_ENO_MEMORY;
    return at_pattern_init(&names->pattern, text, is_file);
}

static void names_fini(struct names *names)
{
    at_pattern_fini(&names->pattern);
    free(names->known);
}

static bool names_match(struct names *names, uint32_t number, const char *name)
{
    if (!names->known)
        return true;
    if (!names->known[number])
        names->known[number] = 1 + at_pattern_matches(&names->pattern, name);
    return names->known[number] == 2;
}

/* ---- Frames and paths ---- */

static bool asks_for_frames(const struct alloctrace_filter *filter)
{
    return filter->filename_pattern || filter->lineno != ALLOCTRACE_ANY ||
           filter->function_pattern || filter->module_pattern;
}

/* Is all that is asked of one frame true of this one? */
static bool frame_matches(struct filtering *filtering, uint32_t number)
{
    const alloctrace_snapshot *const snapshot = filtering->snapshot;
    const struct at_frame *const frame = &snapshot->frames[number];
    const int64_t line = filtering->filter.lineno;

    return (line == ALLOCTRACE_ANY || line == frame->line) &&
           names_match(&filtering->files, frame->file,
                       at_text(snapshot, frame->file)) &&
           names_match(&filtering->functions, frame->function,
                       at_text(snapshot, frame->function)) &&
           names_match(&filtering->modules, frame->module,
                       snapshot->modules[frame->module].path);
}

/* Looks at frames in their order: traces would come upon them in any. */
static int frames_find(struct filtering *filtering)
{
    const uint32_t n = filtering->snapshot->n_frames;

    filtering->frames = malloc(n * sizeof *filtering->frames);
    for (uint32_t i = 0; filtering->frames && i < n; i++)
        filtering->frames[i] = frame_matches(filtering, i);
    return filtering->frames ? 0 : ALLOCTRACE_ENO_MEMORY;
}

static uint64_t further(uint64_t distance, uint64_t frames)
{
    return distance == NOWHERE ? NOWHERE : distance + frames;
}

/* From a frame of a site to the first one in it, outwards, that matches;
 * `distances` has that of its caller. */
static uint64_t frame_distance(const struct filtering *filtering,
                               uint32_t number, const uint64_t *distances)
{
    const uint32_t caller = filtering->snapshot->frames[number].caller;

    if (filtering->frames[number])
        return 0;
    return caller ? further(distances[caller], 1) : NOWHERE;
}

/* Callers have lower numbers than what was inlined into them, but those that
 * resolving an address added have higher ones: these first, from above. */
static void frames_measure(const struct filtering *filtering,
                           uint64_t *distances)
{
    const alloctrace_snapshot *const snapshot = filtering->snapshot;
    const struct at_frame *const frames = snapshot->frames;

    for (uint32_t i = snapshot->n_frames; i-- > 0;)
        if (frames[i].caller == 0 || frames[i].caller > i)
            distances[i] = frame_distance(filtering, i, distances);
    for (uint32_t i = 1; i < snapshot->n_frames; i++)
        if (frames[i].caller != 0 && frames[i].caller < i)
            distances[i] = frame_distance(filtering, i, distances);
}

/* Parents have lower numbers; `in_site` is by frame. */
static void paths_measure(const struct filtering *filtering,
                          const uint64_t *in_site)
{
    const alloctrace_snapshot *const snapshot = filtering->snapshot;
    uint64_t *const distances = filtering->distances;

    for (uint32_t i = 0; i < snapshot->n_tracebacks; i++) {
        const struct at_traceback *const traceback = &snapshot->tracebacks[i];

        distances[i] = in_site[traceback->frame];
        if (distances[i] == NOWHERE && traceback->parent)
            distances[i] = further(distances[traceback->parent],
                                   snapshot->frames[traceback->frame].n_chain);
    }
}

static int paths_find(struct filtering *filtering)
{
    const alloctrace_snapshot *const snapshot = filtering->snapshot;
    uint64_t *const in_site = calloc(snapshot->n_frames, sizeof *in_site);

    filtering->distances =
        calloc(snapshot->n_tracebacks, sizeof *filtering->distances);
    if (in_site && filtering->distances) {
        frames_measure(filtering, in_site);
        paths_measure(filtering, in_site);
    }
    free(in_site);
    return in_site && filtering->distances ? 0 : ALLOCTRACE_ENO_MEMORY;
}

static bool path_matches(const struct filtering *filtering, uint32_t traceback)
{
    const alloctrace_snapshot *const snapshot = filtering->snapshot;

    if (!filtering->frames)
        return true;
    if (filtering->distances)
        return filtering->distances[traceback] <
               at_kept_frames(snapshot, traceback);
    return filtering->frames[snapshot->tracebacks[traceback].frame];
}

/* ---- Traces ---- */

static int filtering_init(struct filtering *filtering)
{
    const struct alloctrace_filter *const filter = &filtering->filter;
    const alloctrace_snapshot *const snapshot = filtering->snapshot;
    const uint32_t n = snapshot->strings.count;

    if (names_init(&filtering->files, filter->filename_pattern, true, n) ||
        names_init(&filtering->functions, filter->function_pattern, false, n) ||
        names_init(&filtering->typed, filter->type_pattern, false, n) ||
        names_init(&filtering->modules, filter->module_pattern, false,
                   snapshot->n_modules) ||
        names_init(&filtering->threads, filter->thread_pattern, false,
                   snapshot->n_threads))
        return ALLOCTRACE_ENO_MEMORY;
    if (!asks_for_frames(filter))
        return 0;
    if (frames_find(filtering))
        return ALLOCTRACE_ENO_MEMORY;
    return filter->all_frames ? paths_find(filtering) : 0;
}

static void filtering_fini(struct filtering *filtering)
{
    names_fini(&filtering->files);
    names_fini(&filtering->functions);
    names_fini(&filtering->typed);
    names_fini(&filtering->modules);
    names_fini(&filtering->threads);
    free(filtering->frames);
    free(filtering->distances);
}

static bool trace_matches(struct filtering *filtering, uint32_t index)
{
    const alloctrace_snapshot *const snapshot = filtering->snapshot;
    const struct alloctrace_trace *const trace = &snapshot->traces[index];
    const int64_t domain = filtering->filter.domain;
    const uint32_t type = filtering->types ? filtering->types[index] : 0;

    return (domain == ALLOCTRACE_ANY || domain == trace->domain) &&
           names_match(&filtering->threads, trace->thread,
                       snapshot->threads[trace->thread].name) &&
           names_match(&filtering->typed, type, at_text(snapshot, type)) &&
           path_matches(filtering, trace->traceback);
}

/* Looks at all traces for one filter. */
static int verdicts_add(struct filtering *filtering, uint8_t *verdicts)
{
    const uint8_t verdict =
        filtering->filter.inclusive ? IS_INCLUDED : IS_EXCLUDED;
    const int result = filtering_init(filtering);

    for (uint32_t i = 0; !result && i < filtering->snapshot->n_traces; i++)
        if (!(verdicts[i] & (verdict | IS_EXCLUDED)) &&
            trace_matches(filtering, i))
            verdicts[i] |= verdict;
    filtering_fini(filtering);
    return result;
}

/* Looks at all filters, and says which traces they let through. */
static int traces_find(const alloctrace_snapshot *snapshot,
                       const struct alloctrace_filter *filters, size_t count,
                       const struct traits *traits, bool *is_kept)
{
    uint8_t *const verdicts = calloc((size_t)snapshot->n_traces + 1, 1);
    uint32_t *const types = traits->has_types ? at_trace_types(snapshot) : NULL;
    int result =
        !verdicts || (traits->has_types && !types) ? ALLOCTRACE_ENO_MEMORY : 0;

    for (size_t i = 0; !result && i < count; i++) {
        struct filtering filtering = {.snapshot = snapshot, .types = types};

        result = filter_get(filters, i, &filtering.filter);
        if (!result)
            result = verdicts_add(&filtering, verdicts);
    }
    for (uint32_t i = 0; !result && i < snapshot->n_traces; i++)
        is_kept[i] = verdicts[i] == (traits->has_inclusive ? IS_INCLUDED : 0);
    free(verdicts);
    free(types);
    return result;
}

int alloctrace_snapshot_filter_traces(const alloctrace_snapshot *snapshot,
                                      const struct alloctrace_filter *filters,
                                      size_t n_filters,
                                      alloctrace_snapshot **filtered)
{
    AT_UNTRACED;
    struct traits traits;
    bool *is_kept;
    int result = filters_check(filters, n_filters, &traits);

    if (result)
        return result;
    if (n_filters == 0) {
        alloctrace_snapshot *const copy = at_snapshot_derive(snapshot);

        if (copy)
            *filtered = copy;
        return copy ? 0 : ALLOCTRACE_ENO_MEMORY;
    }
    is_kept = calloc((size_t)snapshot->n_traces + 1, sizeof *is_kept);
    if (!is_kept)
        return ALLOCTRACE_ENO_MEMORY;
    result = traces_find(snapshot, filters, n_filters, &traits, is_kept);
    if (!result)
        result = at_snapshot_select(snapshot, is_kept, filtered);
    free(is_kept);
    return result;
}
