/* SPDX-License-Identifier: MIT */
/*
 * Snapshot => dump: load.c's way back. The tables are written as they stand,
 * entry by entry, into a small buffer (output.c); nothing is copied.
 *
 * What is written has numbers of its own (struct numbers), for there are things
 * that are left out:
 *
 *     strings  that no frame has: those of all else are held as texts and
 *              stand before them; and the labels that loading makes of
 *              addresses, which the reader makes again
 *     the rest of a snapshot that was made of another one: what none of its
 *              traces and blocks leads to
 *
 * A set of bits and a count for each 64 of them say which they are: the only
 * memory that depends on the snapshot, 1.5 bits an entry.
 *
 * Frames that resolving added stand behind those that were inlined into them.
 * They lead only to one another, upwards, and come first here, from above, so
 * that a frame's caller stands before it as the format wants.
 */
#include <stdlib.h>

#include "record.h"

/* Which entries of a table are written. */
struct numbers {
    uint64_t *bits;   /* owned; by id: is it written? NULL = all are */
    uint32_t *before; /* owned; by word of bits: how many before that word */
    uint32_t n;       /* ids, with 0, which is not written */
    uint32_t count;   /* written */
};

/* Numbers texts that are no strings of the table, in the order in which they
 * are asked for: equal neighbours are one. */
struct texts {
    const char *last; /* NULL = none yet */
    uint32_t count;   /* the number of the last one */
};

struct writing {
    const alloctrace_snapshot *snapshot;
    struct at_output output;
    uint32_t first_added;  /* frames that resolving added: from here on */
    struct numbers frames; /* by position, see frame_position */
    struct numbers tracebacks;
    struct numbers modules;
    struct numbers threads;
    struct numbers strings;
    struct texts texts;    /* while their numbers are given */
    uint32_t n_texts;      /* before the strings of the table */
    uint64_t string_bytes; /* the payload of all strings */
    uint64_t n_records;    /* so far */
};

/* ---- Numbers ---- */

/* For `n` ids with 0: none are written, until they are marked. */
static int numbers_init(struct numbers *numbers, uint32_t n)
{
    const size_t n_words = (size_t)n / 64 + 1;

    numbers->bits = calloc(n_words, sizeof *numbers->bits);
    numbers->before = calloc(n_words, sizeof *numbers->before);
    numbers->n = n;
    return numbers->bits && numbers->before ? 0 : ALLOCTRACE_ENO_MEMORY;
}

/* All are written, under the numbers that they have. */
static void numbers_keep(struct numbers *numbers, uint32_t n)
{
    *numbers = (struct numbers){.n = n, .count = n - 1};
}

static void numbers_fini(struct numbers *numbers)
{
    free(numbers->bits);
    free(numbers->before);
}

static bool has_number(const struct numbers *numbers, uint32_t id)
{
    return !numbers->bits || (numbers->bits[id / 64] >> id % 64 & 1);
}

/* Returns whether that is new. Id 0 is never written. */
static bool number_mark(struct numbers *numbers, uint32_t id)
{
    const uint64_t bit = UINT64_C(1) << id % 64;

    if (!id || !numbers->bits || numbers->bits[id / 64] & bit)
        return false;
    numbers->bits[id / 64] |= bit;
    return true;
}

/* Once all are marked. */
static void numbers_count(struct numbers *numbers)
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

