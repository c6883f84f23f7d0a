// SPDX-License-Identifier: MIT
// What is known of allocated objects in C++. Behind each call: the type with
// its size, the destination, and R if the result is returned; ? = unknown.
// The operators are here, so that a library's allocations are seen as well.
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <unordered_map>
#include <vector>

#define NOINLINE __attribute__((noinline, noclone))

NOINLINE void *operator new(std::size_t n)
{
    return std::malloc(n); // = ?, ?, R
}

NOINLINE void *operator new[](std::size_t n)
{
    return std::malloc(n); // = ?, ?, R
}

NOINLINE void operator delete(void *p) noexcept { std::free(p); }
NOINLINE void operator delete[](void *p) noexcept { std::free(p); }
NOINLINE void operator delete(void *p, std::size_t) noexcept { std::free(p); }
NOINLINE void operator delete[](void *p, std::size_t) noexcept
{
    std::free(p);
}

static void *volatile sink;
static volatile int zero;

template <class T> static void keep(T *p)
{
    sink = const_cast<typename std::remove_cv<T>::type *>(p);
}

struct Plain { int a, b; };
struct Wider : Plain { long c; };
struct Constructed { Constructed() : x(zero) {} int x; long y; };
struct Destructed { ~Destructed(); long value; };
Destructed::~Destructed() { value = zero; }
struct Base { virtual ~Base() {} int x; };
struct Derived : Base { long y[3]; };
struct Same : Base { ~Same() override {} };
struct Second { virtual void f() {} long z; };
struct Multiple : Base, Second { long w; };
struct Throws { Throws() { if (zero) throw 1; } int x; };
struct Empty {};
enum class Colour : short { RED };
namespace space { struct Inner { double d[3]; }; enum { LOW }; }
typedef struct { int only; } Typedefed;

template <class T, int N = 1> struct Box {
    Box() : p(new T()) {} // = Plain (8), this->p | std::vector<int> (24), this->p
    T *p;
};

struct Owned {
    static void *operator new(std::size_t n)
    {
        return std::malloc(n); // = ?, ?, R
    }
    static void operator delete(void *p) { std::free(p); }
    Owned() : o(zero) {}
    long o;
};

NOINLINE static Base *make_derived()
{
    return new Derived; // = Derived (40), ?, R
}

template <class T> NOINLINE T *make()
{
    return new T(); // = Plain (8), ?, R | Derived (40), ?, R
}

static void simple(int n)
{
    Plain *p = new Plain; // = Plain (8), p
    Plain *q = new Plain(); // = Plain (8), q
    Plain *r = new Plain{1, n}; // = Plain (8), r
    int *i = new int; // = int (4), i
    int *j = new int(5); // = int (4), j
    char *c = new char[n]; // = char (1), c
    double *d = new double[10]; // = double (8), d
    Plain **v = new Plain *[n]; // = Plain* (8), v
    Colour *e = new Colour[n]; // = Colour (2), e
    space::Inner *s = new space::Inner; // = space::Inner (24), s
    Typedefed *t = new Typedefed; // = Typedefed (4), t
    Empty *m = new Empty; // = Empty (1), m
    const Plain *k = new const Plain(); // = Plain (8), k
    auto *a = new Plain[n]; // = Plain (8), a
    int(*two)[4] = new int[n][4]; // = int [4] (16), two

    v[1] = new Plain; // = Plain (8), v[1]
    keep(p), keep(q), keep(r), keep(i), keep(j), keep(c), keep(d), keep(v);
    keep(e), keep(s), keep(t), keep(m), keep(k), keep(a), keep(two);
    keep(v[1]);
}

static void constructed(int n)
{
    Constructed *c = new Constructed; // = Constructed (16), c
    Constructed *a = new Constructed[n]; // = Constructed (16), a
    Destructed *d = new Destructed; // = Destructed (8), d
    Destructed *e = new Destructed[n]; // = Destructed (8), e
    Destructed *f = new Destructed[3]; // = Destructed (8), f
    Throws *t = new Throws; // = Throws (4), t
    std::string *s = new std::string("x"); // = std::string (32), s
    auto *v = new std::vector<int>(n - n); // = std::vector<int> (24), v

    keep(c), keep(a), keep(d), keep(e), keep(f), keep(t), keep(s), keep(v);
}

