#include "apps/search/search_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/eval_window.hpp"
#include "apps/search/search_rules.hpp"
#include "models/files/sha256.hpp"
#include "models/grouping/grouping_file.hpp"
#include "search/error.hpp"

namespace regroup::apps {
namespace {

/// One of the run's texts: by its option and by what it is for.
struct Role {
  const std::optional<models::TokenData>& data;
  const char* option;
  const char* purpose;
};

void require_different_data(const Role& a, const Role& b) {
  if (!a.data || !b.data || a.data->sha256 != b.data->sha256) return;
  throw InputError({.what = fmt::format("{} and {} are the same data", a.purpose, b.purpose),
                    .where = fmt::format("{}, {}", a.option, b.option),
                    .expected = "different texts: a search must not be reported on what it saw",
                    .found = b.data->file.string()});
}

void require_different_data(const SearchInputs& inputs) {
  const Role calibration{inputs.calibration, "--calibration", "calibration"};
  const Role selection{inputs.selection, "--selection", "selection"};
  const Role eval{inputs.eval, "--eval", "evaluation"};
  require_different_data(calibration, eval);
  require_different_data(calibration, selection);
  require_different_data(selection, eval);
}

/// Takes the last quarter of the calibration text's windows to select on (DESIGN, "Command line").
void split_calibration(SearchInputs& inputs) {
  const models::TokenWindows all = *inputs.calibration_windows;
  if (all.size() < 2) {
    throw InputError({.what = "calibration text is too short to keep a part of it for selection",
                      .where = inputs.calibration->file.string(),
                      .expected = fmt::format(
                          "at least 2 windows of {} tokens, or --selection FILE", all.context()),
                      .found = "1 window"});
  }
  const std::size_t kept = all.size() - std::max<std::size_t>(1, all.size() / 4);
  inputs.calibration_windows = all.part(0, kept);
  inputs.selection_windows = all.part(kept, all.size());
}

/// The data that a measured search selects on, where they are not sampled.
void open_selection(const SearchOptions& options, int window, SearchInputs& inputs) {
  if (!options.selection.empty()) {
    inputs.selection = models::read_token_data(options.selection, *inputs.model);
    inputs.selection_windows = models::TokenWindows::of_stream(inputs.selection->ids, window, 0,
                                                               options.selection.string());
  } else if (is_measured_search(options) && inputs.calibration) {
    split_calibration(inputs);
  }
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
  open_selection(options, window, inputs);
  require_different_data(inputs);
  const bool measures = options.measure > 0;
  const bool calibrates = uses_calibration(options);
  if (measures && !inputs.eval) require_can_write_text(*inputs.model, "--eval");
  if (calibrates && !inputs.calibration) require_can_write_text(*inputs.model, "--calibration");
  const bool selects = is_measured_search(options);
  if (selects && !inputs.selection_windows) require_can_write_text(*inputs.model, "--selection");
  if (measures || calibrates || selects) {
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
  if (inputs.selection) hashes["selection"] = inputs.selection->sha256;
  if (inputs.eval) hashes["eval"] = inputs.eval->sha256;
  for (const std::filesystem::path& file : options.seed_groupings) {
    hashes["seed_groupings"].push_back(models::sha256_of_file(file));
  }
  return hashes;
}

}  // namespace regroup::apps
