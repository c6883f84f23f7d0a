/* SPDX-License-Identifier: MIT */
/*
 * Hash tables. An index finds the number of an entry in a table that someone
 * else keeps; a map keeps its own keys, of a few words.
 *
 * Whoever writes a file chooses what is hashed, so the hash (SipHash-1-3) has
 * a random key, one for each user: no file can make a table slow. Nothing
 * that is written depends on the key, as numbers are given in the order in
 * which entries came.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "build.h"

/* ---- Hashing ---- */

void at_seed_init(struct at_seed *seed)
{
    if (getentropy(seed->key, sizeof seed->key) == 0)
        return;
    /* A system without randomness: what an attacker does not know exactly. */
    seed->key[0] = (uint64_t)(uintptr_t)seed ^ (uint64_t)clock() << 40;
    seed->key[1] = (uint64_t)time(NULL) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The state of SipHash. */
struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static void sip_round(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v2 += sip->v3;
    sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
    sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
    sip->v0 = rotate(sip->v0, 32);
    sip->v2 += sip->v1;
    sip->v0 += sip->v3;
    sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
    sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
    sip->v2 = rotate(sip->v2, 32);
}

static void sip_add(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_round(sip);
    sip->v0 ^= word;
}

/* The last word has what is left of the bytes, and their number on top. */
static uint64_t last_word(const unsigned char *bytes, size_t n_left,
                          size_t size)
{
    uint64_t word = (uint64_t)size << 56;

    for (size_t i = 0; i < n_left; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

uint32_t at_hash(const struct at_seed *seed, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    struct sip sip = {seed->key[0] ^ UINT64_C(0x736f6d6570736575),
                      seed->key[1] ^ UINT64_C(0x646f72616e646f6d),
                      seed->key[0] ^ UINT64_C(0x6c7967656e657261),
                      seed->key[1] ^ UINT64_C(0x7465646279746573)};
    size_t left = size;

    for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, bytes, sizeof word);
        sip_add(&sip, word);
        bytes += sizeof word;
    }
    sip_add(&sip, last_word(bytes, left, size));
    sip.v2 ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(&sip);
    return (uint32_t)(sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3);
}

/* ---- Indexes ---- */

#define FIRST_SLOTS ((size_t)16)

static void slot_put(struct at_slot *slots, size_t n_slots, struct at_slot slot)
{
    size_t i = slot.hash & (n_slots - 1);

    while (slots[i].number)
        i = (i + 1) & (n_slots - 1);
    slots[i] = slot;
}

/* At most three of four slots are taken. */
int at_index_reserve(struct at_index *index)
{
    const size_t n_slots = index->n_slots ? index->n_slots * 2 : FIRST_SLOTS;
    struct at_slot *slots;

    if (index->n_slots && index->count < index->n_slots / 4 * 3)
        return 0;
    if (n_slots > SIZE_MAX / 2)
        return ALLOCTRACE_ENO_MEMORY;
    slots = calloc(n_slots, sizeof *slots);
    if (!slots)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < index->n_slots; i++)
        if (index->slots[i].number)
            slot_put(slots, n_slots, index->slots[i]);
    free(index->slots);
    index->slots = slots;
    index->n_slots = n_slots;
    return 0;
}

void at_index_put(struct at_index *index, uint32_t hash, uint32_t number)
{
    slot_put(index->slots, index->n_slots, (struct at_slot){hash, number});
    index->count++;
}

uint32_t at_index_find(const struct at_index *index, uint32_t hash,
                       at_equality *is_equal, const void *table,
                       const void *key)
{
    const size_t mask = index->n_slots - 1;

    if (!index->n_slots)
        return 0;
    for (size_t i = hash & mask; index->slots[i].number; i = (i + 1) & mask)
        if (index->slots[i].hash == hash &&
            is_equal(table, index->slots[i].number, key))
            return index->slots[i].number;
    return 0;
}

void at_index_clear(struct at_index *index)
{
    if (index->count)
        memset(index->slots, 0, index->n_slots * sizeof *index->slots);
    index->count = 0;
}

void at_index_fini(struct at_index *index)
{
    free(index->slots);
    *index = (struct at_index){0};
}

/* ---- Tables that grow ---- */

void *at_grown(void *table, uint32_t *capacity, size_t entry_size)
{
    const uint64_t wanted = *capacity + (uint64_t)*capacity / 2 + 16;
    const uint64_t count = wanted < UINT32_MAX ? wanted : UINT32_MAX;
    void *grown;

    if (count <= *capacity || count > SIZE_MAX / entry_size)
        return NULL;
    grown = realloc(table, (size_t)count * entry_size);
    if (grown)
        *capacity = (uint32_t)count;
    return grown;
}

/* ---- Maps ---- */

static bool is_same_words(const void *table, uint32_t number, const void *key)
{
    const struct at_map *map = table;

    return memcmp(map->entries[number - 1].key.words, key,
                  sizeof(struct at_words)) == 0;
}

uint32_t *at_map_find(const struct at_map *map, const struct at_seed *seed,
                      const struct at_words *key)
{
    const uint32_t number = at_index_find(
        &map->index, at_hash(seed, key, sizeof *key), is_same_words, map, key);

    return number ? &map->entries[number - 1].value : NULL;
}

int at_map_add(struct at_map *map, const struct at_seed *seed,
               const struct at_words *key, uint32_t value)
{
    if (at_index_reserve(&map->index))
        return ALLOCTRACE_ENO_MEMORY;
    if (map->index.count == map->capacity) {
        struct at_map_entry *entries =
            at_grown(map->entries, &map->capacity, sizeof *entries);

        if (!entries)
            return ALLOCTRACE_ENO_MEMORY;
        map->entries = entries;
    }
    map->entries[map->index.count] = (struct at_map_entry){*key, value};
    at_index_put(&map->index, at_hash(seed, key, sizeof *key),
                 map->index.count + 1);
    return 0;
}

void at_map_fini(struct at_map *map)
{
    at_index_fini(&map->index);
    free(map->entries);
    *map = (struct at_map){0};
}
