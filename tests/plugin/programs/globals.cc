/* SPDX-License-Identifier: MIT */
/* Constructors and destructors of globals, of a thread's variables, and
 * attributes that make functions of them. Link-time optimisation, rightly,
 * merges the initialisations of all units: not shown. */
// What runs the constructors has other names and lines then.
// not: -Og -flto=auto -flto=2 -flto -fPIC -fpic -fno-inline
// variants: -O0|-O1|-O2|-O3|-Os|-Og|-O2 -static|-O2 -fno-pie -no-pie
// flags: -fno-optimize-sibling-calls -fno-ipa-icf -pthread
// expect: malloc allocate(int)@allocate < first()@first
// expect: malloc allocate(int)@allocate < object::object()@object < __static_initialization_and_destruction_0(int, int)@global < _GLOBAL__sub_I_main@eof
// expect[-O0]: malloc allocate(int)@allocate < object::object()@object < __tls_init@local < TLS wrapper function for local@local < thread(void*)@touch
// expect[-O1 -O2 -O3 -Os -Og]: malloc allocate(int)@allocate < object::object()@object < __tls_init@local < thread(void*)@touch
// expect: malloc allocate(int)@allocate < thread(void*)@thread
// expect: malloc allocate(int)@allocate < object::~object()@gone
// expect: malloc allocate(int)@allocate < object::object()@object < magic()@static < main@magic
// expect: malloc allocate(int)@allocate < main@main
// expect: malloc allocate(int)@allocate < object::~object()@gone
// expect: malloc allocate(int)@allocate < object::~object()@gone
// expect: malloc allocate(int)@allocate < last()@last
#include <cstdlib>
#include <pthread.h>

static volatile int zero;

__attribute__((noinline)) static void allocate(int n)
{
    char *p = (char *)malloc(n + 1); /* @allocate */

    p[0] = zero;
    free(p);
}

struct object {
    __attribute__((noinline)) object() { allocate(1); /* @object */ }
    __attribute__((noinline)) ~object() { allocate(2); /* @gone */ }
    void touch() { zero = 0; }
};

static object global; /* @global */
static thread_local object local; /* @local */

__attribute__((constructor)) static void first()
{
    allocate(3); /* @first */
}

__attribute__((destructor)) static void last()
{
    allocate(4); /* @last */
}

static void *thread(void *unused)
{
    local.touch(); /* @touch */
    allocate(5); /* @thread */
    return unused;
}

__attribute__((noinline)) static void magic()
{
    static object once; /* @static */

    once.touch();
}

int main()
{
    pthread_t id;

    pthread_create(&id, NULL, thread, NULL);
    pthread_join(id, NULL);
    magic(); /* @magic */
    allocate(0); /* @main */
    return 0;
} /* @eof */
