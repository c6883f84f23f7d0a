/* SPDX-License-Identifier: MIT */
/*
 * Interned call paths. A path that is seen for the first time is recovered
 * from the thread's frames, innermost first, up to the first path that is
 * known already; each frame gives its site by taking its hash apart (abi.h).
 *
 * Frames can be damaged: control may have left instrumented functions in a
 * way that stack.c was not told of, so that `top` points at dead stack. Nothing
 * that is read there is believed before it has been checked: a frame must be
 * readable and aligned, a site must have been seen or belong to a loaded
 * module. A frame that fails is the place "unknown" and is counted.
 *
 * Interning is under at_lock; reading is not. Cost of a new path: about 1 us
 * and a little for each frame entered since the last one.
 */
#include <string.h>

#include "runtime.h"

/* A path changes to another stack (signal, coroutine) a few times at most;
 * damage that goes in circles does so without end. */
#define MAX_STACK_CHANGES 64
#define FIRST_DEPTH 4096

struct vector at_tracebacks = {.element_size = sizeof(struct traceback)};
uint64_t at_bad_frames;

static struct index tracebacks; /* path hash => id */

/* Frames whose paths are not known yet, innermost first. Under at_lock. */
static struct {
    const struct alloctrace_shadow_frame **frames;
    size_t size;
    size_t n;
} pending;

static bool is_same(uint32_t id, const void *key)
{
    const struct traceback *const traceback = vector_at(&at_tracebacks, id);

    return traceback->key == *(const uint64_t *)key;
}

static uint64_t hash_of(uint32_t id)
{
    return ((const struct traceback *)vector_at(&at_tracebacks, id))->key;
}

static uint32_t find(uint64_t key)
{
    return index_find(&tracebacks, key, is_same, &key);
}

static uint32_t add(uint64_t key, uint32_t parent, uint32_t place)
{
    const struct traceback traceback = {key, parent, place};
    const uint32_t id = place ? vector_add(&at_tracebacks, &traceback) : 0;

    if (id)
        index_add(&tracebacks, key, id, hash_of);
    return id;
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

/*
 * Collects the frames from `top` outwards whose paths are new. Gives the
 * traceback of the first known one, or 0 at the end of the stack.
 */
static uint32_t collect(const struct alloctrace_shadow_frame *top)
{
    const struct alloctrace_shadow_frame *frame = top;
    uintptr_t page = 0;
    unsigned n_changes = 0;

    pending.n = 0;
    while (frame != &at_sentinel) {
        uint32_t known;

        if (!is_sound(frame, &page) || n_changes > MAX_STACK_CHANGES) {
            at_bad_frames++;
            return 0;
        }
        known = find(frame->hash);
        if (known || !push_pending(frame))
            return known;
        n_changes += frame->parent <= frame;
        frame = frame->parent;
    }
    return 0;
}

static uint64_t key_of(const struct alloctrace_shadow_frame *frame)
{
    return frame->hash - frame->parent->hash * ALLOCTRACE_HASH_K;
}

static uint32_t place_of(const struct alloctrace_shadow_frame *frame)
{
    uintptr_t page = 0;
    uint32_t place = 0;

    if (is_sound(frame->parent, &page))
        place = place_of_site(key_of(frame));
    if (place)
        return place;
    at_bad_frames++;
    return place_of_address(0);
}

uint32_t traceback_intern(uint64_t key, const struct alloctrace_shadow_frame *top,
                          uint64_t leaf, bool is_site)
{
    uint32_t id = find(key);

    if (id)
        return id;
    id = collect(top);
    while (pending.n > 0) {
        const struct alloctrace_shadow_frame *const frame =
            pending.frames[--pending.n];

        id = add(frame->hash, id, place_of(frame));
        if (!id)
            return 0;
    }
    return add(key, id, is_site ? place_of_site(leaf) : place_of_address(leaf));
}

/* Is `key` that of the traceback's innermost frame? Unknown matches all. */
static bool is_at(const struct traceback *traceback, uint64_t key)
{
    const struct place *const place = vector_at(&at_places, traceback->place);

    return place->key == key || place->key == 0;
}

bool traceback_matches(uint32_t id, const struct alloctrace_shadow_frame *top,
                       uint64_t leaf)
{
    const struct traceback *traceback = vector_at(&at_tracebacks, id);

    if (!is_at(traceback, leaf))
        return false;
    while (top != &at_sentinel && traceback->parent) {
        traceback = vector_at(&at_tracebacks, traceback->parent);
        if (!is_at(traceback, key_of(top)))
            return false;
        top = top->parent;
    }
    return top == &at_sentinel && !traceback->parent;
}

static const char *string_at(uint32_t id)
{
    return id ? ((const struct string *)vector_at(&at_strings, id))->bytes
              : "<unknown>";
}

static void write_place(const struct place *place, int fd)
{
    char line[1024];
    struct text text;

    text_init(&text, line, sizeof line - 1);
    text_add(&text, "  File \"");
    text_add(&text, string_at(place->file));
    text_add(&text, "\", line ");
    text_add_number(&text, place->line);
    if (place->kind == 0) {
        text_add(&text, ", at 0x");
        text_add_hex(&text, place->address);
    } else {
        text_add(&text, ", in ");
        text_add(&text, string_at(place->function));
    }
    if (place->flags & ALLOCTRACE_SITE_TAIL)
        text_add(&text, " [tail call]");
    line[text.used] = '\n';
    os_write(fd, line, text.used + 1);
}

int traceback_write(uint32_t id, int fd)
{
    static const char head[] =
        "Memory block allocated at (most recent call first):\n";

    int error = os_write(fd, head, sizeof head - 1);

    while (id && !error) {
        const struct traceback *const traceback = vector_at(&at_tracebacks, id);

        for (uint32_t at = traceback->place; at;) {
            const struct place *const place = vector_at(&at_places, at);

            write_place(place, fd);
            at = place->caller;
        }
        id = traceback->parent;
    }
    return error;
}
