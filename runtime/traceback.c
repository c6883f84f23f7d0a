/* SPDX-License-Identifier: MIT */
/*
 * Interned call paths: a tree of tracebacks, each with the place of its
 * innermost frame and its caller's traceback as parent. recover.c finds out
 * which places a path goes through and puts them in from the outermost one
 * inwards.
 *
 * Recursion. Without a limit of frames every way through a recursion would be
 * a path of its own. So once a function stands MANY_REPEATS times on a path, a
 * call from it leads back to the innermost traceback that this very call made
 * before: the loop between the two is left out, for as many rounds as there
 * are. What is kept is the way into the recursion, the first rounds, and the
 * frames since the last loop. Where the tables are half as large as they may
 * get, FEW_REPEATS are enough: then the paths have multiplied, as in a tree
 * that is built by two calls. A function that is not among the next MAX_LOOKS
 * callers is taken for one that is not on the path: no recursion takes as many
 * calls for a round, and looking at all would cost the square of the depth.
 *
 * Where a traceback cannot be added (budget.c) the path is cut: it is counted
 * at what is known of it, and from then on nothing is added any more, so that
 * a path is always counted at the same place.
 *
 * Interning is under at_lock; reading is not.
 */
#include "runtime.h"

#define MANY_REPEATS 200
#define FEW_REPEATS 8
#define MAX_REPEATS 255    /* as the field is wide */
#define MAX_DEPTH 0xffffffu
#define MAX_LOOKS 1024 /* callers that are looked at, outwards */
#define NOWHERE_KEY UINT64_C(0x510e527fade682d1)

struct vector at_tracebacks = {.element_size = sizeof(struct traceback)};

static struct index tracebacks; /* path hash => id */
static bool is_full;            /* nothing is added any more */

static bool is_same(uint32_t id, const void *key)
{
    return traceback_at(id)->key == *(const uint64_t *)key;
}

uint32_t traceback_find(uint64_t key)
{
    return index_find(&tracebacks, key, is_same, &key);
}

static bool has_room(void)
{
    if (!budget_has(BUDGET_PATHS,
                    vector_cost(&at_tracebacks) + index_cost(&tracebacks)))
        is_full = true;
    return !is_full;
}

/* The innermost traceback from `id` outwards in the same function; 0 = none. */
static uint32_t find_body(uint32_t id, uint32_t body)
{
    for (int i = 0; id && i < MAX_LOOKS; i++) {
        if (place_at(traceback_at(id)->place)->body == body)
            return id;
        id = traceback_at(id)->parent;
    }
    return 0;
}

static uint32_t find_place(uint32_t id, uint32_t place)
{
    for (int i = 0; id && i < MAX_LOOKS; i++) {
        if (traceback_at(id)->place == place)
            return id;
        id = traceback_at(id)->parent;
    }
    return 0;
}

/* How often the place's function stands on the path already. */
static uint32_t count_repeats(uint32_t parent, uint32_t place)
{
    const uint32_t body = place_at(place)->body;
    const uint32_t last =
        body && path_limit() == 0 ? find_body(parent, body) : 0;

    return last ? traceback_at(last)->n_repeats : 0;
}

static uint32_t depth_of(uint32_t id)
{
    return id ? traceback_at(id)->depth : 0;
}

static uint32_t add(uint64_t key, uint32_t parent, uint32_t place,
                    uint32_t n_repeats)
{
    const uint32_t depth = depth_of(parent);
    const struct traceback traceback = {
        .key = key,
        .parent = parent,
        .place = place,
        .depth = depth < MAX_DEPTH ? depth + 1 : MAX_DEPTH,
        .n_repeats = n_repeats < MAX_REPEATS ? n_repeats + 1 : MAX_REPEATS,
    };

    if (!has_room() || !index_reserve(&tracebacks))
        return 0;
    if (!vector_add(&at_tracebacks, &traceback))
        return 0;
    index_add(&tracebacks, key, at_tracebacks.n);
    return at_tracebacks.n;
}

void traceback_leave_out(uint32_t id, uint32_t n_frames)
{
    struct traceback *const traceback = traceback_at(id);

    if (traceback->left_out < n_frames)
        count_set(&traceback->left_out, n_frames);
}

/* The path goes on where the same call stands already: at `again`. */
static struct spot fold(struct spot from, uint32_t again)
{
    uint32_t n_more = 0;

    for (uint32_t id = from.id; id != again; id = traceback_at(id)->parent)
        n_more += place_at(traceback_at(id)->place)->n_frames;
    n_more += place_at(traceback_at(again)->place)->n_frames;
    if (__builtin_add_overflow(from.left_out, n_more, &from.left_out))
        from.left_out = UINT32_MAX;
    from.id = again;
    traceback_leave_out(again, from.left_out);
    return from;
}

static bool is_folded(uint32_t n_repeats)
{
    return n_repeats >= MANY_REPEATS ||
           (n_repeats >= FEW_REPEATS && !budget_has(BUDGET_REPEATS, 0));
}

uint64_t traceback_root(void)
{
    return at_options.frames == 1 ? 0 : at_sentinel.hash;
}

static uint64_t key_below(uint32_t parent, uint64_t site)
{
    const uint64_t key = parent ? traceback_at(parent)->key : traceback_root();

    return key * ALLOCTRACE_HASH_K + site;
}

struct spot traceback_extend(struct spot from, uint64_t site, uint32_t place)
{
    const uint64_t key = key_below(from.id, site);
    uint32_t id = from.is_cut ? 0 : traceback_find(key);
    uint32_t n_repeats;

    if (id) {
        from.id = id;
        return from;
    }
    if (from.is_cut || !place)
        return (struct spot){from.id, from.left_out, true};
    n_repeats = count_repeats(from.id, place);
    if (is_folded(n_repeats)) {
        id = find_place(from.id, place);
        if (id)
            return fold(from, id);
    }
    id = add(key, from.id, place, n_repeats);
    return (struct spot){id ? id : from.id, from.left_out, !id};
}

/* A path of one frame, beyond the budget: there are no more than places. */
static uint32_t add_single(uint64_t key, uint32_t place)
{
    uint32_t id = traceback_find(key);
    const bool was_full = is_full;

    if (id || !place)
        return id;
    budget_lift(true);
    is_full = false;
    id = add(key, 0, place, 0);
    is_full = was_full;
    budget_lift(false);
    return id;
}

uint32_t traceback_nowhere(void)
{
    return add_single(NOWHERE_KEY, place_unknown());
}

uint32_t traceback_alone(uint64_t site, uint32_t place)
{
    return add_single(key_below(0, site), place);
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
