/* SPDX-License-Identifier: MIT */
/*
 * Which frame of a call path answers for what it allocated, and the type of
 * it. Functions that only hand an allocation on (xmalloc, luaM_malloc_) are
 * no answer to "who allocates?": the plugin marks each call whose result may
 * be what its function returns, and here the path is climbed along them.
 *
 * The rule. The *run* of a path is its frames from the most recent one to the
 * first that does not hand its result on, that one included; it ends with the
 * path at the latest. All of it sees one block, so the types that its frames
 * give are views of one block:
 *
 *  1. A view fits if it is less than a word larger than the path's average
 *     block: a string's struct ends with a byte and its padding, which are
 *     not allocated. Of those that fit the largest is the most specific one
 *     (every object of Lua is a GCObject first, and only then a Table); of
 *     equals it is that of the most recent frame, so that a constructor
 *     answers for what it makes, and not who calls it. An unknown size fits,
 *     and is smaller than others.
 *  2. What is no larger than a word (char, sqlite3_int64) and handed on is a
 *     view of blocks only that have no room for two of them: else it is how
 *     an allocator looks at memory, whoever asks.
 *  3. Where there is no view the last frame of the run answers, with its type
 *     even if that is too large: sizes choose among types and never refute
 *     the only one (flexible arrays are made smaller than their struct).
 *  4. If the answer stands in a header of the C++ library, the first frame
 *     outside that does not answers for it; the type stays.
 *
 * Addresses hand on if they are a known allocator of the C or C++ library.
 *
 * A run that gives more than MAX_VIEWS sites with types is recursion; its
 * others are not looked at, nor more than MAX_LOOKS frames, which bounds the
 * time: linear in frames and tracebacks.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Sites with views that are compared in one run. Real runs have one to three.
 */
#define MAX_VIEWS 64

/* Frames that are looked at for views in one run, inlined ones included. */
#define MAX_LOOKS 256

/* Underscores that a name of the C library begins with. */
#define MAX_UNDERSCORES 8

/* Of one frame, and of a site from the frame outwards. */
enum trait {
    FRAME_HANDS_ON = 1, /* its call's result may be what it returns */
    FRAME_VIEW = 2,     /* it gives a type, which may be a view of the block */
    FRAME_LIBRARY = 4,  /* it stands in a header of the C++ library */
    SITE_ENDS = 8,      /* a run that comes here ends in this site */
    SITE_VIEW = 16,     /* there is a view in the part of the run here */
    SITE_OWN = 32       /* a frame here stands outside the C++ library */
};

/* Where climbing goes on from a traceback's site. Each is a traceback, itself
 * or one outside it. */
struct level {
    uint32_t end;  /* in whose site the run ends */
    uint32_t view; /* the next in the run with SITE_VIEW; 0 = none */
};

/* Where climbing goes on from a frame in its site: that one or one outside. */
struct goal {
    uint32_t end; /* the first that does not hand on, or the last */
    uint32_t own; /* the first outside the C++ library; 0 = none */
};

struct folding {
    const alloctrace_snapshot *snapshot;
    uint8_t *traits;      /* owned: frame => set of enum trait */
    struct goal *goals;   /* owned: by frame; of one that was not inlined it is
                             known without, and the memory stays untouched */
    struct level *levels; /* owned: by traceback; of most it is known without,
                             and the memory stays untouched */
    uint32_t *own; /* owned, for rule 4 only: by traceback, itself or the next
                      one outside with SITE_OWN; 0 = none */
};

/* What each path allocated, in all its threads and domains. */
struct amount {
    uint64_t bytes;  /* total */
    uint64_t blocks; /* likewise; 0 = the path has no trace */
};

/* ---- Frames ---- */

/* Functions of the C library that return memory for the caller to free,
 * without leading underscores and what glibc puts before its internal names.
 * Their own addresses are seen when code that was not instrumented, or a
 * function pointer, called them. Constant. */
static const char *const allocators[] = {
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "strdup",
    "strndup",
    "wcsdup",
    "xpg_strdup",
    "asprintf",
    "vasprintf",
    "asprintf_chk",
    "vasprintf_chk",
    "vasprintf_internal",
    "getline",
    "getdelim",
    "getwd",
    "getcwd",
    "get_current_dir_name",
    "realpath",
    "canonicalize_file_name",
    "realpath_chk",
};

static const char *skip_prefix(const char *text, const char *prefix)
{
    const size_t size = strlen(prefix);

    return strncmp(text, prefix, size) == 0 ? text + size : text;
}

/* Is a function of code that was not instrumented a known allocator? Operators
 * of C++ are known mangled (from symbols) and readable (from DWARF). */
