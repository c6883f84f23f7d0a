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

struct account_chunk *account_chunk_add(void)
{
    char *const chunk = at_accounts + region_used;

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

/* The first chunk belongs to no ledger: its head, read as an account, has the
 * key 0, which is that of no path (but one in 2^64, which is not counted). */
bool account_init(void)
{
    return at_accounts || (reserve(wanted_size()) && account_chunk_add());
}
