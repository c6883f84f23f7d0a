/* SPDX-License-Identifier: MIT */
/*
 * The real allocator has no memory for the program: a dump, while what fills
 * it is still there. Once in a process, before the program is told, for it
 * may well go on and be refused a million times more. Needs no memory.
 */
#include "runtime.h"

static uint32_t is_dumped;

static void on_refusal(void)
{
    if (__alloctrace_thread.busy || process_memory() != PROCESS_OWN)
        return;
    if (!__atomic_exchange_n(&is_dumped, 1, __ATOMIC_RELAXED))
        automatic_dump("out-of-memory");
}

void shortage_in_child(void)
{
    count_set(&is_dumped, 0);
}

void shortage_init(void)
{
    at_on_refusal = on_refusal;
}
