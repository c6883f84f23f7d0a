/* SPDX-License-Identifier: MIT */
/* As pointers.c, with functions whose names have scopes and parameters. */
#include <cstdlib>
#include <new>

namespace space {

struct node {
    node *next;
    char text[40];
};

void *(*volatile allocate)(std::size_t) = std::malloc;
void *(*volatile create)(std::size_t) = operator new;
void *volatile kept;

template <class T>
__attribute__((noinline)) T *make(std::size_t size)
{
    T *const made = static_cast<T *>(allocate(size));

    kept = made;
    return made;
}

struct pool {
    __attribute__((noinline)) node *take(std::size_t size)
    {
        node *const taken = static_cast<node *>(allocate(size));

        kept = taken;
        return taken;
    }

    __attribute__((noinline)) node *take(int, std::size_t size)
    {
        node *const taken = static_cast<node *>(create(size));

        kept = taken;
        return taken;
    }
};

} // namespace space

int main()
{
    space::pool pool;

    space::make<space::node>(101);
    pool.take(202);
    pool.take(1, 303);
    return 0;
}
