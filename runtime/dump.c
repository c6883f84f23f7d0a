/* SPDX-License-Identifier: MIT */
/*
 * What has been traced so far -> a file descriptor or memory, in the format of
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
#include "dump.h"

#include <string.h>

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

/* ---- Tables: each from what was written on to its number n ---- */

static uint32_t string_number(uint32_t id)
{
    return id ? at_dump.own_strings + id : 0;
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
    dump_begin_length(ALLOCTRACE_TAG_STRINGS, n - first + 1, length);
    for (uint32_t id = first; id <= n; id++) {
        const struct string *const string = vector_at(&at_strings, id);

        writer_put(&at_dump.writer, string->size, 32);
        writer_put_bytes(&at_dump.writer, string->bytes, string->size);
    }
    writer_pad(&at_dump.writer);
}

_Static_assert(NAMED_DOMAINS == ALLOCTRACE_NAMED_DOMAINS,
               "runtime.h repeats what format.h says");

static void put_domains(uint32_t n)
{
    const uint32_t first = written.domains + 1;

    written.domains = n;
    if (n < first)
        return;
    dump_begin(ALLOCTRACE_TAG_DOMAINS, n - first + 1,
               ALLOCTRACE_DOMAIN_SIZE);
    for (uint32_t number = first; number <= n; number++) {
        const struct domain *const domain = vector_at(&at_domains, number);

        put_domain(&(struct alloctrace_domain_entry){
            NAMED_DOMAINS + number, string_number(domain->string)});
    }
    writer_pad(&at_dump.writer);
}

static void put_place(const struct place *place)
{
    const struct alloctrace_frame_entry entry =
        dump_read_place(place, string_number);

    put_frame(&entry);
}

static void put_frames(uint32_t n)
{
    const uint32_t first = written.places + 1;

    written.places = n;
    if (n < first)
        return;
    dump_begin(ALLOCTRACE_TAG_FRAMES, n - first + 1, ALLOCTRACE_FRAME_SIZE);
    for (uint32_t id = first; id <= n; id++)
        put_place(vector_at(&at_places, id));
    writer_pad(&at_dump.writer);
}

static void put_tracebacks(uint32_t n)
{
    const uint32_t first = written.tracebacks + 1;

    written.tracebacks = n;
    if (n < first)
        return;
    dump_begin(ALLOCTRACE_TAG_TRACEBACKS, n - first + 1,
               ALLOCTRACE_TRACEBACK_SIZE);
    for (uint32_t id = first; id <= n; id++) {
        const struct traceback *const traceback = vector_at(&at_tracebacks, id);

        put_traceback(&(struct alloctrace_traceback_entry){
            traceback->parent, traceback->place,
            count_get(&traceback->left_out)});
    }
    writer_pad(&at_dump.writer);
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
    dump_begin(ALLOCTRACE_TAG_SIZES, n, ALLOCTRACE_SIZE_CLASS_SIZE);
    for (; class; class = class->next)
        put_size_class(&(struct alloctrace_size_class_entry){
            .traceback = account_traceback(account),
            .thread = thread,
            .domain = shown_domain(account_facts(account)),
            .size_class = (uint32_t)class->number,
            .blocks = count_get(&class->blocks),
            .bytes = count_get(&class->bytes),
        });
    writer_pad(&at_dump.writer);
}

/* Only of accounts whose traces stand in the file: no more than there were. */
static void put_chunk_details(const struct account_chunk *chunk, uint32_t n)
{
    dump_begin(ALLOCTRACE_TAG_DETAILS, n, ALLOCTRACE_DETAIL_SIZE);
    for (uint32_t i = 0; i < n; i++)
        put_details_of(&chunk->accounts[i], chunk->ledger->id);
    writer_pad(&at_dump.writer);
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
    dump_begin(ALLOCTRACE_TAG_TRACES, n, ALLOCTRACE_TRACE_SIZE);
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
    writer_pad(&at_dump.writer);
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
    dump_begin(ALLOCTRACE_TAG_BLOCKS, (uint32_t)n, ALLOCTRACE_BLOCK_SIZE);
    for (size_t i = 0; i < n; i++) {
        const struct account_facts *const facts =
            account_facts(blocks[i].account);

        put_block(&(struct alloctrace_block_entry){
            blocks[i].address, blocks[i].size, facts->traceback_id,
            shown_domain(facts)});
    }
    writer_pad(&at_dump.writer);
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
        dump_begin(ALLOCTRACE_TAG_DETAILS, 0, ALLOCTRACE_DETAIL_SIZE);
    dump_put_summary(&sums);
}

static void write_all(int fd, uint32_t sequence, const char *reason)
{
    const uint32_t n_ledgers = vector_count(&at_ledgers);

    generation_no = generation_number();
    generation = __atomic_load_n(&at_generation, __ATOMIC_ACQUIRE);
    memset(&written, 0, sizeof written);
    sums = (struct alloctrace_summary_entry){0};
    dump_start(fd, sequence, reason);
    dump_put_arguments();
    dump_put_modules();
    dump_put_threads(n_ledgers);
    put_tables();
    put_traces(n_ledgers);
    if (at_options.blocks)
        put_all_blocks();
    put_sums();
    dump_put_trailer();
}

int dump_write(int fd, uint32_t sequence, const char *reason)
{
    write_all(fd, sequence, reason);
    return writer_flush(&at_dump.writer);
}

int dump_write_memory(struct dump_memory *memory)
{
    write_all(-1, 0, "snapshot");
    return dump_hand_over(memory);
}

