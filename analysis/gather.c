/* SPDX-License-Identifier: MIT */
/*
 * Merging files, however many. Snapshots are added to a builder one by one.
 * When the call paths and traces in it take too much memory they leave for a
 * sorted run in a temporary file (run.h), and in the end all runs and what is
 * in memory flow together into the output. Strings, frames, modules, threads
 * and domains stay in memory: a program has as many of them as it has source.
 *
 * So that no more than a few runs are open at a time, as many of one level as
 * FAN_IN make one of the next; an item is copied once for each level, and
 * there are log n.
 *
 * What is written is the same whether or not anything had to leave: call paths
 * in preorder, sorted by frames in the order in which they were met first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outflow.h"

/* Memory that call paths and traces may take if nothing else was said. */
#define DEFAULT_MEMORY ((uint64_t)256 << 20)

/* Runs of one level that are merged. */
#define FAN_IN 16

/* Where temporary files go if they cannot stand beside the output. */
#define OTHER_FOLDER "/var/tmp"

struct level_run {
    struct at_run run;
    unsigned level; /* 0 = out of memory */
};

struct gathering {
    alloctrace_builder *builder; /* owned */
    char *folder;                /* owned: for temporary files */
    bool is_folder_given;        /* there shall they be, and nowhere else */
    uint64_t max_memory;         /* in bytes */
    struct level_run **runs;     /* owned, with the runs; levels descend */
    uint32_t n_runs;
    uint32_t n_max_runs;
    struct alloctrace_error *error; /* or NULL */
};

/* ---- Runs ---- */

static void run_free(struct level_run *run)
{
    if (run)
        at_run_fini(&run->run);
    free(run);
}

static int run_fault(struct gathering *gathering, const struct at_run *run,
                     int result)
{
    if (result == ALLOCTRACE_ENO_MEMORY)
        return at_fault_memory(gathering->error);
    return at_fault(gathering->error, result, ALLOCTRACE_NO_OFFSET,
                    "cannot keep a temporary file in %s: %s", gathering->folder,
                    strerror(run->failure));
}

static int folder_set(struct gathering *gathering, const char *folder,
                      size_t size)
{
    char *copy = malloc(size + 1);

    if (!copy)
        return at_fault_memory(gathering->error);
    memcpy(copy, folder, size);
    copy[size] = '\0';
    free(gathering->folder);
    gathering->folder = copy;
    return 0;
}

/* Begins a run, in another folder if there can be none beside the output. */
static int run_create(struct gathering *gathering, unsigned level,
                      struct level_run **created)
{
    struct level_run *run = calloc(1, sizeof *run);
    int result;

    if (!run)
        return at_fault_memory(gathering->error);
    run->level = level;
    result = at_run_create(&run->run, gathering->folder);
    if (result == ALLOCTRACE_EIO && gathering->n_runs == 0 &&
        !gathering->is_folder_given) {
        at_run_fini(&run->run);
        result = folder_set(gathering, OTHER_FOLDER, strlen(OTHER_FOLDER));
        if (!result)
            result = at_run_create(&run->run, gathering->folder);
    }
    if (result) {
        run_fault(gathering, &run->run, result);
        run_free(run);
        return result;
    }
    *created = run;
    return 0;
}

/* Ends writing a run, and takes it over. */
static int run_add(struct gathering *gathering, struct level_run *run)
{
    int result = at_run_finish(&run->run);

    if (result) {
        run_fault(gathering, &run->run, result);
    } else if (gathering->n_runs == gathering->n_max_runs) {
        struct level_run **runs =
            at_grown(gathering->runs, &gathering->n_max_runs, sizeof *runs);

        if (!runs)
            result = at_fault_memory(gathering->error);
        else
            gathering->runs = runs;
    }
    if (result) {
        run_free(run);
        return result;
    }
    gathering->runs[gathering->n_runs++] = run;
    return 0;
}

/* Who failed: the run that has a `failure`, or memory. */
static int runs_fault(struct gathering *gathering, int result,
                      const struct at_run *written)
{
    if (written && written->failure)
        return run_fault(gathering, written, result);
    for (uint32_t i = 0; i < gathering->n_runs; i++)
        if (gathering->runs[i]->run.failure)
            return run_fault(gathering, &gathering->runs[i]->run, result);
    return at_fault_memory(gathering->error);
}

/* Merges all runs from `first` on, and what is in memory if that is given,
 * into a sink. `written` is its run, or NULL. */
