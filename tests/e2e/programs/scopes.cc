// SPDX-License-Identifier: MIT
// Scopes in C++: containers, exceptions that leave a scope, operators new of
// all kinds. Prints nothing if all is well.
#include <alloctrace.h>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <vector>

#define CHECK(condition)                                                   \
    do {                                                                   \
        if (!(condition)) {                                                \
            std::fprintf(stderr, "line %d: %s\n", __LINE__, #condition);   \
            std::exit(1);                                                  \
        }                                                                  \
    } while (0)

struct alignas(64) wide {
    char bytes[128];
};

static void check(alloctrace_scope &scope, uint64_t allocations,
                  uint64_t bytes, uint64_t peak, int64_t net)
{
    alloctrace_scope_result result;

    CHECK(alloctrace_scope_end(&scope, &result) == 0);
    CHECK(result.allocations == allocations);
    CHECK(result.bytes == bytes);
    CHECK(result.peak == peak);
    CHECK(result.net == net);
}

// Doubles from 1 to 64 elements: the old ones go after the new ones came.
static void grow_a_vector()
{
    alloctrace_scope scope;
    std::vector<int> *volatile numbers;

    CHECK(alloctrace_scope_begin(&scope) == 0);
    numbers = new std::vector<int>;
    for (int i = 0; i < 64; i++)
        numbers->push_back(i);
    check(scope, 8, sizeof *numbers + 127 * sizeof(int),
          sizeof *numbers + 96 * sizeof(int),
          sizeof *numbers + 64 * sizeof(int));
    CHECK(alloctrace_scope_begin(&scope) == 0);
    delete numbers;
    check(scope, 0, 0, 0, -(int64_t)(sizeof *numbers + 64 * sizeof(int)));
}

static void use_all_operators()
{
    alloctrace_scope scope;
    wide *volatile one;
    char *volatile many;

    CHECK(alloctrace_scope_begin(&scope) == 0);
    one = new wide;
    many = new (std::nothrow) char[1000];
    delete one;
    delete[] many;
    check(scope, 2, 1128, 1128, 0);
}

static void __attribute__((noinline)) fail(char *volatile *block)
{
    alloctrace_scope scope;

    CHECK(alloctrace_scope_begin(&scope) == 0);
    *block = new char[3000];
    delete[] *block;
    *block = new char[70];
    throw 4711;
}

// What is thrown is allocated by the C++ library: it is counted as well.
static void leave_by_an_exception()
{
    alloctrace_scope scope;
    alloctrace_scope_result result;
    char *volatile block = nullptr;

    CHECK(alloctrace_scope_begin(&scope) == 0);
    try {
        fail(&block);
    } catch (int) {
    }
    CHECK(alloctrace_scope_end(&scope, &result) == 0);
    CHECK(result.allocations == 3);
    CHECK(result.bytes >= 3074 && result.bytes < 3074 + 1000);
    CHECK(result.peak == 3000);
    CHECK(result.net == 70);
    delete[] block;
}

int main()
{
    for (int i = 0; i < 1000; i++) {
        grow_a_vector();
        use_all_operators();
        leave_by_an_exception();
    }
}
