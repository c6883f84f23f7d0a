/* SPDX-License-Identifier: MIT */
/* Files as they should be, and every way in which they may not be. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "dumpfile.h"
#include "same.h"

static struct alloctrace_error error;

/* A file with an entry of every kind. */
static void make_sample(struct dumpfile *dump)
{
    uint32_t frame;
    uint32_t traceback;

    dumpfile_init(dump);
    dump->start_ns = 1000;
    dump->dump_ns = 2000;
    dump->summary[0] = 3;  /* live_blocks */
    dump->summary[11] = 9; /* collisions */
    dump->summary[13] = 8; /* cut_bytes */
    dump->n_processes = 2;
    dump->has_left_out = true;
    dumpfile_argument(dump, "program");
    dumpfile_argument(dump, "-x");
    dumpfile_module(dump, "/lib/libc.so.6", "0123abcd", 0x1000, 0x2000, 0x800);
    frame = dumpfile_frame(
        dump,
        (struct dumpframe){.file = "main.c", .line = 7, .function = "main"});
    traceback = dumpfile_traceback(dump, 0, frame);
    dumpfile_thread(dump, 4711, "worker");
    dumpfile_domain(dump, 5, "pool");
    dumpfile_domain(dump, 0x80000000, "operator new");
    dumpfile_trace_full(dump, traceback, 1, 5,
                        (const int64_t[]){3, 30, 4, 40, -1, -10});
    dumpfile_detail(dump, traceback, 1, 5,
                    (const uint64_t[]){1, 10, 2, 1, 8, 9, 7, 6, 14});
    dumpfile_size(dump, traceback, 1, 5, 5, 4, 40);
    dumpfile_block(dump, 0x1000, 30, traceback, 5);
    dumpfile_attribute(dump, "key", "value");
    dumpfile_finish(dump);
}

static int load(const struct bytes *file, alloctrace_snapshot **snapshot)
{
    memset(&error, 0, sizeof error);
    return alloctrace_snapshot_load_bytes(file->data, file->size, snapshot,
                                          &error);
}

/* Checks that a file is refused, why and where. */
static void refused(const struct bytes *file, int code, const char *message,
                    uint64_t offset)
{
    alloctrace_snapshot *snapshot = NULL;

    ck_assert_int_eq(load(file, &snapshot), code);
    ck_assert_ptr_null(snapshot);
    ck_assert_int_eq(error.code, code);
    ck_assert_str_eq(error.message, message);
    ck_assert_uint_eq(error.offset, offset);
}

START_TEST(files_say_whether_figures_are_estimates)
{
    for (uint64_t period = 0; period <= 1 << 20; period += 1 << 20) {
        struct dumpfile dump;
        alloctrace_snapshot *snapshot;

        dumpfile_init(&dump);
        dump.sample_bytes = period;
        dumpfile_finish(&dump);
        ck_assert_int_eq(load(&dump.file, &snapshot), 0);
        dumpfile_fini(&dump);
        ck_assert_uint_eq(alloctrace_snapshot_process(snapshot)->sample_bytes,
                          period);
        ck_assert_double_eq(alloctrace_snapshot_error(snapshot, 16 << 20),
                            period ? 0.25 : 0);
        ck_assert_double_eq(alloctrace_snapshot_error(snapshot, 0),
                            period ? 1 : 0);
        alloctrace_snapshot_free(snapshot);
    }
}
END_TEST

START_TEST(fields_that_older_writers_lack_are_zero)
{
    for (int has_fields = 0; has_fields < 2; has_fields++) {
        alloctrace_snapshot *snapshot;
        alloctrace_traceback *traceback;
        struct dumpfile dump;

        dumpfile_init(&dump);
        dump.summary[12] = has_fields ? 5 : 0;
        dump.summary[13] = has_fields ? 50 : 0;
        dump.has_left_out = has_fields;
        dump.left_out = 7;
        dumpfile_path(&dump, "c.c:3 b.c:2 a.c:1");
        dumpfile_finish(&dump);
        ck_assert_int_eq(load(&dump.file, &snapshot), 0);
        dumpfile_fini(&dump);
        ck_assert_uint_eq(alloctrace_snapshot_summary(snapshot)->cut_blocks,
                          has_fields ? 5 : 0);
        ck_assert_uint_eq(alloctrace_snapshot_summary(snapshot)->cut_bytes,
                          has_fields ? 50 : 0);
        /* What an outer part of a path lacks the whole path lacks. */
        ck_assert_int_eq(
            alloctrace_snapshot_traceback(snapshot, 3, &traceback), 0);
        ck_assert_uint_eq(alloctrace_traceback_count(traceback), 3);
        ck_assert_uint_eq(alloctrace_traceback_total_nframe(traceback),
                          has_fields ? 10 : 3);
        alloctrace_traceback_free(traceback);
        alloctrace_snapshot_free(snapshot);
    }
}
END_TEST

