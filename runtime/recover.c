/* SPDX-License-Identifier: MIT */
/*
 * From a thread's frames to a traceback: a path that is met for the first time
 * is recovered by taking the frames' hashes apart (abi.h).
 *
 * With all frames it is walked outwards up to the first frame whose path is
 * known. Paths that are counted under another one's traceback, because
 * recursion was folded or the tables are full, are not in the tables: the memo
 * has the frames that were walked last, and of older ones one in FAR_SHARE, so
 * that a stack of any depth is not walked to its end time and again.
 *
 * With a limit of N <= MAX_WINDOW frames the path is the innermost N, as if nothing were
 * outside; frames that were inlined into one another count each, and a place
 * is kept whole where the limit lies within it (the reader cuts it, too). Its
 * hash is computed anew, as if the stack began there: so a path that is
 * shorter is the same with and without a limit. How many frames were outside
 * is counted when the path is met for the first time. Where there is no memory
 * for it, the path is the innermost frame alone.
 *
 * Frames can be damaged: control may have left instrumented functions in a
 * way that stack.c was not told of, so that `top` points at dead stack. Nothing
 * that is read there is believed before it has been checked: a frame must be
 * readable and aligned, a site must have been seen or belong to a loaded
 * module. A frame that fails is the place "unknown" and is counted.
 *
 * Under at_lock. Cost of a new path: about 1 us and a little for each frame
 * entered since the last one, or for each of N.
 */
#include <string.h>

#include "runtime.h"

/* A path changes to another stack (signal, coroutine) a few times at most;
 * damage that goes in circles does so without end. */
#define MAX_STACK_CHANGES 64
#define FIRST_DEPTH 4096
/* What is counted of frames outside the limit, as tracemalloc does. */
#define MAX_OUTSIDE 65535
#define MEMO_LOG2 14
#define FAR_SHARE 64
#define MEMO_CUT 0x80000000u

uint64_t at_bad_frames;

/* Frames that are being looked at, innermost first. Under at_lock. */
static struct {
    const struct alloctrace_shadow_frame **frames;
    size_t size;
    size_t n;
    /* The frame outside the last one; NULL: it cannot be read. */
    const struct alloctrace_shadow_frame *end;
} pending;

/* What is remembered of a frame, by its hash. Later ones replace others. */
static struct memo {
    uint64_t hash;  /* 0 = free */
    uint32_t value; /* traceback; with a limit, frames from here outwards */
    uint32_t left_out; /* as in a spot; MEMO_CUT is added for is_cut */
} *memos; /* 2 << MEMO_LOG2: those of the last frames, then the far ones */

static uint64_t mixed(uint64_t hash)
{
    return hash * UINT64_C(0x9e3779b97f4a7c15);
}

static struct memo *memo_slot(uint64_t hash, bool is_far)
{
    if (!memos)
        memos = arena_map(sizeof *memos << (MEMO_LOG2 + 1));
    return memos ? &memos[(is_far ? 1u << MEMO_LOG2 : 0) +
                          (mixed(hash) >> (64 - MEMO_LOG2))]
                 : NULL;
}

static bool is_far(uint64_t hash)
{
    return (mixed(hash) >> 32) % FAR_SHARE == 0;
}

static void memo_add(struct memo memo)
{
    for (int far = 0; far <= is_far(memo.hash); far++) {
        struct memo *const slot = memo_slot(memo.hash, far);

        if (slot)
            *slot = memo;
    }
}

static const struct memo *memo_find(uint64_t hash)
{
    for (int far = 0; far <= is_far(hash); far++) {
        const struct memo *const slot = memo_slot(hash, far);

        if (slot && slot->hash == hash)
            return slot;
    }
    return NULL;
}

static void memo_add_spot(uint64_t hash, struct spot spot)
{
    if (spot.id && !spot.is_cut && traceback_at(spot.id)->key == hash)
        return; /* it is in the tables */
    memo_add((struct memo){
        hash, spot.id,
        (spot.left_out & ~MEMO_CUT) | (spot.is_cut ? MEMO_CUT : 0)});
}

void recover_forget(void)
{
    if (memos)
        arena_discard(memos, sizeof *memos << (MEMO_LOG2 + 1));
}

static bool grow_pending(void)
{
    const size_t size = pending.size ? 2 * pending.size : FIRST_DEPTH;
    const struct alloctrace_shadow_frame **const frames =
        arena_map(size * sizeof *frames);

    if (!frames)
        return false;
    if (pending.frames) {
        memcpy(frames, pending.frames, pending.n * sizeof *frames);
        arena_unmap(pending.frames, pending.size * sizeof *frames);
    }
    pending.frames = frames;
    pending.size = size;
    return true;
}

