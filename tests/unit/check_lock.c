/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_alloctrace.h"
#include "runtime.h"

static unsigned n_done;

static void act(void)
{
    n_done++;
}

START_TEST(what_is_deferred_is_done_when_no_lock_is_held)
{
    ck_assert(!lock_defer(act));
    lock_hold();
    lock_hold();
    ck_assert(lock_defer(act));
    ck_assert(lock_defer(act)); /* both are one */
    lock_unhold();
    ck_assert_uint_eq(n_done, 0);
    lock_unhold();
    ck_assert_uint_eq(n_done, 1);
    lock_hold();
    lock_unhold();
    ck_assert_uint_eq(n_done, 1);
}
END_TEST

START_TEST(a_child_does_not_do_what_its_parent_was_asked_for)
{
    int status;
    pid_t child;

    lock_hold();
    lock_defer(act);
    child = fork();
    lock_unhold();
    if (child == 0)
        _exit((int)n_done);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(n_done, 1);
}
END_TEST

START_TEST(the_holder_of_the_dump_lock_defers)
{
    const uint64_t blocked = lock_take_dump();

    ck_assert(lock_is_held());
    ck_assert_int_eq(init_dump("/dev/null", "test"), EBUSY);
    ck_assert(lock_defer(act));
    lock_release_dump(blocked);
    ck_assert_uint_eq(n_done, 1);
    ck_assert(!lock_is_held());
}
END_TEST

static unsigned n_handled;

static void handle(int number)
{
    n_handled += (unsigned)number > 0;
}

START_TEST(handlers_wait_for_the_dump_lock)
{
    uint64_t blocked;

    signal(SIGUSR1, handle);
    blocked = lock_take_dump();
    raise(SIGUSR1);
    ck_assert_uint_eq(n_handled, 0);
    lock_release_dump(blocked);
    usleep(1); /* ThreadSanitizer calls handlers from here */
    ck_assert_uint_eq(n_handled, 1);
}
END_TEST

static unsigned n_inside;
static unsigned n_turns;

static void *take_turns(void *unused)
{
    for (unsigned i = 0; i < 2000; i++) {
        const uint64_t blocked = lock_take_dump();

        if (++n_inside == 1)
            n_turns++;
        n_inside--;
        lock_release_dump(blocked);
    }
    return unused;
}

START_TEST(one_thread_at_a_time_has_the_dump_lock)
{
    pthread_t threads[4];

    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_turns, NULL),
                         0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(n_turns, 8000);
}
END_TEST

CHECK_MAIN("lock", what_is_deferred_is_done_when_no_lock_is_held,
           a_child_does_not_do_what_its_parent_was_asked_for,
           the_holder_of_the_dump_lock_defers, handlers_wait_for_the_dump_lock,
           one_thread_at_a_time_has_the_dump_lock)
