/* SPDX-License-Identifier: MIT */
/* C++: exceptions through frames, to handlers and to destructors. */
// flags: -fno-optimize-sibling-calls -fno-ipa-icf
#include <cstdio>
#include <cstdlib>

static volatile int zero;

__attribute__((noinline)) static void *allocate(int n)
{
    char *p = (char *)malloc(n); /* @allocate */

    p[0] = zero;
    return p;
}

struct guard {
    ~guard() { free(allocate(3)); /* @destructor */ }
};

__attribute__((noinline)) static int throws(int n)
{
    guard g;

    free(allocate(n)); /* @throws */
    if (n > 1)
        throw n;
    return n;
} /* @dtor */

__attribute__((noinline)) static int catches(int n)
{
    int result = 0;

    try {
        result = throws(n); /* @try */
    } catch (int caught) {
        free(allocate(caught)); /* @catch */
        result = 10;
    }
    free(allocate(7)); /* @after */
    return result;
}

namespace space {
struct type {
    __attribute__((noinline)) int method(int n)
    {
        free(allocate(n)); /* @method */
        return n;
    }
};
}

int main()
{
    int sum = catches(1); /* @one */

    sum += catches(2); /* @two */
    space::type t;
    sum += t.method(4); /* @four */
    std::printf("%d\n", sum);
    return 0;
}
// expect: malloc allocate(int)@allocate < throws(int)@throws < catches(int)@try < main@one
// expect: malloc allocate(int)@allocate < guard::~guard()@destructor < throws(int)@dtor < catches(int)@try < main@one
// expect: malloc allocate(int)@allocate < catches(int)@after < main@one
// expect: malloc allocate(int)@allocate < throws(int)@throws < catches(int)@try < main@two
// expect: malloc allocate(int)@allocate < guard::~guard()@destructor < throws(int)@dtor < catches(int)@try < main@two
// expect: malloc allocate(int)@allocate < catches(int)@catch < main@two
// expect: malloc allocate(int)@allocate < catches(int)@after < main@two
// expect: malloc allocate(int)@allocate < space::type::method(int)@method < main@four
// expect: 15
