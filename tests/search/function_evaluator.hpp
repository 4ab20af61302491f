#pragma once

#include <functional>
#include <span>
#include <utility>

#include "search/evolution/evaluator.hpp"

namespace regroup::tests {

/// Objectives by a function of the genes.
class FunctionEvaluator : public search::Evaluator {
 public:
  explicit FunctionEvaluator(
      std::function<search::Objectives(std::span<const search::Gene>)> function)
      : function_(std::move(function)) {}
  void evaluate(const search::Genomes& candidates,
                std::span<search::Objectives> objectives) const override {
    for (std::size_t i = 0; i < candidates.size(); ++i) objectives[i] = function_(candidates[i]);
  }

 private:
  std::function<search::Objectives(std::span<const search::Gene>)> function_;
};

}  // namespace regroup::tests
