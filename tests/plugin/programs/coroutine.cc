/* SPDX-License-Identifier: MIT */
/* C++20: a coroutine's frame is allocated by operator new where it is called;
 * a promise may bring an operator of its own. What the coroutine allocates
 * when it is resumed is on the path of who resumed it. */
// needs: probe
// flags: -std=c++20 -fno-optimize-sibling-calls -fno-ipa-icf
#include <coroutine>
#include <cstdio>
#include <cstdlib>

#include "probe.h"

static void *volatile sink;

struct promise {
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::abort(); }
};

struct task {
    struct promise_type : promise {
        task get_return_object()
        {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
    };
    std::coroutine_handle<promise_type> handle;
};

struct own_task {
    struct promise_type : promise {
        own_task get_return_object()
        {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        static void *operator new(std::size_t size)
        {
            return std::malloc(size); /* @promise */
        }
        static void operator delete(void *p) { std::free(p); }
    };
    std::coroutine_handle<promise_type> handle;
};

__attribute__((noinline)) static void allocate(int n)
{
    sink = new char[n]; /* @allocate */
    delete[] (char *)sink;
}

__attribute__((noinline)) static task run(int n)
{
    allocate(n); /* @first */
    co_await std::suspend_always();
    allocate(n + 1); /* @second */
} /* @run */

__attribute__((noinline)) static own_task run_own(int n)
{
    allocate(n); /* @own_first */
    co_return;
} /* @run_own */

/* Not handle.resume(), whose line the library's version decides. */
#define resume(task) __builtin_coro_resume((task).handle.address())

int main()
{
    task one = run(5); /* @call */
    resume(one); /* @resume */
    resume(one); /* @again */
    one.handle.destroy();
    own_task two = run_own(9); /* @call_own */
    resume(two); /* @resume_own */
    two.handle.destroy();
    std::printf("%ld\n", probe_live);
    return 0;
}
// expect: new run(int)@run < main@call
// expect: new_array allocate(int)@allocate < run(int)@first < main@resume
// expect: new_array allocate(int)@allocate < run(int)@second < main@again
// expect: malloc own_task::promise_type::operator new(size_t)@promise < run_own(int)@run_own < main@call_own
// expect: new_array allocate(int)@allocate < run_own(int)@own_first < main@resume_own
// expect: 0
