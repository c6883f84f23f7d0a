/* SPDX-License-Identifier: MIT */
/*
 * C++: what functions are called. Constructors and destructors have no marks
 * of their clones, a coroutine's parts have the coroutine's name.
 */
// needs: probe
// There a constructor of complete objects is a function that calls the other.
// not: -flto-partition=max
// flags: -std=c++20 -fno-optimize-sibling-calls -fno-ipa-icf
// variants: -O0|-O1|-O2|-O3|-Os|-O2 -flto|-O2 -Wall -Wextra
#include <coroutine>
#include <cstdlib>

#define KEEP __attribute__((noinline, noclone))

static void *volatile last;

KEEP static void allocate(int n)
{
    last = std::malloc(n); /* @malloc */
    std::free(last);
}

namespace {
KEEP int hidden(int n)
{
    allocate(n); /* @hidden */
    return n;
}
}

namespace outer::inner {
template <typename T, int N> struct box {
    KEEP box() { allocate(N); } /* @ctor */
    KEEP ~box() { allocate(N); } /* @dtor */
    KEEP T operator()(T x) const { allocate(N); return x; } /* @call */
    KEEP operator int() const { allocate(N); return 1; } /* @cast */
    KEEP box &operator+=(int) { allocate(N); return *this; } /* @plus */
    template <typename U> KEEP static U make(U u)
    {
        allocate(N); /* @static */
        return u;
    }
    KEEP virtual void over() { allocate(N); } /* @virtual */
};
}

struct base {
    int k;
    KEEP explicit base(int n) : k(n) { allocate(n); } /* @base */
    virtual ~base() = default;
};

struct derived : virtual base {
    KEEP derived() : base(2) /* @derived */
    {
        allocate(1); /* @body */
    }
};

template <typename F> KEEP void apply(F f)
{
    f(3); /* @apply */
}

extern "C" KEEP void c_name(int n)
{
    allocate(n); /* @c */
}

KEEP void operator""_units(unsigned long long n)
{
    allocate((int)n); /* @literal */
}

namespace async {
struct task {
    struct promise_type {
        task get_return_object()
        {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::abort(); }
    };
    std::coroutine_handle<promise_type> handle;
};

KEEP task run(int n)
{
    allocate(n); /* @before */
    co_await std::suspend_always{};
    allocate(n + 1); /* @behind */
} /* @frame */

template <typename T> struct source {
    KEEP task run(T n)
    {
        allocate(n); /* @member */
        co_return;
    } /* @frame_member */
};
}

KEEP static void resume(async::task t)
{
    t.handle.resume(); /* @resume */
}

int main()
{
    hidden(1); /* @main_hidden */
    {
        outer::inner::box<long, 7> box; /* @main_box */

        box(2); /* @main_call */
        static_cast<void>(static_cast<int>(box)); /* @main_cast */
        box += 3; /* @main_plus */
        outer::inner::box<long, 7>::make('c'); /* @main_static */
        box.over(); /* @main_virtual */
    } /* @main_dtor */
    auto lambda = [](int n) { allocate(n); /* @lambda */ };
    apply(lambda); /* @main_lambda */
    c_name(2); /* @main_c */
    derived d; /* @main_derived */
    12_units; /* @main_literal */
    async::task t = async::run(6); /* @main_start */
    resume(t); /* @main_first */
    resume(t); /* @main_second */
    t.handle.destroy();
    async::source<int> source;
    async::task u = source.run(8); /* @main_start_member */
    resume(u); /* @main_member */
    u.handle.destroy();
    return 0;
}
// expect: malloc allocate(int)@malloc < (anonymous namespace)::hidden(int)@hidden < main@main_hidden
// expect: malloc allocate(int)@malloc < outer::inner::box<long, 7>::box()@ctor < main@main_box
// expect: malloc allocate(int)@malloc < outer::inner::box<long, 7>::operator()(long) const@call < main@main_call
// expect: malloc allocate(int)@malloc < outer::inner::box<long, 7>::operator int() const@cast < main@main_cast
// expect: malloc allocate(int)@malloc < outer::inner::box<long, 7>::operator+=(int)@plus < main@main_plus
// expect: malloc allocate(int)@malloc < char outer::inner::box<long, 7>::make<char>(char)@static < main@main_static
// expect: malloc allocate(int)@malloc < outer::inner::box<long, 7>::over()@virtual < main@main_virtual
// expect: malloc allocate(int)@malloc < outer::inner::box<long, 7>::~box()@dtor < main@main_dtor
// expect: malloc allocate(int)@malloc < main::{lambda(int)#1}::operator()(int) const@lambda < void apply<main::{lambda(int)#1}>(main::{lambda(int)#1})@apply < main@main_lambda
// expect: malloc allocate(int)@malloc < c_name@c < main@main_c
// expect: malloc allocate(int)@malloc < base::base(int)@base < derived::derived()@derived < main@main_derived
// expect: malloc allocate(int)@malloc < derived::derived()@body < main@main_derived
// expect: malloc allocate(int)@malloc < operator"" _units(unsigned long long)@literal < main@main_literal
// expect: new async::run(int)@frame < main@main_start
// expect: malloc allocate(int)@malloc < async::run(int)@before < std::__n4861::coroutine_handle<async::task::promise_type>::resume() const:* < resume(async::task)@resume < main@main_first
// expect: malloc allocate(int)@malloc < async::run(int)@behind < std::__n4861::coroutine_handle<async::task::promise_type>::resume() const:* < resume(async::task)@resume < main@main_second
// expect: new async::source<int>::run(int)@frame_member < main@main_start_member
// expect: malloc allocate(int)@malloc < async::source<int>::run(int)@member < std::__n4861::coroutine_handle<async::task::promise_type>::resume() const:* < resume(async::task)@resume < main@main_member