START_TEST(everything_in_a_file_is_loaded)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot;
    const struct alloctrace_process *process;
    const struct alloctrace_trace *trace;
    const struct alloctrace_module *module;

    make_sample(&dump);
    ck_assert_int_eq(load(&dump.file, &snapshot), 0);
    dumpfile_fini(&dump);
    process = alloctrace_snapshot_process(snapshot);
    ck_assert_str_eq(process->program, "/usr/bin/program");
    ck_assert_str_eq(process->reason, "exit");
    ck_assert_uint_eq(process->pid, 4711);
    ck_assert_uint_eq(process->start_ns, 1000);
    ck_assert_uint_eq(process->dump_ns, 2000);
    ck_assert_uint_eq(alloctrace_snapshot_summary(snapshot)->live_blocks, 3);
    ck_assert_uint_eq(alloctrace_snapshot_summary(snapshot)->collisions, 9);
    ck_assert_uint_eq(alloctrace_snapshot_argument_count(snapshot), 2);
    ck_assert_str_eq(alloctrace_snapshot_argument(snapshot, 1), "-x");
    ck_assert_ptr_null(alloctrace_snapshot_argument(snapshot, 2));
    module = alloctrace_snapshot_module(snapshot, 1);
    ck_assert_str_eq(module->build_id, "0123abcd");
    ck_assert_uint_eq(module->bias, 0x800);
    ck_assert_ptr_null(alloctrace_snapshot_module(snapshot, 0));
    ck_assert_ptr_null(alloctrace_snapshot_module(snapshot, 2));
    ck_assert_str_eq(alloctrace_snapshot_thread(snapshot, 1)->name, "worker");
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot), 1);
    trace = alloctrace_snapshot_trace(snapshot, 0);
    ck_assert_uint_eq(trace->domain, 5);
    ck_assert_int_eq(trace->live_bytes, 30);
    ck_assert_int_eq(trace->total_blocks, 4);
    ck_assert_int_eq(trace->peak_bytes, -10);
    ck_assert_ptr_null(alloctrace_snapshot_trace(snapshot, 1));
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* Names of domains are those of the file; 0 is malloc without being named. */
START_TEST(details_are_loaded)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot;
    struct alloctrace_detail *detail;

    make_sample(&dump);
    ck_assert_int_eq(load(&dump.file, &snapshot), 0);
    dumpfile_fini(&dump);
    ck_assert_int_eq(alloctrace_snapshot_detail(snapshot, 0, &detail), 0);
    ck_assert_uint_eq(detail->total_blocks, 4);
    ck_assert_uint_eq(detail->total_bytes, 40);
    ck_assert_uint_eq(detail->temporary_blocks, 1);
    ck_assert_uint_eq(detail->temporary_bytes, 10);
    ck_assert_uint_eq(detail->resized_blocks, 2);
    ck_assert_uint_eq(detail->resized_in_place, 1);
    ck_assert_uint_eq(detail->moved_bytes, 8);
    ck_assert_uint_eq(detail->grown_bytes, 9);
    ck_assert_uint_eq(detail->shrunk_bytes, 7);
    ck_assert_uint_eq(detail->smallest, 6);
    ck_assert_uint_eq(detail->largest, 14);
    ck_assert_uint_eq(detail->n_sizes, 1);
    ck_assert_uint_eq(detail->sizes[0].from, 9);
    ck_assert_uint_eq(detail->sizes[0].to, 16);
    ck_assert_uint_eq(detail->sizes[0].blocks, 4);
    ck_assert_uint_eq(detail->sizes[0].bytes, 40);
    alloctrace_detail_free(detail);
    ck_assert_int_eq(alloctrace_snapshot_detail(snapshot, 1, &detail),
                     ALLOCTRACE_EBAD_ARGUMENT);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(details_of_what_is_not_there_are_refused)
{
    static const uint64_t zeros[9];
    struct dumpfile dump;

    for (int i = 0; i < 4; i++) {
        dumpfile_init(&dump);
        dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:1"), 0, 3, 1, 1);
        if (i < 2)
            dumpfile_detail(&dump, i == 0, 0, i == 1 ? 3 : 4, zeros);
        else
            dumpfile_size(&dump, 1, i == 2, 3, 0, 1, 0);
        if (i == 3)
            dumpfile_size(&dump, 1, 0, 3, 66, 1, 0);
        dumpfile_finish(&dump);
        if (i < 3)
            refused(&dump.file, ALLOCTRACE_EBAD_FILE,
                    "damaged: it has details of a trace that it lacks",
                    ALLOCTRACE_NO_OFFSET);
        else
            refused(&dump.file, ALLOCTRACE_EBAD_FILE,
                    "damaged: there is no class 66 of sizes",
                    dump.file.size - 40 - (16 + 96) - 32);
        dumpfile_fini(&dump);
    }
}
END_TEST

