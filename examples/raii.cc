/* SPDX-License-Identifier: MIT */
/*
 * The same in C++: snapshots and statistics that free themselves, ranges, and
 * exceptions instead of codes. Prints what a container costs, and who called.
 *
 *     alloctrace-g++ -g -O2 -std=c++17 raii.cc -o raii
 *     ./raii
 *
 * Or, without the wrapper:
 *
 *     g++ -g -O2 -std=c++17 $(alloctrace cflags) raii.cc -o raii \
 *         $(alloctrace ldflags)
 *
 * It prints:
 *
 *     raii.cc:44: size=2400 B (+2400 B), count=100 (+100), average=24 B
 *         main
 *         report()
 *         scatter(unsigned long)
 *     raii.cc:41: size=800 B (+800 B), count=1 (+1), average=800 B
 *         main
 *         report()
 *         scatter(unsigned long)
 */
#include <alloctrace.hpp>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <vector>

struct point {
    double x, y, z;
};

static std::vector<std::unique_ptr<point>> scatter(std::size_t n)
{
    std::vector<std::unique_ptr<point>> points;

    /* after: 1 x 800 B */
    points.reserve(n);
    for (std::size_t i = 0; i < n; i++)
        /* after: 100 x 24 B */
        points.push_back(std::make_unique<point>());
    return points;
}

static void report()
{
    alloctrace::start();

    const alloctrace::options by_path(ALLOCTRACE_BY_TRACEBACK);
    auto before = alloctrace::snapshot::take();
    auto points = scatter(100);
    auto after = alloctrace::snapshot::take();

    /* Wrappers: the inside of the C++ library, and whatever only hands memory
     * on. */
    for (auto change :
         after.fold_wrappers().compare_to(before.fold_wrappers(), by_path)) {
        std::cout << change.str() << '\n';
        for (auto frame : change.traceback())
            std::cout << "    " << frame.function() << '\n';
    }
}

int main()
{
    try {
        report();
    } catch (const alloctrace::error &error) {
        std::cerr << "raii: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