/* The number of an id that is written, or 0. */
static uint32_t number_of(const struct numbers *numbers, uint32_t id)
{
    const uint64_t below = (UINT64_C(2) << id % 64) - 1;

    if (!numbers->bits || !id)
        return id;
    return numbers->before[id / 64] +
           (uint32_t)__builtin_popcountll(numbers->bits[id / 64] & below);
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
static uint32_t frame_position(const struct writing *writing, uint32_t frame)
{
    const uint32_t n = writing->snapshot->n_frames;

    if (frame == 0)
        return 0;
    return frame >= writing->first_added ? n - frame
                                         : frame + (n - writing->first_added);
}

static const struct at_frame *frame_at(const struct writing *writing,
                                       uint32_t position)
{
    const uint32_t n = writing->snapshot->n_frames;
    const uint32_t n_added = n - writing->first_added;

    return &writing->snapshot->frames[position <= n_added ? n - position
                                                          : position - n_added];
}

/* Marks the frames of a site, as far as they are not marked yet. */
static void site_mark(struct writing *writing, uint32_t frame)
{
    while (number_mark(&writing->frames, frame_position(writing, frame)))
        frame = writing->snapshot->frames[frame].caller;
}

/* Marks all that traces and blocks lead to, but for strings. */
static void paths_mark(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->snapshot;
    struct numbers *const tracebacks = &writing->tracebacks;

    for (uint32_t i = 0; i < snapshot->n_traces; i++) {
        number_mark(tracebacks, snapshot->traces[i].traceback);
        number_mark(&writing->threads, snapshot->traces[i].thread);
    }
    for (uint64_t i = 0; i < snapshot->n_blocks; i++)
        number_mark(tracebacks, snapshot->blocks[i].traceback);
    for (uint32_t i = snapshot->n_tracebacks; i-- > 1;)
        if (has_number(tracebacks, i)) {
            number_mark(tracebacks, snapshot->tracebacks[i].parent);
            site_mark(writing, snapshot->tracebacks[i].frame);
        }
    for (uint32_t i = 1; i < snapshot->n_frames; i++)
        if (has_number(&writing->frames, i))
            number_mark(&writing->modules, frame_at(writing, i)->module);
    numbers_count(tracebacks);
    numbers_count(&writing->frames);
    numbers_count(&writing->modules);
    numbers_count(&writing->threads);
}

/* What is made of another snapshot leaves out what it does not lead to. */
static int paths_number(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->snapshot;

    writing->first_added = first_added(snapshot);
    if (!snapshot->base) {
        numbers_keep(&writing->frames, snapshot->n_frames);
        numbers_keep(&writing->tracebacks, snapshot->n_tracebacks);
        numbers_keep(&writing->modules, snapshot->n_modules);
        numbers_keep(&writing->threads, snapshot->n_threads);
        return 0;
    }
    if (numbers_init(&writing->frames, snapshot->n_frames) ||
        numbers_init(&writing->tracebacks, snapshot->n_tracebacks) ||
        numbers_init(&writing->modules, snapshot->n_modules) ||
        numbers_init(&writing->threads, snapshot->n_threads))
        return ALLOCTRACE_ENO_MEMORY;
    paths_mark(writing);
    return 0;
}

/* ---- Strings ---- */

/* The number of a text, and whether it has to be written: it is not empty, and
 * not the one before. */
static bool text_number(struct texts *texts, const char *text, uint32_t *number)
{
    *number = *text ? texts->count : 0;
    if (!*text || (texts->last && strcmp(texts->last, text) == 0))
        return false;
    texts->last = text;
    *number = ++texts->count;
    return true;
}

static void string_put(struct writing *writing, const char *text)
{
    const size_t size = strlen(text);

    write_u32(at_output_take(&writing->output, 4), (uint32_t)size);
    at_output_put(&writing->output, text, size);
}

/* Visits a text: counts it, or writes it. */
static void text_visit(struct writing *writing, const char *text,
                       bool is_writing)
{
    uint32_t number;

    if (!text_number(&writing->texts, text, &number))
        return;
    if (is_writing)
        string_put(writing, text);
    else
        writing->string_bytes += 4 + (uint64_t)strlen(text);
}

/* Visits all texts, in the order in which entries ask for their numbers. */
static void texts_visit(struct writing *writing, bool is_writing)
{
    const alloctrace_snapshot *const snapshot = writing->snapshot;
    const struct alloctrace_process *const process = &snapshot->process;
    const char *const texts[] = {process->program, process->host,
                                 process->writer, process->reason};

    writing->texts = (struct texts){0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_visit(writing, texts[i], is_writing);
    for (uint32_t i = 0; i < snapshot->n_arguments; i++)
        text_visit(writing, snapshot->arguments[i], is_writing);
    for (uint32_t i = 1; i < snapshot->n_modules; i++)
        if (has_number(&writing->modules, i)) {
            text_visit(writing, snapshot->modules[i].path, is_writing);
            text_visit(writing, snapshot->modules[i].build_id, is_writing);
        }
    for (uint32_t i = 1; i < snapshot->n_threads; i++)
        if (has_number(&writing->threads, i))
            text_visit(writing, snapshot->threads[i].name, is_writing);
    for (uint32_t i = 0; i < snapshot->n_domains; i++)
        text_visit(writing, snapshot->domains[i].name, is_writing);
    for (size_t i = 0; i < snapshot->attributes.count; i++) {
        const struct alloctrace_attribute *const attribute =
            &snapshot->attributes.items[i].texts;

        text_visit(writing, attribute->key, is_writing);
        text_visit(writing, attribute->value, is_writing);
    }
}

static void string_mark(struct writing *writing, uint32_t id)
{
    const char *const text = at_text(writing->snapshot, id);

    if (*text && number_mark(&writing->strings, id))
        writing->string_bytes += 4 + (uint64_t)strlen(text);
}

static void strings_mark(struct writing *writing)
{
    for (uint32_t i = 1; i < writing->snapshot->n_frames; i++) {
        const struct at_frame *const frame = frame_at(writing, i);

        if (!has_number(&writing->frames, i))
            continue;
        if (!at_is_label(frame))
            string_mark(writing, frame->file);
        string_mark(writing, frame->function);
        string_mark(writing, frame->callee);
        string_mark(writing, frame->type);
        string_mark(writing, frame->target);
    }
    numbers_count(&writing->strings);
}

static int strings_number(struct writing *writing)
{
    const uint32_t n = writing->snapshot->strings.count;

    if (numbers_init(&writing->strings, n))
        return ALLOCTRACE_ENO_MEMORY;
    texts_visit(writing, false);
    writing->n_texts = writing->texts.count;
    strings_mark(writing);
    return writing->strings.count < UINT32_MAX - writing->n_texts
               ? 0
               : ALLOCTRACE_ENO_MEMORY;
}

/* The number of a string of the table. An empty one is 0. */
static uint32_t string_of(const struct writing *writing, uint32_t id)
{
    if (!*at_text(writing->snapshot, id))
        return 0;
    return writing->n_texts + number_of(&writing->strings, id);
}

/* The number of a text; it is asked for as texts_visit does. */
static uint32_t text_of(struct writing *writing, const char *text)
{
    uint32_t number;

    text_number(&writing->texts, text, &number);
    return number;
}

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

static void strings_put(struct writing *writing)
{
    const uint32_t count = writing->n_texts + writing->strings.count;

    if (!count)
        return;
    record_begin(writing, ALLOCTRACE_TAG_STRINGS, count, writing->string_bytes);
    texts_visit(writing, true);
    for (uint32_t i = 1; i < writing->strings.n; i++)
        if (has_number(&writing->strings, i))
            string_put(writing, at_text(writing->snapshot, i));
    at_output_pad(&writing->output);
    writing->texts = (struct texts){0}; /* from here on they get numbers */
}

static void process_put(struct writing *writing)
{
    const struct alloctrace_process *const process =
        &writing->snapshot->process;
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
    const alloctrace_snapshot *const snapshot = writing->snapshot;

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
    if (!writing->modules.count)
        return;
    RECORD_BEGIN(writing, MODULES, MODULE, writing->modules.count);
    for (uint32_t i = 1; i < writing->modules.n; i++) {
        const struct alloctrace_module *const module =
            &writing->snapshot->modules[i];
        uint32_t path;

        if (!has_number(&writing->modules, i))
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
    if (!writing->threads.count)
        return;
    RECORD_BEGIN(writing, THREADS, THREAD, writing->threads.count);
    for (uint32_t i = 1; i < writing->threads.n; i++) {
        const struct alloctrace_thread *const thread =
            &writing->snapshot->threads[i];

        if (has_number(&writing->threads, i))
            ENTRY_PUT(writing, thread, THREAD, .tid = thread->tid,
                      .name = text_of(writing, thread->name));
    }
    at_output_pad(&writing->output);
}

static void domains_put(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->snapshot;

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
        &writing->snapshot->attributes;

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
    const uint32_t caller = frame_position(writing, frame->caller);

    ENTRY_PUT(writing, frame, FRAME, .address = frame->address,
              .module = number_of(&writing->modules, frame->module),
              .file = at_is_label(frame) ? 0 : string_of(writing, frame->file),
              .function = string_of(writing, frame->function),
              .line = frame->line, .column = frame->column,
              .ordinal = frame->ordinal,
              .caller = number_of(&writing->frames, caller),
              .callee = string_of(writing, frame->callee),
              .type = string_of(writing, frame->type),
              .target = string_of(writing, frame->target), .kind = frame->kind,
              .flags = frame->flags, .type_size = frame->type_size);
}

static void frames_put(struct writing *writing)
{
    if (!writing->frames.count)
        return;
    RECORD_BEGIN(writing, FRAMES, FRAME, writing->frames.count);
    for (uint32_t i = 1; i < writing->frames.n; i++)
        if (has_number(&writing->frames, i))
            frame_put(writing, frame_at(writing, i));
    at_output_pad(&writing->output);
}

static void tracebacks_put(struct writing *writing)
{
    if (!writing->tracebacks.count)
        return;
    RECORD_BEGIN(writing, TRACEBACKS, TRACEBACK, writing->tracebacks.count);
    for (uint32_t i = 1; i < writing->tracebacks.n; i++) {
        const struct at_traceback *const traceback =
            &writing->snapshot->tracebacks[i];
        const uint32_t frame = frame_position(writing, traceback->frame);

        if (has_number(&writing->tracebacks, i))
            ENTRY_PUT(writing, traceback, TRACEBACK,
                      .parent =
                          number_of(&writing->tracebacks, traceback->parent),
                      .frame = number_of(&writing->frames, frame),
                      .left_out = traceback->left_out < UINT32_MAX
                                      ? (uint32_t)traceback->left_out
                                      : UINT32_MAX);
    }
    at_output_pad(&writing->output);
}

/* ---- Figures ---- */

static void traces_put(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->snapshot;

    if (!snapshot->n_traces)
        return;
    RECORD_BEGIN(writing, TRACES, TRACE, snapshot->n_traces);
    for (uint32_t i = 0; i < snapshot->n_traces; i++) {
        const struct alloctrace_trace *const trace = &snapshot->traces[i];

        ENTRY_PUT(writing, trace, TRACE,
                  .traceback =
                      number_of(&writing->tracebacks, trace->traceback),
                  .thread = number_of(&writing->threads, trace->thread),
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
        &writing->snapshot->traces[index];

    return (struct at_trace_name){
        number_of(&writing->tracebacks, trace->traceback),
        number_of(&writing->threads, trace->thread), trace->domain};
}

/* A record says that there are details, if only an empty one. */
static void details_put(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->snapshot;

    if (!snapshot->has_details)
        return;
    RECORD_BEGIN(writing, DETAILS, DETAIL, snapshot->n_details);
    for (uint32_t i = 0; i < snapshot->n_details; i++) {
        const struct at_detail *const detail = &snapshot->details[i];
        const struct at_trace_name name = trace_name(writing, detail->trace);

        ENTRY_PUT(writing, detail, DETAIL, .traceback = name.traceback,
                  .thread = name.thread, .domain = name.domain,
                  .temporary_blocks = detail->temporary_blocks,
                  .temporary_bytes = detail->temporary_bytes,
                  .resized_blocks = detail->resized_blocks,
                  .resized_in_place = detail->resized_in_place,
                  .moved_bytes = detail->moved_bytes,
                  .grown_bytes = detail->grown_bytes,
                  .shrunk_bytes = detail->shrunk_bytes,
                  .smallest = detail->smallest, .largest = detail->largest);
    }
    at_output_pad(&writing->output);
}

static void sizes_put(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->snapshot;

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
    const alloctrace_snapshot *const snapshot = writing->snapshot;

    for (uint64_t i = 0; i < snapshot->n_blocks; i++) {
        const struct alloctrace_block *const block = &snapshot->blocks[i];
        const uint64_t left = snapshot->n_blocks - i;

        if (i % UINT32_MAX == 0)
            RECORD_BEGIN(writing, BLOCKS, BLOCK,
                         left < UINT32_MAX ? left : UINT32_MAX);
        ENTRY_PUT(writing, block, BLOCK, .address = block->address,
                  .size = block->size,
                  .traceback =
                      number_of(&writing->tracebacks, block->traceback),
                  .domain = block->domain);
    }
    at_output_pad(&writing->output);
}

static void summary_put(struct writing *writing)
{
#define COPY_FIELD(bits, name) .name = writing->snapshot->summary.name,
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

static void snapshot_put(struct writing *writing)
{
    header_put(writing);
    strings_put(writing);
    process_put(writing);
    arguments_put(writing);
    modules_put(writing);
    threads_put(writing);
    domains_put(writing);
    attributes_put(writing);
    frames_put(writing);
    tracebacks_put(writing);
    traces_put(writing);
    details_put(writing);
    sizes_put(writing);
    blocks_put(writing);
    summary_put(writing);
    trailer_put(writing);
}

int alloctrace_snapshot_dump(const alloctrace_snapshot *snapshot,
                             const char *path, struct alloctrace_error *error)
{
    struct writing writing = {.snapshot = snapshot};
    int result;

    if (paths_number(&writing) || strings_number(&writing)) {
        result = at_fault_memory(error);
    } else {
        result = at_output_open(&writing.output, path, error);
        if (!result) {
            snapshot_put(&writing);
            result = at_output_close(&writing.output, error);
        }
    }
    numbers_fini(&writing.frames);
    numbers_fini(&writing.tracebacks);
    numbers_fini(&writing.modules);
    numbers_fini(&writing.threads);
    numbers_fini(&writing.strings);
    return result;
}
