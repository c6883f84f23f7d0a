/* SPDX-License-Identifier: MIT */
/*
 * Pauses: what a thread allocates meanwhile is not recorded; what it frees or
 * resizes that was recorded ends as ever. A thread in a pause has a ledger in
 * which nothing is found, so that the hot path needs not one instruction for
 * it: an allocation goes to the slow half, which looks (event_find_slow), and a
 * block that is freed is another ledger's, which the slow half looks for where
 * it was put aside (thread_ledger). A thread that samples has no ledger that the
 * hot path finds; there the slow half is enough. So it is for a thread that has
 * no ledger while nothing is traced: before the first start there are no accounts
 * yet that one could look at.
 *
 * A signal handler may come between any two instructions here and begin and end
 * pauses of its own. So what is done is done again at each begin, and undone
 * once the count says that no pause is left.
 */
#include <errno.h>

#include "runtime.h"

/* The environment says whether blocks are sampled. Too early for that there is
 * no ledger, and nothing is recorded. */
static void ask_environment(struct thread *thread)
{
    if (count_get(&at_tracing) != TRACING_UNKNOWN || thread->busy)
        return;
    thread->busy = 1;
    start_once();
    thread->busy = 0;
}

static void put_aside(struct thread *thread)
{
    const int tracing = (int)count_get(&at_tracing);
    struct ledger *const ledger = count_get(&thread->ledger);

    if (at_options.sample || tracing == TRACING_UNKNOWN ||
        (tracing == TRACING_OFF && !ledger) || ledger == &at_paused_ledger)
        return;
    count_set(&thread->aside, ledger);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    count_set(&thread->ledger, &at_paused_ledger);
}

static void take_back(struct thread *thread)
{
    if (count_get(&thread->ledger) == &at_paused_ledger)
        count_set(&thread->ledger, count_get(&thread->aside));
}

void pause_begin(void)
{
    struct thread *const thread = &__alloctrace_thread;
    const int saved = errno;

    ask_environment(thread);
    count_set(&thread->n_paused, count_get(&thread->n_paused) + 1);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    put_aside(thread);
    errno = saved;
}

void pause_end(void)
{
    struct thread *const thread = &__alloctrace_thread;
    const uint32_t n = count_get(&thread->n_paused);

    if (n == 0)
        return;
    count_set(&thread->n_paused, n - 1);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (n == 1)
        take_back(thread);
}