static int runs_merge(struct gathering *gathering, uint32_t first,
                      struct at_source *memory, struct at_sink *sink,
                      const struct at_run *written)
{
    const size_t n = gathering->n_runs - first;
    struct at_source **sources = calloc(n + 1, sizeof *sources);
    size_t n_sources = 0;
    int result = 0;

    if (!sources)
        return at_fault_memory(gathering->error);
    for (uint32_t i = first; !result && i < gathering->n_runs; i++) {
        struct at_run *run = &gathering->runs[i]->run;

        result = at_run_rewind(run);
        sources[n_sources++] = &run->source;
    }
    if (memory)
        sources[n_sources++] = memory;
    if (!result)
        result = at_confluence(sources, n_sources, sink);
    free(sources);
    return result ? runs_fault(gathering, result, written) : 0;
}

static void runs_drop(struct gathering *gathering, uint32_t first)
{
    while (gathering->n_runs > first)
        run_free(gathering->runs[--gathering->n_runs]);
}

/* Makes one run of the last ones while there are so many of one level. */
static int runs_consolidate(struct gathering *gathering)
{
    while (gathering->n_runs >= FAN_IN) {
        const uint32_t first = gathering->n_runs - FAN_IN;
        const unsigned level = gathering->runs[first]->level;
        struct level_run *merged;
        int result;

        if (level != gathering->runs[gathering->n_runs - 1]->level)
            return 0;
        result = run_create(gathering, level + 1, &merged);
        if (result)
            return result;
        result =
            runs_merge(gathering, first, NULL, &merged->run.sink, &merged->run);
        if (result) {
            run_free(merged);
            return result;
        }
        runs_drop(gathering, first);
        result = run_add(gathering, merged);
        if (result)
            return result;
    }
    return 0;
}

/* ---- Memory ---- */

/* About what call paths and traces take, with their indexes and what sorting
 * them takes in addition. */
static uint64_t paths_memory(const alloctrace_builder *builder)
{
    const alloctrace_snapshot *built = builder->intern.snapshot;

    return built->n_tracebacks *
               (2 * sizeof *built->tracebacks + 2 * sizeof(struct at_slot)) +
           built->n_traces *
               (3 * sizeof *built->traces / 2 + 3 * sizeof(struct at_slot)) +
           builder->n_tallies * (3 * sizeof *builder->tallies / 2) +
           builder->n_sizes *
               (3 * sizeof *builder->sizes / 2 + 3 * sizeof(struct at_slot));
}

/* Likewise of what stays. */
static uint64_t rest_memory(const alloctrace_builder *builder)
{
    const struct at_intern *intern = &builder->intern;
    const struct at_strings *strings = &intern->snapshot->strings;
    uint64_t memory = strings->capacity * sizeof *strings->text;

    for (const struct at_piece *i = strings->pieces; i; i = i->next)
        memory += i->size;
    return memory + intern->n_max_frames * sizeof(struct at_frame) +
           (intern->strings.n_slots + intern->frames.n_slots) *
               sizeof(struct at_slot);
}

/* A part of the memory is for paths whatever the rest takes, so that runs do
 * not become tiny. */
static bool is_full(const struct gathering *gathering)
{
    const uint64_t rest = rest_memory(gathering->builder);
    const uint64_t least = gathering->max_memory / 4;

    return paths_memory(gathering->builder) >
           (rest < gathering->max_memory - least ? gathering->max_memory - rest
                                                 : least);
}

static void paths_forget(alloctrace_builder *builder)
{
    at_intern_clear_paths(&builder->intern);
    at_tally_clear(builder);
}

/* What is in memory becomes a run. */
static int paths_leave(struct gathering *gathering)
{
    struct at_preorder preorder;
    struct level_run *run;
    int result;

    if (at_preorder_init(&preorder, gathering->builder))
        return at_fault_memory(gathering->error);
    result = run_create(gathering, 0, &run);
    if (!result) {
        struct at_source *source = &preorder.source;

        result = at_confluence(&source, source->is_end ? 0 : 1, &run->run.sink);
        if (result) {
            run_fault(gathering, &run->run, result);
            run_free(run);
        } else {
            result = run_add(gathering, run);
        }
    }
    at_preorder_fini(&preorder);
    if (result)
        return result;
    paths_forget(gathering->builder);
    return runs_consolidate(gathering);
}

/* ---- Files ---- */

static int file_add(struct gathering *gathering, const char *path)
{
    alloctrace_snapshot *snapshot;
    int result = alloctrace_snapshot_load(path, &snapshot, gathering->error);

    if (result)
        return result;
    result = alloctrace_builder_add_snapshot(gathering->builder, snapshot);
    alloctrace_snapshot_free(snapshot);
    return result ? at_fault_memory(gathering->error) : 0;
}

