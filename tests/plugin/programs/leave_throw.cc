/* SPDX-License-Identifier: MIT */
/* Exceptions that leave instrumented functions for code that is not. */
// flags: -fno-optimize-sibling-calls -fno-ipa-icf -fnon-call-exceptions
// plain: -O2 -fnon-call-exceptions
// needs: runtime
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

typedef void function(int);

/* Not instrumented: calls f(n); if that throws, g(n) in the handler. */
void protect(function *f, function *g, int n);
/* Calls f(n), and g(n) whatever becomes of it. */
void clean_up(function *f, function *g, int n);
void throws(int n);

#ifdef PLAIN

/* Writes over what lies below on the stack. */
__attribute__((noinline)) static void burn()
{
    volatile char bytes[2048];

    for (char volatile &byte : bytes)
        byte = 0x55;
}

void protect(function *f, function *g, int n)
{
    static bool is_again;

    try {
        f(n);
    } catch (int caught) {
        burn();
        g(caught);
        is_again = caught == 77 && !is_again;
        if (is_again)
            throw;
    }
}

struct cleaner {
    function *g;
    int n;
    ~cleaner()
    {
        burn();
        g(n);
    }
};

void clean_up(function *f, function *g, int n)
{
    cleaner guard = {g, n};

    f(n);
}

void throws(int n)
{
    throw n;
}

#else

static volatile int zero;
static int (*const volatile raise_it)(int) = raise;
static char alternate[1 << 16];

__attribute__((noinline)) static void allocate(int n)
{
    char *p = (char *)malloc(n + 1); /* @allocate */

    p[0] = zero;
    free(p);
}

__attribute__((noinline)) static void deep(int n)
{
    allocate(n); /* @deep */
    if (n == 8)
        throw n;
    throws(n);
    zero = 0;
}

static void after(int n)
{
    allocate(n); /* @after */
}

__attribute__((noinline)) static void cleaned(int n)
{
    clean_up(deep, after, n); /* @cleaned */
    zero = 0;
}

__attribute__((noinline)) static void again(int n)
{
    protect(deep, after, n); /* @inner */
    zero = 0;
}

__attribute__((noinline)) static void catches()
{
    try {
        clean_up(cleaned, after, 9); /* @catches */
    } catch (int n) {
        allocate(n); /* @caught */
    }
    allocate(1); /* @done */
}

static int compare(const void *a, const void *b)
{
    throws(*(const int *)a - *(const int *)b);
    return zero;
}

static void sorts(int)
{
    int numbers[] = {3, 1};

    qsort(numbers, 2, sizeof *numbers, compare);
    zero = 0;
}

static void handler(int number)
{
    allocate(2); /* @handler */
    protect(deep, after, 8); /* @onalternate */
    allocate(3); /* @still */
    throws(number);
    zero = 0;
}

static void raises(int)
{
    raise_it(SIGUSR1); /* @raise */
    zero = 0;
}

int main()
{
    stack_t on = {};
    struct sigaction action = {};

    protect(deep, after, 7); /* @one */
    protect(deep, after, 8); /* @two */
    protect(cleaned, after, 6); /* @three */
    protect(again, after, 77); /* @four */
    catches(); /* @five */
    protect(sorts, after, 0); /* @six */
    on.ss_sp = alternate;
    on.ss_size = sizeof alternate;
    action.sa_handler = handler;
    action.sa_flags = SA_ONSTACK;
    sigaltstack(&on, NULL);
    sigaction(SIGUSR1, &action, NULL);
    protect(raises, after, 0); /* @seven */
    allocate(0); /* @end */
    return 0;
}
#endif
// expect: malloc allocate(int)@allocate < deep(int)@deep < main@one
// expect: malloc allocate(int)@allocate < after(int)@after < main@one
// expect: malloc allocate(int)@allocate < deep(int)@deep < main@two
// expect: malloc allocate(int)@allocate < after(int)@after < main@two
// expect: malloc allocate(int)@allocate < deep(int)@deep < cleaned(int)@cleaned < main@three
// expect: malloc allocate(int)@allocate < after(int)@after < cleaned(int)@cleaned < main@three
// expect: malloc allocate(int)@allocate < after(int)@after < main@three
// expect: malloc allocate(int)@allocate < deep(int)@deep < again(int)@inner < main@four
// expect: malloc allocate(int)@allocate < after(int)@after < again(int)@inner < main@four
// expect: malloc allocate(int)@allocate < after(int)@after < main@four
// expect: malloc allocate(int)@allocate < deep(int)@deep < cleaned(int)@cleaned < catches()@catches < main@five
// expect: malloc allocate(int)@allocate < after(int)@after < cleaned(int)@cleaned < catches()@catches < main@five
// expect: malloc allocate(int)@allocate < after(int)@after < catches()@catches < main@five
// expect: malloc allocate(int)@allocate < catches()@caught < main@five
// expect: malloc allocate(int)@allocate < catches()@done < main@five
// expect: malloc allocate(int)@allocate < after(int)@after < main@six
// expect: malloc allocate(int)@allocate < handler(int)@handler < raises(int)@raise < main@seven
// expect: malloc allocate(int)@allocate < deep(int)@deep < handler(int)@onalternate < raises(int)@raise < main@seven
// expect: malloc allocate(int)@allocate < after(int)@after < handler(int)@onalternate < raises(int)@raise < main@seven
// expect: malloc allocate(int)@allocate < handler(int)@still < raises(int)@raise < main@seven
// expect: malloc allocate(int)@allocate < after(int)@after < main@seven
// expect: malloc allocate(int)@allocate < main@end
