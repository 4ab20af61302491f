#include "apps/search/search_inputs.hpp"

#include <fmt/format.h>

#include "apps/eval_window.hpp"
#include "apps/search/search_rules.hpp"
#include "models/files/sha256.hpp"
#include "models/grouping/grouping_file.hpp"
#include "search/error.hpp"

namespace regroup::apps {
namespace {

void require_different_data(const SearchInputs& inputs) {
  if (!inputs.calibration || !inputs.eval) return;
  if (inputs.calibration->sha256 != inputs.eval->sha256) return;
  throw InputError({.what = "calibration and evaluation are the same data",
                    .where = "--calibration, --eval",
                    .expected = "different texts: a search must not be reported on what it saw",
                    .found = inputs.eval->file.string()});
}

void require_can_write_text(const models::PretrainedModel& model, const char* option) {
  if (model.config.bos) return;
  throw InputError({.what = "the model has no begin-of-sequence token to sample text from",
                    .where = model.checkpoint.config_where(),
                    .expected = fmt::format("bos_token_id, or {} FILE", option)});
}

}  // namespace

SearchInputs open_inputs(const SearchOptions& options) {
  SearchInputs inputs;
  inputs.model = std::make_shared<const models::PretrainedModel>(models::open_model(options.model));
  inputs.rules = grouping_rules(options, *inputs.model);
  inputs.kv_limits = kv_limits(options, *inputs.model);
  for (const std::filesystem::path& file : options.seed_groupings) {
    inputs.seeds.push_back(models::read_grouping_file(file, *inputs.model).grouping);
  }
  const int window = eval_window(inputs.model->config, 0);
  if (!options.calibration.empty()) {
    inputs.calibration = models::read_token_data(options.calibration, *inputs.model);
    inputs.calibration_windows = models::TokenWindows::of_stream(inputs.calibration->ids, window, 0,
                                                                 options.calibration.string());
  }
  if (!options.eval.empty()) {
    inputs.eval = models::read_token_data(options.eval, *inputs.model);
    inputs.eval_windows = models::TokenWindows::of_stream(
        inputs.eval->ids, eval_window(inputs.model->config, 0),
        static_cast<std::size_t>(options.eval_tokens), options.eval.string());
  }
  require_different_data(inputs);
  const bool measures = options.measure > 0;
  const bool calibrates = uses_calibration(options);
  if (measures && !inputs.eval) require_can_write_text(*inputs.model, "--eval");
  if (calibrates && !inputs.calibration) require_can_write_text(*inputs.model, "--calibration");
  if (measures || calibrates) {
    inputs.language_model.emplace(inputs.model, options.compute);
  } else {
    models::require_finite_attention(*inputs.model);
  }
  return inputs;
}

nlohmann::ordered_json data_hashes(const SearchOptions& options, const SearchInputs& inputs) {
  nlohmann::ordered_json hashes = {{"weights", inputs.model->checkpoint.weights_sha256()}};
  for (const char* name : {"config.json", "tokenizer.model", "tokenizer_config.json"}) {
    const std::filesystem::path file = inputs.model->checkpoint.directory() / name;
    if (std::filesystem::is_regular_file(file)) hashes[name] = models::sha256_of_file(file);
  }
  if (inputs.calibration) hashes["calibration"] = inputs.calibration->sha256;
  if (inputs.eval) hashes["eval"] = inputs.eval->sha256;
  for (const std::filesystem::path& file : options.seed_groupings) {
    hashes["seed_groupings"].push_back(models::sha256_of_file(file));
  }
  return hashes;
}

}  // namespace regroup::apps
