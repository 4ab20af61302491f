// Which pagmo2 it is, for the benchmarks' report.

#include <benchmark/benchmark.h>

#include <pagmo/config.hpp>

namespace {

[[maybe_unused]] const bool kIsNoted = [] {
  benchmark::AddCustomContext("pagmo2", PAGMO_VERSION);
  return true;
}();

}  // namespace