START_TEST(domains_have_names)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot;

    make_sample(&dump);
    ck_assert_int_eq(load(&dump.file, &snapshot), 0);
    dumpfile_fini(&dump);
    ck_assert_uint_eq(alloctrace_snapshot_domain_count(snapshot), 2);
    ck_assert_uint_eq(alloctrace_snapshot_domain(snapshot, 1)->id, 0x80000000);
    ck_assert_str_eq(alloctrace_snapshot_domain(snapshot, 1)->name,
                     "operator new");
    ck_assert_ptr_null(alloctrace_snapshot_domain(snapshot, 2));
    ck_assert_str_eq(alloctrace_snapshot_domain_name(snapshot, 5), "pool");
    ck_assert_str_eq(alloctrace_snapshot_domain_name(snapshot, 0), "malloc");
    ck_assert_str_eq(alloctrace_snapshot_domain_name(snapshot, 6), "");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(each_proper_prefix_is_refused)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot = NULL;

    make_sample(&dump);
    for (size_t size = 0; size < dump.file.size; size++) {
        /* Of its own size, so that a read behind it is seen. */
        struct bytes prefix = {0};

        bytes_add(&prefix, dump.file.data, size);
        ck_assert_int_eq(load(&prefix, &snapshot), ALLOCTRACE_EBAD_FILE);
        ck_assert_msg(strncmp(error.message, "incomplete", 10) == 0 ||
                          size == 0,
                      "%zu: %s", size, error.message);
        ck_assert_uint_le(error.offset, size);
        free(prefix.data);
    }
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(each_flipped_bit_is_found)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot = NULL;

    make_sample(&dump);
    for (size_t bit = 0; bit < 8 * dump.file.size; bit++) {
        unsigned char mask = (unsigned char)(1 << bit % 8);

        dump.file.data[bit / 8] ^= mask;
        ck_assert_msg(load(&dump.file, &snapshot) < 0, "bit %zu", bit);
        ck_assert_msg(*error.message != '\0', "bit %zu", bit);
        dump.file.data[bit / 8] ^= mask;
    }
    ck_assert_int_eq(load(&dump.file, &snapshot), 0);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

/* Each byte set to each of a few values, with the right checksum: what is
 * checked then is not the checksum but that nothing is believed. */
START_TEST(forged_bytes_do_no_harm)
{
    static const unsigned char values[] = {0, 1, 2, 0x7f, 0x80, 0xff};
    struct dumpfile dump;

    make_sample(&dump);
    for (size_t i = 16; i < dump.file.size - 40; i++) {
        unsigned char old = dump.file.data[i];

        for (size_t k = 0; k < sizeof values; k++) {
            alloctrace_snapshot *snapshot = NULL;

            dump.file.data[i] = values[k];
            file_mend(&dump.file);
            if (load(&dump.file, &snapshot) == 0)
                alloctrace_snapshot_free(snapshot);
        }
        dump.file.data[i] = old;
    }
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(other_files_are_refused)
{
    struct bytes file = {0};

    refused(&file, ALLOCTRACE_EBAD_FILE, "it is empty", 0);
    bytes_add(&file,
              "\x7f"
              "ELF and so on, for long enough",
              31);
    refused(&file, ALLOCTRACE_EBAD_FILE, "not a dump of alloctrace", 0);
    file.size = 0;
    bytes_add(&file,
              "\x89"
              "ATR\n\x1a\n and so on, for long enough",
              32);
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "damaged: it was copied as if it were text", 4);
    free(file.data);
}
END_TEST

