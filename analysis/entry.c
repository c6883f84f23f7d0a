/* SPDX-License-Identifier: MIT */
/*
 * Entries of a dump => tables of a snapshot. load.c gives each entry in the
 * order of the file; here what it refers to is checked: only what stands
 * before it may be.
 */
#include "record.h"

/* Says that the file is damaged. Returns ALLOCTRACE_EBAD_FILE. */
__attribute__((format(printf, 3, 4))) static int
damaged(struct alloctrace_error *error, uint64_t offset, const char *format,
        ...)
{
    va_list arguments;

    va_start(arguments, format);
    at_fault_list(error, ALLOCTRACE_EBAD_FILE, offset, format, arguments);
    va_end(arguments);
    return ALLOCTRACE_EBAD_FILE;
}

/* Checks a reference: `id` must be below `n`, which counts number 0. */
static int check_id(struct alloctrace_error *error, uint64_t offset,
                    const char *what, uint32_t id, uint32_t n)
{
    if (id < n)
        return 0;
    return damaged(error, offset,
                   "damaged: %s %lu is referred to, but only %lu stand "
                   "before",
                   what, (unsigned long)id, (unsigned long)n - 1);
}

/* Checks references to strings: all must be below the count so far. */
static int check_strings(const alloctrace_snapshot *snapshot,
                         struct alloctrace_error *error, uint64_t offset,
                         const uint32_t *ids, size_t n_ids)
{
    for (size_t i = 0; i < n_ids; i++)
        if (check_id(error, offset, "string", ids[i], snapshot->strings.count))
            return ALLOCTRACE_EBAD_FILE;
    return 0;
}

/* Takes what names have from what is allowed of them: who reads them may read
 * them once for each entry that has them. */
static int take_names(alloctrace_snapshot *snapshot,
                      struct alloctrace_error *error, uint64_t offset,
                      const uint32_t *ids, size_t n_ids)
{
    if (check_strings(snapshot, error, offset, ids, n_ids))
        return ALLOCTRACE_EBAD_FILE;
    for (size_t i = 0; i < n_ids; i++) {
        const size_t size = strlen(at_text(snapshot, ids[i]));

        if (size > snapshot->names_left)
            return damaged(error, offset,
                           "damaged: a name is long and repeated too often");
        snapshot->names_left -= size;
    }
    return 0;
}

