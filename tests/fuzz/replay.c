/* SPDX-License-Identifier: MIT */
/*
 * Feeds files to a fuzz target, as libFuzzer would, but with any compiler: so
 * what was found once is looked at in every build. Folders stand for the files
 * in them.
 *
 *     replay_TARGET FILE...
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static size_t n_files;

/* The size of a file; the end of the program if it cannot be read. */
static long size_of(FILE *file)
{
    long size = -1;

    if (file && !fseek(file, 0, SEEK_END))
        size = ftell(file);
    if (size >= 0)
        rewind(file);
    return size;
}

static void replay_file(const char *path)
{
    FILE *const file = fopen(path, "rb");
    const long size = size_of(file);
    uint8_t *const bytes = size < 0 ? NULL : malloc((size_t)size + 1);

    if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(2);
    }
    fclose(file);
    /* Not one byte more: what is read behind the end must be seen. */
    if (size > 0) {
        uint8_t *const exact = malloc((size_t)size);

        REQUIRE(exact);
        memcpy(exact, bytes, (size_t)size);
        LLVMFuzzerTestOneInput(exact, (size_t)size);
        free(exact);
    } else {
        LLVMFuzzerTestOneInput(bytes, 0);
    }
    free(bytes);
    n_files++;
}

static void replay_folder(const char *path, DIR *folder)
{
    const struct dirent *entry;
    char name[4096];

    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (getenv("REPLAY_VERBOSE"))
            fprintf(stderr, "%s\n", name);
        replay_file(name);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        DIR *const folder = opendir(argv[i]);

        if (folder)
            replay_folder(argv[i], folder);
        else
            replay_file(argv[i]);
    }
    printf("%zu files\n", n_files);
    meter_report();
    return n_files > 0 ? 0 : 2;
}
