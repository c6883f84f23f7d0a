/* SPDX-License-Identifier: MIT */
/*
 * All live blocks of the block map, one after another: for dumps. Needs no
 * lock and no memory; others allocate and free meanwhile, and a block that
 * comes or goes may be met or not. One that stays is met once.
 *
 * The map is sparse: what the kernel says was never touched is passed over, a
 * root's page stands for 32 GiB of addresses and a leaf's for 16 KiB. (Pages
 * that are in swap count as touched; mincore would not say so.)
 *
 * An entry is one word and is never torn. The size of a large block stands in
 * the entry behind its own, which is written first and cleared first. So both
 * are read twice, and a pair that changed is a block that came or went. A size
 * that is read as an entry, as its block is coming, is no account's address:
 * sizes are smaller than any address that pages are mapped at.
 */
#include <string.h>

#include "block.h"

/* The next page of a root or leaf that was touched; NULL: there is none. */
static const void *next_page(struct block_pages *pages)
{
    const size_t page_size = os_page_size();

    for (;;) {
        while (pages->i < pages->n) {
            const unsigned i = pages->i++;

            if (!(pages->touched[i / 64] >> i % 64 & 1))
                continue;
            return pages->at + i * page_size;
        }
        pages->at += pages->n * page_size;
        pages->left -= pages->n * page_size;
        pages->n = 0;
        if (!pages->left)
            return NULL;
        pages->n = pages->left / page_size < BLOCK_PAGES
                       ? (unsigned)(pages->left / page_size)
                       : BLOCK_PAGES;
        pages->i = 0;
        os_touched(pages->fd, pages->at, pages->n, pages->touched);
    }
}

static void start_pages(struct block_pages *pages, const void *at, size_t size,
                        int fd)
{
    pages->at = at;
    pages->left = size;
    pages->n = 0;
    pages->i = 0;
    pages->fd = fd;
}

/* Moves on to the next leaf. False: that was the last one. */
static bool next_leaf(struct block_walk *walk)
{
    for (;;) {
        while (walk->slot < walk->slot_end) {
            const uint64_t *const leaf =
                __atomic_load_n(walk->slot++, __ATOMIC_ACQUIRE);

            if (!leaf)
                continue;
            walk->leaf = leaf;
            start_pages(&walk->leaf_pages, leaf,
                        BLOCK_LEAF_SIZE * sizeof *leaf, walk->fd);
            return true;
        }
        walk->slot = next_page(&walk->root_pages);
        if (!walk->slot)
            return false;
        walk->slot_end = walk->slot + os_page_size() / sizeof *walk->slot;
    }
}

/* Moves on to the next map. False: that was the last one. */
static bool next_map(struct block_walk *walk)
{
    while (++walk->map < BLOCK_MAPS) {
        walk->root = __atomic_load_n(&at_roots[walk->map], __ATOMIC_ACQUIRE);
        if (!walk->root)
            continue;
        walk->slot = walk->slot_end = NULL;
        start_pages(&walk->root_pages, walk->root,
                    BLOCK_ROOT_SIZE * sizeof *walk->root, walk->fd);
        return true;
    }
    return false;
}

/* Moves on to the next page of entries. False: that was the last one. */
static bool next_entries(struct block_walk *walk)
{
    const uint64_t *page = walk->leaf ? next_page(&walk->leaf_pages) : NULL;

    while (!page) {
        while (!walk->root || !next_leaf(walk))
            if (!next_map(walk))
                return false;
        page = next_page(&walk->leaf_pages);
    }
    walk->entry = page;
    walk->entry_end = walk->entry + os_page_size() / sizeof *walk->entry;
    return true;
}

static uintptr_t address_of(const struct block_walk *walk, const uint64_t *entry)
{
    const size_t granule = (size_t)(entry - walk->leaf);
    const size_t leaf =
        (size_t)(walk->slot - 1 - (uint64_t *const *)walk->root);

    return (uintptr_t)leaf << BLOCK_LEAF_BITS | granule << BLOCK_GRANULE_BITS |
           (uintptr_t)walk->map << 3;
}

/* Reads the size of a large block. False: it is coming or going. */
static bool read_large(const uint64_t *entry, uint64_t value, size_t *size)
{
    const uint64_t first = __atomic_load_n(entry + 1, __ATOMIC_ACQUIRE);
    const uint64_t again = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
    const uint64_t second = __atomic_load_n(entry + 1, __ATOMIC_ACQUIRE);

    *size = (size_t)first;
    return again == value && first == second && first >= BLOCK_SIZE_MASK &&
           !(first >> BLOCK_ADDRESS_BITS);
}

static bool read_entry(const struct block_walk *walk, const uint64_t *entry,
                       struct block *block)
{
    const uint64_t value = __atomic_load_n(entry, __ATOMIC_ACQUIRE);

    if (!(value >> BLOCK_ADDRESS_BITS)) /* none, or a size */
        return false;
    block->account = block_account(value);
    block->size = value & BLOCK_SIZE_MASK;
    block->address = address_of(walk, entry);
    return block->size < BLOCK_SIZE_MASK ||
           read_large(entry, value, &block->size);
}

void block_walk_start(struct block_walk *walk)
{
    memset(walk, 0, sizeof *walk);
    walk->map = -1;
    walk->fd = os_touched_open();
}

size_t block_walk_next(struct block_walk *walk, struct block *blocks, size_t n)
{
    size_t i = 0;

    while (i < n) {
        if (walk->entry == walk->entry_end && !next_entries(walk))
            break;
        while (i < n && walk->entry < walk->entry_end)
            i += read_entry(walk, walk->entry++, &blocks[i]);
    }
    return i;
}

void block_walk_end(struct block_walk *walk)
{
    if (walk->fd >= 0)
        os_close(walk->fd);
}
