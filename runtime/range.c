/* SPDX-License-Identifier: MIT */
/*
 * A set of ranges of addresses that do not overlap, in order: a treap, whose
 * depth is about twice the logarithm of their number. Where a range lies in
 * the tree depends on a hash of its node's own address, so that the order in
 * which ranges come does not matter. Under the lock of mapping.c.
 *
 * Nodes are in the arena and used again. Invariant: both ends of a range may
 * be moved towards each other in place, as that keeps the order.
 */
#include "runtime.h"

static struct range *root;
static struct range *free_list; /* linked by `left` */

/* A node is above those of lower rank. */
static uint64_t rank_of(const struct range *node)
{
    const uint64_t hash =
        (uint64_t)(uintptr_t)node * UINT64_C(0x9e3779b97f4a7c15);

    return (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
}

struct range *range_before(uintptr_t address)
{
    struct range *node = root;
    struct range *best = NULL;

    while (node) {
        if (node->begin < address) {
            best = node;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    return best;
}

/* Takes a tree apart: what begins before the address, and the rest. */
static void split(struct range *node, uintptr_t address, struct range **left,
                  struct range **right)
{
    while (node) {
        if (node->begin < address) {
            *left = node;
            left = &node->right;
            node = node->right;
        } else {
            *right = node;
            right = &node->left;
            node = node->left;
        }
    }
    *left = *right = NULL;
}

/* Puts the tree in `*place` that has the nodes of both; all of `left` are
 * before all of `right`. */
static void join(struct range **place, struct range *left, struct range *right)
{
    while (left && right) {
        if (rank_of(left) > rank_of(right)) {
            *place = left;
            place = &left->right;
            left = left->right;
        } else {
            *place = right;
            place = &right->left;
            right = right->left;
        }
    }
    *place = left ? left : right;
}

static struct range *create(void)
{
    struct range *node = free_list;

    if (node) {
        free_list = node->left;
        return node;
    }
    lock_take();
    node = arena_alloc(sizeof *node);
    lock_release();
    return node;
}

/* Where the node belongs: behind those of higher rank. */
static struct range **find_place(const struct range *node)
{
    struct range **place = &root;

    while (*place && rank_of(*place) > rank_of(node))
        place = (*place)->begin < node->begin ? &(*place)->right
                                              : &(*place)->left;
    return place;
}

struct range *range_add(uintptr_t begin, uintptr_t end)
{
    struct range *const node = create();
    struct range **place;

    if (!node)
        return NULL;
    node->begin = begin;
    node->end = end;
    place = find_place(node);
    split(*place, begin, &node->left, &node->right);
    *place = node;
    return node;
}

void range_remove(struct range *range)
{
    struct range **place = &root;

    while (*place != range)
        place = (*place)->begin < range->begin ? &(*place)->right
                                               : &(*place)->left;
    join(place, range->left, range->right);
    range->left = free_list;
    free_list = range;
}
