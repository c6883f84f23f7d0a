// SPDX-License-Identifier: MIT
/*
 * Memory figures in Google Benchmark: allocations an iteration, the most at once,
 * bytes in total, and what is left.
 *
 *     alloctrace-g++ -g -O2 benchmark.cc -o benchmark -lbenchmark
 *     ./benchmark --benchmark_format=json
 *
 * Or, without the wrapper:
 *
 *     g++ -g -O2 $(alloctrace cflags) benchmark.cc -o benchmark -lbenchmark $(alloctrace ldflags)
 *
 * Of "filled/64", a vector that grows to 64 numbers in 7 steps, it prints:
 *
 *     "allocs_per_iter": 7.1250000000000000e+00,
 *     "max_bytes_used": 792,
 *     "total_allocated_bytes": 8536,
 *     "net_heap_growth": 0
 *
 * 16 iterations of 7 blocks and 508 B, 384 B of them at once; and 2 blocks of
 * Google Benchmark itself, of 408 B, which "nothing/64" shows alone.
 */
#include <alloctrace/benchmark.hpp>

#include <cstdint>
#include <vector>

static void nothing(benchmark::State &state)
{
    for (auto _ : state)
        benchmark::ClobberMemory();
}
BENCHMARK(nothing)->Arg(64)->Arg(1000);

/* Doubles its room whenever that is full. */
static void filled(benchmark::State &state)
{
    for (auto _ : state) {
        std::vector<std::int32_t> numbers;

        for (std::int64_t i = 0; i < state.range(0); i++)
            numbers.push_back(0);
        benchmark::DoNotOptimize(numbers.data());
    }
}
BENCHMARK(filled)->Arg(64)->Arg(1000);

static void reserved(benchmark::State &state)
{
    for (auto _ : state) {
        std::vector<std::int32_t> numbers;

        numbers.reserve(static_cast<std::size_t>(state.range(0)));
        for (std::int64_t i = 0; i < state.range(0); i++)
            numbers.push_back(0);
        benchmark::DoNotOptimize(numbers.data());
    }
}
BENCHMARK(reserved)->Arg(64)->Arg(1000);

/* Each iteration leaves something behind. */
static void kept(benchmark::State &state)
{
    static std::vector<std::int32_t> *last;

    for (auto _ : state) {
        last = new std::vector<std::int32_t>(
            static_cast<std::size_t>(state.range(0)));
        benchmark::DoNotOptimize(last);
    }
}
BENCHMARK(kept)->Arg(64)->Arg(1000)->Iterations(1000);

int main(int argc, char **argv)
{
    benchmark::Initialize(&argc, argv);
    alloctrace::register_memory_manager();
    benchmark::RunSpecifiedBenchmarks();
    alloctrace::unregister_memory_manager();
}
