/* SPDX-License-Identifier: MIT */
/*
 * ALLOCTRACE_INTERVAL: a dump each so many seconds, or each so many bytes that
 * were allocated.
 *
 * A thread of the runtime's own writes them, made by the system alone: the C
 * library does not know it, so the program stays as single-threaded as it is
 * for malloc, fork, pthread_exit and setuid. It takes no signals, shares no
 * file descriptors and allocates nothing. It is seen by who asks the kernel
 * (/proc/self/task, unshare, a core dump). A timer's signal was no choice: it
 * makes sleep, poll and others return early in the program.
 *
 * Bytes. No counter of them is kept where blocks are allocated; the thread
 * adds the accounts up, more often the nearer the next dump is. It notices at
 * the latest after LONGEST_PAUSE, in the steady case within a millisecond or
 * two, and sleeps 19 times as long as it took to add up.
 */
#include "runtime.h"

#define MILLISECOND UINT64_C(1000000)
#define SHORTEST_PAUSE MILLISECOND
#define LONGEST_PAUSE (10 * MILLISECOND)
#define PAUSE_PER_COST 19

uint64_t interval_next(uint64_t now, uint64_t last, uint64_t interval)
{
    return last + ((now - last) / interval + 1) * interval;
}

uint64_t interval_pause(uint64_t left, uint64_t grown, uint64_t pause,
                        uint64_t cost)
{
    /* Half of the way that is left, at the rate of the last pause. */
    const double half =
        grown > 0 ? (double)left / (double)grown * (double)pause / 2
                  : (double)LONGEST_PAUSE;
    uint64_t next =
        half < (double)LONGEST_PAUSE ? (uint64_t)half : LONGEST_PAUSE;

    if (next < SHORTEST_PAUSE)
        next = SHORTEST_PAUSE;
    return next > cost * PAUSE_PER_COST ? next : cost * PAUSE_PER_COST;
}

static void dump(void)
{
    if (count_get(&at_tracing) != TRACING_ON)
        return;
    os_borrow_errors();
    automatic_dump("interval");
    os_return_errors();
}

static void each_time(uint64_t interval)
{
    uint64_t last = os_monotonic_ns();

    for (;;) {
        const uint64_t now = os_monotonic_ns();
        const uint64_t next = interval_next(now, last, interval);

        os_sleep(next - now);
        last = next;
        dump();
    }
}

static void each_bytes(uint64_t interval)
{
    uint64_t total = ledger_total_sum();
    uint64_t next = interval_next(total, 0, interval);
    uint64_t pause = SHORTEST_PAUSE;

    for (;;) {
        const uint64_t before = total;
        uint64_t begin;

        os_sleep(pause);
        begin = os_monotonic_ns();
        total = ledger_total_sum();
        if (total < before) /* the traces were cleared */
            next = interval_next(total, 0, interval);
        if (total >= next) {
            dump();
            next = interval_next(total, 0, interval);
        }
        pause = interval_pause(next - total, total > before ? total - before : 0,
                               pause, os_monotonic_ns() - begin);
    }
}

static void run(void)
{
    const struct option_interval interval = at_options.interval;

    /* The variable is another one than its maker's: a thread without frames
     * and ledger, whose doing is never recorded. */
    __alloctrace_thread = (struct thread){
        .top = &at_sentinel, .busy = BUSY_SILENT};
    if (interval.ns)
        each_time(interval.ns);
    else
        each_bytes(interval.bytes);
}

void interval_init(void)
{
    int error;

    if (!at_options.interval.ns && !at_options.interval.bytes)
        return;
    error = os_has_sanitizer() ? 0 : os_thread_start(run);
    if (error)
        message("no thread for ALLOCTRACE_INTERVAL: ", os_error_text(error),
                "; no dumps but the one at exit", (char *)NULL);
}
