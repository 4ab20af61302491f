// What the benchmarks were built with, for their report.

#include <benchmark/benchmark.h>

namespace {

#if defined(__clang__)
constexpr const char* kCompiler = __VERSION__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

[[maybe_unused]] const bool kIsNoted = [] {
  benchmark::AddCustomContext("compiler", kCompiler);
  return true;
}();

}  // namespace
