/* SPDX-License-Identifier: MIT */
/*
 * Names for addresses, of this very program: a dump is made in which its own
 * code and the C library's are modules, as the runtime would write it.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "dumpfile.h"

/* A loaded file. */
struct loaded {
    char path[4096];
    char build_id[128]; /* hexadecimal */
    uint64_t bias;
    const char *wanted; /* NULL = the program; else part of the path */
};

static void read_build_id(const struct dl_phdr_info *info,
                          const ElfW(Phdr) * header, char *text)
{
    const char *at = (const char *)info->dlpi_addr + header->p_vaddr;
    const char *end = at + header->p_memsz;

    while (at < end) {
        const ElfW(Nhdr) *note = (const void *)at;
        const char *name = at + sizeof *note;
        const unsigned char *id =
            (const unsigned char *)name + ((note->n_namesz + 3) & ~3u);

        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4)
            for (unsigned i = 0; i < note->n_descsz; i++)
                sprintf(text + 2 * i, "%02x", id[i]);
        at = (const char *)id + ((note->n_descsz + 3) & ~3u);
    }
}

static int find_loaded(struct dl_phdr_info *info, size_t size, void *data)
{
    struct loaded *loaded = data;

    (void)size;
    if (loaded->wanted ? !strstr(info->dlpi_name, loaded->wanted)
                       : *info->dlpi_name != '\0')
        return 0;
    loaded->bias = info->dlpi_addr;
    if (loaded->wanted)
        strcpy(loaded->path, info->dlpi_name);
    else
        loaded->path[readlink("/proc/self/exe", loaded->path,
                              sizeof loaded->path - 1)] = '\0';
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_NOTE)
            read_build_id(info, &info->dlpi_phdr[i], loaded->build_id);
    return 1;
}

/* Code whose address is known, called here and inlined there. */
static uint64_t seen;

static inline __attribute__((always_inline)) void look(void)
{
    uint64_t address;

    __asm__ volatile("lea 0(%%rip), %0" : "=r"(address));
    seen = address;
}

static inline __attribute__((always_inline)) void look_twice(void)
{
    look();
}

static __attribute__((noinline)) void looking(void)
{
    look_twice();
}

/* A snapshot with the one address. */
static alloctrace_snapshot *load(const struct loaded *loaded, uint64_t address)
{
    alloctrace_snapshot *snapshot = NULL;
    struct dumpfile dump;

    dumpfile_init(&dump);
    dumpfile_module(&dump, loaded->path,
                    *loaded->build_id ? loaded->build_id : NULL, 0, 0,
                    loaded->bias);
    dumpfile_traceback(
        &dump, 0,
        dumpfile_frame(&dump,
                       (struct dumpframe){.address = address, .module = 1}));
    dumpfile_finish(&dump);
    ck_assert_int_eq(alloctrace_snapshot_load_bytes(
                         dump.file.data, dump.file.size, &snapshot, NULL),
                     0);
    dumpfile_fini(&dump);
    ck_assert_int_eq(alloctrace_snapshot_symbolize(snapshot), 0);
    return snapshot;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

START_TEST(dwarf_names_functions_files_lines_and_inlined_code)
{
    static const char *const functions[] = {"look", "look_twice", "looking"};
    struct loaded self = {0};
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;

    dl_iterate_phdr(find_loaded, &self);
    looking();
    snapshot = load(&self, seen);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, 1, &traceback), 0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 3);
    for (int i = 0; i < 3; i++) {
        const struct alloctrace_frame *frame =
            alloctrace_traceback_frame(traceback, -1 - i);

        ck_assert_str_eq(frame->function, functions[i]);
        ck_assert_str_eq(base_name(frame->file), "check_symbol.c");
        ck_assert_uint_gt(frame->line, 60);
        ck_assert_int_eq(frame->is_inlined, i < 2);
    }
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* With debug information of the C library the name may be an alias. */
START_TEST(the_c_library_has_names)
{
    struct loaded library = {.wanted = "libc.so"};
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;

    ck_assert_int_eq(dl_iterate_phdr(find_loaded, &library), 1);
    snapshot = load(&library, (uint64_t)(uintptr_t)&gnu_get_libc_version + 1);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, 1, &traceback), 0);
    ck_assert_ptr_nonnull(
        strstr(alloctrace_traceback_frame(traceback, 0)->function,
               "gnu_get_libc_version"));
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

static void expect_label(const struct loaded *loaded)
{
    alloctrace_snapshot *snapshot = load(loaded, loaded->bias + 0x1234);
    alloctrace_traceback *traceback;

    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, 1, &traceback), 0);
    ck_assert_ptr_nonnull(
        strstr(alloctrace_traceback_frame(traceback, 0)->file, "+0x1234]"));
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}

START_TEST(another_build_of_the_file_is_not_believed)
{
    struct loaded self = {0};

    dl_iterate_phdr(find_loaded, &self);
    self.build_id[0] = self.build_id[0] == 'a' ? 'b' : 'a';
    expect_label(&self);
    self.build_id[0] = '\0';
    expect_label(&self);
}
END_TEST

START_TEST(files_that_are_gone_or_no_elf_are_no_error)
{
    expect_label(&(struct loaded){.path = "/nonexistent/lib.so"});
    expect_label(&(struct loaded){.path = "/etc/passwd"});
    expect_label(&(struct loaded){.path = "/"});
    expect_label(&(struct loaded){.path = "linux-vdso.so.1", .bias = 4096});
    expect_label(&(struct loaded){.path = "/dev/zero"});
}
END_TEST

START_TEST(programs_are_instrumented_or_not)
{
    ck_assert_int_eq(alloctrace_is_instrumented("/proc/self/exe"), 0);
    ck_assert_int_eq(alloctrace_is_instrumented("/nonexistent"),
                     ALLOCTRACE_EIO);
    ck_assert_int_eq(alloctrace_is_instrumented("/etc/passwd"),
                     ALLOCTRACE_EBAD_FILE);
}
END_TEST

CHECK_MAIN("symbol", dwarf_names_functions_files_lines_and_inlined_code,
           the_c_library_has_names, another_build_of_the_file_is_not_believed,
           files_that_are_gone_or_no_elf_are_no_error,
           programs_are_instrumented_or_not)