static bool is_allocator(const char *function)
{
    if (strncmp(function, "_Znw", 4) == 0 ||
        strncmp(function, "_Zna", 4) == 0 ||
        strncmp(function, "operator new", 12) == 0)
        return true;
    function = skip_prefix(function, "__GI_");
    function = skip_prefix(function, "_IO_");
    for (int i = 0; i < MAX_UNDERSCORES && *function == '_'; i++)
        function++;
    function = skip_prefix(function, "libc_");
    for (size_t i = 0; i < sizeof allocators / sizeof *allocators; i++)
        if (strcmp(function, allocators[i]) == 0)
            return true;
    return false;
}

/* Is a folder in the path of a file, within its first AT_MAX_NAME bytes? */
static bool has_folder(const char *path, const char *folder)
{
    const char *const end = path + strnlen(path, AT_MAX_NAME);
    const size_t size = strlen(folder);

    for (; (path = memchr(path, '/', (size_t)(end - path))); path++)
        if (strncmp(path, folder, size) == 0)
            return true;
    return false;
}

bool at_is_library(const alloctrace_snapshot *snapshot,
                   const struct at_frame *frame)
{
    return frame->kind != ALLOCTRACE_FRAME_ADDRESS &&
           has_folder(at_text(snapshot, frame->file), "/include/c++/");
}

/* Bytes of a pointer in the traced program. */
static uint32_t word_size(const alloctrace_snapshot *snapshot)
{
    return snapshot->process.word_bits == 32 ? 4 : 8;
}

static unsigned frame_traits(const alloctrace_snapshot *snapshot,
                             const struct at_frame *frame)
{
    unsigned traits = 0;

    if (frame->flags & ALLOCTRACE_FRAME_RETURNED ||
        (frame->kind == ALLOCTRACE_FRAME_ADDRESS && frame->address &&
         is_allocator(at_text(snapshot, frame->function))))
        traits |= FRAME_HANDS_ON;
    if (*at_text(snapshot, frame->type))
        traits |= FRAME_VIEW;
    if (at_is_library(snapshot, frame))
        traits |= FRAME_LIBRARY;
    return traits;
}

/* Adds what is known of a frame's site from those of its caller, 0 = none. */
static unsigned site_traits(unsigned own, unsigned caller)
{
    unsigned traits = own | (caller & (SITE_ENDS | SITE_OWN));

    if (own & FRAME_HANDS_ON)
        traits |= caller & SITE_VIEW;
    else
        traits |= SITE_ENDS;
    if (own & FRAME_VIEW)
        traits |= SITE_VIEW;
    if (!(own & FRAME_LIBRARY))
        traits |= SITE_OWN;
    return traits;
}

static struct goal goal_of(const struct folding *folding, uint32_t frame)
{
    if (folding->snapshot->frames[frame].caller)
        return folding->goals[frame];
    return (struct goal){
        frame, folding->traits[frame] & FRAME_LIBRARY ? 0 : frame};
}

/* Finds out about a frame from what is known of its caller. */
static void frame_find(struct folding *folding, uint32_t frame)
{
    const alloctrace_snapshot *snapshot = folding->snapshot;
    const uint32_t caller = snapshot->frames[frame].caller;
    const unsigned own = frame_traits(snapshot, &snapshot->frames[frame]);
    struct goal goal;

    folding->traits[frame] =
        (uint8_t)site_traits(own, caller ? folding->traits[caller] : 0);
    if (!caller)
        return;
    goal = goal_of(folding, caller);
    folding->goals[frame] =
        (struct goal){own & FRAME_HANDS_ON ? goal.end : frame,
                      own & FRAME_LIBRARY ? goal.own : frame};
}

/* Callers have lower numbers than what was inlined into them, but those that
 * resolving an address added have higher ones: these first, from above. */
static void frames_find(struct folding *folding)
{
    const struct at_frame *frames = folding->snapshot->frames;
    const uint32_t n = folding->snapshot->n_frames;

    for (uint32_t i = n; i-- > 0;)
        if (frames[i].caller == 0 || frames[i].caller > i)
            frame_find(folding, i);
    for (uint32_t i = 1; i < n; i++)
        if (frames[i].caller != 0 && frames[i].caller < i)
            frame_find(folding, i);
}

/* ---- Paths ---- */

/* Does a run that comes to a traceback end in its site? */
static bool is_end(const struct folding *folding, uint32_t traceback)
{
    const struct at_traceback *at = &folding->snapshot->tracebacks[traceback];

    return folding->traits[at->frame] & SITE_ENDS || !at->parent;
}

