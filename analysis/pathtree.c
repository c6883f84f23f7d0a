/* SPDX-License-Identifier: MIT */
/*
 * Which call paths are equal, and in which order they stand. Paths of all
 * sides are put into one tree that starts at the oldest frame that is kept; a
 * node is a place and the node of the frame that called it. Equal paths end in
 * the same node, and tracemalloc's order (frame by frame, the oldest first) is
 * the order in which a walk meets the nodes that takes children by their
 * places. That walk is not made: a node's position in it follows from the
 * sizes of the subtrees before it.
 *
 * Without a limit a path's node is found from that of its parent: linear in
 * the number of tracebacks, however deep they are. With a limit the kept
 * frames of every traceback in use are put in, of which there are few.
 *
 * Most of the time goes into memory that is not in the cache, so that each
 * node is looked for only once, and is on its way into the cache before.
 */
#include <stdlib.h>

#include "groups.h"

/* A node of the tree. Node 0 is the root, which has no place. */
struct node {
    uint32_t parent; /* node of the frame outside; below the node's own */
    uint32_t place;  /* rank of the frame's place */
};

/* The tree; children are found through a hash table of (parent, place). */
struct tree {
    struct node *nodes; /* owned */
    uint64_t *slots;    /* owned: lower half of the hash, node; 0 = empty; at
                           most two thirds full */
    uint32_t n_nodes;
    uint32_t capacity; /* of `nodes` */
    uint32_t n_slots;
};

#define FIRST_NODES 1024
#define MAX_NODES (UINT32_C(1) << 28) /* 2 GiB: fits into any size_t */

/* Nodes that are looked for ahead of time. */
#define AHEAD 12

/* Mixes all bits of a child's key (the finaliser of MurmurHash3). */
static uint64_t child_hash(uint32_t parent, uint32_t place)
{
    uint64_t key = (uint64_t)parent << 32 | place;

    key ^= key >> 33;
    key *= UINT64_C(0xff51afd7ed558ccd);
    key ^= key >> 33;
    key *= UINT64_C(0xc4ceb9fe1a85ec53);
    return key ^ key >> 33;
}

static void tree_fini(struct tree *tree)
{
    free(tree->nodes);
    free(tree->slots);
}

/* Where a search begins: the upper half of the hash, scaled down. */
static uint32_t first_slot(const struct tree *tree, uint64_t hash)
{
    return (uint32_t)((hash >> 32) * tree->n_slots >> 32);
}

/* Slot of a node, or the empty one where it would go. */
static uint32_t tree_find_slot(const struct tree *tree, uint32_t parent,
                               uint32_t place)
{
    const uint64_t hash = child_hash(parent, place);
    uint32_t slot = first_slot(tree, hash);

    while (tree->slots[slot]) {
        const struct node *node = &tree->nodes[(uint32_t)tree->slots[slot]];

        if (tree->slots[slot] >> 32 == (uint32_t)hash &&
            node->parent == parent && node->place == place)
            break;
        if (++slot == tree->n_slots)
            slot = 0;
    }
    return slot;
}

/* Has a slot fetched that will be looked at soon. */
static void tree_prefetch(const struct tree *tree, uint32_t parent,
                          uint32_t place)
{
    __builtin_prefetch(
        &tree->slots[first_slot(tree, child_hash(parent, place))], 1);
}

static void slot_set(struct tree *tree, uint32_t slot, uint32_t node)
{
    const uint64_t hash =
        child_hash(tree->nodes[node].parent, tree->nodes[node].place);

    tree->slots[slot] = hash << 32 | node;
}

