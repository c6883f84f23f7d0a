/* SPDX-License-Identifier: MIT */
/*
 * Memory figures for Google Benchmark: allocations an iteration, the most at
 * once, bytes in total and what is left. For C++14 and later.
 *
 *     int main(int argc, char **argv)
 *     {
 *         benchmark::Initialize(&argc, argv);
 *         alloctrace::register_memory_manager();
 *         benchmark::RunSpecifiedBenchmarks();
 *         alloctrace::unregister_memory_manager();
 *     }
 *
 * Google Benchmark then runs each benchmark once more, for a few iterations,
 * and asks for figures of that run; the times are those of the runs before,
 * which are not traced unless the program is. The figures are of the thread that
 * runs the benchmark (alloctrace_scope_begin says what is counted); what
 * threads allocate that the benchmark starts is not in them.
 *
 * Google Benchmark's own blocks for such a run are in the figures: one for what it
 * keeps of the threads (400 bytes in version 1.7.1), one for the benchmark's
 * arguments if it has any. So is what the benchmark does outside of its loop. An
 * empty benchmark of the same arguments says how much that is.
 *
 * Of the figures 1.7.1 prints none on the console; its JSON has allocs_per_iter,
 * max_bytes_used, total_allocated_bytes and net_heap_growth, of which the first
 * alone is divided by the iterations.
 */
#ifndef ALLOCTRACE_BENCHMARK_HPP
#define ALLOCTRACE_BENCHMARK_HPP

#include "alloctrace.h"

#include <benchmark/benchmark.h>

namespace alloctrace
{

/*
 * Fills in what Google Benchmark asks for. Starts tracing for the run if the
 * program is not traced, and stops it again then. Where nothing can be traced it
 * leaves the figures as Google Benchmark has set them: 0, or not known.
 */
class MemoryManager : public ::benchmark::MemoryManager
{
  public:
    void Start()
    {
        is_mine_ = !alloctrace_is_tracing() && alloctrace_start(1) == 0;
        alloctrace_scope_begin(&scope_);
    }

    void Stop(Result &result)
    {
        alloctrace_scope_result counted;
        const bool is_known = alloctrace_scope_end(&scope_, &counted) == 0;

        if (is_mine_)
            alloctrace_stop();
        is_mine_ = false;
        if (!is_known) /* Google Benchmark has set what stands for that */
            return;
        result.num_allocs = static_cast<int64_t>(counted.allocations);
        result.max_bytes_used = static_cast<int64_t>(counted.peak);
        result.total_allocated_bytes = static_cast<int64_t>(counted.bytes);
        result.net_heap_growth = counted.net;
    }

    /* What versions before 1.8 declare. */
    void Stop(Result *result) { Stop(*result); }

  private:
    alloctrace_scope scope_ = {};
    bool is_mine_ = false; /* tracing was started for this run */
};

/* Has Google Benchmark ask for memory figures, if the program can be traced:
 * otherwise it would print zeros. */
inline void register_memory_manager()
{
#if defined(__ALLOCTRACE__) || defined(ALLOCTRACE_API)
    static MemoryManager manager;

    ::benchmark::RegisterMemoryManager(&manager);
#endif
}

/* Undoes that. */
inline void unregister_memory_manager()
{
    ::benchmark::RegisterMemoryManager(nullptr);
}

} /* namespace alloctrace */

#endif
