/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alloctrace/format.h"
#include "check_alloctrace.h"
#include "event.h"
#include "paths.h"

#define ALLOCTRACE_API
#include "alloctrace.h"

void __alloctrace_custom_alloc(void *, size_t, uintptr_t, const char *, void *);
void *__alloctrace_custom_take(void *);
void __alloctrace_custom_free(void *, const char *);
int __alloctrace_track(unsigned, const void *, size_t, uintptr_t);

#define N_ADDRESSES 3000
#define N_DOMAINS 3
#define N_EVENTS 60000

/* Brute force: what is at each address in each domain. */
static struct {
    bool is_there;
    size_t size;
    unsigned site;
} oracle[N_DOMAINS][N_ADDRESSES];

static uint64_t sum_of(unsigned where)
{
    uint64_t sum = 0;

    for (unsigned d = 0; d < N_DOMAINS; d++)
        for (unsigned i = 0; i < N_ADDRESSES; i++)
            if (oracle[d][i].is_there && oracle[d][i].site == where)
                sum += oracle[d][i].size;
    return sum;
}

/* Neighbouring addresses, so that they collide and probe sequences grow. */
static void *address_of(unsigned i)
{
    return (void *)(uintptr_t)(0x10000 + 8 * (uintptr_t)i);
}

START_TEST(random_tracks_equal_brute_force)
{
    uint64_t live;
    uint64_t total = 0;

    sites_announce();
    srand(4711);
    for (unsigned n = 0; n < N_EVENTS; n++) {
        const unsigned d = (unsigned)rand() % N_DOMAINS;
        const unsigned i = (unsigned)rand() % N_ADDRESSES;

        if (rand() % 2) {
            oracle[d][i].is_there = true;
            oracle[d][i].size = (size_t)rand() % 1000;
            oracle[d][i].site = (unsigned)rand() % 8;
            ck_assert_int_eq(__alloctrace_track(d + 1, address_of(i),
                                                oracle[d][i].size,
                                                site(oracle[d][i].site)),
                             0);
        } else {
            oracle[d][i].is_there = false;
            ck_assert_int_eq(alloctrace_untrack(d + 1, address_of(i)), 0);
        }
    }
    for (unsigned where = 0; where < 8; where++) {
        ck_assert_uint_eq(figures_at(where).live_bytes, sum_of(where));
        total += sum_of(where);
    }
    alloctrace_get_traced_memory(&live, NULL);
    ck_assert_uint_eq(live, total);
}
END_TEST

/* tracemalloc's vectors R3 to R7. */
START_TEST(tracking_twice_updates)
{
    uint64_t live;
    uint64_t peak;

    sites_announce();
    ck_assert_int_eq(__alloctrace_track(7, address_of(1), 100, site(0)), 0);
    ck_assert_int_eq(__alloctrace_track(7, address_of(1), 40, site(1)), 0);
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
    ck_assert_uint_eq(figures_at(1).live_blocks, 1);
    ck_assert_uint_eq(figures_at(1).live_bytes, 40);
    alloctrace_get_traced_memory(&live, &peak);
    ck_assert_uint_eq(live, 40);
    ck_assert_uint_eq(peak, 100);
}
END_TEST

START_TEST(domains_are_independent)
{
    sites_announce();
    ck_assert_int_eq(__alloctrace_track(7, address_of(1), 100, site(0)), 0);
    ck_assert_int_eq(__alloctrace_track(8, address_of(1), 11, site(0)), 0);
    ck_assert_int_eq(alloctrace_untrack(8, address_of(1)), 0);
    ck_assert_uint_eq(figures_at(0).live_bytes, 100);
    ck_assert_int_eq(alloctrace_untrack(7, address_of(1)), 0);
    ck_assert_int_eq(alloctrace_untrack(7, address_of(1)), 0); /* again */
    ck_assert_int_eq(alloctrace_untrack(9, address_of(1)), 0); /* never */
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
}
END_TEST

START_TEST(the_peak_counts_an_updated_block_once)
{
    uint64_t peak;

    sites_announce();
    __alloctrace_track(7, address_of(1), 10 << 20, site(0));
    __alloctrace_track(7, address_of(1), 10 << 20, site(0));
    alloctrace_get_traced_memory(NULL, &peak);
    ck_assert_uint_eq(peak, 10 << 20);
}
END_TEST

