#include "apps/search/search_helper.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "apps/search/run_keys.hpp"
#include "models/language_model/candidate_meter.hpp"
#include "runs/directory/kept_weights.hpp"
#include "runs/inputs/open_model.hpp"
#include "runs/inputs/sampled_text.hpp"
#include "runs/ranks/ranks.hpp"
#include "runs/search/search_inputs.hpp"

namespace regroup::apps {
namespace {

/// What a helper measures with, opened when it is first asked.
class SearchHelper {
 public:
  SearchHelper(const runs::SearchPlan& plan, const runs::SearchInputs& inputs,
               const Console& console, std::stop_token stop)
      : plan_(plan), inputs_(inputs), console_(console), stop_(std::move(stop)) {}

  const models::CandidateMeter& meter(const runs::HelperSetup& setup) {
    if (meter_) return *meter_;
    std::shared_ptr<const models::Calibration> calibration;
    if (!setup.calibration.empty()) {
      calibration = std::make_shared<const models::Calibration>(
          models::read_calibration(setup.calibration, *inputs_.model));
    }
    kept_.emplace(setup.run, *inputs_.model, setup.calibration_sha256);
    for (const std::string& content : setup.wanted) kept_->want(content);
    windows_ = inputs_.eval_windows
                   ? *inputs_.eval_windows
                   : runs::sample_text(*inputs_.language_model, run_key(plan_).split(kEvalTextKey),
                                       stop_, console_.progress());
    meter_.emplace(
        std::make_shared<const models::Merger>(*inputs_.language_model, std::move(calibration)),
        *windows_, setup.wanted.empty() ? nullptr : &*kept_);
    return *meter_;
  }

 private:
  const runs::SearchPlan& plan_;
  const runs::SearchInputs& inputs_;
  const Console& console_;
  std::stop_token stop_;
  std::optional<models::Windows> windows_;
  std::optional<runs::KeptWeights> kept_;
  std::optional<models::CandidateMeter> meter_;
};

}  // namespace

void help_search(runs::SearchRequest request, const Console& console, std::stop_token stop) {
  auto model = runs::open_model(request.place.model, console);
  models::require_equal_layers(*model);
  const runs::SearchPlan plan = runs::make_plan(std::move(request), model->config);
  const runs::SearchInputs inputs = runs::open_inputs(plan, console, std::move(model));
  SearchHelper helper(plan, inputs, console, stop);
  runs::help(
      [&](const runs::HelperSetup& setup) -> const models::CandidateMeter& {
        return helper.meter(setup);
      },
      stop);
}

}  // namespace regroup::apps
