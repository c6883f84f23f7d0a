/* SPDX-License-Identifier: MIT */
/*
 * What of a snapshot is written to a file, and under which numbers: see plan.h.
 * Time is linear in the snapshot.
 */
#include <stdlib.h>
#include <string.h>

#include "plan.h"

/* ---- Numbers ---- */

/* For `n` ids with 0: none are written, until they are marked. */
static int numbers_init(struct at_numbers *numbers, uint32_t n)
{
    const size_t n_words = (size_t)n / 64 + 1;

    numbers->bits = calloc(n_words, sizeof *numbers->bits);
    numbers->before = calloc(n_words, sizeof *numbers->before);
    numbers->n = n;
    return numbers->bits && numbers->before ? 0 : ALLOCTRACE_ENO_MEMORY;
}

/* All are written, under the numbers that they have. */
static void numbers_keep(struct at_numbers *numbers, uint32_t n)
{
    *numbers = (struct at_numbers){.n = n, .count = n - 1};
}

static void numbers_fini(struct at_numbers *numbers)
{
    free(numbers->bits);
    free(numbers->before);
}

/* Returns whether that is new. Id 0 is never written. */
static bool number_mark(struct at_numbers *numbers, uint32_t id)
{
    const uint64_t bit = UINT64_C(1) << id % 64;

    if (!id || !numbers->bits || numbers->bits[id / 64] & bit)
        return false;
    numbers->bits[id / 64] |= bit;
    return true;
}

/* Once all are marked. */
static void numbers_count(struct at_numbers *numbers)
{
    if (!numbers->bits)
        return;
    numbers->count = 0;
    for (uint32_t i = 0; i <= numbers->n / 64; i++) {
        numbers->before[i] = numbers->count;
        numbers->count +=
            (uint32_t)__builtin_popcountll(numbers->bits[i]);
    }
}

/* ---- Where folded paths begin ---- */

/* The number of the start that is written for a traceback; 0 = none. */
static uint32_t start_of(const struct at_plan *plan, uint32_t traceback)
{
    const alloctrace_snapshot *const snapshot = plan->snapshot;

    return at_is_folded(snapshot, traceback)
               ? plan->start_of[traceback - snapshot->raw->n_tracebacks]
               : 0;
}

/* What a traceback has to begin with, so that it says the same as a path of
 * its own. `type` is that of its traces, `found` the one that a reader would
 * find. Returns false if its frame does as it is. */
static bool start_make(const alloctrace_snapshot *snapshot, uint32_t traceback,
                       uint32_t type, uint32_t found, struct at_start *start)
{
    const uint32_t id = snapshot->tracebacks[traceback].frame;
    const struct at_frame *const frame = &snapshot->frames[id];
    const bool has_via = frame->kind == ALLOCTRACE_FRAME_CALL &&
                         *at_text(snapshot, frame->callee);
    const bool is_end =
        strcmp(at_text(snapshot, type), at_text(snapshot, found)) != 0;

    *start = (struct at_start){id, is_end ? type : frame->type, is_end};
    return has_via || is_end;
}

static bool start_is(const struct at_start *a, const struct at_start *b)
{
    return a->frame == b->frame && a->type == b->type && a->is_end == b->is_end;
}

/* Finds the starts. `types` are those of traces, `folds` what a reader would
 * find, `last` the newest start of each frame, which are 0. */
static void starts_find(struct at_plan *plan, const uint32_t *types,
                        const struct at_fold *folds, uint32_t *last)
{
    const alloctrace_snapshot *const snapshot = plan->snapshot;

    for (uint32_t i = 0; i < snapshot->n_traces; i++) {
        const uint32_t path = snapshot->traces[i].traceback;
        struct at_start start;
        uint32_t *number;

        if (!at_is_folded(snapshot, path) || start_of(plan, path) ||
            !start_make(snapshot, path, types[i], folds[path].type, &start))
            continue;
        number = &last[start.frame];
        if (!*number || !start_is(&plan->starts[*number - 1], &start)) {
            plan->starts[plan->n_starts++] = start;
            *number = plan->n_starts;
        }
        plan->start_of[path - snapshot->raw->n_tracebacks] = *number;
    }
}

/* Only a folded snapshot has them. */
static int starts_init(struct at_plan *plan)
{
    const alloctrace_snapshot *const snapshot = plan->snapshot;
    uint32_t *types;
    struct at_fold *folds;
    uint32_t *last;
    size_t n_paths;
    bool is_complete;

    if (!snapshot->raw)
        return 0;
    n_paths = snapshot->n_tracebacks - snapshot->raw->n_tracebacks;
    types = at_trace_types(snapshot);
    folds = at_fold_paths(snapshot);
    last = calloc(snapshot->n_frames, sizeof *last);
    plan->starts = calloc(n_paths + 1, sizeof *plan->starts);
    plan->start_of = calloc(n_paths + 1, sizeof *plan->start_of);
    is_complete = types && folds && last && plan->starts && plan->start_of;
    if (is_complete)
        starts_find(plan, types, folds, last);
    free(types);
    free(folds);
    free(last);
    return is_complete ? 0 : ALLOCTRACE_ENO_MEMORY;
}

