/* SPDX-License-Identifier: MIT */
/*
 * alloctrace merge: many dumps into one. The names of the files are those on
 * the command line and those in a list, for more than fit there.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "interrupt.h"

const struct option merge_options[] = {
    {"-o", "FILE", "dump to write; - is standard output"},
    {"--files-from", "LIST",
     "merge the files that a file names, too: one on each line; - is standard "
     "input"},
    {"--keep-going", NULL,
     "leave out files that cannot be read, and exit with 1"},
    {"--memory", "MIB",
     "memory for call paths in MiB; what does not fit goes to temporary files "
     "beside the output, or in $TMPDIR (default 256)"},
    {NULL, NULL, NULL},
};

/* The files to merge. */
struct inputs {
    const char **paths; /* owned; the texts are those of `list` and argv */
    size_t n;
    char *list;   /* owned: the file that names some, or NULL */
    size_t size;  /* of it */
    bool is_left; /* some were left out */
};

static int fail_memory(void)
{
    fputs("alloctrace: merge: out of memory\n", stderr);
    return EXIT_UNUSABLE;
}

/* Reads the list, and makes a text of each of its lines. */
static int list_read(struct inputs *inputs, const char *path)
{
    struct alloctrace_error error;
    void *bytes;
    char *text;

    if (alloctrace_read_file(path, &bytes, &inputs->size, &error))
        return out_fail(path, &error);
    inputs->list = bytes;
    if (memchr(bytes, '\0', inputs->size)) {
        fprintf(stderr,
                "alloctrace: %s: not a list of files: it has a zero "
                "byte\n",
                path);
        return EXIT_UNUSABLE;
    }
    text = realloc(bytes, inputs->size + 1);
    if (!text)
        return fail_memory();
    inputs->list = text;
    text[inputs->size] = '\0';
    for (char *end = text; (end = strchr(end, '\n')); end++)
        *end = '\0';
    return 0;
}

/* Lists all files; empty lines are none. */
static int inputs_fill(struct inputs *inputs, const struct args *args)
{
    size_t n_lines = 1;

    for (size_t i = 0; i < inputs->size; i++)
        n_lines += inputs->list[i] == '\0';
    inputs->paths =
        calloc((size_t)args->n_operands + n_lines, sizeof *inputs->paths);
    if (!inputs->paths)
        return fail_memory();
    for (int i = 0; i < args->n_operands; i++)
        inputs->paths[inputs->n++] = args->operands[i];
    for (size_t i = 0; i < inputs->size; i += strlen(inputs->list + i) + 1)
        if (inputs->list[i])
            inputs->paths[inputs->n++] = inputs->list + i;
    return 0;
}

static bool is_standard(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

/* Standard input has only one thing to say. */
static int inputs_check(const struct inputs *inputs, const struct args *args)
{
    size_t n_standard = is_standard(args_get(args, "--files-from"));

    if (inputs->n == 0)
        return args_fail("merge", "wants files to merge");
    for (size_t i = 0; i < inputs->n; i++)
        n_standard += is_standard(inputs->paths[i]);
    return n_standard > 1 ? args_fail("merge", "reads standard input only once")
                          : 0;
}

static void inputs_fini(struct inputs *inputs)
{
    free(inputs->paths);
    free(inputs->list);
}

/* Says why a file is left out. */
static int skip(void *data, const char *path,
                const struct alloctrace_error *error)
{
    struct inputs *inputs = data;

    inputs->is_left = true;
    out_fail(path, error);
    return 0;
}

static int merge(struct inputs *inputs, const struct args *args,
                 uint64_t memory)
{
    const bool is_going_on = args_get(args, "--keep-going") != NULL;
    const struct alloctrace_merge_options options = {.size = sizeof options,
                                                     .max_memory = memory << 20,
                                                     .folder = getenv("TMPDIR"),
                                                     .skip = is_going_on ? skip
                                                                         : NULL,
                                                     .data = inputs};
    struct alloctrace_error error;
    const char *path;
    const int result =
        alloctrace_merge(inputs->paths, inputs->n, args_get(args, "-o"),
                         &options, &path, &error);

    if (!result)
        return inputs->is_left ? EXIT_CHECK_FAILED : EXIT_DONE;
    if (is_going_on && path && path != args_get(args, "-o")) {
        fputs("alloctrace: merge: no file is left\n", stderr);
        return EXIT_UNUSABLE;
    }
    return out_fail(path ? path : "merge", &error);
}

int cmd_merge(int argc, char **argv)
{
    struct inputs inputs = {0};
    struct args args;
    uint64_t memory;
    const char *list;
    int status = 0;

    if (args_parse(&args, merge_options, argc, argv, false) ||
        args_number(&args, argv[0], "--memory", UINT64_MAX >> 20, 0, &memory))
        return EXIT_UNUSABLE;
    if (!args_get(&args, "-o"))
        return args_fail(argv[0], "wants -o FILE");
    list = args_get(&args, "--files-from");
    if (list)
        status = list_read(&inputs, list);
    if (!status)
        status = inputs_fill(&inputs, &args);
    if (!status)
        status = inputs_check(&inputs, &args);
    interrupt_init();
    if (!status)
        status = merge(&inputs, &args, memory);
    inputs_fini(&inputs);
    return status;
}
