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
 *     plant   a node for each frame of each traceback, under that of its caller
 *     merge   equal children of a node become one, level by level
 *     number  in the order of the walk
 *
 * Without a limit that is linear in the frames of the tree, but for sorting
 * children, however deep it is. With a limit paths have no tree in common: the
 * kept frames of every traceback in use are put in, and equal nodes are found
 * by hashing at once, so that there are few.
 *
 * Most of the time goes into memory that is not in the cache, so that nodes are
 * numbered level by level, children beside one another, and what comes next is
 * on its way into the cache before.
 */
#include <stdlib.h>

#include "groups.h"

/* A node of the tree. Node 0 is the root, which has no place. */
struct node {
    uint32_t parent; /* node of the frame outside; below the node's own */
    uint32_t place;  /* rank of the frame's place */
};

/* The tree; children are found through a hash table of (parent, place), if
 * they are to be found. */
struct tree {
    struct node *nodes; /* owned */
    uint64_t *slots;    /* owned: lower half of the hash, node; 0 = empty; at
                           most two thirds full; NULL = equal nodes are not
                           looked for */
    uint32_t n_nodes;
    uint32_t capacity; /* of `nodes` */
    uint32_t n_slots;
};

#define FIRST_NODES 1024
#define MAX_NODES (UINT32_C(1) << 28) /* 2 GiB: fits into any size_t */

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

static void slot_set(struct tree *tree, uint32_t slot, uint32_t node)
{
    const uint64_t hash =
        child_hash(tree->nodes[node].parent, tree->nodes[node].place);

    tree->slots[slot] = hash << 32 | node;
}

/* Gives the hash table room for all nodes that the tree has room for. */
static int slots_resize(struct tree *tree)
{
    const uint32_t n = tree->capacity + tree->capacity / 2;
    uint64_t *const slots = calloc(n, sizeof *slots);

    if (!slots)
        return ALLOCTRACE_ENO_MEMORY;
    free(tree->slots);
    tree->slots = slots;
    tree->n_slots = n;
    for (uint32_t i = 1; i < tree->n_nodes; i++)
        slot_set(tree,
                 tree_find_slot(tree, tree->nodes[i].parent,
                                tree->nodes[i].place),
                 i);
    return 0;
}

/* Makes room for as many nodes. */
static int tree_resize(struct tree *tree, uint32_t capacity)
{
    struct node *nodes;

    if (capacity > MAX_NODES)
        return ALLOCTRACE_ENO_MEMORY;
    nodes = realloc(tree->nodes, capacity * sizeof *nodes);
    if (!nodes)
        return ALLOCTRACE_ENO_MEMORY;
    tree->nodes = nodes;
    tree->capacity = capacity;
    return tree->slots ? slots_resize(tree) : 0;
}

static int tree_init(struct tree *tree, uint64_t n_expected, bool is_hashed)
{
    const uint32_t capacity = n_expected < FIRST_NODES ? FIRST_NODES
                              : n_expected < MAX_NODES ? (uint32_t)n_expected
                                                       : MAX_NODES;

    if (tree_resize(tree, capacity))
        return ALLOCTRACE_ENO_MEMORY;
    tree->nodes[0] = (struct node){0};
    tree->n_nodes = 1;
    return is_hashed ? slots_resize(tree) : 0;
}

static int tree_add(struct tree *tree, uint32_t parent, uint32_t place)
{
    if (tree->n_nodes == tree->capacity &&
        tree_resize(tree, tree->capacity * 2))
        return ALLOCTRACE_ENO_MEMORY;
    tree->nodes[tree->n_nodes++] = (struct node){parent, place};
    return 0;
}

/* Goes from a node to its child, which is made if there is none yet, or if
 * equal ones are not looked for. */
