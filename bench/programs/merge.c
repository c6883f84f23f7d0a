/* SPDX-License-Identifier: MIT */
/*
 * Dumps to merge: merge FOLDER N-FILES N-CONTEXTS shared|distinct
 *
 * Writes N-FILES dumps of N-CONTEXTS call paths each to FOLDER/0, FOLDER/1 and
 * so on. Paths are eight frames deep, of a program with 20,000 call sites:
 * three outer levels with few, the inner ones with all of them.
 *
 *     shared    all files are of N-CONTEXTS * 2 paths that there are
 *     distinct  no path is in two files, or twice in one; and each has three
 *               inner frames to itself
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <alloctrace/analysis.h>

enum { N_SITES = 20000, DEPTH = 8 };

/* What the frames of a site say. */
static struct site {
    char file[32];
    char function[32];
    char type[24];
} sites[N_SITES];

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

/* A bijection of 64 bits, so that different numbers stay different. */
static uint64_t scramble(uint64_t number)
{
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

static struct alloctrace_frame frame_of(uint64_t site)
{
    const struct site *of = &sites[site %= N_SITES];

    return (struct alloctrace_frame){.file = of->file,
                                     .function = of->function,
                                     .type = of->type,
                                     .line = (uint32_t)(site % 977) + 1,
                                     .kind = ALLOCTRACE_FRAME_CALL};
}

/* The path of a number, the most recent frame first. Two of its frames say all
 * of the number, so that no other has the same. */
static void path_make(uint64_t number, struct alloctrace_frame *frames)
{
    const uint64_t chance = scramble(number);

    frames[0] = frame_of(number);
    frames[1] = frame_of(chance >> 32);
    frames[2] = frame_of(number / N_SITES);
    frames[3] = frame_of(chance);
    frames[4] = frame_of(chance % 3000);
    frames[5] = frame_of(chance % 300);
    frames[6] = frame_of(chance % 20);
    frames[7] = frame_of(0);
}

static alloctrace_snapshot *make(uint64_t file, uint64_t n_contexts,
                                 int is_distinct)
{
    alloctrace_builder *builder;
    alloctrace_snapshot *snapshot;

    if (alloctrace_builder_create(&builder) ||
        alloctrace_builder_set_process(
            builder, &(struct alloctrace_process){.program = "/usr/bin/server",
                                                  .pid = (uint32_t)file + 1,
                                                  .word_bits = 64}))
        die("builder");
    for (uint64_t i = 0; i < n_contexts; i++) {
        const uint64_t number =
            is_distinct ? file * n_contexts + i
                        : scramble(file * n_contexts + i) % (2 * n_contexts);
        struct alloctrace_frame frames[DEPTH];

        path_make(number, frames);
        if (alloctrace_builder_add(builder, 0, 16 + number % 100, frames, DEPTH,
                                   0))
            die("builder");
    }
    if (alloctrace_builder_finish(builder, &snapshot))
        die("builder");
    return snapshot;
}

/* To standard output, as a dump that is not given to the disk at once. */
static void write_to(const alloctrace_snapshot *snapshot, const char *path)
{
    struct alloctrace_error error;
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
        die(path);
    close(fd);
    if (alloctrace_snapshot_dump(snapshot, "-", &error)) {
        fprintf(stderr, "%s: %s\n", path, error.message);
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv)
{
    uint64_t n_files;
    uint64_t n_contexts;

    if (argc != 5) {
        fputs("usage: merge FOLDER N-FILES N-CONTEXTS shared|distinct\n",
              stderr);
        return EXIT_FAILURE;
    }
    n_files = strtoull(argv[2], NULL, 10);
    n_contexts = strtoull(argv[3], NULL, 10);
    for (unsigned i = 0; i < N_SITES; i++) {
        snprintf(sites[i].file, sizeof sites->file, "src/part%u/unit%u.c",
                 i % 31, i / 40);
        snprintf(sites[i].function, sizeof sites->function, "function_%u",
                 i / 8);
        snprintf(sites[i].type, sizeof sites->type, "struct type%u", i % 400);
    }
    for (uint64_t i = 0; i < n_files; i++) {
        alloctrace_snapshot *snapshot =
            make(i, n_contexts, strcmp(argv[4], "distinct") == 0);
        char path[4096];

        snprintf(path, sizeof path, "%s/%llu", argv[1], (unsigned long long)i);
        write_to(snapshot, path);
        alloctrace_snapshot_free(snapshot);
    }
    return EXIT_SUCCESS;
}
