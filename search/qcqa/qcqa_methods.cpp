#include "search/qcqa/qcqa_methods.hpp"

#include <utility>

#include "search/qcqa/stage_one.hpp"
#include "search/qcqa/stage_two.hpp"

namespace regroup::search {
namespace {

// Children of the run's key.
constexpr std::uint64_t kStageOneKey = 1;
constexpr std::uint64_t kStageTwoKey = 2;

/// History and number of candidates of both stages.
MethodResult result_of(std::vector<ModelPoint> front, const QcqaState& state) {
  MethodResult result{std::move(front), {}, state.stage_two.evaluations};
  for (const History& rows : state.unit_history) {
    result.history.insert(result.history.end(), rows.begin(), rows.end());
  }
  for (const Nsga2State& unit : state.stage_one) result.evaluations += unit.evaluations;
  result.history.insert(result.history.end(), state.model_history.begin(),
                        state.model_history.end());
  return result;
}

}  // namespace

std::string_view QcqaMethod::name() const {
  return sizes_ == GroupSizes::kArbitrary ? "qcqa" : "qcqa-ec";
}

std::string_view QcqaMethod::file_name() const {
  return sizes_ == GroupSizes::kArbitrary ? "qcqa-ac" : "qcqa-ec";
}

GroupSizes QcqaMethod::sizes(const GroupingProblem& problem) const {
  return problem.rules().equal_sizes() ? GroupSizes::kEqual : sizes_;
}

MethodResult QcqaMethod::run(const GroupingProblem& problem, const MethodContext& context) const {
  QcqaState state = load_qcqa_state(context.store);
  const std::vector<UnitFront> fronts =
      qcqa_stage_one(problem, sizes(problem), options_, context.with_key(kStageOneKey), state);
  std::vector<ModelPoint> front =
      qcqa_stage_two(problem, fronts, options_, context.with_key(kStageTwoKey), state);
  MethodResult result = result_of(std::move(front), state);
  result.units = fronts;
  return result;
}

}  // namespace regroup::search