START_TEST(newer_versions_are_refused)
{
    struct bytes file = {0};

    file_begin(&file, 2, 0);
    file_end(&file, 0);
    refused(&file, ALLOCTRACE_EBAD_VERSION,
            "its format has version 2; this alloctrace reads version 1", 8);
    file.size = 0;
    file_begin(&file, 1, 4);
    file_end(&file, 0);
    refused(&file, ALLOCTRACE_EBAD_VERSION,
            "its header has flags that this alloctrace does not know", 12);
    free(file.data);
}
END_TEST

START_TEST(bytes_behind_the_trailer_are_refused)
{
    struct dumpfile dump;
    uint64_t end;

    make_sample(&dump);
    end = dump.file.size;
    bytes_add(&dump.file, "12345", 5);
    refused(&dump.file, ALLOCTRACE_EBAD_FILE,
            "damaged: 5 bytes follow its trailer", end);
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(a_wrong_checksum_is_refused)
{
    struct dumpfile dump;

    make_sample(&dump);
    dump.file.data[40] ^= 1; /* in a string */
    refused(&dump.file, ALLOCTRACE_EBAD_FILE, "damaged: its checksum is wrong",
            dump.file.size - 40);
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(a_wrong_trailer_is_refused)
{
    struct bytes file = {0};

    file_begin(&file, 1, 0);
    file_end(&file, 7);
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "damaged: its trailer is about 56 bytes in 7 records, but there "
            "are 56 in 0",
            16);
    file.size = 0;
    file_begin(&file, 1, 0);
    file_end(&file, 0);
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "damaged: it describes 0 processes and 0 summaries, not one", 16);
    free(file.data);
}
END_TEST

/* A file whose one record is `payload`. */
static struct bytes file_of(uint32_t tag, uint32_t count, const void *payload,
                            size_t length)
{
    struct bytes file = {0};

    file_begin(&file, 1, 0);
    file_record(&file, tag, count, payload, length);
    file_end(&file, 1);
    return file;
}

START_TEST(huge_counts_are_refused_without_memory_for_them)
{
    struct rlimit limit = {256 << 20, 256 << 20};
    char payload[64] = {0};
    struct bytes file = file_of(4, UINT32_MAX, payload, sizeof payload);

#ifndef __SANITIZE_ADDRESS__ /* it reserves more than that for itself */
    setrlimit(RLIMIT_AS, &limit);
#else
    (void)limit;
#endif
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "damaged: 4294967295 entries (frames) cannot take 64 bytes", 16);
    free(file.data);
    file = file_of(2, UINT32_MAX, payload, sizeof payload);
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "damaged: 4294967295 entries (strings) cannot take 64 bytes", 16);
    free(file.data);
    file = file_of(5, 0, payload, sizeof payload);
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "damaged: 0 entries (tracebacks) cannot take 64 bytes", 16);
    free(file.data);
}
END_TEST

START_TEST(huge_lengths_are_refused)
{
    struct bytes file = file_of(99, 1, "12345678", 8);

    for (int i = 0; i < 8; i++) /* the length, at 16 + 8 */
        file.data[24 + i] = 0xff;
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "incomplete: it ends in a record of 18446744073709551615 bytes",
            16);
    free(file.data);
}
END_TEST