/* Makes room for as many nodes. */
static int tree_resize(struct tree *tree, uint32_t capacity)
{
    struct node *nodes;
    uint64_t *slots;

    if (capacity > MAX_NODES)
        return ALLOCTRACE_ENO_MEMORY;
    nodes = realloc(tree->nodes, capacity * sizeof *nodes);
    if (!nodes)
        return ALLOCTRACE_ENO_MEMORY;
    tree->nodes = nodes;
    slots = calloc(capacity + capacity / 2, sizeof *slots);
    if (!slots)
        return ALLOCTRACE_ENO_MEMORY;
    free(tree->slots);
    tree->slots = slots;
    tree->capacity = capacity;
    tree->n_slots = capacity + capacity / 2;
    for (uint32_t i = 1; i < tree->n_nodes; i++)
        slot_set(tree, tree_find_slot(tree, nodes[i].parent, nodes[i].place),
                 i);
    return 0;
}

static int tree_init(struct tree *tree, uint64_t n_expected)
{
    *tree = (struct tree){0};
    if (tree_resize(tree, n_expected < FIRST_NODES ? FIRST_NODES
                          : n_expected < MAX_NODES ? (uint32_t)n_expected
                                                   : MAX_NODES))
        return ALLOCTRACE_ENO_MEMORY;
    tree->nodes[0] = (struct node){0};
    tree->n_nodes = 1;
    return 0;
}

/* Goes from a node to its child, which is made if there is none yet. */
static int tree_step(struct tree *tree, uint32_t *node, uint32_t place)
{
    uint32_t slot = tree_find_slot(tree, *node, place);

    if (!tree->slots[slot]) {
        if (tree->n_nodes == tree->capacity) {
            if (tree_resize(tree, tree->capacity * 2))
                return ALLOCTRACE_ENO_MEMORY;
            slot = tree_find_slot(tree, *node, place);
        }
        tree->nodes[tree->n_nodes] = (struct node){*node, place};
        slot_set(tree, slot, tree->n_nodes++);
    }
    *node = (uint32_t)tree->slots[slot];
    return 0;
}

/* ---- Planting ---- */

/* What is needed to put paths of one side into the tree. */
struct planting {
    const struct at_side *side;
    const uint32_t *place; /* the side's frame => rank of its place; not owned */
    const bool *is_used;   /* the side's traceback => is it needed; not owned */
    uint32_t *nodes;       /* likewise => node of its path; not owned */
    uint32_t *path;        /* places of frames, most recent first; not owned */
    struct tree *tree;     /* not owned */
};

/* Puts the next `count` frames of a walk under a node, the oldest first. */
static int plant_frames(struct planting *planting, struct at_walk *walk,
                        uint64_t count, uint32_t *node)
{
    for (uint64_t i = 0; i < count; i++, at_walk_next(walk))
        planting->path[i] = planting->place[walk->frame];
    while (count > 0)
        if (tree_step(planting->tree, node, planting->path[--count]))
            return ALLOCTRACE_ENO_MEMORY;
    return 0;
}

/* One site under the path of its caller. */
static int plant_site(struct planting *planting, uint32_t traceback)
{
    const alloctrace_snapshot *snapshot = planting->side->snapshot;
    const struct at_traceback *at = &snapshot->tracebacks[traceback];
    const uint32_t n_chain = snapshot->frames[at->frame].n_chain;
    uint32_t *const node = &planting->nodes[traceback];
    struct at_walk walk;

    *node = at->parent ? planting->nodes[at->parent] : 0;
    if (n_chain == 1)
        return tree_step(planting->tree, node, planting->place[at->frame]);
    at_walk_begin(&walk, snapshot, traceback);
    return plant_frames(planting, &walk, n_chain, node);
}

/* Whole paths: each continues that of its parent, which stands before it. */
static int plant_whole(struct planting *planting)
{
    const alloctrace_snapshot *snapshot = planting->side->snapshot;
    const uint32_t n = snapshot->n_tracebacks;

    for (uint32_t i = 0; i < n; i++) {
        if (n - i > AHEAD) {
            const struct at_traceback *at = &snapshot->tracebacks[i + AHEAD];

            tree_prefetch(planting->tree, planting->nodes[at->parent],
                          planting->place[at->frame]);
        }
        if (planting->is_used[i] && plant_site(planting, i))
            return ALLOCTRACE_ENO_MEMORY;
    }
    return 0;
}

