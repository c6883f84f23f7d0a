/* SPDX-License-Identifier: MIT */
/*
 * Which call paths are equal, and in which order they stand. Paths are put
 * into one tree that starts at the oldest frame that is kept; a node is a
 * place and the node of the frame that called it. Equal paths end in the same
 * node, and tracemalloc's order (frame by frame, the oldest first) is the
 * order in which a walk meets the nodes that takes children by their places.
 *
 * Without a limit a path's node is found from that of its parent: linear in
 * the number of tracebacks, however deep they are. With a limit the kept
 * frames of every traceback in use are put in, of which there are few.
 */
#include <assert.h>
#include <stdlib.h>

#include "model.h"

/* A node of the tree. Node 0 is the root, which has no place. */
struct node {
    uint32_t parent; /* node of the frame outside; below the node's own */
    uint32_t place;  /* rank of the frame's file and line */
};

/* The tree; children are found through a hash table of (parent, place). */
struct tree {
    struct node *nodes; /* owned */
    uint32_t *slots;    /* owned; hash => node; 0 = empty; at most half full */
    uint32_t n_nodes;
    uint32_t capacity; /* of `nodes` */
    uint32_t mask;     /* number of slots - 1: a power of two - 1 */
};

#define FIRST_NODES 1024
#define MAX_NODES (UINT32_C(1) << 28) /* 2 GiB: fits into any size_t */

static uint64_t node_key(uint32_t parent, uint32_t place)
{
    return (uint64_t)parent << 32 | place;
}

/* Mixes all bits of a key into the low ones (the finaliser of MurmurHash3). */
static uint32_t key_hash(uint64_t key)
{
    key ^= key >> 33;
    key *= UINT64_C(0xff51afd7ed558ccd);
    key ^= key >> 33;
    key *= UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t)(key ^ key >> 33);
}

static void tree_fini(struct tree *tree)
{
    free(tree->nodes);
    free(tree->slots);
}

/* Slot of a node, or the empty one where it would go. */
static uint32_t tree_find_slot(const struct tree *tree, uint32_t parent,
                               uint32_t place)
{
    uint32_t slot = key_hash(node_key(parent, place)) & tree->mask;

    while (tree->slots[slot]) {
        const struct node *node = &tree->nodes[tree->slots[slot]];

        if (node->parent == parent && node->place == place)
            break;
        slot = (slot + 1) & tree->mask;
    }
    return slot;
}

/* Makes room for twice as many nodes (`capacity`, a power of two). */
static int tree_resize(struct tree *tree, uint32_t capacity)
{
    struct node *nodes;
    uint32_t *slots;

    if (capacity > MAX_NODES)
        return ALLOCTRACE_ENO_MEMORY;
    nodes = realloc(tree->nodes, capacity * sizeof *nodes);
    if (!nodes)
        return ALLOCTRACE_ENO_MEMORY;
    tree->nodes = nodes;
    slots = calloc(2 * (size_t)capacity, sizeof *slots);
    if (!slots)
        return ALLOCTRACE_ENO_MEMORY;
    free(tree->slots);
    tree->slots = slots;
    tree->capacity = capacity;
    tree->mask = 2 * capacity - 1;
    for (uint32_t i = 1; i < tree->n_nodes; i++)
        slots[tree_find_slot(tree, nodes[i].parent, nodes[i].place)] = i;
    return 0;
}

static int tree_init(struct tree *tree)
{
    *tree = (struct tree){0};
    if (tree_resize(tree, FIRST_NODES))
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
        tree->slots[slot] = tree->n_nodes++;
    }
    *node = tree->slots[slot];
    return 0;
}

/* What is needed to put paths into the tree. */
struct planting {
    const alloctrace_snapshot *snapshot;
    const uint32_t *place; /* frame => rank of its place; not owned */
    uint32_t *path;        /* owned: places of frames, most recent first */
    struct tree tree;      /* owned */
};

/* Puts the next `count` frames of a walk under a node, the oldest first. */
static int plant_frames(struct planting *planting, struct at_walk *walk,
                        uint64_t count, uint32_t *node)
{
    for (uint64_t i = 0; i < count; i++, at_walk_next(walk))
        planting->path[i] = planting->place[walk->frame];
    while (count > 0)
        if (tree_step(&planting->tree, node, planting->path[--count]))
            return ALLOCTRACE_ENO_MEMORY;
    return 0;
}

/* Whole paths: each continues that of its parent, which stands before it. */
static int plant_whole(struct planting *planting, uint32_t *nodes)
{
    const alloctrace_snapshot *snapshot = planting->snapshot;

    for (uint32_t i = 0; i < snapshot->n_tracebacks; i++) {
        const struct at_traceback *traceback = &snapshot->tracebacks[i];
        struct at_walk walk;

        nodes[i] = traceback->parent ? nodes[traceback->parent] : 0;
        at_walk_begin(&walk, snapshot, i);
        if (plant_frames(planting, &walk,
                         snapshot->frames[traceback->frame].n_chain, &nodes[i]))
            return ALLOCTRACE_ENO_MEMORY;
    }
    return 0;
}

