// SPDX-License-Identifier: MIT
// D: the collector's memory is not from malloc, but core.stdc's is.
// flags: -fno-optimize-sibling-calls -fno-inline
// variants: -O0|-O1|-O2|-O3|-Os|-O2 -flto
module modules;

import core.stdc.stdlib : free, malloc;

class Tree
{
    int[] keys;
    this(int n) { keys = new int[n]; free(malloc2(n)); } // @constructor
    void* method(size_t n) { return malloc2(n); } // @method
}

struct Box(T)
{
    static void* make(T n) { return malloc2(n); } // @template
}

extern (C) void* c_name(size_t n) { return malloc2(n); } // @c

void* malloc2(size_t n)
{
    auto p = cast(char*) malloc(n); // @malloc
    p[0] = 1;
    return p;
}

void main()
{
    void nested() { free(malloc2(1)); } // @nested

    auto tree = new Tree(5); // @new
    free(tree.method(6)); // @call
    free(Box!int.make(4)); // @make
    free(c_name(3)); // @extern
    nested(); // @inner
}
// expect: malloc modules.malloc2(ulong)@malloc < modules.Tree.this(int)@constructor < D main@new < main:*
// expect: malloc modules.malloc2(ulong)@malloc < modules.Tree.method(ulong)@method < D main@call < main:*
// expect: malloc modules.malloc2(ulong)@malloc < modules.Box!(int).Box.make(int)@template < D main@make < main:*
// expect: malloc modules.malloc2(ulong)@malloc < c_name@c < D main@extern < main:*
// expect: malloc modules.malloc2(ulong)@malloc < modules.main().nested()@nested < D main@inner < main:*