static bool push_pending(const struct alloctrace_shadow_frame *frame)
{
    if (pending.n == pending.size && !grow_pending())
        return false;
    pending.frames[pending.n++] = frame;
    return true;
}

/* The site from which pending frame i calls. If the frame outside cannot be
 * read it is none that anything is known of, but gives the path its hash. */
static uint64_t pending_site(size_t i)
{
    const struct alloctrace_shadow_frame *const outer =
        i + 1 < pending.n ? pending.frames[i + 1] : pending.end;

    return pending.frames[i]->hash -
           (outer ? outer : &at_sentinel)->hash * ALLOCTRACE_HASH_K;
}

/* A walk outwards. */
struct walk {
    const struct alloctrace_shadow_frame *frame; /* the next one */
    uintptr_t page;                              /* the last one that is read */
    unsigned n_changes;                          /* of stacks */
};

/* Can the frame be read? Asks the system once a page. */
static bool is_sound(const struct alloctrace_shadow_frame *frame, uintptr_t *page)
{
    const uintptr_t mask = ~(uintptr_t)(os_page_size() - 1);
    const uintptr_t last = (uintptr_t)frame + sizeof *frame - 1;

    if (!frame || (uintptr_t)frame % sizeof(void *) != 0)
        return false;
    if (((uintptr_t)frame & mask) == *page && (last & mask) == *page)
        return true;
    *page = last & mask;
    return os_is_readable(frame, sizeof *frame);
}

/* Sets pending.end to the walk's next frame. False: the path ends there. */
static bool walk_look(struct walk *walk)
{
    const bool is_good = is_sound(walk->frame, &walk->page) &&
                         walk->n_changes <= MAX_STACK_CHANGES;

    pending.end = is_good ? walk->frame : NULL;
    return is_good && walk->frame != &at_sentinel;
}

/* Takes the frame that walk_look has looked at. */
static bool walk_push(struct walk *walk)
{
    if (!push_pending(walk->frame))
        return false;
    walk->n_changes += walk->frame->parent <= walk->frame;
    walk->frame = walk->frame->parent;
    return true;
}

static uint32_t place_or_unknown(uint64_t site)
{
    const uint32_t place = place_of_site(site);

    if (place)
        return place;
    at_bad_frames++;
    return place_unknown();
}

/* ---- All frames ---- */

/* Is it known where the path of that hash is counted? */
static bool find_known(uint64_t hash, struct spot *spot)
{
    const struct memo *memo;

    *spot = (struct spot){.id = traceback_find(hash)};
    if (spot->id)
        return true;
    memo = memo_find(hash);
    if (!memo)
        return false;
    *spot = (struct spot){memo->value, memo->left_out & ~MEMO_CUT,
                          memo->left_out & MEMO_CUT};
    return true;
}

bool recover_is_elsewhere(uint64_t hash)
{
    return memo_find(hash) != NULL;
}

/* Collects the frames from `top` outwards of which nothing is known. Gives the
 * spot of the first known one, or that of the stack's end. */
static struct spot collect(const struct alloctrace_shadow_frame *top)
{
    struct walk walk = {.frame = top};
    struct spot known = {0};

    pending.n = 0;
    while (walk_look(&walk))
        if (find_known(walk.frame->hash, &known) || !walk_push(&walk))
            return known;
    at_bad_frames += !pending.end;
    return known;
}

static struct spot recover_whole(uint64_t hash,
                                 const struct alloctrace_shadow_frame *top,
                                 uint64_t leaf, bool is_site)
{
    struct spot spot;

    if (find_known(hash, &spot))
        return spot;
    spot = collect(top);
    while (pending.n > 0) {
        const uint64_t site = pending_site(pending.n - 1);
        const uint64_t above = pending.frames[pending.n - 1]->hash;

        spot = traceback_extend(spot, site,
                                spot.is_cut ? 0 : place_or_unknown(site));
        memo_add_spot(above, spot);
        pending.end = pending.frames[--pending.n];
    }
    if (spot.is_cut)
        return spot;
    return traceback_extend(
        spot, leaf, is_site ? place_or_unknown(leaf) : place_of_address(leaf));
}

/* ---- The innermost N ---- */

static uint32_t frames_of(uint64_t site)
{
    const uint32_t place = place_of_site(site);

    return place ? place_at(place)->n_frames : 1;
}

/* Collects the frames that are within the limit. */
static void collect_window(struct walk *walk, uint32_t n_leaf)
{
    const uint32_t limit = path_limit();
    uint32_t n = n_leaf;

    pending.n = 0;
    while (walk_look(walk) && n < limit && walk_push(walk)) {
        walk_look(walk);
        n += frames_of(pending_site(pending.n - 1));
    }
}