/* What hands its result on has a reader look further outwards for a type. */
struct at_frame at_plan_start(const struct at_plan *plan, uint32_t index)
{
    const struct at_start *const start = &plan->starts[index];
    struct at_frame frame = plan->snapshot->frames[start->frame];

    frame.callee = 0;
    if (!start->is_end)
        return frame;
    frame.flags &= (uint16_t)~ALLOCTRACE_FRAME_RETURNED;
    if (strcmp(at_text(plan->snapshot, frame.type),
               at_text(plan->snapshot, start->type))) {
        frame.type = start->type;
        frame.type_size = 0;
    }
    return frame;
}

/* ---- Which are written ---- */

/* Added frames have higher numbers than what they were added for: the first of
 * them is the lowest caller that stands behind its frame. */
static uint32_t first_added(const alloctrace_snapshot *snapshot)
{
    uint32_t first = snapshot->n_frames;

    for (uint32_t i = 1; i < snapshot->n_frames; i++) {
        const uint32_t caller = snapshot->frames[i].caller;

        if (caller > i && caller < first)
            first = caller;
    }
    return first;
}

/* Where a frame stands when callers come first; its own inverse but for the
 * shift: positions and frames go from 1 to n_frames - 1, and 0 is 0. */
static uint32_t frame_position(const struct at_plan *plan, uint32_t frame)
{
    const uint32_t n = plan->snapshot->n_frames;

    if (frame == 0)
        return 0;
    return frame >= plan->first_added ? n - frame
                                         : frame + (n - plan->first_added);
}

const struct at_frame *at_plan_frame_at(const struct at_plan *plan,
                                       uint32_t position)
{
    const uint32_t n = plan->snapshot->n_frames;
    const uint32_t n_added = n - plan->first_added;

    return &plan->snapshot->frames[position <= n_added ? n - position
                                                          : position - n_added];
}

uint32_t at_plan_frame(const struct at_plan *plan, uint32_t frame)
{
    return at_number_of(&plan->frames, frame_position(plan, frame));
}

uint32_t at_plan_first_frame(const struct at_plan *plan, uint32_t traceback)
{
    const uint32_t start = start_of(plan, traceback);

    return start ? plan->frames.count + start
                 : at_plan_frame(plan,
                                 plan->snapshot->tracebacks[traceback].frame);
}

/* Marks the frames of a site, as far as they are not marked yet. */
static void site_mark(struct at_plan *plan, uint32_t frame)
{
    while (number_mark(&plan->frames, frame_position(plan, frame)))
        frame = plan->snapshot->frames[frame].caller;
}

/* Marks all that traces and blocks lead to, but for strings. */
static void paths_mark(struct at_plan *plan)
{
    const alloctrace_snapshot *const snapshot = plan->snapshot;
    struct at_numbers *const tracebacks = &plan->tracebacks;

    for (uint32_t i = 0; i < snapshot->n_traces; i++) {
        number_mark(tracebacks, snapshot->traces[i].traceback);
        number_mark(&plan->threads, snapshot->traces[i].thread);
    }
    for (uint64_t i = 0; i < snapshot->n_blocks; i++)
        number_mark(tracebacks, snapshot->blocks[i].traceback);
    for (uint32_t i = snapshot->n_tracebacks; i-- > 1;)
        if (at_has_number(tracebacks, i)) {
            const uint32_t frame = snapshot->tracebacks[i].frame;

            number_mark(tracebacks, snapshot->tracebacks[i].parent);
            site_mark(plan, start_of(plan, i)
                                   ? snapshot->frames[frame].caller
                                   : frame);
        }
    for (uint32_t i = 1; i < snapshot->n_frames; i++)
        if (at_has_number(&plan->frames, i))
            number_mark(&plan->modules, at_plan_frame_at(plan, i)->module);
    for (uint32_t i = 0; i < plan->n_starts; i++)
        number_mark(&plan->modules,
                    snapshot->frames[plan->starts[i].frame].module);
    numbers_count(tracebacks);
    numbers_count(&plan->frames);
    numbers_count(&plan->modules);
    numbers_count(&plan->threads);
}

/* What is made of another snapshot leaves out what it does not lead to. */
static int paths_number(struct at_plan *plan)
{
    const alloctrace_snapshot *const snapshot = plan->snapshot;

    plan->first_added = first_added(snapshot);
    if (!snapshot->base) {
        numbers_keep(&plan->frames, snapshot->n_frames);
        numbers_keep(&plan->tracebacks, snapshot->n_tracebacks);
        numbers_keep(&plan->modules, snapshot->n_modules);
        numbers_keep(&plan->threads, snapshot->n_threads);
        return 0;
    }
    if (numbers_init(&plan->frames, snapshot->n_frames) ||
        numbers_init(&plan->tracebacks, snapshot->n_tracebacks) ||
        numbers_init(&plan->modules, snapshot->n_modules) ||
        numbers_init(&plan->threads, snapshot->n_threads))
        return ALLOCTRACE_ENO_MEMORY;
    paths_mark(plan);
    return 0;
}

/* ---- Strings ---- */