/* Paths as far as the limit, of those tracebacks only that are in use. */
static int plant_limited(struct planting *planting, const bool *is_used,
                         uint32_t *nodes)
{
    const alloctrace_snapshot *snapshot = planting->snapshot;

    for (uint32_t i = 0; i < snapshot->n_tracebacks; i++) {
        struct at_walk walk;

        if (!is_used[i])
            continue;
        nodes[i] = 0;
        at_walk_begin(&walk, snapshot, i);
        if (plant_frames(planting, &walk, at_kept_frames(snapshot, i),
                         &nodes[i]))
            return ALLOCTRACE_ENO_MEMORY;
    }
    return 0;
}

static bool is_limited(const alloctrace_snapshot *snapshot)
{
    uint32_t limit = snapshot->process.traceback_limit;

    return limit && limit < snapshot->max_depth;
}

static int plant(struct planting *planting, const bool *is_used,
                 uint32_t *nodes)
{
    const alloctrace_snapshot *snapshot = planting->snapshot;
    size_t longest = AT_MAX_CHAIN;

    if (is_limited(snapshot) && snapshot->process.traceback_limit > longest)
        longest = snapshot->process.traceback_limit;
    planting->path = calloc(longest, sizeof *planting->path);
    if (!planting->path || tree_init(&planting->tree))
        return ALLOCTRACE_ENO_MEMORY;
    return is_limited(snapshot) ? plant_limited(planting, is_used, nodes)
                                : plant_whole(planting, nodes);
}

/* ---- Order ---- */

/* The children of each node, side by side and ordered by place. */
struct children {
    uint32_t *child; /* owned: nodes, by (parent, place) */
    uint32_t *first; /* owned: node => index in `child`; one past at n_nodes */
};

static int children_init(struct children *children, const struct tree *tree)
{
    size_t n = tree->n_nodes;
    uint64_t *keys = calloc(n, sizeof *keys);
    uint32_t *ranks = calloc(n, sizeof *ranks);
    int result = ALLOCTRACE_ENO_MEMORY;

    children->child = calloc(n, sizeof *children->child);
    children->first = calloc(n + 1, sizeof *children->first);
    if (!keys || !ranks || !children->child || !children->first)
        goto out;
    for (uint32_t i = 1; i < n; i++) {
        keys[i - 1] = node_key(tree->nodes[i].parent, tree->nodes[i].place);
        children->first[tree->nodes[i].parent + 1]++;
    }
    /* Keys are all different: ranks are positions. */
    result = at_rank_numbers(keys, n - 1, ranks, NULL);
    if (result)
        goto out;
    for (uint32_t i = 1; i < n; i++) {
        children->child[ranks[i - 1]] = i;
        children->first[i] += children->first[i - 1];
    }
    children->first[n] += children->first[n - 1];
out:
    free(keys);
    free(ranks);
    return result;
}

static void children_fini(struct children *children)
{
    free(children->child);
    free(children->first);
}

/* Numbers the nodes in the order of a walk, parents before their children. */
static int order_nodes(const struct tree *tree, uint32_t *order)
{
    struct children children = {0};
    uint32_t *stack = calloc(tree->n_nodes, sizeof *stack);
    uint32_t n_stack = 0;
    uint32_t next = 0;
    int result = ALLOCTRACE_ENO_MEMORY;

    if (!stack || children_init(&children, tree))
        goto out;
    stack[n_stack++] = 0;
    while (n_stack > 0) {
        uint32_t node = stack[--n_stack];

        order[node] = next++;
        for (uint32_t i = children.first[node + 1]; i > children.first[node];
             i--)
            stack[n_stack++] = children.child[i - 1];
    }
    assert(next == tree->n_nodes);
    result = 0;
out:
    children_fini(&children);
    free(stack);
    return result;
}

int at_rank_paths(const alloctrace_snapshot *snapshot, const uint32_t *place,
                  const bool *is_used, uint32_t *ranks, uint32_t *n_ranks)
{
    struct planting planting = {.snapshot = snapshot, .place = place};
    uint32_t *order = NULL;
    int result = plant(&planting, is_used, ranks);

    if (!result) {
        order = calloc(planting.tree.n_nodes, sizeof *order);
        result =
            order ? order_nodes(&planting.tree, order) : ALLOCTRACE_ENO_MEMORY;
    }
    if (!result) {
        for (uint32_t i = 0; i < snapshot->n_tracebacks; i++)
            if (is_used[i])
                ranks[i] = order[ranks[i]];
        *n_ranks = planting.tree.n_nodes;
    }
    free(order);
    free(planting.path);
    tree_fini(&planting.tree);
    return result;
}
