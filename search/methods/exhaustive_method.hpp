#pragma once

#include "search/method/method.hpp"

namespace regroup::search {

/// Looks at every grouping of the model: the front that other methods are judged by, for models of
/// few layers and heads. With a score it is the true optimum of what is measured. Throws InputError
/// as GroupingEnumeration.
class ExhaustiveMethod : public SearchMethod {
 public:
  std::string_view name() const override { return "exhaustive"; }
  bool takes_score() const override { return true; }
  std::size_t candidates(const GroupingProblem& problem) const override;
  MethodResult run(const GroupingProblem& problem, const MethodContext& context) const override;
};

}  // namespace regroup::search