START_TEST(nothing_is_an_address_like_others)
{
    sites_announce();
    ck_assert_int_eq(__alloctrace_track(1, NULL, 0, site(0)), 0);
    ck_assert_uint_eq(figures_at(0).live_blocks, 1);
    ck_assert_int_eq(alloctrace_untrack(1, NULL), 0);
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
}
END_TEST

START_TEST(domains_that_are_not_the_programs_are_refused)
{
    const unsigned bad[] = {ALLOCTRACE_NAMED_DOMAINS, DOMAIN_DIRECT};

    sites_announce();
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(alloctrace_track(bad[i], address_of(0), 1),
                         ALLOCTRACE_EBAD_ARGUMENT);
        ck_assert_int_eq(alloctrace_untrack(bad[i], address_of(0)),
                         ALLOCTRACE_EBAD_ARGUMENT);
    }
    ck_assert_int_eq(alloctrace_track(ALLOCTRACE_NAMED_DOMAINS - 1,
                                      address_of(0), 1),
                     0);
}
END_TEST

START_TEST(domain_0_is_the_heaps)
{
    void *block;
    void *other;

    sites_announce();
    block = __alloctrace_malloc(100, site(0));
    other = __alloctrace_malloc(10, site(0));
    /* A block of malloc's gets another trace, as any that is tracked. */
    ck_assert_int_eq(__alloctrace_track(0, block, 5000, site(1)), 0);
    ck_assert_uint_eq(figures_at(0).live_bytes, 10);
    ck_assert_uint_eq(figures_at(1).live_bytes, 5000);
    __alloctrace_free(block);
    ck_assert_uint_eq(figures_at(1).live_blocks, 0);
    /* Forgotten, and then freed: that is a free of a block not known. */
    ck_assert_int_eq(alloctrace_untrack(0, other), 0);
    ck_assert_int_eq(alloctrace_untrack(0, other), 0);
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
    ck_assert_uint_eq(__alloctrace_thread.ledger->unknown_frees, 0);
    __alloctrace_free(other);
    ck_assert_uint_eq(__alloctrace_thread.ledger->unknown_frees, 1);
    /* And what malloc has not given out. */
    ck_assert_int_eq(__alloctrace_track(0, address_of(3), 7, site(2)), 0);
    ck_assert_int_eq(__alloctrace_track(0, address_of(3), 8, site(2)), 0);
    ck_assert_uint_eq(figures_at(2).live_bytes, 8);
    ck_assert_int_eq(alloctrace_untrack(0, address_of(3)), 0);
    ck_assert_int_eq(ledger_live_sum(), 0);
}
END_TEST

START_TEST(any_address_is_a_key)
{
    void *const heap = __alloctrace_malloc(100, site(0));
    const uintptr_t bases[] = {0, 1, 7, (uintptr_t)heap, (uintptr_t)heap + 1,
                               (uintptr_t)1 << (8 * sizeof(void *) - 1),
                               UINTPTR_MAX,
                               (uintptr_t)heap | ~(UINTPTR_MAX >> 8),
                               (uintptr_t)heap | ~(UINTPTR_MAX >> 16)};
    const unsigned n_all = sizeof bases / sizeof *bases;

    sites_announce();
    for (unsigned domain = 0; domain < 5; domain += 4) {
        /* The wide map takes the last two for the block without its tags. */
        const unsigned n = domain || at_is_narrow ? n_all : n_all - 2;

        for (unsigned i = 0; i < n; i++)
            ck_assert_int_eq(__alloctrace_track(domain, (void *)bases[i], i + 1,
                                                site(1)),
                             0);
        ck_assert_uint_eq(figures_at(1).live_blocks, n);
        ck_assert_uint_eq(figures_at(1).live_bytes, n * (n + 1) / 2);
        for (unsigned i = 0; i < n; i++) {
            ck_assert_int_eq(alloctrace_untrack(domain, (void *)bases[i]), 0);
            ck_assert_int_eq(alloctrace_untrack(domain, (void *)bases[i]), 0);
        }
        ck_assert_uint_eq(figures_at(1).live_blocks, 0);
    }
}
END_TEST

START_TEST(a_hundred_thousand_domains)
{
    enum { N = 100000 };

    sites_announce();
    for (unsigned domain = 1; domain <= N; domain++)
        ck_assert_int_eq(
            __alloctrace_track(domain, address_of(domain % 1000), domain,
                               site(0)),
            0);
    ck_assert_uint_eq(figures_at(0).live_blocks, N);
    for (unsigned domain = 1; domain <= N; domain += 2)
        ck_assert_int_eq(alloctrace_untrack(domain, address_of(domain % 1000)),
                         0);
    ck_assert_uint_eq(figures_at(0).live_blocks, N / 2);
    ck_assert_ptr_nonnull(tracked_get(1002, (uintptr_t)address_of(2)));
    ck_assert_ptr_null(tracked_get(1003, (uintptr_t)address_of(3)));
}
END_TEST

