/* SPDX-License-Identifier: MIT */
/*
 * Bounds of memory and work. Memory is counted by the hooks of the address
 * sanitizer's allocator; steps by those that the compiler puts into each
 * block of code (-fsanitize-coverage=trace-pc), where FUZZ_STEPS says that
 * the library was built so. What the C library does in one call (comparing,
 * copying, searching text) is seen by its length only as far as the sanitizer
 * tells.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* Of the sanitizers; GCC does not install the header that has them. */
int __sanitizer_install_malloc_and_free_hooks(
    void (*note_malloc)(const volatile void *, size_t),
    void (*note_free)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *block);

/* Bytes that a call may hold for each byte that it was given, and besides:
 * what is made before the file is known. */
#define BYTES_PER_BYTE 32
#define BYTES_FREE (UINT64_C(4) << 20)

/* Steps likewise, the former times the logarithm. */
#define STEPS_PER_BYTE 8
#define STEPS_FREE (UINT64_C(1) << 20)

/* Of text that the C library looks through, as much as in a block of code. */
#define BYTES_PER_STEP 8

static struct {
    bool is_on;
    uint64_t live;      /* bytes that were allocated since the beginning */
    uint64_t peak;      /* highest value of them */
    uint64_t most_live; /* that they may have */
    uint64_t steps;     /* since the beginning */
    uint64_t most_steps;
    double memory_share; /* highest share of what is allowed that was seen */
    double steps_share;  /* likewise */
} meter;

static void add_steps(uint64_t steps)
{
    meter.steps += steps;
    if (meter.steps > meter.most_steps && meter.is_on) {
        meter.is_on = false;
        REQUIRE(!"the steps are in proportion to the bytes");
    }
}

static void note_malloc(const volatile void *block, size_t size)
{
    (void)block;
    if (!meter.is_on)
        return;
    meter.live += size;
    if (meter.peak < meter.live)
        meter.peak = meter.live;
    if (meter.live > meter.most_live) {
        meter.is_on = false;
        REQUIRE(!"the memory is in proportion to the bytes");
    }
}

/* What was there before is not counted when it goes. */
static void note_free(const volatile void *block)
{
    size_t size;

    if (!meter.is_on || !block)
        return;
    size = __sanitizer_get_allocated_size(block);
    meter.live -= size < meter.live ? size : meter.live;
}

#ifdef FUZZ_STEPS
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    add_steps(1);
}

void __sanitizer_weak_hook_strcmp(void *pc, const char *left,
                                  const char *right, int result);
void __sanitizer_weak_hook_strcmp(void *pc, const char *left,
                                  const char *right, int result)
{
    size_t same = 0;

    (void)pc;
    (void)result;
    while (meter.is_on && left[same] && left[same] == right[same])
        same++;
    add_steps(same / BYTES_PER_STEP);
}

void __sanitizer_weak_hook_strstr(void *pc, const char *text, const char *part,
                                  char *result);
void __sanitizer_weak_hook_strstr(void *pc, const char *text, const char *part,
                                  char *result)
{
    (void)pc;
    (void)part;
    if (meter.is_on)
        add_steps((result ? (uint64_t)(result - text) : strlen(text)) /
                  BYTES_PER_STEP);
}
#endif

static double logarithm(uint64_t size)
{
    int bits = 1;

    while (size >>= 1)
        bits++;
    return bits;
}

void meter_begin(uint64_t size)
{
    static bool is_ready;

    if (!is_ready)
        REQUIRE(__sanitizer_install_malloc_and_free_hooks(note_malloc,
                                                          note_free) > 0);
    is_ready = true;
    meter.live = meter.peak = meter.steps = 0;
    meter.most_live = BYTES_PER_BYTE * size + BYTES_FREE;
    meter.most_steps =
        (uint64_t)(STEPS_PER_BYTE * (double)size * logarithm(size)) +
        STEPS_FREE;
    meter.is_on = true;
}

void meter_end(void)
{
    const double memory = (double)meter.peak / (double)meter.most_live;
    const double steps = (double)meter.steps / (double)meter.most_steps;

    meter.is_on = false;
    if (getenv("FUZZ_VERBOSE"))
        fprintf(stderr, "    memory %.1f %%, steps %.1f %%\n", 100 * memory,
                100 * steps);
    if (meter.memory_share < memory)
        meter.memory_share = memory;
    if (meter.steps_share < steps)
        meter.steps_share = steps;
}

void meter_report(void)
{
    printf("of what a file may take: memory %.1f %%, steps %.1f %%\n",
           100 * meter.memory_share, 100 * meter.steps_share);
}
