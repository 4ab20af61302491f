#include "search/methods/qcqa_methods.hpp"

#include <utility>

namespace regroup::search {
namespace {

// Children of the run's key.
constexpr std::uint64_t kStageOneKey = 1;
constexpr std::uint64_t kStageTwoKey = 2;

}  // namespace

std::string_view QcqaMethod::name() const {
  return sizes_ == GroupSizes::kArbitrary ? "qcqa" : "qcqa-ec";
}

std::string_view QcqaMethod::file_name() const {
  return sizes_ == GroupSizes::kArbitrary ? "qcqa-ac" : "qcqa-ec";
}

MethodResult QcqaMethod::run(const GroupingProblem& problem, const MethodOptions& options,
                             RandomKey key, std::stop_token stop, Progress& progress) const {
  const StageOneOptions stage_one{sizes_, options.group_limit, options.nsga2};
  StageOneResult units =
      qcqa_stage_one(problem, stage_one, key.split(kStageOneKey), stop, progress);
  StageTwoResult model = qcqa_stage_two(problem, units.fronts, options.stage_two, options.nsga2,
                                        key.split(kStageTwoKey), stop, progress);
  MethodResult result{std::move(model.front), std::move(units.history),
                      units.evaluations + model.evaluations};
  result.history.insert(result.history.end(), model.history.begin(), model.history.end());
  return result;
}

}  // namespace regroup::search
