/* SPDX-License-Identifier: MIT */
/*
 * What has been traced so far -> a file descriptor, in the format of
 * format.h. Neither allocates with malloc nor stops other threads: their
 * counters are read as they are at that moment, each account's once, and the
 * summary is the sum of what was read. Under at_lock, so that tracebacks,
 * places and strings stand still.
 */
#include "alloctrace/format.h"

#include <string.h>

#include "alloctrace/version.h"
#include "runtime.h"
#include "writer.h"

/* One dump at a time, so its state is static: signal stacks are small. */
static struct writer writer;
static uint64_t n_records;
static struct alloctrace_summary_entry sums;

#define PUT(bits, name) writer_put(&writer, entry->name, bits);
#define DEFINE_PUT(lower, UPPER)                                            \
    static void put_##lower(const struct alloctrace_##lower##_entry *entry) \
    {                                                                       \
        ALLOCTRACE_##UPPER##_FIELDS(PUT)                                    \
    }
DEFINE_PUT(process, PROCESS)
DEFINE_PUT(argument, ARGUMENT)
DEFINE_PUT(domain, DOMAIN)
DEFINE_PUT(module, MODULE)
DEFINE_PUT(frame, FRAME)
DEFINE_PUT(traceback, TRACEBACK)
DEFINE_PUT(thread, THREAD)
DEFINE_PUT(trace, TRACE)
DEFINE_PUT(summary, SUMMARY)
DEFINE_PUT(trailer, TRAILER)

static void begin(enum alloctrace_tag tag, uint32_t count, uint64_t length)
{
    writer_put(&writer, tag, 32);
    writer_put(&writer, count, 32);
    writer_put(&writer, length, 64);
    n_records += tag != ALLOCTRACE_TAG_TRAILER;
}

static void begin_entries(enum alloctrace_tag tag, uint32_t count,
                          uint32_t size)
{
    begin(tag, count, (uint64_t)count * size);
}

static void put_header(void)
{
    writer_put_bytes(&writer, ALLOCTRACE_MAGIC, ALLOCTRACE_MAGIC_SIZE);
    writer_put(&writer, ALLOCTRACE_FORMAT_VERSION, 32);
    writer_put(&writer, 0, 32);
}

static void put_strings(void)
{
    const uint32_t n = at_strings.n;
    uint64_t length = 0;

    for (uint32_t id = 1; id <= n; id++)
        length += 4 + ((struct string *)vector_at(&at_strings, id))->size;
    begin(ALLOCTRACE_TAG_STRINGS, n, length);
    for (uint32_t id = 1; id <= n; id++) {
        const struct string *const string = vector_at(&at_strings, id);

        writer_put(&writer, string->size, 32);
        writer_put_bytes(&writer, string->bytes, string->size);
    }
    writer_pad(&writer);
}

_Static_assert(NAMED_DOMAINS == ALLOCTRACE_NAMED_DOMAINS,
               "runtime.h repeats what format.h says");

static void put_domains(void)
{
    const uint32_t n = at_domains.n;

    begin_entries(ALLOCTRACE_TAG_DOMAINS, n, ALLOCTRACE_DOMAIN_SIZE);
    for (uint32_t number = 1; number <= n; number++) {
        const struct domain *const domain = vector_at(&at_domains, number);

        put_domain(&(struct alloctrace_domain_entry){NAMED_DOMAINS + number,
                                                     domain->string});
    }
    writer_pad(&writer);
}

static void put_module_entry(const struct module *module)
{
    put_module(&(struct alloctrace_module_entry){module->begin, module->end,
                                                 module->bias, module->path,
                                                 module->build_id});
}

/* Those that are loaded, then those that were unloaded. */
static void put_modules(uint32_t n)
{
    const uint32_t n_gone = at_gone.n;

    begin_entries(ALLOCTRACE_TAG_MODULES, n + n_gone, ALLOCTRACE_MODULE_SIZE);
    for (uint32_t id = 1; id <= n; id++)
        put_module_entry(module_at(id));
    for (uint32_t id = 1; id <= n_gone; id++)
        put_module_entry(vector_at(&at_gone, id));
    writer_pad(&writer);
}

/* The module of a place, of `n` that are loaded. What was unloaded may be
 * there again, or another file; and at the end of the process all goes. */
static uint32_t module_of_place(const struct place *place, uint32_t n)
{
    const uint32_t id = module_of(place->address);
    const struct module *const gone =
        place->gone ? vector_at(&at_gone, place->gone) : NULL;

    if (!gone || (id && module_at(id)->path == gone->path))
        return id;
    return n + place->gone;
}