/* Paths as far as the limit. */
static int plant_limited(struct planting *planting)
{
    const alloctrace_snapshot *snapshot = planting->side->snapshot;

    for (uint32_t i = 0; i < snapshot->n_tracebacks; i++) {
        struct at_walk walk;

        if (!planting->is_used[i])
            continue;
        at_walk_begin(&walk, snapshot, i);
        if (plant_frames(planting, &walk, at_side_kept(planting->side, i),
                         &planting->nodes[i]))
            return ALLOCTRACE_ENO_MEMORY;
    }
    return 0;
}

/* Which tracebacks have traces; without a limit, all that those stand on.
 * Returns how many frames they have, or 0 if that is not known. */
static uint64_t mark_used(const struct at_side *side, bool *is_used)
{
    const alloctrace_snapshot *snapshot = side->snapshot;
    uint64_t n_frames = 0;

    for (uint32_t i = 0; i < snapshot->n_traces; i++)
        is_used[snapshot->traces[i].traceback] = true;
    if (at_side_is_limited(side))
        return 0;
    for (uint32_t i = snapshot->n_tracebacks; i-- > 0;) {
        const struct at_traceback *traceback = &snapshot->tracebacks[i];

        if (!is_used[i])
            continue;
        is_used[traceback->parent] = true;
        n_frames += snapshot->frames[traceback->frame].n_chain;
    }
    return n_frames;
}

/* Room for the longest path, or part of it, that is planted at once. */
static uint32_t *path_create(const struct at_sides *sides)
{
    size_t longest = AT_MAX_CHAIN;

    for (uint32_t s = 0; s < sides->count; s++)
        if (at_side_is_limited(&sides->side[s]) &&
            sides->side[s].limit > longest)
            longest = sides->side[s].limit;
    return longest < SIZE_MAX / sizeof(uint32_t)
               ? malloc(longest * sizeof(uint32_t))
               : NULL;
}

/* A tree for the longer one of the sides, as they have much in common. */
static int plant_begin(struct tree *tree, const struct at_sides *sides,
                       bool *is_used)
{
    uint64_t n_expected = 0;

    for (uint32_t s = 0; s < sides->count; s++) {
        const uint64_t n = mark_used(&sides->side[s],
                                     is_used + sides->side[s].first_traceback);

        if (n_expected < n)
            n_expected = n;
    }
    if (sides->count > 1)
        n_expected += n_expected / 8;
    return tree_init(tree, n_expected + 1);
}

/* `nodes` is by traceback of all sides, zeros. */
static int plant(struct tree *tree, const struct at_sides *sides,
                 const uint32_t *place, uint32_t *nodes)
{
    bool *const is_used = calloc(sides->n_tracebacks, sizeof *is_used);
    uint32_t *const path = path_create(sides);
    int result = ALLOCTRACE_ENO_MEMORY;

    *tree = (struct tree){0};
    if (is_used && path)
        result = plant_begin(tree, sides, is_used);
    for (uint32_t s = 0; !result && s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];
        struct planting planting = {
            .side = side,
            .place = place + side->first_frame,
            .is_used = is_used + side->first_traceback,
            .nodes = nodes + side->first_traceback,
            .path = path,
            .tree = tree,
        };

        result = at_side_is_limited(side) ? plant_limited(&planting)
                                          : plant_whole(&planting);
    }
    free(tree->slots);
    tree->slots = NULL;
    free(is_used);
    free(path);
    return result;
}

/* ---- Order ---- */

/* The children of each node, side by side and ordered by place. */
struct children {
    uint64_t *child; /* owned: place, node; by (parent, place) */
    uint32_t *end;   /* owned: node => where its children end in `child`, and
                        those of the next node begin */
};

/* A node has few children most often: more are sorted by the C library. */
#define FEW_CHILDREN 16

static int compare_children(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;

    return (*a > *b) - (*a < *b);
}