static struct level level_of(const struct folding *folding, uint32_t traceback)
{
    const uint32_t frame = folding->snapshot->tracebacks[traceback].frame;

    if (!traceback || !is_end(folding, traceback))
        return folding->levels[traceback];
    return (struct level){
        traceback, folding->traits[frame] & SITE_VIEW ? traceback : 0};
}

/* From the outermost tracebacks inwards: parents have lower numbers. Only
 * those are kept that go on outside. */
static void levels_find(struct folding *folding)
{
    const alloctrace_snapshot *snapshot = folding->snapshot;

    for (uint32_t i = 1; i < snapshot->n_tracebacks; i++) {
        const struct at_traceback *traceback = &snapshot->tracebacks[i];

        if (is_end(folding, i))
            continue;
        folding->levels[i] = level_of(folding, traceback->parent);
        if (folding->traits[traceback->frame] & SITE_VIEW)
            folding->levels[i].view = i;
    }
}

static void own_find(struct folding *folding)
{
    const alloctrace_snapshot *snapshot = folding->snapshot;

    for (uint32_t i = 1; i < snapshot->n_tracebacks; i++) {
        const struct at_traceback *traceback = &snapshot->tracebacks[i];

        folding->own[i] = folding->traits[traceback->frame] & SITE_OWN
                              ? i
                              : folding->own[traceback->parent];
    }
}

/* Rules 1 and 2: is what a frame says a view of blocks of this size? */
static bool is_view(const struct folding *folding, uint32_t frame,
                    uint64_t average)
{
    const unsigned traits = folding->traits[frame];
    const uint64_t size = folding->snapshot->frames[frame].type_size;
    const uint32_t word = word_size(folding->snapshot);

    if (!(traits & FRAME_VIEW))
        return false;
    if (traits & FRAME_HANDS_ON && size > 0 && size <= word)
        return average >= size && average < 2 * size;
    return size < word || size - word < average;
}

/* Looks for a better view in one site, at `left` frames at most. `best->frame`
 * is 0 if there is none yet. Returns whether looking ends here. */
static bool site_look(const struct folding *folding, uint32_t traceback,
                      uint64_t average, int *left, struct at_fold *best)
{
    const alloctrace_snapshot *snapshot = folding->snapshot;
    const struct at_frame *frames = snapshot->frames;
    uint32_t i = snapshot->tracebacks[traceback].frame;

    for (; i && (*left)-- > 0; i = frames[i].caller) {
        if (is_view(folding, i, average) &&
            (!best->frame ||
             frames[i].type_size > frames[best->frame].type_size))
            *best = (struct at_fold){traceback, i, frames[i].type};
        if (!(folding->traits[i] & FRAME_HANDS_ON))
            return true;
    }
    return i != 0;
}

/* Rules 1 to 3. */
static struct at_fold run_fold(const struct folding *folding,
                               uint32_t traceback, uint64_t average)
{
    const alloctrace_snapshot *snapshot = folding->snapshot;
    struct at_fold best = {0};
    uint32_t i = level_of(folding, traceback).view;
    int left = MAX_LOOKS;

    for (int n = 0; i && n < MAX_VIEWS; n++) {
        if (site_look(folding, i, average, &left, &best))
            break;
        i = level_of(folding, snapshot->tracebacks[i].parent).view;
    }
    if (!best.frame) {
        best.traceback = level_of(folding, traceback).end;
        best.frame =
            goal_of(folding, snapshot->tracebacks[best.traceback].frame).end;
        best.type = snapshot->frames[best.frame].type;
    }
    return best;
}

/* Rule 4. A path that is all in the library from there on stays there. */
static void leave_library(const struct folding *folding, struct at_fold *fold)
{
    const alloctrace_snapshot *snapshot = folding->snapshot;
    const uint32_t parent = snapshot->tracebacks[fold->traceback].parent;
    uint32_t frame = fold->frame;

    if (!(folding->traits[frame] & SITE_OWN)) {
        if (!folding->own[parent])
            return;
        fold->traceback = folding->own[parent];
        frame = snapshot->tracebacks[fold->traceback].frame;
    }
    fold->frame = goal_of(folding, frame).own;
}

/* ---- All of it ---- */

/* The snapshot that some traces were selected from, if they were: what a path
 * allocated does not depend on which part of it is looked at. */
static const alloctrace_snapshot *
whole_of(const alloctrace_snapshot *snapshot)
{
    while (snapshot->base && snapshot->base->tracebacks == snapshot->tracebacks)
        snapshot = snapshot->base;
    return snapshot;
}

/* Sums up the tracebacks whose size matters to those who ask: all, or those
 * whose most recent frame hands on. */