static void put_frames(uint32_t n_modules)
{
    const uint32_t n = at_places.n;

    begin_entries(ALLOCTRACE_TAG_FRAMES, n, ALLOCTRACE_FRAME_SIZE);
    for (uint32_t id = 1; id <= n; id++) {
        const struct place *const place = vector_at(&at_places, id);
        const bool is_address = place->kind == 0;

        put_frame(&(struct alloctrace_frame_entry){
            .address = is_address ? place->address : 0,
            .module = module_of_place(place, n_modules),
            .file = place->file,
            .function = place->function,
            .line = place->line,
            .column = place->column,
            .ordinal = place->ordinal,
            .caller = place->caller,
            .callee = place->callee,
            .type = place->type,
            .target = place->target,
            .kind = place->kind,
            .flags = place->flags,
            .type_size = place->type_size,
        });
    }
    writer_pad(&writer);
}

static void put_tracebacks(void)
{
    const uint32_t n = at_tracebacks.n;

    begin_entries(ALLOCTRACE_TAG_TRACEBACKS, n, ALLOCTRACE_TRACEBACK_SIZE);
    for (uint32_t id = 1; id <= n; id++) {
        const struct traceback *const traceback = vector_at(&at_tracebacks, id);

        put_traceback(&(struct alloctrace_traceback_entry){
            traceback->parent, traceback->place, traceback->left_out});
    }
    writer_pad(&writer);
}

static uint32_t thread_name(const struct ledger *ledger)
{
    char name[32];

    if (ledger->is_free || ledger->tid == 0)
        return ledger->name;
    os_thread_name(ledger->tid, name, sizeof name);
    return name[0] ? string_intern(name) : ledger->name;
}

static void put_threads(uint32_t n, const uint32_t *names)
{
    begin_entries(ALLOCTRACE_TAG_THREADS, n, ALLOCTRACE_THREAD_SIZE);
    for (uint32_t id = 1; id <= n; id++)
        put_thread(&(struct alloctrace_thread_entry){
            ledger_at(id)->tid, names ? names[id - 1] : 0});
    writer_pad(&writer);
}

/* Reads an account once, so that what is derived of it fits together. */
static struct alloctrace_trace_entry read_account(const struct account *account,
                                                  uint32_t thread)
{
    const struct account_facts *const facts = account_facts(account);
    struct alloctrace_trace_entry entry = {
        .traceback = facts->traceback_id,
        .thread = thread,
        .domain = facts->domain == DOMAIN_DIRECT ? 0 : facts->domain,
        .total_blocks = count_get(&account->total_blocks),
        .total_bytes = count_get(&account->total_bytes),
    };

    entry.live_blocks = entry.total_blocks - count_get(&account->freed_blocks);
    entry.live_bytes = entry.total_bytes - count_get(&account->freed_bytes);
    if (!at_options.at_peak)
        return entry;
    if (count_get(&account->epoch) == count_get(&at_peak.epoch)) {
        entry.peak_blocks = count_get(&account->peak_blocks);
        entry.peak_bytes = count_get(&account->peak_bytes);
    } else {
        entry.peak_blocks = entry.live_blocks;
        entry.peak_bytes = entry.live_bytes;
    }
    return entry;
}

static void put_chunk(const struct account_chunk *chunk)
{
    /* Acquire: pairs with the release in ledger_add. */
    const uint32_t n = __atomic_load_n(&chunk->n_used, __ATOMIC_ACQUIRE);

    begin_entries(ALLOCTRACE_TAG_TRACES, n, ALLOCTRACE_TRACE_SIZE);
    for (uint32_t i = 0; i < n; i++) {
        const struct alloctrace_trace_entry entry =
            read_account(&chunk->accounts[i], chunk->ledger->id);

        put_trace(&entry);
        sums.live_blocks += entry.live_blocks;
        sums.live_bytes += entry.live_bytes;
        sums.total_blocks += entry.total_blocks;
        sums.total_bytes += entry.total_bytes;
        if (purse_is_cut(&chunk->accounts[i])) {
            sums.cut_blocks += entry.total_blocks;
            sums.cut_bytes += entry.total_bytes;
        }
    }
    writer_pad(&writer);
}