static void children_sort(uint64_t *child, size_t count)
{
    if (count > FEW_CHILDREN) {
        qsort(child, count, sizeof *child, compare_children);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        const uint64_t moved = child[i];
        size_t at = i;

        for (; at > 0 && child[at - 1] > moved; at--)
            child[at] = child[at - 1];
        child[at] = moved;
    }
}

/* Lists the children of all nodes. */
static void children_fill(struct children *children, const struct tree *tree)
{
    const uint32_t n = tree->n_nodes;
    uint32_t begin = 0;

    for (uint32_t i = 1; i < n; i++)
        children->end[tree->nodes[i].parent]++;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t count = children->end[i];

        children->end[i] = begin;
        begin += count;
    }
    for (uint32_t i = 1; i < n; i++)
        children->child[children->end[tree->nodes[i].parent]++] =
            (uint64_t)tree->nodes[i].place << 32 | i;
}

static int children_init(struct children *children, const struct tree *tree)
{
    children->child = malloc(tree->n_nodes * sizeof *children->child);
    children->end = calloc(tree->n_nodes, sizeof *children->end);
    if (!children->child || !children->end)
        return ALLOCTRACE_ENO_MEMORY;
    children_fill(children, tree);
    return 0;
}

static void children_fini(struct children *children)
{
    free(children->child);
    free(children->end);
}

/*
 * Numbers the nodes that paths end in, in the order of a walk, parents before
 * their children. `order` is by node: it holds 1 where a path ends and else 0,
 * then how many end there and further in, then the number. Returns how many.
 */
static uint32_t nodes_number(const struct tree *tree,
                             const struct children *children,
                             const bool *is_end, uint32_t *order)
{
    uint32_t begin = 0;
    uint32_t count;

    for (uint32_t i = tree->n_nodes; i-- > 1;)
        order[tree->nodes[i].parent] += order[i];
    count = order[0];
    order[0] = 0;
    for (uint32_t i = 0; i < tree->n_nodes; i++) {
        uint32_t next = order[i] + is_end[i];

        children_sort(&children->child[begin], children->end[i] - begin);
        for (uint32_t k = begin; k < children->end[i]; k++) {
            uint32_t *const child = &order[(uint32_t)children->child[k]];
            const uint32_t n = *child;

            *child = next;
            next += n;
        }
        begin = children->end[i];
    }
    return count;
}

/* From the node of each traceback to the rank of each trace. */
static int ranks_set(const struct at_sides *sides, const struct tree *tree,
                     const struct children *children, const uint32_t *nodes,
                     uint32_t *ranks, uint32_t *n_ranks)
{
    uint32_t *const order = calloc(tree->n_nodes, sizeof *order);
    bool *const is_end = calloc(tree->n_nodes, sizeof *is_end);
    int result = ALLOCTRACE_ENO_MEMORY;

    if (!order || !is_end)
        goto out;
    for (uint32_t s = 0; s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];

        for (uint32_t i = 0; i < side->snapshot->n_traces; i++) {
            const uint32_t node =
                nodes[side->first_traceback +
                      side->snapshot->traces[i].traceback];

            ranks[side->first_trace + i] = node;
            order[node] = is_end[node] = true;
        }
    }
    *n_ranks = nodes_number(tree, children, is_end, order);
    for (uint32_t i = 0; i < sides->n_traces; i++)
        ranks[i] = order[ranks[i]];
    result = 0;
out:
    free(order);
    free(is_end);
    return result;
}

int at_rank_paths(const struct at_sides *sides, const uint32_t *place,
                  uint32_t *ranks, uint32_t *n_ranks)
{
    uint32_t *const nodes = calloc(sides->n_tracebacks, sizeof *nodes);
    struct children children = {0};
    struct tree tree = {0};
    int result = ALLOCTRACE_ENO_MEMORY;

    if (nodes)
        result = plant(&tree, sides, place, nodes);
    if (!result)
        result = children_init(&children, &tree);
    if (!result)
        result = ranks_set(sides, &tree, &children, nodes, ranks, n_ranks);
    children_fini(&children);
    tree_fini(&tree);
    free(nodes);
    return result;
}