/* The sample with one more entry, which refers to what is not there. */
START_TEST(references_forwards_are_refused)
{
    static const char *const expected[] = {
        "damaged: frame 1 is referred to, but only 0 stand before",
        "damaged: traceback 9 is referred to, but only 1 stand before",
        "damaged: thread 2 is referred to, but only 0 stand before",
        "damaged: module 3 is referred to, but only 0 stand before",
    };
    const int64_t figures[6] = {0};

    for (int i = 0; i < 4; i++) {
        struct dumpfile dump;
        alloctrace_snapshot *snapshot = NULL;

        dumpfile_init(&dump);
        if (i == 0)
            dumpfile_frame(&dump, (struct dumpframe){.caller = 1});
        else if (i == 1)
            dumpfile_traceback(&dump, dumpfile_traceback(&dump, 0, 0) + 8, 0);
        else if (i == 2)
            dumpfile_trace_full(&dump, 0, 2, 0, figures);
        else
            dumpfile_frame(&dump, (struct dumpframe){.module = 3});
        dumpfile_finish(&dump);
        ck_assert_int_eq(load(&dump.file, &snapshot), ALLOCTRACE_EBAD_FILE);
        ck_assert_str_eq(error.message, expected[i]);
        dumpfile_fini(&dump);
    }
}
END_TEST

START_TEST(a_string_is_referred_to_only_behind_it)
{
    struct bytes file = {0};
    unsigned char payload[60] = {0};

    payload[12] = 2; /* file */
    file_begin(&file, 1, 0);
    file_record(&file, 2, 1, "\1\0\0\0x", 5);
    file_record(&file, 4, 1, payload, 60);
    file_record(&file, 2, 1, "\1\0\0\0y", 5);
    file_record(&file, 8, 1, (char[96]){0}, 96);
    file_record(&file, 1, 1, (char[48]){0}, 48);
    file_end(&file, 5);
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "damaged: string 2 is referred to, but only 1 stand before", 56);
    free(file.data);
}
END_TEST

START_TEST(strings_must_fit_and_hold_no_zeros)
{
    struct bytes good = {0};
    struct bytes file = {0};

    file_begin(&good, 1, 0);
    file_record(&good, 8, 1, (char[96]){0}, 96);
    file_record(&good, 1, 1, (char[48]){0}, 48);
    bytes_add(&file, good.data, good.size);
    file_record(&file, 2, 1, "\5\0\0\0abcd", 8);
    file_end(&file, 3);
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "damaged: a string does not fit into its record", good.size + 16);
    file.size = good.size;
    file_record(&file, 2, 1, "\4\0\0\0ab\0d", 8);
    file_end(&file, 3);
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "damaged: there is a zero byte in a string", good.size + 16);
    file.size = good.size;
    file_record(&file, 2, 1, "\3\0\0\0abcd", 8);
    file_end(&file, 3);
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "damaged: bytes follow the last string of a record",
            good.size + 23);
    free(good.data);
    free(file.data);
}
END_TEST

START_TEST(padding_must_be_zero)
{
    struct bytes file = file_of(99, 1, "1", 1);

    file.data[39] = 1;
    refused(&file, ALLOCTRACE_EBAD_FILE,
            "damaged: a record is not padded with zeros", 16);
    free(file.data);
}
END_TEST

START_TEST(what_a_newer_writer_adds_is_skipped)
{
    struct bytes file = {0};
    alloctrace_snapshot *snapshot;
    char process[64] = {1, 2};

    file_begin(&file, 1, 0);
    file_record(&file, 2, 2, "\1\0\0\0x\0\0\0\0", 9);
    file_record(&file, 12345, 7, "what is this", 12);
    file_record(&file, 1, 1, process, 64);
    file_record(&file, 6, 2, "\1\0\0\0\1\0\0\0more\2\0\0\0\0\0\0\0more", 24);
    file_record(&file, 7, 0, "", 0);
    file_record(&file, 8, 1, (char[104]){3}, 104);
    file_end(&file, 6);
    ck_assert_int_eq(load(&file, &snapshot), 0);
    ck_assert_uint_eq(alloctrace_snapshot_thread_count(snapshot), 2);
    ck_assert_uint_eq(alloctrace_snapshot_thread(snapshot, 2)->tid, 2);
    ck_assert_str_eq(alloctrace_snapshot_thread(snapshot, 1)->name, "x");
    ck_assert_str_eq(alloctrace_snapshot_thread(snapshot, 2)->name, "");
    ck_assert_uint_eq(alloctrace_snapshot_process(snapshot)->pid, 0x201);
    ck_assert_uint_eq(alloctrace_snapshot_summary(snapshot)->live_blocks, 3);
    alloctrace_snapshot_free(snapshot);
    free(file.data);
}
END_TEST

