/* SPDX-License-Identifier: MIT */
/* C++: every form of new and delete, each with its own place. */
// needs: probe
// flags: -std=c++17 -fno-optimize-sibling-calls -fno-ipa-icf
#include <cstdio>
#include <new>

#include "probe.h"

struct alignas(64) wide {
    char bytes[64];
};

/* Its own operators are functions like others, not allocators. */
struct own {
    static void *operator new(std::size_t size)
    {
        return ::operator new(size); /* @own */
    }
    static void operator delete(void *p) { ::operator delete(p); }
    int value;
};

/* Keeps the compiler from removing a pair of new and delete. */
static void *volatile sink;

template <typename T> __attribute__((noinline)) static T *keep(T *p)
{
    sink = p;
    return p;
}

template <typename T> __attribute__((noinline)) static void plain()
{
    delete keep(new T()); /* @plain */
    delete[] keep(new T[3]()); /* @array */
    delete keep(new (std::nothrow) T()); /* @nothrow */
    delete[] keep(new (std::nothrow) T[2]()); /* @array_nothrow */
}

__attribute__((noinline)) static void called()
{
    void *p = ::operator new(8); /* @called */
    ::operator delete(keep(p), 8);
    p = ::operator new[](8); /* @called_array */
    ::operator delete[](keep(p), std::nothrow);
    p = ::operator new(8, std::align_val_t(32)); /* @called_aligned */
    ::operator delete(keep(p), std::align_val_t(32), std::nothrow);
}

__attribute__((noinline)) static void not_called()
{
    alignas(int) char place[sizeof(int)];

    sink = new (place) int(1); /* placement: no call at all */
    delete keep(new own()); /* @class */
}


int main()
{
    plain<int>(); /* @int */
    plain<wide>(); /* @wide */
    called(); /* @calls */
    not_called(); /* @not */
    auto lambda = [](int n) __attribute__((noinline)) {
        delete[] keep(new char[n]); /* @lambda */
    };
    lambda(7); /* @call_lambda */
    std::printf("%ld\n", probe_live);
    return 0;
}
// expect: new void plain<int>()@plain < main@int
// expect: new_array void plain<int>()@array < main@int
// expect: new_nothrow void plain<int>()@nothrow < main@int
// expect: new_array_nothrow void plain<int>()@array_nothrow < main@int
// expect: new_aligned void plain<wide>()@plain < main@wide
// expect: new_array_aligned void plain<wide>()@array < main@wide
// expect: new_aligned_nothrow void plain<wide>()@nothrow < main@wide
// expect: new_array_aligned_nothrow void plain<wide>()@array_nothrow < main@wide
// expect: new called()@called < main@calls
// expect: new_array called()@called_array < main@calls
// expect: new_aligned called()@called_aligned < main@calls
// expect: new own::operator new(size_t)@own < not_called()@class < main@not
// expect: new_array main::{lambda(int)#1}::operator()(int) const@lambda < main@call_lambda
// expect: 0