/* What is the fault of a file, and not of this machine. */
static bool is_unusable(int result)
{
    return result == ALLOCTRACE_EIO || result == ALLOCTRACE_EBAD_FILE ||
           result == ALLOCTRACE_EBAD_VERSION;
}

/* Asks the user whether to go on without a file: his own memory is traced. */
static bool is_skipped(const struct alloctrace_merge_options *options,
                       const char *path, const struct alloctrace_error *error)
{
    bool is_wanted;

    if (!options->skip)
        return false;
    at_resume();
    is_wanted = options->skip(options->data, path, error) == 0;
    at_pause();
    return is_wanted;
}

static int files_add(struct gathering *gathering, const char *const *paths,
                     size_t n_paths,
                     const struct alloctrace_merge_options *options,
                     const char **failed)
{
    for (size_t i = 0; i < n_paths; i++) {
        int result = file_add(gathering, paths[i]);

        *failed = paths[i];
        if (is_unusable(result) &&
            is_skipped(options, paths[i], gathering->error))
            continue;
        if (result)
            return result;
        *failed = NULL;
        if (is_full(gathering))
            result = paths_leave(gathering);
        if (result)
            return result;
    }
    return 0;
}

/* ---- The output ---- */

static int paths_put(struct writing *writing, void *data)
{
    struct gathering *gathering = data;
    struct at_preorder preorder;
    struct at_outflow outflow;
    int result = at_preorder_init(&preorder, gathering->builder);

    if (result)
        return at_fault_memory(gathering->error);
    result =
        at_outflow_init(&outflow, writing, gathering->builder->has_details);
    if (result) {
        at_fault_memory(gathering->error);
    } else {
        result =
            runs_merge(gathering, 0, &preorder.source, &outflow.sink, NULL);
        at_outflow_finish(&outflow);
    }
    at_outflow_fini(&outflow);
    at_preorder_fini(&preorder);
    return result;
}

static int output_write(struct gathering *gathering, const char *output)
{
    alloctrace_snapshot *built = gathering->builder->intern.snapshot;

    at_process_finish(gathering->builder);
    if (at_snapshot_label(built))
        return at_fault_memory(gathering->error);
    return at_snapshot_write(built, output, paths_put, gathering,
                             gathering->error);
}

/* ---- All of it ---- */

static int gathering_init(struct gathering *gathering, const char *output,
                          const struct alloctrace_merge_options *options)
{
    const char *slash = strrchr(output, '/');
    const char *folder = options->folder;
    size_t size;

    gathering->is_folder_given = folder != NULL;
    if (!folder && strcmp(output, "-") == 0)
        folder = OTHER_FOLDER;
    if (!folder && !slash)
        folder = ".";
    size = folder ? strlen(folder) : (size_t)(slash - output) + 1;
    gathering->max_memory =
        options->max_memory ? options->max_memory : DEFAULT_MEMORY;
    if (folder_set(gathering, folder ? folder : output, size))
        return ALLOCTRACE_ENO_MEMORY;
    return alloctrace_builder_create(&gathering->builder)
               ? at_fault_memory(gathering->error)
               : 0;
}

static void gathering_fini(struct gathering *gathering)
{
    runs_drop(gathering, 0);
    free(gathering->runs);
    free(gathering->folder);
    alloctrace_builder_free(gathering->builder);
}

int alloctrace_merge(const char *const *paths, size_t n_paths,
                     const char *output,
                     const struct alloctrace_merge_options *given,
                     const char **path, struct alloctrace_error *error)
{
    AT_UNTRACED;
    struct alloctrace_merge_options options = {.size = sizeof options};
    struct alloctrace_error own_error = {0};
    struct gathering gathering = {.error = error ? error : &own_error};
    const char *failed = NULL;
    int result;

    if (path)
        *path = NULL;
    if (n_paths == 0 || (given && given->size < sizeof given->size))
        return at_fault(error, ALLOCTRACE_EBAD_ARGUMENT, ALLOCTRACE_NO_OFFSET,
                        "%s", alloctrace_strerror(ALLOCTRACE_EBAD_ARGUMENT));
    if (given)
        memcpy(&options, given,
               given->size < sizeof options ? given->size : sizeof options);
    result = gathering_init(&gathering, output, &options);
    if (!result)
        result = files_add(&gathering, paths, n_paths, &options, &failed);
    if (!result && !gathering.builder->has_snapshots)
        result = gathering.error->code; /* of the last one that was skipped */
    if (!result) {
        result = output_write(&gathering, output);
        failed = result == ALLOCTRACE_EIO ? output : NULL;
    }
    gathering_fini(&gathering);
    if (path)
        *path = failed;
    return result;
}