static uint64_t number_at(const unsigned char *bytes, int size)
{
    uint64_t number = 0;

    while (size-- > 0)
        number = number << 8 | bytes[size];
    return number;
}

/* Copies a record, with `n_more` bytes at the end of each of its entries. */
static void lengthen(struct bytes *to, const unsigned char *record,
                     size_t n_more)
{
    static const char junk[100000] = "not for us";
    const uint32_t count = (uint32_t)number_at(record + 4, 4);
    const size_t length = (size_t)number_at(record + 8, 8);
    struct bytes payload = {0};

    for (uint32_t i = 0; i < count; i++) {
        bytes_add(&payload, record + 16 + i * (length / count), length / count);
        bytes_add(&payload, junk, n_more);
    }
    file_record(to, (uint32_t)number_at(record, 4), count, payload.data,
                payload.size);
    free(payload.data);
}

/* Every kind of entry has fields more, also such that a window of the file
 * does not hold, and tags that nobody knows stand everywhere. */
START_TEST(a_newer_writers_file_says_what_an_old_one_says)
{
    static const size_t more[] = {0, 1, 7, 8, 300, 65536, 100000};
    struct dumpfile dump;
    alloctrace_snapshot *old;

    make_sample(&dump);
    ck_assert_int_eq(load(&dump.file, &old), 0);
    for (size_t k = 0; k < sizeof more / sizeof *more; k++) {
        struct bytes file = {0};
        alloctrace_snapshot *snapshot;
        uint64_t n_records = 0;
        size_t at = 16;

        file_begin(&file, 1, 0);
        for (; at < dump.file.size - 40; n_records += 2) {
            const unsigned char *const record = dump.file.data + at;
            const size_t length = (size_t)number_at(record + 8, 8);

            file_record(&file, 1000 + (uint32_t)at, 3, "unknown", more[k] % 8);
            if (number_at(record, 4) == 2) /* strings have no entries */
                file_record(&file, 2, (uint32_t)number_at(record + 4, 4),
                            record + 16, length);
            else
                lengthen(&file, record, more[k]);
            at += 16 + ((length + 7) & ~(size_t)7);
        }
        file_end(&file, n_records);
        ck_assert_msg(!load(&file, &snapshot), "%zu: %s", more[k],
                      error.message);
        same_snapshot(old, snapshot, false);
        alloctrace_snapshot_free(snapshot);
        free(file.data);
    }
    alloctrace_snapshot_free(old);
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(blocks_are_listed_in_the_order_of_the_file)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot;
    uint32_t path;

    dumpfile_init(&dump);
    path = dumpfile_path(&dump, "b.c:2 a.c:1");
    for (uint64_t i = 0; i < 1000; i++)
        dumpfile_block(&dump, UINT64_MAX - i * 16, i, i % 2 ? path : 0,
                       (uint32_t)i % 3);
    dumpfile_finish(&dump);
    ck_assert_int_eq(load(&dump.file, &snapshot), 0);
    dumpfile_fini(&dump);
    ck_assert_uint_eq(alloctrace_snapshot_block_count(snapshot), 1000);
    for (uint64_t i = 0; i < 1000; i++) {
        const struct alloctrace_block *const block =
            alloctrace_snapshot_block(snapshot, i);

        ck_assert_uint_eq(block->address, UINT64_MAX - i * 16);
        ck_assert_uint_eq(block->size, i);
        ck_assert_uint_eq(block->traceback, i % 2 ? path : 0);
        ck_assert_uint_eq(block->domain, i % 3);
    }
    ck_assert_ptr_null(alloctrace_snapshot_block(snapshot, 1000));
    ck_assert_ptr_null(alloctrace_snapshot_block(snapshot, UINT64_MAX));
    alloctrace_snapshot_free(snapshot);
    dumpfile_init(&dump);
    dumpfile_block(&dump, 1, 1, 1, 0);
    dumpfile_finish(&dump);
    ck_assert_int_eq(load(&dump.file, &snapshot), ALLOCTRACE_EBAD_FILE);
    ck_assert_str_eq(error.message, "damaged: traceback 1 is referred to, but "
                                    "only 0 stand before");
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(inlining_has_a_limit)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot = NULL;
    uint32_t frame = 0;

    dumpfile_init(&dump);
    for (int i = 0; i < 65535; i++)
        frame = dumpfile_frame(&dump, (struct dumpframe){.caller = frame});
    dumpfile_finish(&dump);
    ck_assert_int_eq(load(&dump.file, &snapshot), 0);
    alloctrace_snapshot_free(snapshot);
    dump.file.size = 0;
    dumpfile_frame(&dump, (struct dumpframe){.caller = frame});
    dumpfile_finish(&dump);
    ck_assert_int_eq(load(&dump.file, &snapshot), ALLOCTRACE_EBAD_FILE);
    ck_assert_str_eq(error.message,
                     "damaged: a frame is inlined more than 65535 deep");
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(a_million_frames_deep_is_no_problem)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;
    uint32_t frame;
    uint32_t last = 0;

    dumpfile_init(&dump);
    frame = dumpfile_frame(&dump, (struct dumpframe){.file = "r.c", .line = 5});
    for (int i = 0; i < 1000000; i++)
        last = dumpfile_traceback(&dump, last, frame);
    dumpfile_trace(&dump, last, 0, 0, 1, 100);
    dumpfile_finish(&dump);
    ck_assert_int_eq(load(&dump.file, &snapshot), 0);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, last, &traceback),
                     0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 1000000);
    ck_assert_uint_eq(alloctrace_traceback_frame(traceback, 0)->line, 5);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(files_and_pipes_are_read)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot;
    char path[] = "/tmp/check_load.XXXXXX";
    int fd = mkstemp(path);
    int ends[2];

    make_sample(&dump);
    ck_assert_int_eq(write(fd, dump.file.data, dump.file.size),
                     (ssize_t)dump.file.size);
    close(fd);
    ck_assert_int_eq(alloctrace_snapshot_load(path, &snapshot, &error), 0);
    alloctrace_snapshot_free(snapshot);
    unlink(path);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], dump.file.data, dump.file.size),
                     (ssize_t)dump.file.size);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    ck_assert_int_eq(alloctrace_snapshot_load("-", &snapshot, &error), 0);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(files_that_cannot_be_read_say_why)
{
    alloctrace_snapshot *snapshot = NULL;

    ck_assert_int_eq(
        alloctrace_snapshot_load("/nonexistent/a", &snapshot, &error),
        ALLOCTRACE_EIO);
    ck_assert_str_eq(error.message,
                     "cannot open it: No such file or directory");
    ck_assert(error.offset == ALLOCTRACE_NO_OFFSET);
    ck_assert_int_eq(alloctrace_snapshot_load("/", &snapshot, &error),
                     ALLOCTRACE_EIO);
    ck_assert_str_eq(error.message, "cannot read it: Is a directory");
    ck_assert_int_eq(
        alloctrace_snapshot_load("/nonexistent/a", &snapshot, NULL),
        ALLOCTRACE_EIO);
    ck_assert_ptr_null(snapshot);
    alloctrace_snapshot_free(NULL);
}
END_TEST

CHECK_MAIN("load", everything_in_a_file_is_loaded,
           files_say_whether_figures_are_estimates,
           fields_that_older_writers_lack_are_zero, details_are_loaded,
           details_of_what_is_not_there_are_refused, domains_have_names,
           each_proper_prefix_is_refused, each_flipped_bit_is_found,
           forged_bytes_do_no_harm, other_files_are_refused,
           newer_versions_are_refused, bytes_behind_the_trailer_are_refused,
           a_wrong_checksum_is_refused, a_wrong_trailer_is_refused,
           huge_counts_are_refused_without_memory_for_them,
           huge_lengths_are_refused, references_forwards_are_refused,
           a_string_is_referred_to_only_behind_it,
           strings_must_fit_and_hold_no_zeros, padding_must_be_zero,
           what_a_newer_writer_adds_is_skipped,
           a_newer_writers_file_says_what_an_old_one_says,
           blocks_are_listed_in_the_order_of_the_file, inlining_has_a_limit,
           a_million_frames_deep_is_no_problem, files_and_pipes_are_read,
           files_that_cannot_be_read_say_why)
