/* SPDX-License-Identifier: MIT */
/*
 * What the tables may take: ALLOCTRACE_MAX_MEMORY. Counted are accounts,
 * tracebacks, places, strings and the tables that find them, by the bytes that
 * were set aside, touched or not. The block map and the table of tracked
 * blocks are not: they grow with the program's own heap.
 *
 * The last eighth is kept for accounts, so that what is known can still be
 * counted, by threads that start later as well. What must be there for totals
 * to stay exact is taken beyond (purse.c): an account for all that has no
 * prefix, and those in which a thread subtracts what others allocated.
 */
#include "runtime.h"

static uint64_t used;   /* bytes; any thread, atomic */
static bool is_lifted; /* under at_lock */

void budget_add(int64_t bytes)
{
    __atomic_fetch_add(&used, (uint64_t)bytes, __ATOMIC_RELAXED);
}

uint64_t budget_used(void)
{
    return count_get(&used);
}

void budget_lift(bool is_to_be_lifted)
{
    is_lifted = is_to_be_lifted;
}

bool budget_has(enum budget what, size_t bytes)
{
    const uint64_t all = at_options.max_memory;
    const uint64_t allowed = what == BUDGET_REPEATS ? all / 2
                             : what == BUDGET_PATHS ? all - all / 8
                                                    : all;

    return is_lifted || count_get(&used) + bytes <= allowed;
}
