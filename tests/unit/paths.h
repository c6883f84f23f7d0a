/* SPDX-License-Identifier: MIT */
/*
 * Call paths made by hand, as compiled code would make them: records in the
 * section that the test announces, frames linked to the thread.
 */
#ifndef TEST_PATHS_H
#define TEST_PATHS_H

#include <stdint.h>

#include "block.h"
#include "runtime.h"

#define N_SITES 64

/* Record i is line i + 1 of paths.c, in no function. The last one is used by
 * sites_announce. The unit leads to them by a distance, as in compiled code. */
static struct {
    struct alloctrace_unit unit;
    struct alloctrace_site sites[N_SITES];
} module = {.unit = {.key = 0x123456789abcdef0u, .n_sites = N_SITES}};

static struct alloctrace_site *const sites = module.sites;

void __alloctrace_module_add(const struct alloctrace_unit *,
                             const struct alloctrace_unit *, uint32_t);
void __alloctrace_module_remove(const struct alloctrace_unit *);
void *__alloctrace_malloc(size_t, uint64_t);
void *__alloctrace_calloc(size_t, size_t, uint64_t);
void *__alloctrace_realloc(void *, size_t, uint64_t);
void *__alloctrace_memalign(size_t, size_t, uint64_t);
void *__alloctrace_reallocarray(void *, size_t, size_t, uint64_t);
int __alloctrace_posix_memalign(void **, size_t, size_t, uint64_t);
char *__alloctrace_strdup(const char *, uint64_t);
char *__alloctrace_strndup(const char *, size_t, uint64_t);
void __alloctrace_free(void *);

/* The key of record i. */
static inline uint64_t site(unsigned i)
{
    return module.unit.key + i * ALLOCTRACE_KEY_STRIDE;
}

/* Without hooks the runtime must assume frees that it does not see, and then
 * takes its slow half for each block. The tests are as a
 * program with hooks. */
static inline void use_fast_half(void)
{
    __alloctrace_free(__alloctrace_malloc(0, site(N_SITES - 1)));
    if (at_options.detail)
        return;
    ledger_at(1)->max_slack = NARROW_SLACK_MAX;
    at_is_narrow = real_is_glibc();
}

static inline void sites_announce(void)
{
    for (unsigned i = 0; i < N_SITES; i++) {
        sites[i].line = i + 1;
        sites[i].kind = ALLOCTRACE_SITE_CALL;
    }
    module.unit.sites =
        (alloctrace_offset)((char *)sites - (char *)&module.unit.sites);
    __alloctrace_module_add(&module.unit, &module.unit + 1,
                            ALLOCTRACE_ABI_VERSION);
    use_fast_half();
}

/* Links `frame`, about to call from site i; pop undoes it. */
static inline void push(struct alloctrace_shadow_frame *frame, unsigned i)
{
    frame->parent = __alloctrace_thread.top;
    frame->hash = frame->parent->hash * ALLOCTRACE_HASH_K + site(i);
    __alloctrace_thread.top = frame;
}

static inline void pop(const struct alloctrace_shadow_frame *frame)
{
    __alloctrace_thread.top = frame->parent;
}

/* What one account holds, by the line of its innermost site. */
struct figures {
    uint64_t total_blocks, total_bytes, live_blocks, live_bytes, peak_bytes;
};

static inline uint32_t line_of(const struct account *account)
{
    const struct traceback *const traceback =
        vector_at(&at_tracebacks, account_traceback(account));

    return ((const struct place *)vector_at(&at_places, traceback->place))
        ->line;
}

/* Sums the accounts of all ledgers that count whose allocation is at site i. */
static inline struct figures figures_at(unsigned i)
{
    struct figures sum = {0};

    for (uint32_t id = 1; id <= at_ledgers.n; id++)
        for (const struct account_chunk *chunk =
                 generation_has(ledger_at(id)) ? ledger_at(id)->chunks : NULL;
             chunk; chunk = chunk->next)
            for (uint32_t k = 0; k < chunk->n_used; k++) {
                const struct account *const a = &chunk->accounts[k];

                if (line_of(a) != i + 1)
                    continue;
                sum.total_blocks += a->total_blocks;
                sum.total_bytes += a->total_bytes;
                sum.live_blocks += a->total_blocks - a->freed_blocks;
                sum.live_bytes += a->total_bytes - a->freed_bytes;
                sum.peak_bytes += a->epoch == at_peak.epoch
                                      ? a->peak_bytes
                                      : a->total_bytes - a->freed_bytes;
            }
    return sum;
}

#endif
