/* SPDX-License-Identifier: MIT */
/* C++: what throws inside of new: the constructor, the operator itself. The
 * block of a constructor that throws is given back by the compiler's own call
 * of operator delete. The program's operators are its own and throw on demand;
 * the frames must be right again wherever the exception arrives. */
// needs: probe
// flags: -std=c++17 -fno-optimize-sibling-calls -fno-ipa-icf
#include <cstdio>
#include <cstdlib>
#include <new>

#include "probe.h"

static volatile bool must_fail;
static void *volatile sink;

void *operator new(std::size_t size)
{
    void *p = must_fail ? nullptr : std::malloc(size); /* @operator */

    if (!p)
        throw std::bad_alloc();
    return p;
}
void operator delete(void *p) noexcept { std::free(p); }
void operator delete(void *p, std::size_t) noexcept { std::free(p); }

struct fragile {
    __attribute__((noinline)) explicit fragile(int n) : value(n)
    {
        sink = std::malloc(1); /* @constructor */
        std::free(sink);
        if (n < 0)
            throw n;
    }
    int value;
};

struct guard {
    ~guard()
    {
        sink = std::malloc(2); /* @destructor */
        std::free(sink);
    }
};

/* No landing pad here but the compiler's, which deletes. */
__attribute__((noinline)) static fragile *make(int n)
{
    return new fragile(n); /* @make */
}

/* A frame and a cleanup on the way. */
__attribute__((noinline)) static int pass(int n)
{
    guard g;
    fragile *p = make(n); /* @pass */
    const int value = p->value;

    delete p;
    return value;
} /* @pass_end */

/* The call that throws and its handler are in one function. */
__attribute__((noinline)) static int here()
{
    int result = 1;

    must_fail = true;
    try {
        sink = new int(3); /* @here */
    } catch (std::bad_alloc &) {
        result = 2;
    }
    must_fail = false;
    sink = std::malloc(3); /* @after_here */
    std::free(sink);
    return result;
}

__attribute__((noinline)) static int attempt(int n)
{
    int result;

    try {
        result = pass(n); /* @attempt */
    } catch (int) {
        result = 10;
    } catch (std::bad_alloc &) {
        result = 20;
    }
    sink = std::malloc(4); /* @after */
    std::free(sink);
    return result;
}

int main()
{
    int sum = attempt(1); /* @good */

    sum += attempt(-1); /* @bad */
    must_fail = true;
    sum += attempt(1); /* @none */
    sum += here(); /* @last */
    std::printf("%d %ld\n", sum, probe_live);
    return 0;
}
// expect: new make(int)@make < pass(int)@pass < attempt(int)@attempt < main@good
// expect: malloc operator new(size_t)@operator < make(int)@make < pass(int)@pass < attempt(int)@attempt < main@good
// expect: malloc fragile::fragile(int)@constructor < make(int)@make < pass(int)@pass < attempt(int)@attempt < main@good
// expect: malloc guard::~guard()@destructor < pass(int)@pass_end < attempt(int)@attempt < main@good
// expect: malloc attempt(int)@after < main@good
// expect: new make(int)@make < pass(int)@pass < attempt(int)@attempt < main@bad
// expect: malloc operator new(size_t)@operator < make(int)@make < pass(int)@pass < attempt(int)@attempt < main@bad
// expect: malloc fragile::fragile(int)@constructor < make(int)@make < pass(int)@pass < attempt(int)@attempt < main@bad
// expect: malloc guard::~guard()@destructor < pass(int)@pass_end < attempt(int)@attempt < main@bad
// expect: malloc attempt(int)@after < main@bad
// expect: new make(int)@make < pass(int)@pass < attempt(int)@attempt < main@none
// expect: malloc guard::~guard()@destructor < pass(int)@pass_end < attempt(int)@attempt < main@none
// expect: malloc attempt(int)@after < main@none
// expect: new here()@here < main@last
// expect: malloc here()@after_here < main@last
// expect: 33 0
