/* SPDX-License-Identifier: MIT */
/*
 * Snapshots by hand: what a caller gives is interned (intern.c) into the
 * tables of a snapshot, which at the end is labelled and measured like one
 * that was loaded. merge.c adds whole snapshots.
 *
 * Modules are equal if their paths and build ids are; where both are unknown,
 * if they are mapped at the same addresses. The first of equal ones stays, so
 * an address in another one is moved by the difference of their biases.
 */
#include <stdlib.h>
#include <string.h>

#include "build.h"

int alloctrace_builder_create(alloctrace_builder **builder)
{
    AT_UNTRACED;
    alloctrace_builder *made = calloc(1, sizeof *made);

    if (!made)
        return ALLOCTRACE_ENO_MEMORY;
    if (at_intern_init(&made->intern)) {
        alloctrace_builder_free(made);
        return ALLOCTRACE_ENO_MEMORY;
    }
    made->n_max_modules = made->n_max_threads = made->n_max_domains = 1;
    made->next_domain = AT_FIRST_NAMED;
    made->intern.snapshot->process = (struct alloctrace_process){
        .program = "", .host = "", .writer = "", .reason = ""};
    *builder = made;
    return 0;
}

void alloctrace_builder_free(alloctrace_builder *builder)
{
    AT_UNTRACED;

    if (!builder)
        return;
    at_map_fini(&builder->modules);
    at_map_fini(&builder->threads);
    at_map_fini(&builder->thread_names);
    at_map_fini(&builder->domain_numbers);
    at_map_fini(&builder->domain_names);
    at_tally_drop(builder);
    at_intern_fini(&builder->intern);
    free(builder);
}

/* ---- The process, modules and threads ---- */

int at_builder_text(alloctrace_builder *builder, const char *text,
                    const char **copy)
{
    uint32_t string_id;

    if (at_intern_string(&builder->intern, text, &string_id))
        return ALLOCTRACE_ENO_MEMORY;
    *copy = at_text(builder->intern.snapshot, string_id);
    return 0;
}

int alloctrace_builder_set_process(alloctrace_builder *builder,
                                   const struct alloctrace_process *process)
{
    AT_UNTRACED;
    struct alloctrace_process copy = *process;

    if (at_builder_text(builder, process->program, &copy.program) ||
        at_builder_text(builder, process->host, &copy.host) ||
        at_builder_text(builder, process->writer, &copy.writer) ||
        at_builder_text(builder, process->reason, &copy.reason))
        return ALLOCTRACE_ENO_MEMORY;
    builder->intern.snapshot->process = copy;
    builder->is_process_given = true;
    return 0;
}

static int module_key(alloctrace_builder *builder,
                      const struct alloctrace_module *module,
                      struct at_words *key)
{
    uint32_t path;
    uint32_t build_id;

    if (at_intern_string(&builder->intern, module->path, &path) ||
        at_intern_string(&builder->intern, module->build_id, &build_id))
        return ALLOCTRACE_ENO_MEMORY;
    *key = (struct at_words){{path, build_id}};
    if (path || build_id)
        return 0;
    key->words[2] = module->begin;
    key->words[3] = module->end;
    key->words[4] = module->bias;
    return 0;
}

int alloctrace_builder_add_module(alloctrace_builder *builder,
                                  const struct alloctrace_module *module,
                                  uint32_t *id)
{
    AT_UNTRACED;
    alloctrace_snapshot *snapshot = builder->intern.snapshot;
    struct alloctrace_module *modules = snapshot->modules;
    struct at_words key;
    const uint32_t *found;

    if (module_key(builder, module, &key))
        return ALLOCTRACE_ENO_MEMORY;
    found = at_map_find(&builder->modules, &builder->intern.seed, &key);
    if (found) {
        *id = *found;
        return 0;
    }
    if (snapshot->n_modules == builder->n_max_modules)
        modules = at_grown(modules, &builder->n_max_modules, sizeof *modules);
    if (modules)
        snapshot->modules = modules;
    if (!modules || at_map_add(&builder->modules, &builder->intern.seed, &key,
                               snapshot->n_modules))
        return ALLOCTRACE_ENO_MEMORY;
    *id = snapshot->n_modules++;
    modules[*id] = *module;
    modules[*id].path = at_text(snapshot, (uint32_t)key.words[0]);
    modules[*id].build_id = at_text(snapshot, (uint32_t)key.words[1]);
    return 0;
}

