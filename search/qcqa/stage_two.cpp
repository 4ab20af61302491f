#include "search/qcqa/stage_two.hpp"

#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/base/stage_deadline.hpp"
#include "search/evolution/memo_evaluator.hpp"
#include "search/evolution/nsga2.hpp"
#include "search/evolution/variations/bounded_integers.hpp"
#include "search/qcqa/choice_space.hpp"

namespace regroup::search {
namespace {

/// Sums sizes and costs of the chosen members. Thread-safe: reads only.
class ModelEvaluator : public Evaluator {
 public:
  ModelEvaluator(const GroupingProblem& problem, const ChoiceSpace& space)
      : problem_(problem), space_(space) {}

  void evaluate(const Genomes& candidates, std::span<Objectives> objectives) const override {
    for_each_chunk(candidates.size(), [&](std::size_t i) {
      Objectives sum;
      for (std::size_t u = 0; u < problem_.units().size(); ++u) {
        const FrontMember& member = space_.chosen(candidates[i], u);
        sum.size += problem_.units()[u].kv_heads_per_group * member.partition.groups();
        sum.error += member.cost;
      }
      objectives[i] = sum;
    });
  }

 private:
  const GroupingProblem& problem_;
  const ChoiceSpace& space_;
};

Grouping grouping_of(const GroupingProblem& problem, const ChoiceSpace& space,
                     std::span<const Gene> genome) {
  std::vector<Partition> partitions;
  for (std::size_t u = 0; u < problem.units().size(); ++u) {
    partitions.push_back(space.chosen(genome, u).partition);
  }
  return problem.grouping(partitions);
}

GenerationRecord record(const Nsga2& search, const GroupingProblem& problem, double error_scale) {
  return {2,
          "model",
          search.generation(),
          search.evaluations(),
          search.archive().size(),
          hypervolume(search.archive().objectives(), problem.source_kv_heads(), error_scale)};
}

}  // namespace

std::vector<ModelPoint> qcqa_stage_two(const GroupingProblem& problem,
                                       const std::vector<UnitFront>& fronts,
                                       const QcqaOptions& options, const MethodContext& context,
                                       QcqaState& state) {
  const std::unique_ptr<ChoiceSpace> space =
      make_choice_space(problem, fronts, options.stage_two, context.seeds);
  const BoundedIntegers variation(space->bounds());
  const ModelEvaluator evaluator(problem, *space);
  const MemoEvaluator memo(evaluator, variation.genes());
  Nsga2Options limits = options.nsga2();
  limits.size_limit = problem.kv_heads_limit();
  Nsga2 search(variation, memo, space->seeds(static_cast<std::size_t>(limits.population)), limits,
               context.key);
  if (state.stage == 2) {
    search.restore(state.stage_two);
  } else {
    state.stage = 2;
    state.seconds = 0;
  }
  const StageDeadline clock(state.seconds, options.seconds);
  const double error_scale = problem.one_group_error();
  context.progress.begin("stage 2: sizes across layers",
                         static_cast<std::size_t>(limits.generations) + 1, "generations");
  context.progress.advance(static_cast<std::size_t>(search.generation() + 1));
  while (!search.is_done() && (search.generation() < 0 || !clock.is_over())) {
    if (context.stop.stop_requested()) throw Interrupted();
    search.step();
    state.model_history.push_back(record(search, problem, error_scale));
    state.stage_two = search.state();
    state.seconds = clock.seconds();
    save(context.store, state);
    context.progress.advance(1);
  }
  context.progress.end();
  std::vector<ModelPoint> front;
  for (const ParetoArchive::Entry& entry : search.archive().entries()) {
    front.push_back({grouping_of(problem, *space, entry.genome), entry.objectives});
  }
  return front;
}

}  // namespace regroup::search
