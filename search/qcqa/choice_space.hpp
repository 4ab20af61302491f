#pragma once

#include <memory>

#include "search/evolution/genomes.hpp"
#include "search/problem/problem.hpp"
#include "search/problem/unit_front.hpp"
#include "search/qcqa/qcqa_options.hpp"

namespace regroup::search {

/// A kind of stage-2 candidate: the bounds of its genes, what they choose, where a search begins.
/// Immutable.
class ChoiceSpace {
 public:
  virtual ~ChoiceSpace() = default;
  /// The i-th gene runs from 0 to bounds[i] − 1.
  virtual std::vector<Gene> bounds() const = 0;
  /// Index of the member of the unit's front that a genome chooses.
  virtual std::size_t member(std::span<const Gene> genome, std::size_t unit) const = 0;
  /// Genomes that a search begins with, at most about `limit`.
  virtual Genomes seeds(std::size_t limit) const = 0;

  /// The fronts that are chosen from, one per unit.
  const std::vector<UnitFront>& fronts() const { return fronts_; }
  const FrontMember& chosen(std::span<const Gene> genome, std::size_t unit) const {
    return fronts_[unit][member(genome, unit)];
  }

 protected:
  explicit ChoiceSpace(std::vector<UnitFront> fronts) : fronts_(std::move(fronts)) {}
  std::vector<UnitFront> fronts_;
};

/// The choices that `kind` and the problem's shape ask for; of members, a search begins with those
/// of the seed groupings, too. Problem and seeds must outlive it.
std::unique_ptr<ChoiceSpace> make_choice_space(const GroupingProblem& problem,
                                               const std::vector<UnitFront>& fronts,
                                               StageTwoChoice kind,
                                               std::span<const Grouping> seeds);

}  // namespace regroup::search
