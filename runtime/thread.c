/* SPDX-License-Identifier: MIT */
/*
 * The one thread-local variable. In an executable that has the runtime
 * linked in, its address is a constant from the thread pointer; compiled code
 * refers to it by the initial-exec model, which the linker relaxes to that.
 *
 * A thread starts with the sentinel as its innermost frame, so that no look-
 * up of a parent needs a test.
 */
#include "runtime.h"

/* Its hash is not 0, so that an empty stack does not give 0 + site, and
 * recovering a site from it gives no record. */
struct alloctrace_shadow_frame at_sentinel = {
    .parent = &at_sentinel,
    .hash = UINT64_C(0x6a09e667f3bcc909),
};

uint32_t at_tracing;

static struct generation first_generation = {.number = 1};
struct generation *at_generation = &first_generation;
uint32_t at_generation_number = 1;

struct vector at_ledgers = {.element_size = sizeof(struct ledger *)};

__thread struct thread __alloctrace_thread = {
    .top = &at_sentinel,
};

extern __thread struct thread at_own_thread
    __attribute__((alias("__alloctrace_thread")));
