/* SPDX-License-Identifier: MIT */
/*
 * Where accounts live: chunks in one range of addresses that is reserved when
 * tracing starts, so that 31 bits name an account. What is not used of it is
 * neither memory nor counted against the system's limit of what may be
 * promised; where the program's own address space is limited, so is the range.
 */
#include "runtime.h"

#if UINTPTR_MAX > UINT32_MAX
#define REGION_SIZE ((size_t)1 << 31)
#else
#define REGION_SIZE ((size_t)1 << 26)
#endif
/* Part of a limited address space that may be taken. */
#define REGION_SHARE 64

/* Made usable at a time. */
#define STEP_SIZE ((size_t)1 << 20)

char *at_accounts;
uint8_t at_touched[ACCOUNT_CHUNKS_MAX];

static size_t region_size;
static size_t region_usable; /* bytes from the start; under at_lock */
static size_t region_used;

static bool reserve(size_t size)
{
    while (size >= STEP_SIZE) {
        /* One chunk more, to align them. */
        char *const pages = arena_reserve(size + ACCOUNT_CHUNK_SIZE);

        if (pages) {
            at_accounts = pages + (-(uintptr_t)pages & (ACCOUNT_CHUNK_SIZE - 1));
            region_size = size;
            return true;
        }
        size /= 2;
    }
    return false;
}

static size_t wanted_size(void)
{
    const uint64_t share = os_address_limit() / REGION_SHARE;

    if (share >= REGION_SIZE)
        return REGION_SIZE;
    return share < STEP_SIZE ? STEP_SIZE : (size_t)share & ~(STEP_SIZE - 1);
}

/* Chunks that were given back, as bits: those that may be given out, and those
 * that may be named by what a thread has just read. */
static uint64_t ready[ACCOUNT_CHUNKS_MAX / 64];
static uint64_t resting[ACCOUNT_CHUNKS_MAX / 64];
static bool has_ready;

uint32_t account_chunk_number(const struct account_chunk *chunk)
{
    return (uint32_t)(((const char *)chunk - at_accounts) / ACCOUNT_CHUNK_SIZE);
}

uint32_t account_chunk_count(void)
{
    return (uint32_t)(region_used / ACCOUNT_CHUNK_SIZE);
}

struct account_chunk *account_chunk_at(uint32_t number)
{
    return (struct account_chunk *)(void *)(at_accounts +
                                            (size_t)number *
                                                ACCOUNT_CHUNK_SIZE);
}

/* Readers see that the chunk is nobody's before they see it empty. */
void account_chunk_release(struct account_chunk *chunk)
{
    const uint32_t number = account_chunk_number(chunk);

    __atomic_store_n(&chunk->generation, 0, __ATOMIC_RELEASE);
    arena_discard(chunk, ACCOUNT_CHUNK_SIZE);
    resting[number / 64] |= UINT64_C(1) << number % 64;
}

void account_chunks_settle(void)
{
    for (size_t i = 0; i < ACCOUNT_CHUNKS_MAX / 64; i++) {
        ready[i] |= resting[i];
        resting[i] = 0;
        has_ready |= ready[i] != 0;
    }
}

/* NULL: there is none. */
static char *take_ready(void)
{
    for (size_t i = 0; has_ready && i < ACCOUNT_CHUNKS_MAX / 64; i++)
        if (ready[i]) {
            const unsigned bit = (unsigned)__builtin_ctzll(ready[i]);

            ready[i] &= ready[i] - 1;
            return at_accounts + (i * 64 + bit) * ACCOUNT_CHUNK_SIZE;
        }
    has_ready = false;
    return NULL;
}

struct account *account_forgotten(void)
{
    return &((struct account_chunk *)(void *)at_accounts)->accounts[0];
}

struct account_chunk *account_chunk_add(void)
{
    char *const used = take_ready();
    char *const chunk = at_accounts + region_used;

    if (used)
        return (struct account_chunk *)(void *)used;
    if (region_used == region_size)
        return NULL;
    if (region_used == region_usable) {
        if (!arena_use(chunk, STEP_SIZE))
            return NULL;
        region_usable += STEP_SIZE;
    }
    region_used += ACCOUNT_CHUNK_SIZE;
    return (struct account_chunk *)(void *)chunk;
}

/* The first chunk belongs to no ledger, nor do blocks that are counted in it
 * as forgotten: its head, read as an account, has the
 * key 0, which is that of no path (but one in 2^64, which is not counted). */
bool account_init(void)
{
    return at_accounts || (reserve(wanted_size()) && account_chunk_add());
}