static int tree_step(struct tree *tree, uint32_t *node, uint32_t place)
{
    const uint32_t parent = *node;
    uint32_t slot;

    if (tree->slots) {
        slot = tree_find_slot(tree, parent, place);
        if (tree->slots[slot]) {
            *node = (uint32_t)tree->slots[slot];
            return 0;
        }
    }
    *node = tree->n_nodes;
    if (tree_add(tree, parent, place))
        return ALLOCTRACE_ENO_MEMORY;
    if (tree->slots)
        slot_set(tree, tree_find_slot(tree, parent, place), *node);
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

    for (uint32_t i = 0; i < n; i++)
        if (planting->is_used[i] && plant_site(planting, i))
            return ALLOCTRACE_ENO_MEMORY;
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

/* Begins the tree with room for all frames, if it is known how many. */
static int plant_begin(struct tree *tree, const struct at_sides *sides,
                       bool *is_used)
{
    uint64_t n_expected = 1;
    bool is_hashed = false;

    for (uint32_t s = 0; s < sides->count; s++) {
        n_expected += mark_used(&sides->side[s],
                                is_used + sides->side[s].first_traceback);
        is_hashed = is_hashed || at_side_is_limited(&sides->side[s]);
    }
    return tree_init(tree, n_expected, is_hashed);
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

/* ---- Children ---- */

/* The children of each node, side by side. */
struct children {
    uint64_t *child; /* owned: place, node; by parent */
    uint32_t *end;   /* owned: node => where its children end in `child`, and
                        those of the next node begin */
};

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

static uint32_t children_begin(const struct children *children, uint32_t node)
{
    return node ? children->end[node - 1] : 0;
}

/* A node has few children most often; many are sorted byte by byte. */
#define FEW_CHILDREN 16
#define MANY_CHILDREN 256

static int compare_children(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;

    return (*a > *b) - (*a < *b);
}

static void insert_children(uint64_t *child, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const uint64_t moved = child[i];
        size_t at = i;

        for (; at > 0 && child[at - 1] > moved; at--)
            child[at] = child[at - 1];
        child[at] = moved;
    }
}

/* Sorts by place, then node. 0 or ALLOCTRACE_ENO_MEMORY. */
static int children_sort(uint64_t *child, size_t count)
{
    struct at_keyed *room;
    const struct at_keyed *sorted;

    if (count <= FEW_CHILDREN) {
        insert_children(child, count);
        return 0;
    }
    if (count < MANY_CHILDREN) {
        qsort(child, count, sizeof *child, compare_children);
        return 0;
    }
    room = at_keyed_create(count);
    if (!room)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < count; i++)
        room[i] = (struct at_keyed){.key = child[i]};
    sorted = at_sort(room, room + count, count);
    for (size_t i = 0; i < count; i++)
        child[i] = sorted[i].key;
    free(room);
    return 0;
}

/* ---- Merging ---- */

/* The tree in which equal nodes are one, numbered level by level, those of one
 * parent beside one another and ordered by place. 0 is the root. */
struct merged {
    uint32_t *member; /* owned: nodes of the tree, in the order of what they
                         are merged into */
    uint32_t *into;   /* owned: node of the tree => merged node */
    uint32_t *parent; /* owned: merged node => merged node, a lower one */
    uint32_t *count;  /* owned: merged node => its members */
    uint32_t n_members; /* that were found yet; likewise the merged nodes */
    uint32_t n_nodes;
    uint64_t *gathered; /* owned: children of several members */
    size_t capacity;    /* of them */
};

/* Members that are fetched ahead of time. */
#define AHEAD 8

static int merged_init(struct merged *merged, uint32_t n_nodes)
{
    const size_t size = n_nodes * sizeof(uint32_t);

    *merged = (struct merged){.member = malloc(size),
                              .into = malloc(size),
                              .parent = malloc(size),
                              .count = malloc(size),
                              .n_members = 1,
                              .n_nodes = 1};
    if (!merged->member || !merged->into || !merged->parent || !merged->count)
        return ALLOCTRACE_ENO_MEMORY;
    merged->member[0] = merged->into[0] = merged->parent[0] = 0;
    merged->count[0] = 1;
    return 0;
}

static void merged_fini(struct merged *merged)
{
    free(merged->member);
    free(merged->into);
    free(merged->parent);
    free(merged->count);
    free(merged->gathered);
}

/* Lists the children of members side by side. NULL: no memory. */
static uint64_t *gather(struct merged *merged, const struct children *children,
                        const uint32_t *members, uint32_t n_members,
                        size_t count)
{
    size_t at = 0;

    if (count > merged->capacity) {
        uint64_t *const more =
            realloc(merged->gathered, 2 * count * sizeof *more);

        if (!more)
            return NULL;
        merged->gathered = more;
        merged->capacity = 2 * count;
    }
    for (uint32_t i = 0; i < n_members; i++) {
        const uint32_t end = children->end[members[i]];

        for (uint32_t k = children_begin(children, members[i]); k < end; k++)
            merged->gathered[at++] = children->child[k];
    }
    return merged->gathered;
}

/* Makes one node of each run of equal children of a merged node. */
static void merge_children(struct merged *merged, uint32_t parent,
                           const uint64_t *child, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t node = (uint32_t)child[i];

        if (i == 0 || child[i] >> 32 != child[i - 1] >> 32) {
            merged->parent[merged->n_nodes] = parent;
            merged->count[merged->n_nodes++] = 0;
        }
        merged->count[merged->n_nodes - 1]++;
        merged->into[node] = merged->n_nodes - 1;
        merged->member[merged->n_members++] = node;
    }
}

