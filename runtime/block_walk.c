/* SPDX-License-Identifier: MIT */
/*
 * All live blocks of the wide map, one after another: for dumps that list
 * them, for which all blocks are in that map (block_init): the narrow one does
 * not say which half of its granule a block lies in. Needs no lock and no
 * memory; others allocate and free meanwhile, and a block that comes or goes
 * may be met or not. One that stays is met once. An entry is one word, so none
 * is torn.
 *
 * The map is sparse: what the kernel says was never touched is passed over.
 * (Pages that are in swap count as touched; mincore would not say so.)
 */
#include <string.h>

#include "block.h"

/* ---- Pages that were touched ---- */

static void start_pages(struct block_pages *pages, uintptr_t at, size_t size,
                        int fd)
{
    pages->at = at;
    pages->left = size;
    pages->n = 0;
    pages->i = 0;
    pages->fd = fd;
}

/* The next page of a root or leaf that was touched; 0: there is none. */
static uintptr_t next_page(struct block_pages *pages)
{
    const size_t page_size = os_page_size();

    for (;;) {
        while (pages->i < pages->n) {
            const unsigned i = pages->i++;

            if (pages->touched[i / 64] >> i % 64 & 1)
                return pages->at + i * page_size;
        }
        pages->at += pages->n * page_size;
        pages->left -= pages->n * page_size;
        pages->n = 0;
        if (!pages->left)
            return 0;
        pages->n = pages->left / page_size < BLOCK_PAGES
                       ? (unsigned)(pages->left / page_size)
                       : BLOCK_PAGES;
        pages->i = 0;
        os_touched(pages->fd, (const void *)pages->at, pages->n,
                   pages->touched);
    }
}

/* ---- From map to map, leaf to leaf, page to page ---- */

/* Moves on to the next map. False: that was the last one. */
static bool next_map(struct block_walk *walk)
{
    while (++walk->map < BLOCK_MAPS) {
        walk->root = __atomic_load_n(&at_wide[walk->map], __ATOMIC_ACQUIRE);
        walk->slot = walk->slot_end = 0;
        start_pages(&walk->root_pages, walk->root,
                    walk->root ? BLOCK_ROOT_SIZE * sizeof(uintptr_t) : 0,
                    walk->fd);
        if (walk->root)
            return true;
    }
    walk->map = BLOCK_MAPS - 1; /* for who asks again */
    return false;
}

/* Moves on to the map's next leaf. False: that was the last one. */
static bool next_leaf(struct block_walk *walk)
{
    for (; walk->slot < walk->slot_end; walk->slot += sizeof(uintptr_t)) {
        const uintptr_t leaf =
            __atomic_load_n((const uintptr_t *)walk->slot, __ATOMIC_ACQUIRE);
        const uintptr_t number =
            (walk->slot - walk->root) / sizeof(uintptr_t);
        const uintptr_t first = number
                                << (BLOCK_LEAF_BITS - BLOCK_GRANULE_BITS);

        if (!leaf)
            continue;
        walk->slot += sizeof(uintptr_t);
        walk->leaf = leaf;
        start_pages(&walk->leaf_pages, leaf + first * sizeof(uint64_t),
                    BLOCK_LEAF_SIZE * sizeof(uint64_t), walk->fd);
        return true;
    }
    walk->slot = next_page(&walk->root_pages);
    walk->slot_end = walk->slot ? walk->slot + os_page_size() : 0;
    return walk->slot && next_leaf(walk);
}

/* Moves on to the next page of entries. False: that was the last one. */
static bool next_entries(struct block_walk *walk)
{
    uintptr_t page = next_page(&walk->leaf_pages);

    while (!page) {
        while (!next_leaf(walk))
            if (!next_map(walk))
                return false;
        page = next_page(&walk->leaf_pages);
    }
    walk->entry = page;
    walk->entry_end = page + os_page_size();
    return true;
}

/* ---- The walk ---- */

static struct block read_entry(const struct block_walk *walk, uint64_t entry)
{
    const uintptr_t granule = (walk->entry - walk->leaf) / sizeof entry;

    return (struct block){
        .address = granule << BLOCK_GRANULE_BITS | (uintptr_t)walk->map << 3,
        .size = (size_t)wide_size(entry),
        .account = wide_account(entry)};
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
        for (; i < n && walk->entry < walk->entry_end;
             walk->entry += sizeof(uint64_t)) {
            const uint64_t entry = count_get((const uint64_t *)walk->entry);

            if (entry)
                blocks[i++] = read_entry(walk, entry);
        }
    }
    return i;
}

void block_walk_end(struct block_walk *walk)
{
    if (walk->fd >= 0)
        os_close(walk->fd);
}
