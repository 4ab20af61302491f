#pragma once

#include "search/method/method.hpp"

namespace regroup::search {

/// The exact front of the whole model (METHODS §8): every unit solved for every number of groups,
/// sizes split by dynamic programming. Small units (`is_small`) are proven; of others each size
/// comes with a certified gap.
class ExactMethod : public SearchMethod {
 public:
  std::string_view name() const override { return "exact"; }
  bool knows_units() const override { return true; }
  MethodResult run(const GroupingProblem& problem, const MethodOptions& options,
                   const MethodContext& context) const override;
};

}  // namespace regroup::search
