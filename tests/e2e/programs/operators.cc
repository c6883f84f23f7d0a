/* SPDX-License-Identifier: MIT */
/*
 * C++'s operators in one program: by itself, with its own operators that use
 * malloc (-DOWN_MALLOC) or a pool (-DOWN_POOL), or only some of them
 * (-DOWN_PLAIN: new, which the library's new[] calls), with its own malloc as
 * well (-DOWN_HEAP). Prints what the operators saw.
 */
#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

static void *volatile sink;
static volatile std::size_t enormous = (std::size_t)1 << 60;
static int n_given, n_taken;

#ifdef OWN_HEAP
static char heap[1 << 20] __attribute__((aligned(64)));
static std::size_t heap_used;

extern "C" void *malloc(std::size_t size)
{
    void *p = heap + heap_used;

    size = (size + 31) & ~(std::size_t)15;
    if (size > sizeof heap - heap_used)
        return nullptr;
    heap_used += size;
    return p;
}
extern "C" void free(void *) {}
extern "C" void *realloc(void *, std::size_t) { std::abort(); }
extern "C" void *calloc(std::size_t n, std::size_t size)
{
    return malloc(n * size);
}
#endif

#if defined OWN_MALLOC || defined OWN_PLAIN
#define GET(size) std::malloc(size)
#define PUT(p) std::free(p)
#endif
#if defined OWN_POOL || defined OWN_HEAP
static char pool[1 << 16] __attribute__((aligned(64)));
static std::size_t pool_used;

static void *pool_get(std::size_t size)
{
    void *p = pool + pool_used;

    size = (size + 7) & ~(std::size_t)7; /* neighbours */
    if (size > sizeof pool - pool_used)
        return nullptr;
    pool_used += size;
    return p;
}
#define GET(size) pool_get(size)
#define PUT(p) (void)(p)
#endif

#ifdef GET
void *operator new(std::size_t size)
{
    void *p = GET(size); /* @inside */

    if (!p)
        throw std::bad_alloc();
    n_given++;
    return p;
}
void operator delete(void *p) noexcept
{
    n_taken += p != nullptr;
    PUT(p);
}
#ifndef OWN_PLAIN
void *operator new[](std::size_t size) { return ::operator new(size); /* @array_inside */ }
void operator delete[](void *p) noexcept { ::operator delete(p); }
void operator delete(void *p, std::size_t) noexcept { ::operator delete(p); }
void operator delete[](void *p, std::size_t) noexcept { ::operator delete(p); }
#endif
#endif

struct alignas(64) wide {
    char bytes[64];
};

struct fragile {
    __attribute__((noinline)) explicit fragile(int n) : value(n)
    {
        if (n < 0)
            throw std::runtime_error("negative");
    }
    int value;
};

/* Under valgrind operator new cannot throw (-DNEVER_FAIL). */
__attribute__((noinline, unused)) static void fail()
{
    try {
        sink = new char[enormous]; /* @enormous */
    } catch (const std::bad_alloc &) {
        sink = new short(1); /* @after */
    }
    delete (short *)sink;
    if (new (std::nothrow) char[enormous])
        std::puts("?");
}

__attribute__((noinline)) static void construct(int n)
{
    try {
        fragile *p = new fragile(n); /* @fragile */

        delete p;
    } catch (const std::runtime_error &) {
    }
}

int main()
{
    std::vector<std::string> words;
    int *kept = new int(1); /* @int */
    char *text = new char[30]; /* @text */
    wide *two = new wide[2]; /* @wide */

    sink = kept;
    sink = text;
    sink = two;
    for (int i = 0; i < 20; i++)
        words.push_back(std::string((std::size_t)i * 3, 'x'));
#ifndef NEVER_FAIL
    fail(); /* @fail */
#endif
    construct(1); /* @good */
    construct(-1); /* @bad */
    sink = ::operator new(0); /* @empty */
    delete[] two;
    delete[] text;
    std::printf("%d %d\n", n_given > 0, n_given - n_taken);
    delete kept;
    return 0;
}