static void put_traces(uint32_t n_ledgers)
{
    for (uint32_t id = 1; id <= n_ledgers; id++) {
        const struct ledger *const ledger = ledger_at(id);

        if (!generation_has(ledger))
            continue;
        sums.unknown_frees += count_get(&ledger->unknown_frees);
        for (const struct account_chunk *chunk = ledger->chunks; chunk;
             chunk = chunk->next)
            put_chunk(chunk);
    }
}

static void put_sums(void)
{
    sums.peak_bytes = peak_bytes();
    sums.peak_slack = peak_slack();
    sums.dropped_blocks = count_get(&at_dropped_blocks);
    sums.dropped_bytes = count_get(&at_dropped_bytes);
    sums.overhead_bytes = arena_bytes();
    sums.bad_frames = at_bad_frames;
    sums.collisions = count_get(&at_collisions);
    begin_entries(ALLOCTRACE_TAG_SUMMARY, 1, ALLOCTRACE_SUMMARY_SIZE);
    put_summary(&sums);
    writer_pad(&writer);
}

static void put_trailer_record(void)
{
    writer_flush(&writer);
    begin_entries(ALLOCTRACE_TAG_TRAILER, 1, ALLOCTRACE_TRAILER_SIZE);
    put_trailer(&(struct alloctrace_trailer_entry){
        .record_count = n_records,
        .file_size = writer.written + ALLOCTRACE_RECORD_HEADER_SIZE +
                     ALLOCTRACE_TRAILER_SIZE,
        .checksum = writer.checksum});
}

static struct alloctrace_process_entry describe_process(uint32_t sequence,
                                                        const char *reason)
{
    struct alloctrace_process_entry entry = {
        .pid = os_pid(),
        .word_bits = 8 * sizeof(void *),
        .traceback_limit = (uint32_t)at_options.frames,
        .sequence = sequence,
        .start_ns = at_start_ns,
        .dump_ns = os_now_ns(),
        .writer = string_intern("alloctrace " ALLOCTRACE_VERSION_STRING),
        .reason = string_intern(reason),
    };
    static char name[4096];

    os_program_path(name, sizeof name);
    entry.program = string_intern(name);
    os_host_name(name, sizeof name);
    entry.host = string_intern(name);
    return entry;
}

#define MAX_ARGUMENTS 256

/* The first arguments, as strings. Very long command lines are cut. */
static uint32_t read_arguments(uint32_t *ids)
{
    static char line[32768];
    uint32_t n = 0;
    size_t used = 0;
    int fd;

    if (os_open_read("/proc/self/cmdline", &fd) == 0) {
        os_read(fd, line, sizeof line - 1, &used);
        os_close(fd);
    }
    line[used] = '\0';
    for (size_t at = 0; at < used && n < MAX_ARGUMENTS;
         at += strlen(line + at) + 1)
        ids[n++] = string_intern(line + at);
    return n;
}

static void put_arguments(const uint32_t *ids, uint32_t n)
{
    begin_entries(ALLOCTRACE_TAG_ARGUMENTS, n, ALLOCTRACE_ARGUMENT_SIZE);
    for (uint32_t i = 0; i < n; i++)
        put_argument(&(struct alloctrace_argument_entry){ids[i]});
    writer_pad(&writer);
}

int dump_write(int fd, uint32_t sequence, const char *reason)
{
    static uint32_t arguments[MAX_ARGUMENTS];
    /* All strings first: the records that name them come after them. */
    const struct alloctrace_process_entry process =
        describe_process(sequence, reason);
    const uint32_t n_modules = module_read();
    const uint32_t n_arguments = read_arguments(arguments);
    const uint32_t n_ledgers = at_ledgers.n;
    uint32_t *const names = arena_map((n_ledgers + 1) * sizeof *names);

    for (uint32_t id = 1; names && id <= n_ledgers; id++)
        names[id - 1] = thread_name(ledger_at(id));
    writer_init(&writer, fd);
    n_records = 0;
    sums = (struct alloctrace_summary_entry){0};
    put_header();
    put_strings();
    begin_entries(ALLOCTRACE_TAG_PROCESS, 1, ALLOCTRACE_PROCESS_SIZE);
    put_process(&process);
    writer_pad(&writer);
    put_arguments(arguments, n_arguments);
    put_domains();
    put_modules(n_modules);
    put_threads(n_ledgers, names);
    put_frames(n_modules);
    put_tracebacks();
    put_traces(n_ledgers);
    put_sums();
    put_trailer_record();
    if (names)
        arena_unmap(names, (n_ledgers + 1) * sizeof *names);
    return writer_flush(&writer);
}