#define MAX_REPEATED 32

/* Are texts equal, and so short that to repeat one costs a reader little more
 * than to have it again? See AT_NAMES_PER_BYTE. */
static bool is_repeated(const char *last, const char *text)
{
    return last && strnlen(text, MAX_REPEATED + 1) <= MAX_REPEATED &&
           strcmp(last, text) == 0;
}

bool at_text_number(struct at_texts *texts, const char *text, uint32_t *number)
{
    *number = *text ? texts->count : 0;
    if (!*text || is_repeated(texts->last, text))
        return false;
    texts->last = text;
    *number = ++texts->count;
    return true;
}

/* Who wants to see the texts. */
struct visit {
    struct at_texts texts;
    void (*visit)(void *data, const char *text);
    void *data;
};

static void text_visit(struct visit *visit, const char *text)
{
    uint32_t number;

    if (at_text_number(&visit->texts, text, &number))
        visit->visit(visit->data, text);
}

static void attributes_visit(const struct at_attributes *attributes,
                             struct visit *visit)
{
    for (size_t i = 0; i < attributes->count; i++) {
        text_visit(visit, attributes->items[i].texts.key);
        text_visit(visit, attributes->items[i].texts.value);
    }
}

void at_plan_texts(const struct at_plan *plan,
                   void (*visit_one)(void *data, const char *text), void *data)
{
    const alloctrace_snapshot *const snapshot = plan->snapshot;
    const struct alloctrace_process *const process = &snapshot->process;
    struct visit visit = {.visit = visit_one, .data = data};

    text_visit(&visit, process->program);
    text_visit(&visit, process->host);
    text_visit(&visit, process->writer);
    text_visit(&visit, process->reason);
    for (uint32_t i = 0; i < snapshot->n_arguments; i++)
        text_visit(&visit, snapshot->arguments[i]);
    for (uint32_t i = 1; i < snapshot->n_modules; i++)
        if (at_has_number(&plan->modules, i)) {
            text_visit(&visit, snapshot->modules[i].path);
            text_visit(&visit, snapshot->modules[i].build_id);
        }
    for (uint32_t i = 1; i < snapshot->n_threads; i++)
        if (at_has_number(&plan->threads, i))
            text_visit(&visit, snapshot->threads[i].name);
    for (uint32_t i = 0; i < snapshot->n_domains; i++)
        text_visit(&visit, snapshot->domains[i].name);
    attributes_visit(&snapshot->attributes, &visit);
}

/* Counts a text or string that is written. */
static void text_count(struct at_plan *plan, const char *text)
{
    const size_t size = strlen(text);

    plan->is_too_long = plan->is_too_long || size > UINT32_MAX;
    plan->string_bytes += 4 + (uint64_t)size;
}

static void text_add(void *data, const char *text)
{
    struct at_plan *const plan = data;

    text_count(plan, text);
    plan->n_texts++;
}

static void string_mark(struct at_plan *plan, uint32_t id)
{
    const char *const text = at_text(plan->snapshot, id);

    if (*text && number_mark(&plan->strings, id))
        text_count(plan, text);
}

static void frame_strings_mark(struct at_plan *plan,
                               const struct at_frame *frame)
{
    if (!at_is_label(frame))
        string_mark(plan, frame->file);
    string_mark(plan, frame->function);
    string_mark(plan, frame->callee);
    string_mark(plan, frame->type);
    string_mark(plan, frame->target);
}

static int strings_number(struct at_plan *plan)
{
    if (numbers_init(&plan->strings, plan->snapshot->strings.count))
        return ALLOCTRACE_ENO_MEMORY;
    at_plan_texts(plan, text_add, plan);
    for (uint32_t i = 1; i < plan->snapshot->n_frames; i++)
        if (at_has_number(&plan->frames, i))
            frame_strings_mark(plan, at_plan_frame_at(plan, i));
    for (uint32_t i = 0; i < plan->n_starts; i++) {
        const struct at_frame frame = at_plan_start(plan, i);

        frame_strings_mark(plan, &frame);
    }
    numbers_count(&plan->strings);
    if (plan->is_too_long || plan->strings.count > UINT32_MAX - plan->n_texts)
        return ALLOCTRACE_ENO_MEMORY; /* for the numbers that they would need */
    return 0;
}

uint32_t at_plan_string(const struct at_plan *plan, uint32_t id)
{
    if (!*at_text(plan->snapshot, id))
        return 0;
    return plan->n_texts + at_number_of(&plan->strings, id);
}

/* ---- All of it ---- */

int at_plan_init(struct at_plan *plan, const alloctrace_snapshot *snapshot)
{
    *plan = (struct at_plan){.snapshot = snapshot};
    if (starts_init(plan) || paths_number(plan) || strings_number(plan))
        return ALLOCTRACE_ENO_MEMORY;
    return 0;
}

void at_plan_fini(struct at_plan *plan)
{
    free(plan->starts);
    free(plan->start_of);
    numbers_fini(&plan->frames);
    numbers_fini(&plan->tracebacks);
    numbers_fini(&plan->modules);
    numbers_fini(&plan->threads);
    numbers_fini(&plan->strings);
}
