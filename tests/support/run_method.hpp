#pragma once

#include "search/method/method.hpp"
#include "search/methods/method_table.hpp"
#include "tests/support/catch.hpp"

namespace regroup::tests {

/// Surroundings of a method under test: one key, no progress, nothing kept, no stop.
class QuietContext {
 public:
  explicit QuietContext(std::uint64_t seed)
      : context_{search::RandomKey(seed), stop_.get_token(), progress_, store_} {}

  const search::MethodContext& operator*() const { return context_; }
  std::stop_source& stop() { return stop_; }

 private:
  std::stop_source stop_;
  search::SilentProgress progress_;
  search::NoStateStore store_;
  search::MethodContext context_;
};

/// Runs a method by its name on the command line, with default options.
inline search::MethodResult run_method(std::string_view name,
                                       const search::GroupingProblem& problem, std::uint64_t seed) {
  const QuietContext context(seed);
  return search::make_method(name)->run(problem, *context);
}

/// Runs a method with options.
inline search::MethodResult run_method(const search::SearchMethod& method,
                                       const search::GroupingProblem& problem, std::uint64_t seed) {
  const QuietContext context(seed);
  return method.run(problem, *context);
}

/// Checks that two runs found the same front, in the same way.
inline void check_equal(const search::MethodResult& a, const search::MethodResult& b) {
  REQUIRE(a.front.size() == b.front.size());
  for (std::size_t i = 0; i < a.front.size(); ++i) {
    CHECK(a.front[i].grouping == b.front[i].grouping);
    CHECK(a.front[i].objectives == b.front[i].objectives);
  }
  CHECK(a.history == b.history);
  CHECK(a.evaluations == b.evaluations);
}

}  // namespace regroup::tests
