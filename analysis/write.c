/* SPDX-License-Identifier: MIT */
/*
 * Snapshot => dump: load.c's way back. The tables are written as they stand,
 * entry by entry, into a small buffer (output.c); nothing is copied. What is
 * left out, and which numbers the rest gets, is decided before (plan.c), so
 * that each record's count is known when it begins.
 */
#include <errno.h>
#include <stdlib.h>

#include "plan.h"
#include "record.h"

struct writing {
    struct at_plan plan;
    struct at_output output;
    struct at_texts texts; /* while their numbers are given */
    uint64_t n_records;    /* so far */
};

/* ---- Records ---- */

static void record_begin(struct writing *writing, uint32_t tag, uint32_t count,
                         uint64_t length)
{
    uint8_t *const header =
        at_output_take(&writing->output, ALLOCTRACE_RECORD_HEADER_SIZE);

    write_u32(header, tag);
    write_u32(header + 4, count);
    write_u64(header + 8, length);
    writing->n_records++;
}

#define RECORD_BEGIN(writing, TAG, TYPE, count)                     \
    record_begin(writing, ALLOCTRACE_TAG_##TAG, (uint32_t)(count), \
                 (uint64_t)(count) * ALLOCTRACE_##TYPE##_SIZE)

/* Writes an entry; its fields are those of the format. */
#define ENTRY_PUT(writing, type, TYPE, ...)                                   \
    write_##type(at_output_take(&(writing)->output, ALLOCTRACE_##TYPE##_SIZE), \
                 &(const struct alloctrace_##type##_entry){__VA_ARGS__})

/* ---- Strings ---- */

static void string_put(void *data, const char *text)
{
    struct writing *const writing = data;
    const size_t size = strlen(text);

    write_u32(at_output_take(&writing->output, 4), (uint32_t)size);
    at_output_put(&writing->output, text, size);
}

static void strings_put(struct writing *writing)
{
    const struct at_plan *const plan = &writing->plan;
    const uint32_t count = plan->n_texts + plan->strings.count;

    if (!count)
        return;
    record_begin(writing, ALLOCTRACE_TAG_STRINGS, count, plan->string_bytes);
    at_plan_texts(plan, string_put, writing);
    for (uint32_t i = 1; i < plan->strings.n; i++)
        if (at_has_number(&plan->strings, i))
            string_put(writing, at_text(plan->snapshot, i));
    at_output_pad(&writing->output);
}

/* The number of a text; asked for in the order of at_plan_texts. */
static uint32_t text_of(struct writing *writing, const char *text)
{
    uint32_t number;

    at_text_number(&writing->texts, text, &number);
    return number;
}

/* ---- Whose and where ---- */

static void process_put(struct writing *writing)
{
    const struct alloctrace_process *const process =
        &writing->plan.snapshot->process;
    const uint32_t program = text_of(writing, process->program);
    const uint32_t host = text_of(writing, process->host);
    const uint32_t writer = text_of(writing, process->writer);
    const uint32_t reason = text_of(writing, process->reason);

    RECORD_BEGIN(writing, PROCESS, PROCESS, 1);
    ENTRY_PUT(writing, process, PROCESS, .pid = process->pid,
              .word_bits = process->word_bits,
              .traceback_limit = process->traceback_limit,
              .sequence = process->sequence, .start_ns = process->start_ns,
              .dump_ns = process->dump_ns, .program = program, .host = host,
              .writer = writer, .reason = reason,
              .sample_bytes = process->sample_bytes,
              .n_processes = process->n_processes);
    at_output_pad(&writing->output);
}

static void arguments_put(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->plan.snapshot;

    if (!snapshot->n_arguments)
        return;
    RECORD_BEGIN(writing, ARGUMENTS, ARGUMENT, snapshot->n_arguments);
    for (uint32_t i = 0; i < snapshot->n_arguments; i++)
        ENTRY_PUT(writing, argument, ARGUMENT,
                  .text = text_of(writing, snapshot->arguments[i]));
    at_output_pad(&writing->output);
}

static void modules_put(struct writing *writing)
{
    if (!writing->plan.modules.count)
        return;
    RECORD_BEGIN(writing, MODULES, MODULE, writing->plan.modules.count);
    for (uint32_t i = 1; i < writing->plan.modules.n; i++) {
        const struct alloctrace_module *const module =
            &writing->plan.snapshot->modules[i];
        uint32_t path;

        if (!at_has_number(&writing->plan.modules, i))
            continue;
        path = text_of(writing, module->path);
        ENTRY_PUT(writing, module, MODULE, .begin = module->begin,
                  .end = module->end, .bias = module->bias, .path = path,
                  .build_id = text_of(writing, module->build_id));
    }
    at_output_pad(&writing->output);
}

static void threads_put(struct writing *writing)
{
    if (!writing->plan.threads.count)
        return;
    RECORD_BEGIN(writing, THREADS, THREAD, writing->plan.threads.count);
    for (uint32_t i = 1; i < writing->plan.threads.n; i++) {
        const struct alloctrace_thread *const thread =
            &writing->plan.snapshot->threads[i];

        if (at_has_number(&writing->plan.threads, i))
            ENTRY_PUT(writing, thread, THREAD, .tid = thread->tid,
                      .name = text_of(writing, thread->name));
    }
    at_output_pad(&writing->output);
}

static void domains_put(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->plan.snapshot;

    if (!snapshot->n_domains)
        return;
    RECORD_BEGIN(writing, DOMAINS, DOMAIN, snapshot->n_domains);
    for (uint32_t i = 0; i < snapshot->n_domains; i++)
        ENTRY_PUT(writing, domain, DOMAIN, .id = snapshot->domains[i].id,
                  .name = text_of(writing, snapshot->domains[i].name));
    at_output_pad(&writing->output);
}

static void attributes_put(struct writing *writing)
{
    const struct at_attributes *const attributes =
        &writing->plan.snapshot->attributes;

    if (!attributes->count)
        return;
    RECORD_BEGIN(writing, ATTRIBUTES, ATTRIBUTE, attributes->count);
    for (size_t i = 0; i < attributes->count; i++) {
        const uint32_t key =
            text_of(writing, attributes->items[i].texts.key);

        ENTRY_PUT(writing, attribute, ATTRIBUTE, .key = key,
                  .value = text_of(writing, attributes->items[i].texts.value));
    }
    at_output_pad(&writing->output);
}

/* ---- Paths ---- */

static void frame_put(struct writing *writing, const struct at_frame *frame)
{
    const struct at_plan *const plan = &writing->plan;

    ENTRY_PUT(writing, frame, FRAME, .address = frame->address,
              .module = at_number_of(&plan->modules, frame->module),
              .file = at_is_label(frame) ? 0 : at_plan_string(plan, frame->file),
              .function = at_plan_string(plan, frame->function),
              .line = frame->line, .column = frame->column,
              .ordinal = frame->ordinal,
              .caller = at_plan_frame(plan, frame->caller),
              .callee = at_plan_string(plan, frame->callee),
              .type = at_plan_string(plan, frame->type),
              .target = at_plan_string(plan, frame->target),
              .kind = frame->kind, .flags = frame->flags,
              .type_size = frame->type_size);
}

static void frames_put(struct writing *writing)
{
    const struct at_plan *const plan = &writing->plan;
    const uint64_t count = (uint64_t)plan->frames.count + plan->n_starts;

    if (!count)
        return;
    RECORD_BEGIN(writing, FRAMES, FRAME, count);
    for (uint32_t i = 1; i < plan->frames.n; i++)
        if (at_has_number(&plan->frames, i))
            frame_put(writing, at_plan_frame_at(plan, i));
    for (uint32_t i = 0; i < plan->n_starts; i++) {
        const struct at_frame frame = at_plan_start(plan, i);

        frame_put(writing, &frame);
    }
    at_output_pad(&writing->output);
}

static void tracebacks_put(struct writing *writing)
{
    if (!writing->plan.tracebacks.count)
        return;
    RECORD_BEGIN(writing, TRACEBACKS, TRACEBACK, writing->plan.tracebacks.count);
    for (uint32_t i = 1; i < writing->plan.tracebacks.n; i++) {
        const struct at_traceback *const traceback =
            &writing->plan.snapshot->tracebacks[i];

        if (at_has_number(&writing->plan.tracebacks, i))
            ENTRY_PUT(writing, traceback, TRACEBACK,
                      .parent =
                          at_number_of(&writing->plan.tracebacks, traceback->parent),
                      .frame = at_plan_first_frame(&writing->plan, i),
                      .left_out = traceback->left_out < UINT32_MAX
                                      ? (uint32_t)traceback->left_out
                                      : UINT32_MAX);
    }
    at_output_pad(&writing->output);
}

/* ---- Figures ---- */

static void traces_put(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->plan.snapshot;

    if (!snapshot->n_traces)
        return;
    RECORD_BEGIN(writing, TRACES, TRACE, snapshot->n_traces);
    for (uint32_t i = 0; i < snapshot->n_traces; i++) {
        const struct alloctrace_trace *const trace = &snapshot->traces[i];

        ENTRY_PUT(writing, trace, TRACE,
                  .traceback =
                      at_number_of(&writing->plan.tracebacks, trace->traceback),
                  .thread = at_number_of(&writing->plan.threads, trace->thread),
                  .domain = trace->domain,
                  .live_blocks = (uint64_t)trace->live_blocks,
                  .live_bytes = (uint64_t)trace->live_bytes,
                  .total_blocks = (uint64_t)trace->total_blocks,
                  .total_bytes = (uint64_t)trace->total_bytes,
                  .peak_blocks = (uint64_t)trace->peak_blocks,
                  .peak_bytes = (uint64_t)trace->peak_bytes);
    }
    at_output_pad(&writing->output);
}

/* What the file calls a trace by. A folded one has another path than the
 * detail was read with. */
static struct at_trace_name trace_name(const struct writing *writing,
                                       uint32_t index)
{
    const struct alloctrace_trace *const trace =
        &writing->plan.snapshot->traces[index];

    return (struct at_trace_name){
        at_number_of(&writing->plan.tracebacks, trace->traceback),
        at_number_of(&writing->plan.threads, trace->thread), trace->domain};
}

/* A record says that there are details, if only an empty one. */
static void details_put(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->plan.snapshot;

    if (!snapshot->has_details)
        return;
    RECORD_BEGIN(writing, DETAILS, DETAIL, snapshot->n_details);
    for (uint32_t i = 0; i < snapshot->n_details; i++) {
        const struct at_detail *const detail = &snapshot->details[i];
        const struct at_trace_name name = trace_name(writing, detail->trace);

        const struct alloctrace_detail_entry entry =
            detail_entry(&name, detail);

        write_detail(
            at_output_take(&writing->output, ALLOCTRACE_DETAIL_SIZE), &entry);
    }
    at_output_pad(&writing->output);
}

static void sizes_put(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->plan.snapshot;

    if (!snapshot->n_sizes)
        return;
    RECORD_BEGIN(writing, SIZES, SIZE_CLASS, snapshot->n_sizes);
    for (uint32_t i = 0; i < snapshot->n_sizes; i++) {
        const struct at_size *const size = &snapshot->sizes[i];
        const struct at_trace_name name = trace_name(writing, size->trace);

        ENTRY_PUT(writing, size_class, SIZE_CLASS, .traceback = name.traceback,
                  .thread = name.thread, .domain = name.domain,
                  .size_class = size->number, .blocks = size->blocks,
                  .bytes = size->bytes);
    }
    at_output_pad(&writing->output);
}

/* Several records if one cannot count them. */
static void blocks_put(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->plan.snapshot;

    for (uint64_t i = 0; i < snapshot->n_blocks; i++) {
        const struct alloctrace_block *const block = &snapshot->blocks[i];
        const uint64_t left = snapshot->n_blocks - i;

        if (i % UINT32_MAX == 0)
            RECORD_BEGIN(writing, BLOCKS, BLOCK,
                         left < UINT32_MAX ? left : UINT32_MAX);
        ENTRY_PUT(writing, block, BLOCK, .address = block->address,
                  .size = block->size,
                  .traceback =
                      at_number_of(&writing->plan.tracebacks, block->traceback),
                  .domain = block->domain);
    }
    at_output_pad(&writing->output);
}

static void summary_put(struct writing *writing)
{
#define COPY_FIELD(bits, name) .name = writing->plan.snapshot->summary.name,
    RECORD_BEGIN(writing, SUMMARY, SUMMARY, 1);
    ENTRY_PUT(writing, summary, SUMMARY, ALLOCTRACE_SUMMARY_FIELDS(COPY_FIELD));
#undef COPY_FIELD
    at_output_pad(&writing->output);
}

/* ---- The whole file ---- */

static void header_put(struct writing *writing)
{
    uint8_t *const header =
        at_output_take(&writing->output, ALLOCTRACE_HEADER_SIZE);

    memcpy(header, ALLOCTRACE_MAGIC, ALLOCTRACE_MAGIC_SIZE);
    write_u32(header + ALLOCTRACE_MAGIC_SIZE, ALLOCTRACE_FORMAT_VERSION);
    write_u32(header + ALLOCTRACE_MAGIC_SIZE + 4, 0);
}

static void trailer_put(struct writing *writing)
{
    const uint64_t record_count = writing->n_records;
    const uint64_t checksum = at_output_checksum(&writing->output);
    const uint64_t size = at_output_offset(&writing->output) +
                          ALLOCTRACE_RECORD_HEADER_SIZE +
                          ALLOCTRACE_TRAILER_SIZE;

    RECORD_BEGIN(writing, TRAILER, TRAILER, 1);
    ENTRY_PUT(writing, trailer, TRAILER, .record_count = record_count,
              .file_size = size, .checksum = checksum);
}

/* Returns what `put` does. */
static int snapshot_put(struct writing *writing, at_paths_put *put, void *data)
{
    int result = 0;

    header_put(writing);
    strings_put(writing);
    process_put(writing);
    arguments_put(writing);
    modules_put(writing);
    threads_put(writing);
    domains_put(writing);
    attributes_put(writing);
    frames_put(writing);
    if (put) {
        result = put(writing, data);
    } else {
        tracebacks_put(writing);
        traces_put(writing);
        details_put(writing);
        sizes_put(writing);
        blocks_put(writing);
    }
    summary_put(writing);
    trailer_put(writing);
    return result;
}

void at_record_put(struct writing *writing, uint32_t tag, uint32_t count,
                   const void *payload, size_t size)
{
    record_begin(writing, tag, count, size);
    at_output_put(&writing->output, payload, size);
    at_output_pad(&writing->output);
}

int at_snapshot_write(const alloctrace_snapshot *snapshot, const char *path,
                      at_paths_put *put, void *data,
                      struct alloctrace_error *error)
{
    struct writing writing = {0};
    int result = at_plan_init(&writing.plan, snapshot);

    if (result)
        at_fault_memory(error);
    else
        result = at_output_open(&writing.output, path, error);
    if (!result) {
        const int failure = snapshot_put(&writing, put, data);

        if (failure) /* so that no file is left behind */
            writing.output.failure = ECANCELED;
        result = at_output_close(&writing.output, failure ? NULL : error);
        result = failure ? failure : result;
    }
    at_plan_fini(&writing.plan);
    return result;
}

int alloctrace_snapshot_dump(const alloctrace_snapshot *snapshot,
                             const char *path, struct alloctrace_error *error)
{
    AT_UNTRACED;

    return at_snapshot_write(snapshot, path, NULL, NULL, error);
}