static struct amount *amounts_sum(const struct folding *folding, bool is_all)
{
    const alloctrace_snapshot *snapshot = whole_of(folding->snapshot);
    struct amount *amounts = calloc(snapshot->n_tracebacks, sizeof *amounts);

    for (uint32_t i = 0; amounts && i < snapshot->n_traces; i++) {
        const struct alloctrace_trace *trace = &snapshot->traces[i];
        const uint32_t frame = snapshot->tracebacks[trace->traceback].frame;

        if (!is_all && !(folding->traits[frame] & FRAME_HANDS_ON))
            continue;
        amounts[trace->traceback].bytes += (uint64_t)trace->total_bytes;
        amounts[trace->traceback].blocks += (uint64_t)trace->total_blocks;
    }
    return amounts;
}

/* Without a block there is no size that a type could contradict. */
static uint64_t amount_average(const struct amount *amount)
{
    return amount->blocks ? amount->bytes / amount->blocks : UINT64_MAX;
}

/* Returns whether there was memory; folding_fini is wanted in either case. */
static bool folding_init(struct folding *folding,
                         const alloctrace_snapshot *snapshot)
{
    *folding = (struct folding){
        .snapshot = snapshot,
        .traits = calloc(snapshot->n_frames, sizeof *folding->traits),
        .goals = calloc(snapshot->n_frames, sizeof *folding->goals),
        .levels = calloc(snapshot->n_tracebacks, sizeof *folding->levels)};
    if (!folding->traits || !folding->goals || !folding->levels)
        return false;
    frames_find(folding);
    levels_find(folding);
    return true;
}

static void folding_fini(struct folding *folding)
{
    free(folding->traits);
    free(folding->goals);
    free(folding->levels);
    free(folding->own);
}

static void fold_all(struct folding *folding, const struct amount *amounts,
                     struct at_fold *folds)
{
    const uint32_t n = folding->snapshot->n_tracebacks;

    own_find(folding);
    for (uint32_t i = 1; i < n; i++) {
        folds[i] = run_fold(folding, i, amount_average(&amounts[i]));
        leave_library(folding, &folds[i]);
    }
}

struct at_fold *at_fold_paths(const alloctrace_snapshot *snapshot)
{
    struct folding folding;
    struct amount *amounts = NULL;
    struct at_fold *folds = calloc(snapshot->n_tracebacks, sizeof *folds);

    if (folding_init(&folding, snapshot) && folds) {
        amounts = amounts_sum(&folding, true);
        folding.own = calloc(snapshot->n_tracebacks, sizeof *folding.own);
    }
    if (amounts && folding.own) {
        fold_all(&folding, amounts, folds);
    } else {
        free(folds);
        folds = NULL;
    }
    free(amounts);
    folding_fini(&folding);
    return folds;
}

/* A frame that does not hand on is a run of its own: rule 3. */
static void types_find(const struct folding *folding,
                       const struct amount *amounts, uint32_t *types)
{
    const alloctrace_snapshot *snapshot = folding->snapshot;

    for (uint32_t i = 0; i < snapshot->n_traces; i++) {
        const uint32_t id = snapshot->traces[i].traceback;
        const uint32_t frame = snapshot->tracebacks[id].frame;

        types[i] =
            folding->traits[frame] & FRAME_HANDS_ON
                ? run_fold(folding, id, amount_average(&amounts[id])).type
                : snapshot->frames[frame].type;
    }
}

uint32_t *at_trace_types(const alloctrace_snapshot *snapshot)
{
    const alloctrace_snapshot *raw = snapshot->raw ? snapshot->raw : snapshot;
    uint32_t *types = malloc(((size_t)raw->n_traces + 1) * sizeof *types);
    struct amount *amounts = NULL;
    struct folding folding;

    if (folding_init(&folding, raw) && types)
        amounts = amounts_sum(&folding, false);
    if (amounts) {
        types_find(&folding, amounts, types);
    } else {
        free(types);
        types = NULL;
    }
    free(amounts);
    folding_fini(&folding);
    return types;
}

int alloctrace_snapshot_trace_types(const alloctrace_snapshot *snapshot,
                                    const char ***types)
{
    AT_UNTRACED;
    uint32_t *const strings = at_trace_types(snapshot);
    const char **const texts =
        calloc((size_t)snapshot->n_traces + 1, sizeof *texts);
    const int result = strings && texts ? 0 : ALLOCTRACE_ENO_MEMORY;

    for (uint32_t i = 0; !result && i < snapshot->n_traces; i++)
        texts[i] = at_text(snapshot, strings[i]);
    if (result)
        free(texts);
    else
        *types = texts;
    free(strings);
    return result;
}
