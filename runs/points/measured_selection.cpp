#include "runs/points/measured_selection.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace regroup::runs {

MeasuredSelection::MeasuredSelection(const fitness::MeasuredFitness& fitness,
                                     std::shared_ptr<const models::Merger> merger,
                                     const models::Windows& windows, const RunDirectory& directory,
                                     std::stop_token stop)
    : fitness_(fitness),
      meter_(std::move(merger), windows),
      workers_(fitness::mean_workers(meter_, fitness.measure)),
      memory_(directory, windows.size(), selection_key(fitness.field)),
      service_(*workers_, memory_, std::move(stop)) {}

void MeasuredSelection::announce(std::size_t candidates, const models::MergeRecipe& recipe,
                                 const RunLog& log) const {
  const fitness::Candidate source{models::source_grouping(meter_.merger().source().config()),
                                  {recipe}};
  std::string remark =
      fmt::format("{} candidates to measure on {} tokens", candidates, meter_.windows().tokens());
  if (!service_.missing({&source, 1}).empty()) {
    search::SilentProgress silent;
    const auto started = std::chrono::steady_clock::now();
    service_.measure(source, silent);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    remark += fmt::format(", at most about {}",
                          duration_text(seconds.count() * static_cast<double>(candidates)));
  }
  log.log(remark);
}

}  // namespace regroup::runs