#define CHECK_STRINGS(...)                                                 \
    check_strings(snapshot, error, offset, (const uint32_t[]){__VA_ARGS__}, \
                  sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

#define TAKE_NAMES(...)                                                 \
    take_names(snapshot, error, offset, (const uint32_t[]){__VA_ARGS__}, \
               sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static int add_process(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                       uint64_t offset, struct alloctrace_error *error)
{
    struct alloctrace_process_entry entry = read_process(bytes);

    if (CHECK_STRINGS(entry.program, entry.host, entry.writer,
                      entry.reason))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->process = (struct alloctrace_process){
        .program = at_text(snapshot, entry.program),
        .host = at_text(snapshot, entry.host),
        .writer = at_text(snapshot, entry.writer),
        .reason = at_text(snapshot, entry.reason),
        .start_ns = entry.start_ns,
        .dump_ns = entry.dump_ns,
        .pid = entry.pid,
        .word_bits = entry.word_bits,
        .traceback_limit = entry.traceback_limit,
        .sequence = entry.sequence,
        .sample_bytes = entry.sample_bytes,
        .n_processes = entry.n_processes ? entry.n_processes : 1,
    };
    return 0;
}

static int add_argument(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                        uint64_t offset, struct alloctrace_error *error)
{
    struct alloctrace_argument_entry entry = read_argument(bytes);

    if (TAKE_NAMES(entry.text))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->arguments[snapshot->n_arguments++] =
        at_text(snapshot, entry.text);
    return 0;
}

static int add_module(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                      uint64_t offset, struct alloctrace_error *error)
{
    struct alloctrace_module_entry entry = read_module(bytes);

    if (TAKE_NAMES(entry.path, entry.build_id))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->modules[snapshot->n_modules++] = (struct alloctrace_module){
        .path = at_text(snapshot, entry.path),
        .build_id = at_text(snapshot, entry.build_id),
        .begin = entry.begin,
        .end = entry.end,
        .bias = entry.bias,
    };
    return 0;
}

static int add_frame(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                     uint64_t offset, struct alloctrace_error *error)
{
    struct alloctrace_frame_entry entry = read_frame(bytes);
    uint32_t n_chain;

    if (CHECK_STRINGS(entry.file, entry.function, entry.callee,
                      entry.type, entry.target) ||
        check_id(error, offset, "module", entry.module, snapshot->n_modules) ||
        check_id(error, offset, "frame", entry.caller, snapshot->n_frames))
        return ALLOCTRACE_EBAD_FILE;
    n_chain = entry.caller ? snapshot->frames[entry.caller].n_chain + 1 : 1;
    if (n_chain > AT_MAX_CHAIN)
        return damaged(error, offset,
                       "damaged: a frame is inlined more than %d deep",
                       AT_MAX_CHAIN);
    snapshot->frames[snapshot->n_frames++] = (struct at_frame){
        .address = entry.address,
        .module = entry.module,
        .file = entry.file,
        .function = entry.function,
        .line = entry.line,
        .column = entry.column,
        .caller = entry.caller,
        .callee = entry.callee,
        .type = entry.type,
        .target = entry.target,
        .type_size = entry.type_size,
        .ordinal = entry.ordinal,
        .n_chain = n_chain,
        .kind = entry.kind < UINT16_MAX ? (uint16_t)entry.kind : UINT16_MAX,
        .flags = (uint16_t)entry.flags,
    };
    return 0;
}

static int add_traceback(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                         uint64_t offset, struct alloctrace_error *error)
{
    struct alloctrace_traceback_entry entry = read_traceback(bytes);
    uint32_t n_chain;

    if (check_id(error, offset, "traceback", entry.parent,
                 snapshot->n_tracebacks) ||
        check_id(error, offset, "frame", entry.frame, snapshot->n_frames))
        return ALLOCTRACE_EBAD_FILE;
    n_chain = snapshot->frames[entry.frame].n_chain;
    if (n_chain > snapshot->chains_left)
        return damaged(error, offset,
                       "damaged: too many call paths have inlined frames "
                       "without end");
    snapshot->chains_left -= n_chain;
    snapshot->tracebacks[snapshot->n_tracebacks++] = (struct at_traceback){
        .parent = entry.parent,
        .frame = entry.frame,
        .left_out = entry.left_out,
    };
    return 0;
}

static int add_thread(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                      uint64_t offset, struct alloctrace_error *error)
{
    struct alloctrace_thread_entry entry = read_thread(bytes);

    if (TAKE_NAMES(entry.name))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->threads[snapshot->n_threads++] = (struct alloctrace_thread){
        .name = at_text(snapshot, entry.name),
        .tid = entry.tid,
    };
    return 0;
}

static int add_domain(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                      uint64_t offset, struct alloctrace_error *error)
{
    struct alloctrace_domain_entry entry = read_domain(bytes);

    if (TAKE_NAMES(entry.name))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->domains[snapshot->n_domains++] = (struct alloctrace_domain){
        .name = at_text(snapshot, entry.name),
        .id = entry.id,
    };
    return 0;
}

static int add_trace(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                     uint64_t offset, struct alloctrace_error *error)
{
    struct alloctrace_trace_entry entry = read_trace(bytes);

    if (check_id(error, offset, "traceback", entry.traceback,
                 snapshot->n_tracebacks) ||
        check_id(error, offset, "thread", entry.thread, snapshot->n_threads))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->traces[snapshot->n_traces++] = (struct alloctrace_trace){
        .traceback = entry.traceback,
        .thread = entry.thread,
        .domain = entry.domain,
        .live_blocks = (int64_t)entry.live_blocks,
        .live_bytes = (int64_t)entry.live_bytes,
        .total_blocks = (int64_t)entry.total_blocks,
        .total_bytes = (int64_t)entry.total_bytes,
        .peak_blocks = (int64_t)entry.peak_blocks,
        .peak_bytes = (int64_t)entry.peak_bytes,
    };
    return 0;
}

static int add_detail(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                      uint64_t offset, struct alloctrace_error *error)
{
    struct alloctrace_detail_entry entry = read_detail(bytes);

    (void)offset; /* that there is such a trace is checked when all are read */
    (void)error;
    snapshot->details[snapshot->n_details++] = (struct at_detail){
        .name = {entry.traceback, entry.thread, entry.domain},
        .temporary_blocks = entry.temporary_blocks,
        .temporary_bytes = entry.temporary_bytes,
        .resized_blocks = entry.resized_blocks,
        .resized_in_place = entry.resized_in_place,
        .moved_bytes = entry.moved_bytes,
        .grown_bytes = entry.grown_bytes,
        .shrunk_bytes = entry.shrunk_bytes,
        .smallest = entry.smallest,
        .largest = entry.largest,
    };
    return 0;
}

_Static_assert(ALLOCTRACE_SIZE_CLASSES == ALLOCTRACE_SIZE_CLASS_COUNT,
               "analysis.h repeats what format.h says");

static int add_size(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                    uint64_t offset, struct alloctrace_error *error)
{
    struct alloctrace_size_class_entry entry = read_size_class(bytes);

    if (entry.size_class >= ALLOCTRACE_SIZE_CLASSES)
        return damaged(error, offset,
                       "damaged: there is no class %lu of sizes",
                       (unsigned long)entry.size_class);
    snapshot->sizes[snapshot->n_sizes++] = (struct at_size){
        .name = {entry.traceback, entry.thread, entry.domain},
        .number = entry.size_class,
        .blocks = entry.blocks,
        .bytes = entry.bytes,
    };
    return 0;
}

static int add_block(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                     uint64_t offset, struct alloctrace_error *error)
{
    const struct alloctrace_block_entry entry = read_block(bytes);

    if (check_id(error, offset, "traceback", entry.traceback,
                 snapshot->n_tracebacks))
        return ALLOCTRACE_EBAD_FILE;
    snapshot->blocks[snapshot->n_blocks++] = (struct alloctrace_block){
        .address = entry.address,
        .size = entry.size,
        .traceback = entry.traceback,
        .domain = entry.domain,
    };
    return 0;
}

static int add_attribute(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                         uint64_t offset, struct alloctrace_error *error)
{
    const struct alloctrace_attribute_entry entry = read_attribute(bytes);

    if (TAKE_NAMES(entry.key, entry.value))
        return ALLOCTRACE_EBAD_FILE;
    if (!*at_text(snapshot, entry.key))
        return damaged(error, offset, "damaged: an attribute has no key");
    if (at_attributes_add(&snapshot->attributes, at_text(snapshot, entry.key),
                          at_text(snapshot, entry.value)))
        return at_fault_memory(error);
    return 0;
}

static int add_summary(alloctrace_snapshot *snapshot, const uint8_t *bytes,
                       uint64_t offset, struct alloctrace_error *error)
{
    struct alloctrace_summary_entry entry = read_summary(bytes);

    (void)offset;
    (void)error;
    snapshot->summary = (struct alloctrace_summary){
#define COPY_FIELD(bits, name) .name = entry.name,
        ALLOCTRACE_SUMMARY_FIELDS(COPY_FIELD)
#undef COPY_FIELD
    };
    return 0;
}

#define CHECK_ROOM(type, TYPE)                                             \
    _Static_assert((int)ALLOCTRACE_##TYPE##_SIZE <= AT_MAX_ENTRY_SIZE, \
                   "a " #type " fits");
CHECK_ROOM(process, PROCESS)
CHECK_ROOM(frame, FRAME)
CHECK_ROOM(detail, DETAIL)
CHECK_ROOM(summary, SUMMARY)
#undef CHECK_ROOM

/* tag => what its entries are. Constant. */
static const struct at_entry_type entry_types[] = {
#define ENTRY(TAG, TYPE, name, add) \
    {ALLOCTRACE_TAG_##TAG, ALLOCTRACE_##TYPE##_SIZE, \
     ALLOCTRACE_##TYPE##_SIZE, name, add}
    {ALLOCTRACE_TAG_STRINGS, 4, 4, "strings", NULL},
    {ALLOCTRACE_TAG_PROCESS, ALLOCTRACE_OLD_PROCESS_SIZE,
     ALLOCTRACE_PROCESS_SIZE, "process", add_process},
    ENTRY(ARGUMENTS, ARGUMENT, "arguments", add_argument),
    ENTRY(MODULES, MODULE, "modules", add_module),
    ENTRY(FRAMES, FRAME, "frames", add_frame),
    {ALLOCTRACE_TAG_TRACEBACKS, ALLOCTRACE_OLD_TRACEBACK_SIZE,
     ALLOCTRACE_TRACEBACK_SIZE, "tracebacks", add_traceback},
    ENTRY(THREADS, THREAD, "threads", add_thread),
    ENTRY(TRACES, TRACE, "traces", add_trace),
    {ALLOCTRACE_TAG_SUMMARY, ALLOCTRACE_OLD_SUMMARY_SIZE,
     ALLOCTRACE_SUMMARY_SIZE, "summary", add_summary},
    ENTRY(DOMAINS, DOMAIN, "domains", add_domain),
    ENTRY(BLOCKS, BLOCK, "blocks", add_block),
    ENTRY(DETAILS, DETAIL, "details", add_detail),
    ENTRY(SIZES, SIZE_CLASS, "sizes", add_size),
    ENTRY(ATTRIBUTES, ATTRIBUTE, "attributes", add_attribute),
    ENTRY(TRAILER, TRAILER, "trailer", NULL),
#undef ENTRY
};

const struct at_entry_type *at_entry_type_of(uint32_t tag)
{
    for (size_t i = 0; i < sizeof entry_types / sizeof *entry_types; i++)
        if (entry_types[i].tag == tag)
            return &entry_types[i];
    return NULL;
}

