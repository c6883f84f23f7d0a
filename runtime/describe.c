/* SPDX-License-Identifier: MIT */
/*
 * What a dump says of the process: arguments, files, threads. All strings are
 * written as the dump's own and are not kept, so that nothing is allocated.
 * Between the header and the tables of dump.c, or the one path of extract.c.
 */
#include "dump.h"

#include <string.h>

#include "alloctrace/version.h"

struct dump at_dump;

void dump_begin_length(enum alloctrace_tag tag, uint32_t count, uint64_t length)
{
    writer_put(&at_dump.writer, tag, 32);
    writer_put(&at_dump.writer, count, 32);
    writer_put(&at_dump.writer, length, 64);
    at_dump.n_records += tag != ALLOCTRACE_TAG_TRAILER;
}

void dump_begin(enum alloctrace_tag tag, uint32_t count,
                          uint32_t size)
{
    dump_begin_length(tag, count, (uint64_t)count * size);
}

static void put_header(void)
{
    writer_put_bytes(&at_dump.writer, ALLOCTRACE_MAGIC, ALLOCTRACE_MAGIC_SIZE);
    writer_put(&at_dump.writer, ALLOCTRACE_FORMAT_VERSION, 32);
    writer_put(&at_dump.writer, 0, 32);
}

/* ---- What describes the process, with strings of its own ---- */

uint32_t dump_put_string(const char *text)
{
    const size_t size = strlen(text);

    if (size == 0)
        return 0;
    dump_begin_length(ALLOCTRACE_TAG_STRINGS, 1, 4 + size);
    writer_put(&at_dump.writer, size, 32);
    writer_put_bytes(&at_dump.writer, text, size);
    writer_pad(&at_dump.writer);
    return ++at_dump.own_strings;
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
        .writer = dump_put_string("alloctrace " ALLOCTRACE_VERSION_STRING),
        .reason = dump_put_string(reason),
        .sample_bytes = at_options.sample,
        .n_processes = 1,
    };

    os_program_path(name, sizeof name);
    entry.program = dump_put_string(name);
    os_host_name(name, sizeof name);
    entry.host = dump_put_string(name);
    dump_begin(ALLOCTRACE_TAG_PROCESS, 1, ALLOCTRACE_PROCESS_SIZE);
    put_process(&entry);
    writer_pad(&at_dump.writer);
}

#define MAX_ARGUMENTS 256

/* The first arguments. Very long command lines are cut. */
void dump_put_arguments(void)
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
        ids[n++] = dump_put_string(line + at);
    dump_begin(ALLOCTRACE_TAG_ARGUMENTS, n, ALLOCTRACE_ARGUMENT_SIZE);
    for (uint32_t i = 0; i < n; i++)
        put_argument(&(struct alloctrace_argument_entry){ids[i]});
    writer_pad(&at_dump.writer);
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
    return dump_put_string(digits);
}

#define BATCH 64 /* modules, threads of which strings are written at once */

static const struct module *module_get(uint32_t id)
{
    return id <= at_dump.n_loaded ? module_at(id)
                                  : vector_at(&at_gone, id - at_dump.n_loaded);
}

static void put_modules(uint32_t first, uint32_t n)
{
    uint32_t paths[BATCH];
    uint32_t build_ids[BATCH];

    for (uint32_t i = 0; i < n; i++) {
        paths[i] = dump_put_string(module_get(first + i)->path);
        build_ids[i] = put_build_id(module_get(first + i));
    }
    dump_begin(ALLOCTRACE_TAG_MODULES, n, ALLOCTRACE_MODULE_SIZE);
    for (uint32_t i = 0; i < n; i++) {
        const struct module *const module = module_get(first + i);

        put_module(&(struct alloctrace_module_entry){
            module->begin, module->end, module->bias, paths[i], build_ids[i]});
    }
    writer_pad(&at_dump.writer);
}

/* The name that the system knows, or had when the thread ended. */
static uint32_t put_thread_name(const struct ledger *ledger, uint32_t tid)
{
    char name[THREAD_NAME_SIZE];

    tenant_name(ledger, name);
    if (!name[0] && tid && !count_get(&ledger->is_free))
        os_thread_name(tid, name, sizeof name);
    return dump_put_string(name);
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
    dump_begin(ALLOCTRACE_TAG_THREADS, n, ALLOCTRACE_THREAD_SIZE);
    for (uint32_t i = 0; i < n; i++)
        put_thread(&(struct alloctrace_thread_entry){tids[i], names[i]});
    writer_pad(&at_dump.writer);
}

/* Calls `put` for numbers 1..n, a batch at a time. */
static void put_batches(void (*put)(uint32_t first, uint32_t n), uint32_t n)
{
    for (uint32_t first = 1; first <= n; first += BATCH)
        put(first, n - first < BATCH ? n - first + 1 : BATCH);
}

/* The module of a place. What was unloaded may be there again, or another
 * file; and at the end of the process all goes. */
static uint32_t module_of_place(const struct place *place)
{
    const uint32_t id = module_of(place->address);
    const uint32_t gone = count_get(&place->gone);

    if (!gone || gone > at_dump.n_gone ||
        (id && strcmp(module_at(id)->path,
                      module_get(at_dump.n_loaded + gone)->path) == 0))
        return id;
    return at_dump.n_loaded + gone;
}

struct alloctrace_frame_entry dump_read_place(const struct place *place,
                                              uint32_t (*number)(uint32_t id))
{
    return (struct alloctrace_frame_entry){
        .address = place->kind == 0 ? place->address : 0,
        .module = module_of_place(place),
        .file = number(place->file),
        .function = number(place->function),
        .line = place->line,
        .column = place->column,
        .ordinal = place->ordinal,
        .caller = place->caller,
        .callee = number(place->callee),
        .type = number(place->type),
        .target = number(place->target),
        .kind = place->kind,
        .flags = place->flags,
        .type_size = place->type_size,
    };
}

void dump_start(int fd, uint32_t sequence, const char *reason)
{
    at_dump = (struct dump){.n_records = 0};
    writer_init(&at_dump.writer, fd);
    put_header();
    put_process_record(sequence, reason);
}

void dump_put_modules(void)
{
    at_dump.n_loaded = module_read();
    at_dump.n_gone = vector_count(&at_gone);
    put_batches(put_modules, at_dump.n_loaded + at_dump.n_gone);
}

void dump_put_threads(uint32_t n)
{
    put_batches(put_threads, n);
}

void dump_put_summary(const struct alloctrace_summary_entry *sums)
{
    dump_begin(ALLOCTRACE_TAG_SUMMARY, 1, ALLOCTRACE_SUMMARY_SIZE);
    put_summary(sums);
    writer_pad(&at_dump.writer);
}

void dump_put_trailer(void)
{
    writer_flush(&at_dump.writer);
    dump_begin(ALLOCTRACE_TAG_TRAILER, 1, ALLOCTRACE_TRAILER_SIZE);
    put_trailer(&(struct alloctrace_trailer_entry){
        .record_count = at_dump.n_records,
        .file_size = at_dump.writer.written + ALLOCTRACE_RECORD_HEADER_SIZE +
                     ALLOCTRACE_TRAILER_SIZE,
        .checksum = at_dump.writer.checksum});
}

int dump_hand_over(struct dump_memory *memory)
{
    const int error = writer_end(&at_dump.writer);

    if (!error)
        *memory = (struct dump_memory){at_dump.writer.memory,
                                       (size_t)at_dump.writer.written};
    return error;
}