static void derived()
{
    Base *b = new Derived; // = Derived (40), b
    Base *s = new Same; // = Same (16), s
    Second *m = new Multiple; // = Multiple (40), ?
    void *v = new Derived; // = Derived (40), v
    Plain *w = new Wider; // = ?, w
    Base *r = make_derived(); // = Base (16), r
    Plain *p = make<Plain>(); // = Plain (8), p
    Base *t = make<Derived>(); // = Derived (40), t

    keep(b), keep(s), keep(m), sink = v, keep(w), keep(r), keep(p), keep(t);
}

static void owned(int n)
{
    Owned *o = new Owned; // = Owned (8), o
    alignas(Plain) char room[sizeof(Plain)];
    Plain *p = new (room) Plain;
    std::unique_ptr<Plain> u(new Plain); // = Plain (8), u
    std::unique_ptr<int[]> a(new int[n]); // = int (4), a
    std::shared_ptr<Derived> s(new Derived); // = Derived (40), s | ?, ?
    auto deleter = std::unique_ptr<char, void (*)(void *)>(
        static_cast<char *>(std::malloc(3)), std::free); // = ?, deleter

    keep(o), keep(p), keep(u.get()), keep(a.get()), keep(s.get());
    keep(deleter.get());
    (void)a.release();
}

static void classes()
{
    Box<Plain> box;
    Box<std::vector<int>> other;

    keep(box.p), keep(other.p);
}

static void unknown(int n)
{
    void *p = ::operator new(n); // = ?, p
    void *q = std::malloc(n); // = ?, q
    auto *c = static_cast<char *>(std::malloc(n)); // = char (1), c
    auto *i = reinterpret_cast<long *>(std::malloc(n)); // = long int (8), i
    char *s = strdup("x"); // = char (1), s

    sink = p, sink = q, keep(c), keep(i), keep(s);
}

static void lambdas(int n)
{
    int *numbers = nullptr;
    auto by_reference = [&](int m) {
        Plain *p = new Plain[m]; // = Plain (8), p

        numbers = static_cast<int *>(std::malloc(4 * m)); // = int (4), numbers
        keep(p);
    };
    auto returned = [](int m) { return new Plain[m]; }; // = Plain (8), ?, R

    by_reference(n);
    keep(numbers);
    keep(returned(n)); // = Plain (8), ?
}

/* std::allocator's results have a type, whatever is inlined around them. */
static void containers(int n)
{
    std::vector<int> v;
    std::vector<Plain> plains(n); // ~ Plain (8)
    std::vector<std::string> strings(n); // ~ std::string (32)
    std::vector<Base *> bases;
    std::list<int> l;
    std::deque<int> d(n); // ~ int (4) | int* (8)
    std::map<int, Plain> m;
    std::unordered_map<int, int> u;
    auto unique = std::make_unique<Derived>(); // ~ Derived (40)
    auto array = std::make_unique<Plain[]>(n); // ~ Plain (8)

    v.push_back(n); // ~ int (4)
    bases.push_back(unique.get()); // ~ Base* (8)
    l.push_back(n); // ~ std::_List_node<int> (24)
    m[n].a = 1; // ~ std::_Rb_tree_node<std::pair<const int, Plain> > (48)
    u[n] = 1; // ~ std::__detail::_Hash_node<std::pair<const int, int>, false> (16) | std::__detail::_Hash_node_base* (8)
    keep(v.data()), keep(plains.data()), keep(strings.data());
    keep(bases.data()), keep(&l.front()), keep(&d.front()), keep(&m[n]);
    keep(&u[n]), keep(unique.get()), keep(array.get());
}

int main(int argc, char **)
{
    const int n = argc + 3;

    simple(n);
    constructed(n);
    derived();
    owned(n);
    classes();
    unknown(n);
    lambdas(n);
    containers(n);
    return 0;
}
