#include "runs/correlate/correlate_job.hpp"

#include <iterator>
#include <utility>

#include "models/files/atomic_file.hpp"
#include "models/files/json_file.hpp"
#include "runs/base/output_directory.hpp"
#include "runs/correlate/correlate_files.hpp"
#include "runs/correlate/measure_samples.hpp"
#include "runs/inputs/calibration_input.hpp"

namespace regroup::runs {
namespace {

// Children of the run's key.
constexpr std::uint64_t kLabelKey = 1;
constexpr std::uint64_t kLayerKey = 2;
constexpr std::uint64_t kModelKey = 3;
constexpr std::uint64_t kTrainingKey = 4;

std::vector<GroupingSample> draw_samples(std::span<const PricedProxy> proxies,
                                         const CorrelateOptions& options,
                                         const CorrelateInputs& inputs, search::RandomKey key) {
  const auto draws = [&](std::uint64_t child) {
    return SampleDraws{options.exhaustive, options.samples, key.split(child)};
  };
  std::vector<GroupingSample> samples =
      layer_samples(proxies, inputs.group_counts, draws(kLayerKey));
  std::vector<GroupingSample> models = model_samples(proxies, inputs.sizes, draws(kModelKey));
  samples.insert(samples.end(), std::make_move_iterator(models.begin()),
                 std::make_move_iterator(models.end()));
  return samples;
}

CorrelateResult sample_and_measure(const CorrelateOptions& options, const CorrelateInputs& inputs,
                                   const RunLog& log, std::stop_token stop) {
  const search::RandomKey key(static_cast<std::uint64_t>(options.seed));
  const models::MergeRecipe recipe = options.recipe.recipe();
  search::Progress& progress = log.progress();
  const auto calibration = std::make_shared<const models::Calibration>(
      make_calibration(inputs.language_model, inputs.texts.calibration, inputs.texts.data.sha256,
                       key.split(kLabelKey), stop, progress));
  const std::vector<PricedProxy> proxies =
      price_proxies(*inputs.model, *calibration, recipe, stop, progress);
  CorrelateResult result;
  for (const PricedProxy& proxy : proxies) result.proxies.push_back(proxy.name);
  result.samples = draw_samples(proxies, options, inputs, key);
  const models::CandidateMeter meter(
      std::make_shared<const models::Merger>(inputs.language_model, calibration),
      inputs.texts.measured);
  result.source = measure_samples(result.samples, meter, recipe, log, stop);
  if (options.uptrain_tokens > 0) {
    const UptrainSetting setting{options.uptrain_tokens,
                                 inputs.texts.calibration,
                                 {},
                                 inputs.texts.measured,
                                 key.split(kTrainingKey)};
    uptrain_samples(result.samples, meter.merger(), recipe, setting, log, std::move(stop));
  }
  return result;
}

}  // namespace

nlohmann::ordered_json run_correlate(const CorrelateOptions& options, const RunLog& log,
                                     std::stop_token stop) {
  require_valid(options);
  require_usable_directory(
      options.output, options.force ? ExistingFiles::kAccept : ExistingFiles::kRefuse, "--force");
  const CorrelateInputs inputs = open_inputs(options, log);
  OutputAttempt attempt(options.output);
  const CorrelateResult result = sample_and_measure(options, inputs, log, std::move(stop));
  const nlohmann::ordered_json correlations = correlations_json(result, options, inputs);
  models::write_file_atomically(options.output / "samples.csv", samples_csv(result));
  models::write_file_atomically(options.output / "correlations.csv",
                                correlations_csv(correlations));
  models::write_file_atomically(options.output / "correlations.json",
                                models::json_text(correlations, 1) + "\n");
  attempt.keep();
  return correlations;
}

}  // namespace regroup::runs