/* Lets the first thread of a name be found by it. */
static int thread_index(alloctrace_builder *builder, uint32_t name,
                        uint32_t number)
{
    const struct at_words key = {{name}};
    struct at_map *map = &builder->thread_names;

    if (at_map_find(map, &builder->intern.seed, &key))
        return 0;
    return at_map_add(map, &builder->intern.seed, &key, number);
}

int alloctrace_builder_add_thread(alloctrace_builder *builder,
                                  const struct alloctrace_thread *thread,
                                  uint32_t *id)
{
    AT_UNTRACED;
    alloctrace_snapshot *snapshot = builder->intern.snapshot;
    struct alloctrace_thread *threads = snapshot->threads;
    const uint32_t *found;
    struct at_words key;
    uint32_t name;

    if (at_intern_string(&builder->intern, thread->name, &name))
        return ALLOCTRACE_ENO_MEMORY;
    key = (struct at_words){{name, thread->tid}};
    found = at_map_find(&builder->threads, &builder->intern.seed, &key);
    if (found) {
        *id = *found;
        return 0;
    }
    if (snapshot->n_threads == builder->n_max_threads)
        threads = at_grown(threads, &builder->n_max_threads, sizeof *threads);
    if (threads)
        snapshot->threads = threads;
    if (!threads || thread_index(builder, name, snapshot->n_threads) ||
        at_map_add(&builder->threads, &builder->intern.seed, &key,
                   snapshot->n_threads))
        return ALLOCTRACE_ENO_MEMORY;
    *id = snapshot->n_threads++;
    threads[*id] = (struct alloctrace_thread){.name = at_text(snapshot, name),
                                              .tid = thread->tid};
    return 0;
}

/* ---- Call paths ---- */

/* Places that are what at_snapshot_label makes of frames without a file. */
static bool is_label(const struct alloctrace_frame *frame)
{
    if (!frame->file)
        return true;
    if (frame->address)
        return frame->kind == ALLOCTRACE_FRAME_ADDRESS && frame->line == 0 &&
               *frame->file == '[';
    return strcmp(frame->file, "<unknown>") == 0;
}

static int frame_module(alloctrace_builder *builder,
                        const struct alloctrace_module *module,
                        struct at_frame *frame)
{
    if (!module)
        return 0;
    if (alloctrace_builder_add_module(builder, module, &frame->module))
        return ALLOCTRACE_ENO_MEMORY;
    if (frame->address)
        frame->address +=
            builder->intern.snapshot->modules[frame->module].bias -
            module->bias;
    return 0;
}

/* Interns a frame that was inlined into `caller`, 0 = it was not. */
static int frame_intern(alloctrace_builder *builder,
                        const struct alloctrace_frame *given, uint32_t caller,
                        uint32_t *frame_id)
{
    struct at_intern *intern = &builder->intern;
    const uint32_t kind = given->kind;
    struct at_frame frame = {.address = given->address,
                             .line = given->line,
                             .column = given->column,
                             .caller = caller,
                             .type_size = given->type_size,
                             .kind = kind < UINT16_MAX ? (uint16_t)kind
                                                       : UINT16_MAX,
                             .flags = (uint16_t)given->flags};

    if (caller && intern->snapshot->frames[caller].n_chain >= AT_MAX_CHAIN)
        return ALLOCTRACE_EBAD_ARGUMENT;
    if (frame_module(builder, given->module, &frame) ||
        at_intern_string(intern, is_label(given) ? NULL : given->file,
                         &frame.file) ||
        at_intern_string(intern, given->function, &frame.function) ||
        at_intern_string(intern, given->type, &frame.type) ||
        at_intern_string(intern, given->target, &frame.target))
        return ALLOCTRACE_ENO_MEMORY;
    return at_intern_frame(intern, &frame, frame_id);
}

