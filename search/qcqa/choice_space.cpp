#include "search/qcqa/choice_space.hpp"

#include <algorithm>

#include "search/qcqa/marginal_allocation.hpp"

namespace regroup::search {
namespace {

/// Index of the member with the most groups that has at most `groups`; the first if all have more.
std::size_t member_within(const UnitFront& front, int groups) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < front.size(); ++i) {
    if (front[i].partition.groups() <= groups) best = i;
  }
  return best;
}

/// One gene per unit: the member of its front.
class MemberSpace : public ChoiceSpace {
 public:
  MemberSpace(const GroupingProblem& problem, const std::vector<UnitFront>& fronts,
              std::span<const Grouping> seeds)
      : ChoiceSpace(fronts), problem_(problem), seeds_(seeds) {}

  std::vector<Gene> bounds() const override {
    std::vector<Gene> result;
    for (const UnitFront& front : fronts_) result.push_back(static_cast<Gene>(front.size()));
    return result;
  }
  std::size_t member(std::span<const Gene> genome, std::size_t unit) const override {
    return genome[unit];
  }
  Genomes seeds(std::size_t limit) const override {
    Genomes result(fronts_.size());
    for (int groups = 1; groups <= problem_.heads(); ++groups) {
      for (std::size_t u = 0; auto& gene : result.append_blank()) {
        gene = static_cast<Gene>(member_within(fronts_[u++], groups));
      }
    }
    for (const Grouping& seed : seeds_) {
      for (std::size_t u = 0; auto& gene : result.append_blank()) {
        gene =
            static_cast<Gene>(member_within(fronts_[u], problem_.partition_of(seed, u).groups()));
        ++u;
      }
    }
    append_marginal_allocation(limit, result);
    return result;
  }

 private:
  int kv_heads(const Choice& choice) const {
    int total = 0;
    for (std::size_t u = 0; u < choice.size(); ++u) {
      total += problem_.units()[u].kv_heads_per_group * fronts_[u][choice[u]].partition.groups();
    }
    return total;
  }

  /// As many of the greedy choices within the problem's limit as there is room for, spread evenly.
  void append_marginal_allocation(std::size_t limit, Genomes& genomes) const {
    std::vector<Choice> path = marginal_allocation(problem_.units(), fronts_);
    std::erase_if(
        path, [&](const Choice& choice) { return kv_heads(choice) > problem_.kv_heads_limit(); });
    const std::size_t room = limit - std::min(limit, genomes.size());
    const std::size_t taken = std::min(room, path.size());
    for (std::size_t i = 0; i < taken; ++i) {
      const Choice& choice = path[i * path.size() / taken];
      std::ranges::copy(choice, genomes.append_blank().begin());
    }
  }

  const GroupingProblem& problem_;
  std::span<const Grouping> seeds_;
};

/// Gene 0: the number of groups k of grouped units, less one; then one bit per unit.
class BitSpace : public ChoiceSpace {
 public:
  BitSpace(const GroupingProblem& problem, const std::vector<UnitFront>& fronts)
      : ChoiceSpace(fronts), largest_k_(std::max(1, problem.heads() - 1)) {
    // A unit left as it is has its heads apart, on the front or not.
    for (UnitFront& front : fronts_) {
      const int heads = front.back().partition.heads();
      if (front.back().partition.groups() < heads) {
        front.push_back({Partition::singletons(heads), 0.0});
      }
    }
  }

  std::vector<Gene> bounds() const override {
    std::vector<Gene> result(1 + fronts_.size(), 2);
    result[0] = static_cast<Gene>(largest_k_);
    return result;
  }
  std::size_t member(std::span<const Gene> genome, std::size_t unit) const override {
    const bool grouped = genome[1 + unit] != 0;
    return grouped ? member_within(fronts_[unit], genome[0] + 1) : fronts_[unit].size() - 1;
  }
  Genomes seeds(std::size_t) const override {
    Genomes result(1 + fronts_.size());
    result.append_blank();  // every unit as it is
    for (int k = 0; k < largest_k_; ++k) {
      const std::span<Gene> genome = result.append_blank();
      std::ranges::fill(genome, Gene{1});
      genome[0] = static_cast<Gene>(k);
    }
    return result;
  }

 private:
  int largest_k_;
};

/// One gene: the number of groups that all units have.
class UniformSpace : public ChoiceSpace {
 public:
  explicit UniformSpace(const std::vector<UnitFront>& fronts) : ChoiceSpace(fronts) {}

  std::vector<Gene> bounds() const override { return {static_cast<Gene>(fronts_[0].size())}; }
  std::size_t member(std::span<const Gene> genome, std::size_t unit) const override {
    return member_within(fronts_[unit], fronts_[0][genome[0]].partition.groups());
  }
  Genomes seeds(std::size_t) const override {
    Genomes result(1);
    for (std::size_t i = 0; i < fronts_[0].size(); ++i) {
      result.append_blank()[0] = static_cast<Gene>(i);
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<ChoiceSpace> make_choice_space(const GroupingProblem& problem,
                                               const std::vector<UnitFront>& fronts,
                                               StageTwoChoice kind,
                                               std::span<const Grouping> seeds) {
  if (problem.rules().shape == GroupShape::kStandard) {
    return std::make_unique<UniformSpace>(fronts);
  }
  if (kind == StageTwoChoice::kBit) {
    return std::make_unique<BitSpace>(problem, fronts);
  }
  return std::make_unique<MemberSpace>(problem, fronts, seeds);
}

}  // namespace regroup::search
