/* SPDX-License-Identifier: MIT */
/*
 * What has been traced so far -> a file descriptor, in the format of
 * format.h. Under the dump lock; takes no other, allocates nothing and stops
 * nobody: it may run in a signal handler on top of anything that does not
 * hold the dump lock, also on top of the holder of at_lock.
 *
 * It reads while others write. Counters are read as they are at that moment,
 * each once, and the summary is the sum of what was read. Tables (strings,
 * places, tracebacks, domains) only grow, so they are written as far as they
 * go, and what was added meanwhile is written before the next accounts that
 * may refer to it (put_tables). Threads that start meanwhile are left out, as
 * if the dump had been taken a little earlier.
 *
 * Strings of the dump itself come before the tables' and are not kept: the
 * tables' string n is number own_strings + n in the file.
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
/* What is dumped; its memory is not used again meanwhile (sweep.c). */
static const struct generation *generation;
static uint32_t generation_no; /* the generation's */

/* How far the tables have been written. */
static struct {
    uint32_t strings;
    uint32_t places;
    uint32_t tracebacks;
    uint32_t domains;
} written;
static uint32_t own_strings; /* written so far; constant once tables are */

#define PUT(bits, name) at = writer_store_##bits(at, entry->name);
#define DEFINE_PUT(lower, UPPER)                                            \
    static void put_##lower(const struct alloctrace_##lower##_entry *entry) \
    {                                                                       \
        unsigned char *at = writer_take(&writer, ALLOCTRACE_##UPPER##_SIZE); \
                                                                            \
        _Static_assert((int)ALLOCTRACE_##UPPER##_SIZE <= WRITER_ROOM,       \
                       "an entry fits");                                    \
        ALLOCTRACE_##UPPER##_FIELDS(PUT)                                    \
        (void)at;                                                           \
    }
DEFINE_PUT(process, PROCESS)
DEFINE_PUT(argument, ARGUMENT)
DEFINE_PUT(domain, DOMAIN)
DEFINE_PUT(module, MODULE)
DEFINE_PUT(frame, FRAME)
DEFINE_PUT(traceback, TRACEBACK)
DEFINE_PUT(thread, THREAD)
DEFINE_PUT(trace, TRACE)
DEFINE_PUT(block, BLOCK)
DEFINE_PUT(detail, DETAIL)
DEFINE_PUT(size_class, SIZE_CLASS)
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

/* ---- What describes the process, with strings of its own ---- */

/* Writes a string of the dump itself; gives its number. "" is none. */
static uint32_t put_own_string(const char *text)
{
    const size_t size = strlen(text);

    if (size == 0)
        return 0;
    begin(ALLOCTRACE_TAG_STRINGS, 1, 4 + size);
    writer_put(&writer, size, 32);
    writer_put_bytes(&writer, text, size);
    writer_pad(&writer);
    return ++own_strings;
}

static void put_process_record(uint32_t sequence, const char *reason)
{
    static char name[4096];
    struct alloctrace_process_entry entry = {
        .pid = os_pid(),
        .word_bits = 8 * sizeof(void *),
        .traceback_limit = (uint32_t)count_get(&at_options.frames),
        .sequence = sequence,
        .start_ns = count_get(&at_start_ns),
        .dump_ns = os_now_ns(),
        .writer = put_own_string("alloctrace " ALLOCTRACE_VERSION_STRING),
        .reason = put_own_string(reason),
        .sample_bytes = at_options.sample,
        .n_processes = 1,
    };

    os_program_path(name, sizeof name);
    entry.program = put_own_string(name);
    os_host_name(name, sizeof name);
    entry.host = put_own_string(name);
    begin_entries(ALLOCTRACE_TAG_PROCESS, 1, ALLOCTRACE_PROCESS_SIZE);
    put_process(&entry);
    writer_pad(&writer);
}

#define MAX_ARGUMENTS 256

/* The first arguments. Very long command lines are cut. */
static void put_arguments(void)
{
    static char line[32768];
    static uint32_t ids[MAX_ARGUMENTS];
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
        ids[n++] = put_own_string(line + at);
    begin_entries(ALLOCTRACE_TAG_ARGUMENTS, n, ALLOCTRACE_ARGUMENT_SIZE);
    for (uint32_t i = 0; i < n; i++)
        put_argument(&(struct alloctrace_argument_entry){ids[i]});
    writer_pad(&writer);
}

static uint32_t put_build_id(const struct module *module)
{
    char digits[2 * sizeof module->build_id + 1];
    struct text text;

    text_init(&text, digits, sizeof digits);
    for (uint32_t i = 0; i < module->build_id_size; i++) {
        text_add_hex(&text, module->build_id[i] >> 4);
        text_add_hex(&text, module->build_id[i] & 15);
    }
    return put_own_string(digits);
}

#define BATCH 64 /* modules, threads of which strings are written at once */

/* Those that are loaded, then those that were unloaded. */
static uint32_t n_loaded;
static uint32_t n_gone;

static const struct module *module_get(uint32_t id)
{
    return id <= n_loaded ? module_at(id) : vector_at(&at_gone, id - n_loaded);
}

static void put_modules(uint32_t first, uint32_t n)
{
    uint32_t paths[BATCH];
    uint32_t build_ids[BATCH];

    for (uint32_t i = 0; i < n; i++) {
        paths[i] = put_own_string(module_get(first + i)->path);
        build_ids[i] = put_build_id(module_get(first + i));
    }
    begin_entries(ALLOCTRACE_TAG_MODULES, n, ALLOCTRACE_MODULE_SIZE);
    for (uint32_t i = 0; i < n; i++) {
        const struct module *const module = module_get(first + i);

        put_module(&(struct alloctrace_module_entry){
            module->begin, module->end, module->bias, paths[i], build_ids[i]});
    }
    writer_pad(&writer);
}

/* The name that the system knows, or had when the thread ended. */
static uint32_t put_thread_name(const struct ledger *ledger, uint32_t tid)
{
    char name[THREAD_NAME_SIZE];

    tenant_name(ledger, name);
    if (!name[0] && tid && !count_get(&ledger->is_free))
        os_thread_name(tid, name, sizeof name);
    return put_own_string(name);
}

static void put_threads(uint32_t first, uint32_t n)
{
    uint32_t tids[BATCH];
    uint32_t names[BATCH];

    for (uint32_t i = 0; i < n; i++) {
        const struct ledger *const ledger = ledger_at(first + i);

        tids[i] = count_get(&ledger->tid);
        names[i] = put_thread_name(ledger, tids[i]);
    }
    begin_entries(ALLOCTRACE_TAG_THREADS, n, ALLOCTRACE_THREAD_SIZE);
    for (uint32_t i = 0; i < n; i++)
        put_thread(&(struct alloctrace_thread_entry){tids[i], names[i]});
    writer_pad(&writer);
}

/* Calls `put` for numbers 1..n, a batch at a time. */
static void put_batches(void (*put)(uint32_t first, uint32_t n), uint32_t n)
{
    for (uint32_t first = 1; first <= n; first += BATCH)
        put(first, n - first < BATCH ? n - first + 1 : BATCH);
}

/* ---- Tables: each from what was written on to its number n ---- */

static uint32_t string_number(uint32_t id)
{
    return id ? own_strings + id : 0;
}

static void put_strings(uint32_t n)
{
    const uint32_t first = written.strings + 1;
    uint64_t length = 0;

    written.strings = n;
    if (n < first)
        return;
    for (uint32_t id = first; id <= n; id++)
        length += 4 + ((struct string *)vector_at(&at_strings, id))->size;
    begin(ALLOCTRACE_TAG_STRINGS, n - first + 1, length);
    for (uint32_t id = first; id <= n; id++) {
        const struct string *const string = vector_at(&at_strings, id);

        writer_put(&writer, string->size, 32);
        writer_put_bytes(&writer, string->bytes, string->size);
    }
    writer_pad(&writer);
}

_Static_assert(NAMED_DOMAINS == ALLOCTRACE_NAMED_DOMAINS,
               "runtime.h repeats what format.h says");

static void put_domains(uint32_t n)
{
    const uint32_t first = written.domains + 1;

    written.domains = n;
    if (n < first)
        return;
    begin_entries(ALLOCTRACE_TAG_DOMAINS, n - first + 1,
                  ALLOCTRACE_DOMAIN_SIZE);
    for (uint32_t number = first; number <= n; number++) {
        const struct domain *const domain = vector_at(&at_domains, number);

        put_domain(&(struct alloctrace_domain_entry){
            NAMED_DOMAINS + number, string_number(domain->string)});
    }
    writer_pad(&writer);
}

/* The module of a place. What was unloaded may be there again, or another
 * file; and at the end of the process all goes. */
static uint32_t module_of_place(const struct place *place)
{
    const uint32_t id = module_of(place->address);
    const uint32_t gone = count_get(&place->gone);

    if (!gone || gone > n_gone ||
        (id && strcmp(module_at(id)->path,
                      module_get(n_loaded + gone)->path) == 0))
        return id;
    return n_loaded + gone;
}

static void put_place(const struct place *place)
{
    const bool is_address = place->kind == 0;

    put_frame(&(struct alloctrace_frame_entry){
        .address = is_address ? place->address : 0,
        .module = module_of_place(place),
        .file = string_number(place->file),
        .function = string_number(place->function),
        .line = place->line,
        .column = place->column,
        .ordinal = place->ordinal,
        .caller = place->caller,
        .callee = string_number(place->callee),
        .type = string_number(place->type),
        .target = string_number(place->target),
        .kind = place->kind,
        .flags = place->flags,
        .type_size = place->type_size,
    });
}

static void put_frames(uint32_t n)
{
    const uint32_t first = written.places + 1;

    written.places = n;
    if (n < first)
        return;
    begin_entries(ALLOCTRACE_TAG_FRAMES, n - first + 1, ALLOCTRACE_FRAME_SIZE);
    for (uint32_t id = first; id <= n; id++)
        put_place(vector_at(&at_places, id));
    writer_pad(&writer);
}

static void put_tracebacks(uint32_t n)
{
    const uint32_t first = written.tracebacks + 1;

    written.tracebacks = n;
    if (n < first)
        return;
    begin_entries(ALLOCTRACE_TAG_TRACEBACKS, n - first + 1,
                  ALLOCTRACE_TRACEBACK_SIZE);
    for (uint32_t id = first; id <= n; id++) {
        const struct traceback *const traceback = vector_at(&at_tracebacks, id);

        put_traceback(&(struct alloctrace_traceback_entry){
            traceback->parent, traceback->place,
            count_get(&traceback->left_out)});
    }
    writer_pad(&writer);
}

/*
 * Writes all that the tables hold by now. Counted from what refers to what is
 * referred to, so that all the latter is counted too; written the other way
 * round.
 */
static void put_tables(void)
{
    const uint32_t n_tracebacks = vector_count(&at_tracebacks);
    const uint32_t n_places = vector_count(&at_places);
    const uint32_t n_domains = vector_count(&at_domains);
    const uint32_t n_strings = vector_count(&at_strings);

    put_strings(n_strings);
    put_domains(n_domains);
    put_frames(n_places);
    put_tracebacks(n_tracebacks);
}

/* ---- Counters ---- */

static uint32_t shown_domain(const struct account_facts *facts)
{
    return facts->domain == DOMAIN_DIRECT ? 0 : facts->domain;
}

static void put_details_of(const struct account *account, uint32_t thread)
{
    static const struct detail none;
    const struct detail *const known = detail_of(account);
    const struct detail *const detail = known ? known : &none;
    const uint64_t smallest = count_get(&detail->smallest);

    put_detail(&(struct alloctrace_detail_entry){
        .traceback = account_traceback(account),
        .thread = thread,
        .domain = shown_domain(account_facts(account)),
        .temporary_blocks = count_get(&detail->temporary_blocks),
        .temporary_bytes = count_get(&detail->temporary_bytes),
        .resized_blocks = count_get(&detail->resized_blocks),
        .resized_in_place = count_get(&detail->resized_in_place),
        .moved_bytes = count_get(&detail->moved_bytes),
        .grown_bytes = count_get(&detail->grown_bytes),
        .shrunk_bytes = count_get(&detail->shrunk_bytes),
        .smallest = smallest ? smallest - 1 : 0,
        .largest = count_get(&detail->largest),
    });
}

/* How many classes an account has, and the newest of those. More may come
 * while we write. */
static uint32_t count_classes(const struct account *account,
                              const struct size_class **newest)
{
    const struct detail *const detail = detail_of(account);
    uint32_t n = 0;

    /* Acquire: pairs with the release in create_class. */
    *newest =
        detail ? __atomic_load_n(&detail->classes, __ATOMIC_ACQUIRE) : NULL;
    for (const struct size_class *c = *newest; c; c = c->next)
        n++;
    return n;
}

/* A record for each account that has classes. */
static void put_classes_of(const struct account *account, uint32_t thread)
{
    const struct size_class *class;
    const uint32_t n = count_classes(account, &class);

    if (n == 0)
        return;
    begin_entries(ALLOCTRACE_TAG_SIZES, n, ALLOCTRACE_SIZE_CLASS_SIZE);
    for (; class; class = class->next)
        put_size_class(&(struct alloctrace_size_class_entry){
            .traceback = account_traceback(account),
            .thread = thread,
            .domain = shown_domain(account_facts(account)),
            .size_class = (uint32_t)class->number,
            .blocks = count_get(&class->blocks),
            .bytes = count_get(&class->bytes),
        });
    writer_pad(&writer);
}

/* Only of accounts whose traces stand in the file: no more than there were. */
static void put_chunk_details(const struct account_chunk *chunk, uint32_t n)
{
    begin_entries(ALLOCTRACE_TAG_DETAILS, n, ALLOCTRACE_DETAIL_SIZE);
    for (uint32_t i = 0; i < n; i++)
        put_details_of(&chunk->accounts[i], chunk->ledger->id);
    writer_pad(&writer);
    for (uint32_t i = 0; i < n; i++)
        put_classes_of(&chunk->accounts[i], chunk->ledger->id);
}

/* Reads an account once, so that what is derived of it fits together. */
static struct alloctrace_trace_entry read_account(const struct account *account,
                                                  uint32_t thread)
{
    const struct account_facts *const facts = account_facts(account);
    struct alloctrace_trace_entry entry = {
        .traceback = facts->traceback_id,
        .thread = thread,
        .domain = shown_domain(facts),
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

    put_tables(); /* after n was read: what the accounts name is there */
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
    if (at_options.detail)
        put_chunk_details(chunk, n);
}

static void put_traces(uint32_t n_ledgers)
{
    for (uint32_t id = 1; id <= n_ledgers; id++) {
        const struct ledger *const ledger = ledger_at(id);

        if (__atomic_load_n(&ledger->generation, __ATOMIC_ACQUIRE) !=
            generation)
            continue;
        sums.unknown_frees += count_get(&ledger->unknown_frees);
        /* Acquire: pairs with the release in ledger.c. */
        for (const struct account_chunk *chunk =
                 __atomic_load_n(&ledger->chunks, __ATOMIC_ACQUIRE);
             chunk; chunk = chunk->next)
            put_chunk(chunk);
    }
}

/* ---- Single blocks ---- */

#define BLOCKS 1024 /* in a record */
static struct block blocks[BLOCKS];

/* Leaves those of the generation, and says how many they are. */
static size_t keep_known(size_t n)
{
    size_t n_kept = 0;

    for (size_t i = 0; i < n; i++)
        if (account_chunk(blocks[i].account)->generation == generation_no)
            blocks[n_kept++] = blocks[i];
    return n_kept;
}

static void put_blocks(size_t n)
{
    n = keep_known(n);
    put_tables(); /* after the blocks were read, as with accounts */
    begin_entries(ALLOCTRACE_TAG_BLOCKS, (uint32_t)n, ALLOCTRACE_BLOCK_SIZE);
    for (size_t i = 0; i < n; i++) {
        const struct account_facts *const facts =
            account_facts(blocks[i].account);

        put_block(&(struct alloctrace_block_entry){
            blocks[i].address, blocks[i].size, facts->traceback_id,
            shown_domain(facts)});
    }
    writer_pad(&writer);
}

static void put_all_blocks(void)
{
    static struct block_walk walk;
    struct tracked_walk tracked = {0};
    size_t n;

    block_walk_start(&walk);
    while ((n = block_walk_next(&walk, blocks, BLOCKS)) > 0)
        put_blocks(n);
    block_walk_end(&walk);
    while ((n = tracked_walk_next(&tracked, blocks, BLOCKS)) > 0)
        put_blocks(n);
}

static void put_sums(void)
{
    sums.peak_bytes = count_get(&generation->peak_bytes);
    sums.peak_slack = peak_slack();
    sums.dropped_blocks = count_get(&at_dropped_blocks);
    sums.dropped_bytes = count_get(&at_dropped_bytes);
    sums.overhead_bytes = arena_bytes();
    sums.bad_frames = count_get(&at_bad_frames);
    sums.collisions = count_get(&at_collisions);
    if (at_options.detail) /* says so, whatever there was to say */
        begin_entries(ALLOCTRACE_TAG_DETAILS, 0, ALLOCTRACE_DETAIL_SIZE);
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

int dump_write(int fd, uint32_t sequence, const char *reason)
{
    const uint32_t n_ledgers = vector_count(&at_ledgers);

    generation_no = generation_number();
    generation = __atomic_load_n(&at_generation, __ATOMIC_ACQUIRE);
    writer_init(&writer, fd);
    n_records = 0;
    own_strings = 0;
    memset(&written, 0, sizeof written);
    sums = (struct alloctrace_summary_entry){0};
    put_header();
    put_process_record(sequence, reason);
    put_arguments();
    n_loaded = module_read();
    n_gone = vector_count(&at_gone);
    put_batches(put_modules, n_loaded + n_gone);
    put_batches(put_threads, n_ledgers);
    put_tables();
    put_traces(n_ledgers);
    if (at_options.blocks)
        put_all_blocks();
    put_sums();
    put_trailer_record();
    return writer_flush(&writer);
}
