#include "search/qcqa/stage_two.hpp"

#include <algorithm>

#include "search/qcqa/marginal_allocation.hpp"
#include "search/variations/bounded_integers.hpp"

namespace regroup::search {
namespace {

/// Index of the member with the most groups that has at most `groups` (the front begins at one).
std::size_t member_within(const UnitFront& front, int groups) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < front.size(); ++i) {
    if (front[i].partition.groups() <= groups) best = i;
  }
  return best;
}

int most_heads(const GroupingProblem& problem) {
  int heads = 1;
  for (const Unit& unit : problem.units()) heads = std::max(heads, unit.costs->heads());
  return heads;
}

/// A kind of stage-2 candidate: the bounds of its genes, what they choose, where a search begins.
class ChoiceSpace {
 public:
  virtual ~ChoiceSpace() = default;
  virtual std::vector<Gene> bounds() const = 0;
  virtual std::size_t member(std::span<const Gene> genome, std::size_t unit) const = 0;
  virtual Genomes seeds(std::size_t limit) const = 0;
  const std::vector<UnitFront>& fronts() const { return fronts_; }

 protected:
  explicit ChoiceSpace(std::vector<UnitFront> fronts) : fronts_(std::move(fronts)) {}
  std::vector<UnitFront> fronts_;
};

/// One gene per unit: the member of its front.
class MemberSpace : public ChoiceSpace {
 public:
  MemberSpace(const GroupingProblem& problem, const std::vector<UnitFront>& fronts)
      : ChoiceSpace(fronts), problem_(problem) {}

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
    for (int groups = 1; groups <= most_heads(problem_); ++groups) {
      for (std::size_t u = 0; auto& gene : result.append_blank()) {
        gene = static_cast<Gene>(member_within(fronts_[u++], groups));
      }
    }
    const std::vector<Choice> path = marginal_allocation(problem_.units(), fronts_);
    const std::size_t room = limit - std::min(limit, result.size());
    const std::size_t taken = std::min(room, path.size());
    for (std::size_t i = 0; i < taken; ++i) {
      const Choice& choice = path[i * path.size() / taken];
      std::copy(choice.begin(), choice.end(), result.append_blank().begin());
    }
    return result;
  }

 private:
  const GroupingProblem& problem_;
};

/// Gene 0: the number of groups k of grouped units, less one; then one bit per unit.
class BitSpace : public ChoiceSpace {
 public:
  BitSpace(const GroupingProblem& problem, const std::vector<UnitFront>& fronts)
      : ChoiceSpace(fronts), largest_k_(std::max(1, most_heads(problem) - 1)) {
    // A unit left as it is has its heads apart, on the front or not.
    for (std::size_t u = 0; u < fronts_.size(); ++u) {
      const int heads = problem.units()[u].costs->heads();
      if (fronts_[u].back().partition.groups() < heads) {
        fronts_[u].push_back({Partition::singletons(heads), 0.0});
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
      std::fill(genome.begin(), genome.end(), Gene{1});
      genome[0] = static_cast<Gene>(k);
    }
    return result;
  }

 private:
  int largest_k_;
};

std::unique_ptr<ChoiceSpace> make_space(StageTwoChoice choice, const GroupingProblem& problem,
                                        const std::vector<UnitFront>& fronts) {
  if (choice == StageTwoChoice::kBit) return std::make_unique<BitSpace>(problem, fronts);
  return std::make_unique<MemberSpace>(problem, fronts);
}

/// Sums sizes and costs of the chosen members. Thread-safe: reads only.
class ModelEvaluator : public Evaluator {
 public:
  ModelEvaluator(const GroupingProblem& problem, const ChoiceSpace& space)
      : problem_(problem), space_(space) {}

  void evaluate(const Genomes& candidates, std::span<Objectives> objectives) const override {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      Objectives sum;
      for (std::size_t u = 0; u < problem_.units().size(); ++u) {
        const FrontMember& member = space_.fronts()[u][space_.member(candidates[i], u)];
        sum.size += problem_.units()[u].kv_heads_per_group * member.partition.groups();
        sum.error += member.cost;
      }
      objectives[i] = sum;
    }
  }

 private:
  const GroupingProblem& problem_;
  const ChoiceSpace& space_;
};

Grouping grouping_of(const GroupingProblem& problem, const ChoiceSpace& space,
                     std::span<const Gene> genome) {
  std::vector<Partition> partitions;
  for (std::size_t u = 0; u < problem.units().size(); ++u) {
    partitions.push_back(space.fronts()[u][space.member(genome, u)].partition);
  }
  return problem.grouping(partitions);
}

}  // namespace

StageTwoResult qcqa_stage_two(const GroupingProblem& problem, const std::vector<UnitFront>& fronts,
                              StageTwoChoice choice, const Nsga2Options& options, RandomKey key,
                              std::stop_token stop, Progress& progress) {
  const std::unique_ptr<ChoiceSpace> space = make_space(choice, problem, fronts);
  const BoundedIntegers variation(space->bounds());
  const ModelEvaluator evaluator(problem, *space);
  const double error_scale = problem.one_group_error();
  StageTwoResult result;
  progress.begin("stage 2: sizes across layers", static_cast<std::size_t>(options.generations) + 1,
                 "generations");
  const auto observe = [&](const GenerationReport& report) {
    result.history.push_back(
        {2, "model", report.generation, report.evaluations, report.archive.size(),
         hypervolume(report.archive.objectives(), problem.source_kv_heads(), error_scale)});
    progress.advance(1);
  };
  const Genomes seeds = space->seeds(static_cast<std::size_t>(options.population));
  const Nsga2Result found = nsga2(variation, evaluator, seeds, options, key, stop, observe);
  progress.end();
  result.evaluations = found.evaluations;
  for (const ParetoArchive::Entry& entry : found.archive.entries()) {
    result.front.push_back({grouping_of(problem, *space, entry.genome), entry.objectives});
  }
  return result;
}

}  // namespace regroup::search
