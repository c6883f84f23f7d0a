/* SPDX-License-Identifier: MIT */
/*
 * Who asks for a dump: the program, a signal, the end of the process. One is
 * written at a time, each with a number of its own; who comes meanwhile waits
 * for the dump lock (lock.c). The buffers of target.c, dump.c and writer.c are
 * static, for signal stacks are small, and under that lock.
 *
 * A child of fork has the lock free and starts with number 1; a dump that was
 * being written goes on in the parent alone.
 */
#include <errno.h>

#include "runtime.h"

static struct target target = {.fd = -1};
static uint32_t n_dumps; /* written by this process */
static uint32_t is_finished;
static bool is_program_file; /* target.fd is a number of the program's table */

static int dump_to(const char *pattern, const char *reason)
{
    int error = target_open(&target, pattern, n_dumps + 1);

    if (!error)
        error =
            target_close(&target, dump_write(target.fd, n_dumps + 1, reason));
    if (error)
        message(target.path[0] ? target.path : pattern,
                ": dump not written: ", os_error_text(error), (char *)NULL);
    else
        n_dumps++;
    return error;
}

static bool goes_on(void)
{
    return !count_get(&is_finished);
}

/* What was not asked for must still be wanted when nobody else writes. */
static int dump(const char *pattern, const char *reason, bool is_asked)
{
    uint64_t blocked;
    int error = 0;

    if (lock_is_held())
        return EBUSY;
    blocked = lock_take_dump();
    if (is_asked || goes_on()) {
        is_program_file = os_has_program_files();
        error = dump_to(pattern, reason);
    }
    lock_release_dump(blocked);
    return error;
}

int init_dump(const char *pattern, const char *reason)
{
    return dump(pattern, reason, true);
}

int request_dump_unasked(const char *pattern, const char *reason)
{
    return dump(pattern, reason, false);
}

/* The file is the caller's, and what becomes of it in children. */
int request_dump_to(int fd)
{
    uint64_t blocked;
    int error;

    if (lock_is_held())
        return EBUSY;
    blocked = lock_take_dump();
    error = dump_write(fd, 0, "request");
    lock_release_dump(blocked);
    return error;
}

int request_dump_to_memory(struct dump_memory *memory)
{
    uint64_t blocked;
    int error;

    if (lock_is_held())
        return EBUSY;
    blocked = lock_take_dump();
    error = dump_write_memory(memory);
    lock_release_dump(blocked);
    return error;
}

int request_dump_of(const struct dump_block *block, struct dump_memory *memory)
{
    uint64_t blocked;
    int error;

    if (lock_is_held())
        return EBUSY;
    blocked = lock_take_dump();
    error = extract_block(memory, block);
    lock_release_dump(blocked);
    return error;
}

static uint32_t wanted_in; /* copy that must get names of its own first */

/* Not for a child of vfork, whose parent has the memory. */
static void dump_by_signal(void)
{
    const int saved = errno;

    if (goes_on() && count_get(&at_tracing) == TRACING_ON) {
        if (process_memory() == PROCESS_OWN)
            request_dump_unasked(at_dump_pattern, "signal");
        else
            count_set(&wanted_in, os_pid());
    }
    errno = saved;
}

void request_in_child(void)
{
    if (count_get(&wanted_in) == os_pid())
        dump_by_signal();
}

static void on_signal(int number)
{
    const int saved = errno;

    (void)number;
    if (!lock_defer(dump_by_signal))
        dump_by_signal();
    errno = saved;
}

void request_catch(void)
{
    if (at_options.signal && !os_catch(at_options.signal, on_signal))
        message("ALLOCTRACE_SIGNAL: the program has a handler for ",
                os_getenv("ALLOCTRACE_SIGNAL"),
                " already, which stays; no dumps on that signal",
                (char *)NULL);
}

void request_finish(const char *reason)
{
    count_set(&is_finished, 1);
    init_dump(at_dump_pattern, reason);
}

void request_forked(void)
{
    const int fd = count_get(&target.fd);

    n_dumps = 0;
    count_set(&is_finished, 0);
    lock_reset_dump();
    /* Another thread was writing; a pipe's reader would wait for us too. */
    if (fd >= 0 && is_program_file)
        os_close(fd);
    count_set(&target.fd, -1);
}
