#pragma once

#include "search/asymgqa/unit_search.hpp"
#include "search/method/method.hpp"

namespace regroup::search {

/// What is asked of asymgqa.
struct AsymGqaSettings {
  HeadDistance distance = HeadDistance::kActivation;
  /// Of each unit, for each number of groups; 0: kPricedIterations, with a score
  /// kMeasuredIterations.
  int iterations = 0;
  double accept = AsymGqaOptions().accept;
  double reset = AsymGqaOptions().reset;
};

/// AsymGQA (arXiv 2406.14963; METHODS §3): for every number of groups that all units can have
/// alike, one unit after the other is searched by random moves of similar heads, with its number of
/// groups fixed. Keys and values are units of their own with independent partitions.
///
/// With prices (no score in the context) units do not depend on each other and run in parallel;
/// what is found for a unit and size is kept in the context's store, and not searched again.
/// With a score each candidate of a unit is scored in the model whose earlier units have their best
/// partitions already and whose later ones are whole.
///
/// Departures from the authors' code: its two defects (METHODS §3), the moves of heads between
/// groups, which are in the paper only, and any score in place of one task's accuracy.
class AsymGqaMethod : public SearchMethod {
 public:
  explicit AsymGqaMethod(const AsymGqaSettings& settings = {}) : settings_(settings) {}
  std::string_view name() const override { return "asymgqa"; }
  std::vector<Option> options() override;
  void complete(bool by_score) override;
  std::optional<HeadDistance> head_distances() const override { return settings_.distance; }
  bool takes_score() const override { return true; }
  /// Of a search by a score.
  std::size_t candidates(const GroupingProblem& problem) const override;
  /// Throws WorkError unless there is a distance matrix for each unit.
  MethodResult run(const GroupingProblem& problem, const MethodContext& context) const override;

 private:
  AsymGqaOptions unit_options(bool by_score) const;

  AsymGqaSettings settings_;
};

}  // namespace regroup::search
