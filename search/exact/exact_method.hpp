#pragma once

#include "search/method/method.hpp"

namespace regroup::search {

/// How long the exact method proves.
struct ExactMethodOptions {
  std::int64_t nodes = 10;  ///< subsets relaxed for each unit and number of groups
  double seconds = 0;       ///< after which no tree is explored further; 0: no limit
};

/// The exact front of the whole model (METHODS §8): every unit solved for every number of groups,
/// sizes split by dynamic programming. Small units (`is_small`) are proven; of others each size
/// comes with a certified gap.
class ExactMethod : public SearchMethod {
 public:
  explicit ExactMethod(const ExactMethodOptions& options = {}) : options_(options) {}
  std::string_view name() const override { return "exact"; }
  std::vector<Option> options() override;
  bool knows_units() const override { return true; }
  MethodResult run(const GroupingProblem& problem, const MethodContext& context) const override;

 private:
  ExactMethodOptions options_;
};

}  // namespace regroup::search
