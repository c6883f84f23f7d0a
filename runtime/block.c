/* SPDX-License-Identifier: MIT */
/*
 * The slow half of block.h: making roots and leaves, and blocks of which it is
 * not known which map they are in. Needs no lock.
 */
#include "block.h"

uintptr_t at_narrow;
uintptr_t at_wide[BLOCK_MAPS];
uintptr_t at_odd_mask = BLOCK_ODD_OTHERS;

bool at_is_narrow;

/* What is there, or `size` new bytes, less `bias`. 0: no memory. */
static uintptr_t get(uintptr_t *where, size_t size, uintptr_t bias)
{
    uintptr_t there = __atomic_load_n(where, __ATOMIC_ACQUIRE);
    void *const pages = there ? NULL : arena_map(size);
    const uintptr_t made = (uintptr_t)pages - bias;

    if (there || !pages)
        return there;
    if (!made) { /* of all addresses the one that says "none" */
        arena_unmap(pages, size);
        return 0;
    }
    /* Release: pairs with the acquire of those who look entries up. */
    if (__atomic_compare_exchange_n(where, &there, made, false,
                                    __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
        return made;
    arena_unmap(pages, size); /* another thread was first */
    return there;
}

/*
 * Which parts of the roots, GROUP leaves each, have leaves: roots are large and
 * nearly empty, and whoever looks at all entries must not look at all of them.
 * Bits of the narrow root first, then of the wide ones; set before the leaf.
 */
#define GROUP 64
#define N_GROUPS (BLOCK_ROOT_SIZE / GROUP)
static uint64_t groups[1 + BLOCK_MAPS][N_GROUPS / 64];

static void note_group(uintptr_t root, uintptr_t address)
{
    const size_t leaf = (size_t)(block_leaf(root, address) - (uintptr_t *)root);
    const size_t group = leaf / GROUP;
    unsigned map = 0;

    while (map < BLOCK_MAPS &&
           root != count_get(map ? &at_wide[map - 1] : &at_narrow))
        map++;
    __atomic_fetch_or(&groups[map][group / 64], UINT64_C(1) << group % 64,
                      __ATOMIC_RELEASE);
}

/* The root's leaf for the address, with entries of so many bytes. */
static uintptr_t get_leaf(uintptr_t root, uintptr_t address, size_t entry_size)
{
    const uintptr_t plain = (uintptr_t)(address & BLOCK_ADDRESS_MASK);
    const uintptr_t first = plain >> BLOCK_LEAF_BITS << BLOCK_LEAF_BITS;

    if (!count_get(block_leaf(root, address)))
        note_group(root, address);
    return get(block_leaf(root, address), BLOCK_LEAF_SIZE * entry_size,
               (first >> BLOCK_GRANULE_BITS) * entry_size);
}

static uintptr_t get_root(uintptr_t *root)
{
    return get(root, BLOCK_ROOT_SIZE * sizeof(uintptr_t), 0);
}

static uint64_t *wide_slot_create(uintptr_t address)
{
    const uintptr_t root = get_root(&at_wide[(address & at_odd_mask) >> 3]);

    if (!root || !get_leaf(root, address, sizeof(uint64_t)))
        return NULL;
    return wide_slot(address);
}

/*
 * Does the word in front of a block say what it is taken to say? Asked once
 * for each leaf, when its first block comes, whose word glibc has just
 * written. A mapped chunk has another word more that is not the program's.
 */
static bool is_understood(void *block)
{
    const size_t extent = block_extent(block);
    const size_t usable = at_real.usable_size_fn(block);

    return extent == usable + sizeof(size_t) ||
           extent == usable + 2 * sizeof(size_t);
}

/* The leaf for a block that may be in the narrow map; 0: it has none. */
static uintptr_t narrow_leaf_create(void *block)
{
    const uintptr_t address = (uintptr_t)block;
    const uintptr_t leaf = narrow_leaf(address);

    if (leaf || address != (uintptr_t)(address & BLOCK_ADDRESS_MASK) ||
        !is_understood(block))
        return leaf;
    return get_leaf(at_narrow, address, sizeof(uint32_t));
}

static bool is_plain(const void *block)
{
    return ((uintptr_t)block & at_odd_mask) == 0;
}

/* Enters a block in the narrow map. False: it does not belong there. */
static bool narrow_put(void *block, const struct account *account, size_t size)
{
    uintptr_t leaf;
    uint32_t *slot;
    size_t slack;

    if (!at_is_narrow || !is_plain(block))
        return false;
    leaf = narrow_leaf_create(block);
    if (!leaf)
        return false;
    slot = narrow_slot(leaf, (uintptr_t)block);
    slack = block_extent(block) - size;
    if (slack > NARROW_SLACK_MAX) {
        count_set(slot, 0); /* of a block whose free was not seen */
        return false;
    }
    count_set(slot, narrow_entry(account, slack));
    return true;
}

bool block_put(void *block, const struct account *account, size_t size)
{
    uint64_t *slot;

    if (narrow_put(block, account, size))
        return true;
    slot = wide_holds(size) ? wide_slot_create((uintptr_t)block) : NULL;
    if (!slot)
        return false;
    count_set(slot, wide_entry(account, size));
    return true;
}

/* The narrow map's entry of a block, or NULL. Addresses that glibc does not
 * give out, which may be asked for as well, would lead out of a leaf. */
static uint32_t *find_narrow(const void *block)
{
    uintptr_t leaf;
    uint32_t *slot;

    if (!at_is_narrow || !is_plain(block) ||
        ((uintptr_t)block & BLOCK_ADDRESS_MASK) != (uintptr_t)block)
        return NULL;
    leaf = narrow_leaf((uintptr_t)block);
    if (!leaf)
        return NULL;
    slot = narrow_slot(leaf, (uintptr_t)block);
    return count_get(slot) ? slot : NULL;
}

static struct taken take(const void *block, bool is_removed)
{
    uint32_t *const narrow = find_narrow(block);
    uint64_t *const wide = narrow ? NULL : wide_slot((uintptr_t)block);
    struct taken taken = {NULL, 0, NULL};

    if (narrow) {
        const uint32_t entry = count_get(narrow);

        taken.account = narrow_account(entry);
        taken.size = block_extent(block) - narrow_slack(entry);
        if (is_removed)
            count_set(narrow, 0);
    } else if (wide && count_get(wide)) {
        const uint64_t entry = count_get(wide);

        taken.account = wide_account(entry);
        taken.size = (size_t)wide_size(entry);
        if (is_removed)
            count_set(wide, 0);
    }
    return taken;
}

struct taken block_get(const void *block)
{
    const uint32_t number = generation_number();
    const struct taken taken = take(block, false);

    if (taken.account && account_chunk(taken.account)->generation != number)
        return (struct taken){NULL, 0, NULL};
    return taken;
}

struct taken block_remove(const void *block)
{
    return take(block, true);
}

/* Blocks that are freed where that cannot be seen leave entries behind, whose
 * size must be known when the block in front of it is another one. Without the
 * narrow map all frees go to the slow halves, which details need. */
bool block_init(void)
{
    at_is_narrow = real_is_glibc() && !at_options.detail &&
                !at_options.blocks && at_real.usable_size_fn &&
                !real_has_hidden_frees() && !os_has_valgrind() &&
                !os_has_tags();
    if (real_is_glibc() && !at_options.blocks) /* lists want addresses */
        at_odd_mask = BLOCK_ODD_GLIBC;
    return get_root(&at_narrow) != 0;
}

static bool has_bit(const uint64_t *bits, uint32_t number)
{
    return bits[number / 64] >> number % 64 & 1;
}

/* A block may be freed meanwhile, and another one come in its place: nobody
 * enters an account that is gone, so an entry that changes is a new one's. */
static void sweep_narrow(void *leaf, const uint64_t *gone)
{
    uint32_t *const entries = leaf;

    for (size_t i = 0; i < BLOCK_LEAF_SIZE; i++) {
        uint32_t entry = count_get(&entries[i]);

        if (entry && has_bit(gone, entry / (2 * ACCOUNT_CHUNK_SIZE)))
            __atomic_compare_exchange_n(
                &entries[i], &entry,
                narrow_entry(account_forgotten(), narrow_slack(entry)), false,
                __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    }
}

static void sweep_wide(void *leaf, const uint64_t *gone)
{
    uint64_t *const entries = leaf;

    for (size_t i = 0; i < BLOCK_LEAF_SIZE; i++) {
        uint64_t entry = count_get(&entries[i]);

        if (entry &&
            has_bit(gone, account_offset(wide_account(entry)) /
                              ACCOUNT_CHUNK_SIZE))
            __atomic_compare_exchange_n(
                &entries[i], &entry,
                wide_entry(account_forgotten(), wide_size(entry)), false,
                __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    }
}

/* The leaf's first entry; NULL: there is no leaf `i`. */
static void *first_entry(uintptr_t root, size_t i, size_t entry_size)
{
    const uintptr_t leaf =
        __atomic_load_n((uintptr_t *)root + i, __ATOMIC_ACQUIRE);

    return leaf ? (void *)(leaf + i * BLOCK_LEAF_SIZE * entry_size) : NULL;
}

typedef void leaf_sweep(void *entries, const uint64_t *gone);

static void sweep_root(unsigned map, uintptr_t root, size_t entry_size,
                       leaf_sweep *sweep, const uint64_t *gone)
{
    for (size_t group = 0; group < N_GROUPS; group++) {
        if (!(__atomic_load_n(&groups[map][group / 64], __ATOMIC_ACQUIRE) >>
                  group % 64 & 1))
            continue;
        for (size_t i = group * GROUP; i < (group + 1) * GROUP; i++) {
            void *const entries = first_entry(root, i, entry_size);

            if (entries)
                sweep(entries, gone);
        }
    }
}

void block_sweep(const uint64_t *gone)
{
    sweep_root(0, at_narrow, sizeof(uint32_t), sweep_narrow, gone);
    for (unsigned map = 0; map < BLOCK_MAPS; map++) {
        const uintptr_t root = __atomic_load_n(&at_wide[map], __ATOMIC_ACQUIRE);

        if (root)
            sweep_root(map + 1, root, sizeof(uint64_t), sweep_wide, gone);
    }
}