/* What alloctrace_dump_traceback writes of a block: its first site's line. */
static unsigned line_written(const void *block)
{
    char text[512] = "";
    int fds[2];
    unsigned line = 0;
    int result;

    ck_assert_int_eq(pipe(fds), 0);
    result = alloctrace_dump_traceback(fds[1], block);
    if (result == 0) {
        ck_assert_int_gt(read(fds[0], text, sizeof text - 1), 0);
        ck_assert_ptr_nonnull(strstr(text, "line "));
        line = (unsigned)atoi(strstr(text, "line ") + 5);
    } else {
        ck_assert_int_eq(result, ALLOCTRACE_EUNKNOWN_BLOCK);
    }
    close(fds[0]);
    close(fds[1]);
    return line;
}

START_TEST(tracked_blocks_have_tracebacks)
{
    void *block;

    sites_announce();
    block = __alloctrace_malloc(100, site(4));
    ck_assert_uint_eq(line_written(address_of(1)), 0);
    __alloctrace_track(3, address_of(1), 20, site(5));
    ck_assert_uint_eq(line_written(address_of(1)), 6);
    __alloctrace_track(2, address_of(1), 10, site(6)); /* smaller */
    ck_assert_uint_eq(line_written(address_of(1)), 7);
    __alloctrace_track(3, block, 1, site(7));
    ck_assert_uint_eq(line_written(block), 5); /* malloc's first */
    __alloctrace_thread.busy++;
    ck_assert_uint_eq(line_written(address_of(1)), 0);
    ck_assert_uint_eq(line_written(block), 5);
    __alloctrace_thread.busy--;
    alloctrace_untrack(2, address_of(1));
    ck_assert_uint_eq(line_written(address_of(1)), 6);
}
END_TEST

static void *untrack(void *block)
{
    alloctrace_untrack(5, block);
    return NULL;
}

START_TEST(another_thread_may_untrack)
{
    pthread_t thread;

    sites_announce();
    __alloctrace_track(5, address_of(1), 100, site(0));
    pthread_create(&thread, NULL, untrack, address_of(1));
    pthread_join(thread, NULL);
    ck_assert_uint_eq(figures_at(0).live_bytes, 0);
    ck_assert_uint_eq(figures_at(0).total_bytes, 100);
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
    ck_assert_int_eq(ledger_live_sum(), 0);
    /* The other thread's account is of the same domain. */
    ck_assert_uint_eq(ledger_at(2)->chunks->facts[0].domain, 5);
}
END_TEST

START_TEST(one_path_has_an_account_in_each_domain)
{
    const struct account *a;
    const struct account *b;

    sites_announce();
    a = domain_account(domain_path(site(0), 5));
    b = domain_account(domain_path(site(0), 6));
    ck_assert_ptr_ne(a, b);
    ck_assert_uint_eq(account_domain(a), 5);
    ck_assert_uint_eq(account_domain(b), 6);
    ck_assert_uint_eq(account_traceback(a), account_traceback(b));
    ck_assert_ptr_eq(domain_account(domain_path(site(0), 5)), a);
}
END_TEST

START_TEST(names_are_domains_by_content)
{
    char name[] = "pool";
    const uint32_t id = domain_intern("pool");

    ck_assert_uint_gt(id, ALLOCTRACE_NAMED_DOMAINS);
    ck_assert_uint_eq(domain_intern(name), id);
    ck_assert_uint_eq(domain_find("other"), 0);
    /* The same address, as after dlclose and dlopen of another library. */
    memcpy(name, "lake", 4);
    ck_assert_uint_ne(domain_intern(name), id);
    ck_assert_uint_eq(domain_find("pool"), id);
}
END_TEST

/* Seconds of the processor. */
static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Comparing each with all takes half a minute and more; looking them up a
 * twentieth of a second. */
START_TEST(a_hundred_thousand_names)
{
    enum { N = 100000 };
    char(*const names)[16] = calloc(N, sizeof *names);
    uint32_t *const ids = calloc(N, sizeof *ids);

    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "pool %d", i);
        ck_assert_uint_eq(domain_find(names[i]), 0);
        ids[i] = domain_intern(names[i]);
        ck_assert_uint_eq(ids[i], ALLOCTRACE_NAMED_DOMAINS + (uint32_t)i + 1);
    }
    for (int i = 0; i < N; i++)
        ck_assert_uint_eq(domain_find(names[i]), ids[i]);
    ck_assert_double_lt(seconds(), 10);
    free(ids);
    free(names);
}
END_TEST

