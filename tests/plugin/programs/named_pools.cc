/* SPDX-License-Identifier: MIT */
/* Allocators that only the options name, in C++: by what the linker sees (one
 * of two overloads; the first line that fits counts), by scopes, in templates;
 * one that throws. */
// needs: probe
// flags: -fno-optimize-sibling-calls -fno-ipa-icf -fplugin-arg-alloctrace-allocator=_ZN5store4grabEii:1*2 -fplugin-arg-alloctrace-allocator=store::grab:1:store::drop:2 -fplugin-arg-alloctrace-allocator=resize:2:resize -fplugin-arg-alloctrace-allocator=node<int>::make:0:node<int>::release
#include <cstdio>

#include "probe.h"

static char memory[4096];

namespace store {
__attribute__((noinline)) void *grab(unsigned n)
{
    if (n > 100)
        throw n;
    return memory + n;
}
__attribute__((noinline)) void *grab(int n, int size)
{
    return memory + n * size;
}
__attribute__((noinline)) void drop(int, void *) {}
}

__attribute__((noinline)) void *resize(void *p, unsigned short n)
{
    return n > 100 ? nullptr : p;
}

template <typename T> struct node {
    T value;
    __attribute__((noinline)) static node *make()
    {
        return (node *)memory;
    }
    __attribute__((noinline)) static void release(node *) {}
};

__attribute__((noinline)) static int attempt(unsigned n)
{
    try {
        store::drop(1, store::grab(n)); /* @grab */
    } catch (unsigned) {
        return 1;
    }
    return 0;
}

int main()
{
    int sum = attempt(5); /* @five */

    sum += attempt(101); /* no block, and no word of it */
    void *p = store::grab(3, 4); /* @product */
    p = resize(p, 50); /* @resize */
    if (resize(p, 101))
        return 1;
    node<int>::release(node<int>::make()); /* @make */
    node<char>::release(node<char>::make());
    std::printf("%d\n", sum);
    return 0;
}
// expect: store::grab(5) attempt(unsigned int)@grab < main@five
// expect: free of any
// expect: store::grab(12) main@product
// expect: resize(50) resized main@resize
// expect: node<int>::make(?) main@make
// expect: free of any
// expect: 1