/* The hash of what is pending, as if nothing were outside. */
static uint64_t window_hash(uint64_t leaf)
{
    uint64_t hash = traceback_root();

    for (size_t i = pending.n; i-- > 0;)
        hash = hash * ALLOCTRACE_HASH_K + pending_site(i);
    return hash * ALLOCTRACE_HASH_K + leaf;
}

/* How many frames are outside, at most MAX_OUTSIDE; forgets what is pending. */
static uint32_t count_outside(struct walk *walk)
{
    uint32_t n = 0;

    pending.n = 0;
    while (walk_look(walk)) {
        const struct memo *const memo = memo_find(walk->frame->hash);

        if (memo)
            n = memo->value;
        if (memo || pending.n == MAX_OUTSIDE || !walk_push(walk))
            break;
    }
    if (n + pending.n >= MAX_OUTSIDE)
        return MAX_OUTSIDE;
    while (pending.n > 0) {
        n += frames_of(pending_site(pending.n - 1));
        pending.end = pending.frames[--pending.n];
        memo_add((struct memo){pending.end->hash, n, 0});
    }
    return n < MAX_OUTSIDE ? n : MAX_OUTSIDE;
}

static struct spot recover_window(const struct alloctrace_shadow_frame *top,
                                  uint64_t leaf, bool is_site)
{
    struct walk walk = {.frame = top};
    struct spot spot = {0};
    uint32_t place;

    collect_window(&walk, is_site ? frames_of(leaf) : 1);
    spot.id = traceback_find(window_hash(leaf));
    if (spot.id)
        return spot;
    at_bad_frames += !pending.end;
    for (size_t i = pending.n; i-- > 0;) {
        const uint64_t site = pending_site(i);

        spot = traceback_extend(spot, site,
                                spot.is_cut ? 0 : place_or_unknown(site));
    }
    place = is_site ? place_or_unknown(leaf) : place_of_address(leaf);
    spot = traceback_extend(spot, leaf, place);
    if (spot.is_cut)
        spot.id = traceback_alone(leaf, place);
    else
        traceback_leave_out(spot.id, count_outside(&walk));
    return spot;
}

struct spot recover_path(uint64_t hash,
                         const struct alloctrace_shadow_frame *top,
                         uint64_t leaf, bool is_site)
{
    return path_limit() ? recover_window(top, leaf, is_site)
                             : recover_whole(hash, top, leaf, is_site);
}

/* ---- Verifying ---- */

/* Is the site that of the traceback's innermost frame? Unknown matches all. */
static bool is_at(uint32_t id, uint64_t site)
{
    const struct place *const place = place_at(traceback_at(id)->place);

    return place->key == site || place->key == 0;
}

/* Does the traceback of that hash, if there is one, end in the site, and its
 * parent have the hash of the frame outside? */
static bool verify_level(uint64_t hash, uint64_t site, uint64_t outer)
{
    const uint32_t id = traceback_find(hash);
    const uint32_t parent = id ? traceback_at(id)->parent : 0;

    if (!id)
        return true;
    return is_at(id, site) && (parent ? traceback_at(parent)->key
                                      : traceback_root()) == outer;
}

static bool verify_whole(struct spot spot, uint64_t hash,
                         const struct alloctrace_shadow_frame *top,
                         uint64_t leaf)
{
    const uint32_t id = traceback_find(hash);

    if ((id && (id != spot.id || spot.is_cut)) ||
        (!spot.is_cut && !is_at(spot.id, leaf)) ||
        !verify_level(hash, leaf, top->hash))
        return false;
    for (; top != &at_sentinel; top = top->parent)
        if (!verify_level(top->hash,
                          top->hash - top->parent->hash * ALLOCTRACE_HASH_K,
                          top->parent->hash))
            return false;
    return true;
}

static bool verify_window(struct spot spot,
                          const struct alloctrace_shadow_frame *top,
                          uint64_t leaf)
{
    uint32_t id = spot.id;
    uint32_t n = 0;

    for (uint64_t site = leaf;; top = top->parent) {
        if (!is_at(id, site))
            return false;
        n += place_at(traceback_at(id)->place)->n_frames;
        id = traceback_at(id)->parent;
        if (n >= path_limit() || top == &at_sentinel || !id)
            break;
        site = top->hash - top->parent->hash * ALLOCTRACE_HASH_K;
    }
    return !id && (n >= path_limit() || top == &at_sentinel);
}

bool recover_verify(struct spot spot, uint64_t hash,
                    const struct alloctrace_shadow_frame *top, uint64_t leaf)
{
    if (path_limit())
        return spot.is_cut || verify_window(spot, top, leaf);
    return verify_whole(spot, hash, top, leaf);
}