/* Has children fetched of members whose turn comes soon. */
static void members_prefetch(const struct merged *merged,
                             const struct children *children, uint32_t at)
{
    if (at + 2 * AHEAD < merged->n_members)
        __builtin_prefetch(&children->end[merged->member[at + 2 * AHEAD]]);
    if (at + AHEAD < merged->n_members)
        __builtin_prefetch(&children->child[children_begin(
            children, merged->member[at + AHEAD])]);
}

static int merge(struct merged *merged, const struct children *children)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < merged->n_nodes; i++) {
        const uint32_t *const members = &merged->member[at];
        const uint32_t n_members = merged->count[i];
        uint64_t *child =
            &children->child[children_begin(children, members[0])];
        size_t count = 0;

        for (uint32_t k = 0; k < n_members; k++) {
            members_prefetch(merged, children, at + k);
            count += children->end[members[k]] -
                     children_begin(children, members[k]);
        }
        at += n_members;
        if (n_members > 1 && count > 0)
            child = gather(merged, children, members, n_members, count);
        if (!child || children_sort(child, count))
            return ALLOCTRACE_ENO_MEMORY;
        merge_children(merged, i, child, count);
    }
    return 0;
}

/* ---- Numbering ---- */

/*
 * Numbers the nodes that paths end in, in the order of a walk, parents before
 * their children. `order` is by merged node: it holds 1 where a path ends and
 * else 0, then how many end there and further in, then the number. Returns how
 * many.
 */
static uint32_t nodes_number(const struct merged *merged, const bool *is_end,
                             uint32_t *order)
{
    const uint32_t count = merged->n_nodes;
    uint32_t n_ends;
    uint32_t next = 0;

    for (uint32_t i = count; i-- > 1;)
        order[merged->parent[i]] += order[i];
    n_ends = order[0];
    order[0] = 0;
    for (uint32_t i = 1; i < count; i++) {
        const uint32_t n = order[i];

        if (i == 1 || merged->parent[i] != merged->parent[i - 1])
            next = order[merged->parent[i]] + is_end[merged->parent[i]];
        order[i] = next;
        next += n;
    }
    return n_ends;
}

/* From the node of each traceback to the rank of each trace. */
static int ranks_set(const struct at_sides *sides, const struct merged *merged,
                     const uint32_t *nodes, uint32_t *ranks, uint32_t *n_ranks)
{
    uint32_t *const order = calloc(merged->n_nodes, sizeof *order);
    bool *const is_end = calloc(merged->n_nodes, sizeof *is_end);
    int result = ALLOCTRACE_ENO_MEMORY;

    if (!order || !is_end)
        goto out;
    for (uint32_t s = 0; s < sides->count; s++) {
        const struct at_side *const side = &sides->side[s];

        for (uint32_t i = 0; i < side->snapshot->n_traces; i++) {
            const uint32_t node =
                merged->into[nodes[side->first_traceback +
                                   side->snapshot->traces[i].traceback]];

            ranks[side->first_trace + i] = node;
            order[node] = is_end[node] = true;
        }
    }
    *n_ranks = nodes_number(merged, is_end, order);
    for (uint32_t i = 0; i < sides->n_traces; i++)
        ranks[i] = order[ranks[i]];
    result = 0;
out:
    free(order);
    free(is_end);
    return result;
}

/* Merges equal nodes of a tree, which is not needed any more then. */
static int tree_merge(struct tree *tree, struct merged *merged)
{
    const uint32_t n_nodes = tree->n_nodes;
    struct children children = {0};
    int result = children_init(&children, tree);

    tree_fini(tree);
    *tree = (struct tree){0};
    if (!result)
        result = merged_init(merged, n_nodes);
    if (!result)
        result = merge(merged, &children);
    children_fini(&children);
    return result;
}

int at_rank_paths(const struct at_sides *sides, const uint32_t *place,
                  uint32_t *ranks, uint32_t *n_ranks)
{
    uint32_t *const nodes = calloc(sides->n_tracebacks, sizeof *nodes);
    struct merged merged = {0};
    struct tree tree = {0};
    int result = ALLOCTRACE_ENO_MEMORY;

    if (nodes)
        result = plant(&tree, sides, place, nodes);
    if (!result)
        result = tree_merge(&tree, &merged);
    if (!result)
        result = ranks_set(sides, &merged, nodes, ranks, n_ranks);
    merged_fini(&merged);
    tree_fini(&tree);
    free(nodes);
    return result;
}