START_TEST(what_comes_from_malloc_is_only_handed_on)
{
    void *block;

    sites_announce();
    block = __alloctrace_malloc(100, site(0));
    __alloctrace_custom_alloc(block, 18, site(1), "pool", NULL); /* 2n + 64 */
    ck_assert_uint_eq(figures_at(1).total_blocks, 0);
    __alloctrace_custom_alloc(block, 17, site(1), "pool", NULL);
    ck_assert_uint_eq(figures_at(1).live_bytes, 17);
    __alloctrace_custom_free(block, "pool");
    ck_assert_uint_eq(figures_at(1).live_blocks, 0);
    /* Nothing is known of the size: whatever begins there is it. */
    __alloctrace_custom_alloc(block, ALLOCTRACE_SIZE_UNKNOWN, site(1), "pool",
                              NULL);
    ck_assert_uint_eq(figures_at(1).total_blocks, 1);
}
END_TEST

START_TEST(what_comes_from_another_pool_is_only_handed_on)
{
    sites_announce();
    __alloctrace_custom_alloc(address_of(0), 4096, site(0), "page", NULL);
    __alloctrace_custom_alloc(address_of(0), 64, site(1), "object", NULL);
    __alloctrace_custom_alloc(address_of(0), 60, site(2), "wrapper", NULL);
    ck_assert_uint_eq(figures_at(0).live_bytes, 4096);
    ck_assert_uint_eq(figures_at(1).live_bytes, 64);
    ck_assert_uint_eq(figures_at(2).total_blocks, 0);
    __alloctrace_custom_free(address_of(0), NULL); /* the smaller one */
    ck_assert_uint_eq(figures_at(1).live_blocks, 0);
    ck_assert_uint_eq(figures_at(0).live_blocks, 1);
    __alloctrace_custom_free(address_of(0), "page");
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
}
END_TEST

START_TEST(a_resized_block_moves_and_keeps_its_domain)
{
    void *token;
    const struct account *account;

    sites_announce();
    __alloctrace_custom_alloc(address_of(0), 10, site(0), "pool", NULL);
    token = __alloctrace_custom_take(address_of(0));
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
    __alloctrace_custom_alloc(address_of(9), 20, site(1), "resize", token);
    ck_assert_uint_eq(figures_at(1).live_bytes, 20);
    account = domain_account(domain_path(site(1), domain_find("pool")));
    ck_assert_uint_eq(account->total_bytes, 20);
    ck_assert_uint_eq(peak_bytes(), 20); /* never both */
    ck_assert_ptr_null(__alloctrace_custom_take(address_of(0)));
}
END_TEST

START_TEST(a_block_that_cannot_be_resized_stays)
{
    void *token;

    sites_announce();
    __alloctrace_custom_alloc(address_of(0), 10, site(0), "pool", NULL);
    token = __alloctrace_custom_take(address_of(0));
    __alloctrace_custom_alloc(NULL, 20, site(1), "resize", token);
    ck_assert_uint_eq(figures_at(0).live_bytes, 10);
    ck_assert_uint_eq(figures_at(0).live_blocks, 1);
    ck_assert_uint_eq(figures_at(1).total_blocks, 0);
    token = __alloctrace_custom_take(address_of(0));
    __alloctrace_custom_alloc(NULL, 0, site(1), "resize", token); /* freed */
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
    ck_assert_int_eq(ledger_live_sum(), 0);
}
END_TEST

CHECK_MAIN("tracked", random_tracks_equal_brute_force, tracking_twice_updates,
           domains_are_independent, the_peak_counts_an_updated_block_once,
           nothing_is_an_address_like_others,
           domains_that_are_not_the_programs_are_refused,
           domain_0_is_the_heaps, any_address_is_a_key,
           a_hundred_thousand_domains, tracked_blocks_have_tracebacks,
           another_thread_may_untrack, one_path_has_an_account_in_each_domain,
           names_are_domains_by_content, a_hundred_thousand_names,
           what_comes_from_malloc_is_only_handed_on,
           what_comes_from_another_pool_is_only_handed_on,
           a_resized_block_moves_and_keeps_its_domain,
           a_block_that_cannot_be_resized_stays)
