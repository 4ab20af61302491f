#include "runs/points/keep_fitted.hpp"

namespace regroup::runs {

KeepingPlan keep_fitted(const std::vector<RunPoint>& points, KeptWeights& kept,
                        const models::PretrainedModel& model, std::optional<bool> wanted) {
  KeepingPlan plan;
  std::vector<const RunPoint*> fitted;
  for (const RunPoint& point : points) {
    const bool is_fitted = point.recipe.fits_layers() && !point.point.grouping.is_source();
    if (point.series == "search" && is_fitted) fitted.push_back(&point);
  }
  plan.bytes = static_cast<double>(fitted.size()) * kept_bytes(model);
  plan.keeps = wanted.value_or(plan.bytes <= kMostKeptBytes);
  if (!plan.keeps) return plan;
  for (const RunPoint* point : fitted) kept.want(point->point.grouping, point->recipe);
  return plan;
}

}  // namespace regroup::runs