/* Interns a path, from the oldest frame on; `cut` frames are not given. */
static int path_intern(alloctrace_builder *builder,
                       const struct alloctrace_frame *frames, size_t n_frames,
                       uint64_t cut, uint32_t *traceback_id)
{
    uint32_t parent = 0;
    uint32_t frame = 0;

    for (size_t i = n_frames; i-- > 0;) {
        const bool is_inlined = frames[i].is_inlined && i + 1 < n_frames;
        int result =
            frame_intern(builder, &frames[i], is_inlined ? frame : 0, &frame);

        if (result)
            return result;
        if (i > 0 && frames[i - 1].is_inlined)
            continue;
        if (i == 0 && !parent && frame == builder->intern.unknown && !cut)
            break;
        if (at_intern_traceback(&builder->intern, parent, frame,
                                i == 0 ? cut : 0, &parent))
            return ALLOCTRACE_ENO_MEMORY;
    }
    *traceback_id = parent;
    return 0;
}

/* ---- Blocks ---- */

static void summary_add(struct alloctrace_summary *summary,
                        const struct alloctrace_trace *trace)
{
    summary->live_blocks += (uint64_t)trace->live_blocks;
    summary->live_bytes += (uint64_t)trace->live_bytes;
    summary->total_blocks += (uint64_t)trace->total_blocks;
    summary->total_bytes += (uint64_t)trace->total_bytes;
    summary->peak_bytes += (uint64_t)trace->peak_bytes;
}

int alloctrace_builder_add_trace(alloctrace_builder *builder,
                                 const struct alloctrace_trace *trace,
                                 const struct alloctrace_frame *frames,
                                 size_t n_frames, uint64_t total_nframe)
{
    AT_UNTRACED;
    static const struct alloctrace_frame unknown;
    alloctrace_snapshot *snapshot = builder->intern.snapshot;
    struct at_trace_name name = {.thread = trace->thread,
                                 .domain = trace->domain};
    uint32_t *taken;
    uint32_t position;
    int result;

    if (trace->thread >= snapshot->n_threads ||
        (total_nframe && total_nframe < n_frames))
        return ALLOCTRACE_EBAD_ARGUMENT;
    if (n_frames == 0) {
        frames = &unknown;
        n_frames = 1;
    }
    result = path_intern(builder, frames, n_frames,
                         total_nframe ? total_nframe - n_frames : 0,
                         &name.traceback);
    if (result)
        return result;
    if (at_domain_take(builder, name.domain, &taken) ||
        at_intern_trace(&builder->intern, &name, &position))
        return ALLOCTRACE_ENO_MEMORY;
    builder->has_own_traces = true;
    at_trace_add(&snapshot->traces[position], trace);
    summary_add(&snapshot->summary, trace);
    return 0;
}

int alloctrace_builder_add(alloctrace_builder *builder, uint32_t domain,
                           uint64_t size, const struct alloctrace_frame *frames,
                           size_t n_frames, uint64_t total_nframe)
{
    AT_UNTRACED;
    const int64_t bytes = (int64_t)size;
    const struct alloctrace_trace trace = {.domain = domain,
                                           .live_blocks = 1,
                                           .live_bytes = bytes,
                                           .total_blocks = 1,
                                           .total_bytes = bytes,
                                           .peak_blocks = 1,
                                           .peak_bytes = bytes};

    return alloctrace_builder_add_trace(builder, &trace, frames, n_frames,
                                        total_nframe);
}

/* What only one process can say is gone if there are more. */
void at_process_finish(alloctrace_builder *builder)
{
    alloctrace_snapshot *built = builder->intern.snapshot;
    struct alloctrace_process *process = &built->process;

    if (!builder->is_process_given && builder->has_own_traces)
        process->traceback_limit = 0;
    if (!builder->is_process_given || !process->n_processes)
        process->n_processes = builder->n_processes;
    if (!process->n_processes)
        process->n_processes = 1;
    if (builder->has_own_traces)
        built->n_blocks = 0;
}

int alloctrace_builder_finish(alloctrace_builder *builder,
                              alloctrace_snapshot **snapshot)
{
    AT_UNTRACED;
    alloctrace_snapshot *built = builder->intern.snapshot;

    at_process_finish(builder);
    if (at_tally_finish(builder) || at_snapshot_label(built)) {
        alloctrace_builder_free(builder);
        return ALLOCTRACE_ENO_MEMORY;
    }
    at_snapshot_measure(built);
    builder->intern.snapshot = NULL;
    alloctrace_builder_free(builder);
    *snapshot = built;
    return 0;
}
