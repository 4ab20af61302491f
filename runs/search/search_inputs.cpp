#include "runs/search/search_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/files/sha256.hpp"
#include "models/grouping/grouping_file.hpp"
#include "models/recipes/mergeable.hpp"
#include "models/text/tokenizer.hpp"
#include "runs/inputs/sampled_text.hpp"
#include "runs/inputs/spared_memory.hpp"
#include "runs/plan/search_rules.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

/// One of the run's texts: by its option and by what it is for.
struct Role {
  std::string sha256;  ///< empty: not given
  std::filesystem::path file;
  const char* option;
  const char* purpose;
};

Role role_of(const std::optional<models::Dataset>& data, const char* option, const char* purpose) {
  if (!data) return {"", "", option, purpose};
  return {data->sha256, data->file, option, purpose};
}

void require_different_data(const Role& a, const Role& b) {
  if (a.sha256.empty() || a.sha256 != b.sha256) return;
  throw InputError({.what = fmt::format("{} and {} are the same data", a.purpose, b.purpose),
                    .where = fmt::format("{}, {}", a.option, b.option),
                    .expected = "different texts: a search must not be reported on what it saw",
                    .found = b.file.string()});
}

void require_different_data(const SearchInputs& inputs) {
  Role calibration{"", "", "--calibration", "calibration"};
  if (inputs.calibration) {
    calibration.sha256 = inputs.calibration->data_sha256();
    calibration.file = inputs.calibration->file;
  }
  const Role selection = role_of(inputs.selection, "--selection", "selection");
  const Role eval = role_of(inputs.eval, "--eval", "evaluation");
  require_different_data(calibration, eval);
  require_different_data(calibration, selection);
  require_different_data(selection, eval);
}

/// Takes the last quarter of the calibration text's windows to select on (DESIGN, "Data").
void split_calibration(SearchInputs& inputs) {
  const models::Windows all = *inputs.calibration_windows;
  if (inputs.calibration->statistics) {
    throw InputError({.what = "statistics cannot be split from the text that they were made of",
                      .where = inputs.calibration->file.string(),
                      .expected = "--selection FILE beside it, or text for --calibration",
                      .found = "a calibration file"});
  }
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
void open_selection(const SearchPlan& plan, SearchInputs& inputs) {
  if (!plan.data.selection.empty()) {
    inputs.selection = models::read_dataset(plan.data.selection, *inputs.model, plan.data.join);
    inputs.selection_windows = calibration_windows(*inputs.selection, inputs.model->config, 0);
  } else if (plan.selects_by_measuring() && inputs.calibration) {
    split_calibration(inputs);
  }
}

/// What a search computes with must be in the statistics that it is given.
void require_statistics(const SearchPlan& plan, const SearchInputs& inputs) {
  if (!inputs.calibration || !inputs.calibration->statistics || !plan.uses_gradients()) return;
  if (inputs.calibration->statistics->has_gradients()) return;
  throw InputError({.what = "calibration holds no gradients",
                    .where = inputs.calibration->file.string(),
                    .expected = "a file of `regroup calibrate` with them, or text",
                    .found = "none"});
}

ScratchNeeds scratch_needs(const SearchPlan& plan, const SearchInputs& inputs) {
  std::size_t tokens = 0;
  for (const auto& windows : {inputs.calibration_windows, inputs.eval_windows}) {
    tokens = std::max(tokens, windows ? windows->tokens() : kSampledWindows * kSampledContext);
  }
  return {tokens, plan.uses_calibration(), true, true};
}

}  // namespace

SearchInputs open_inputs(const SearchPlan& plan, const RunLog& log,
                         std::shared_ptr<const models::PretrainedModel> model) {
  SearchInputs inputs;
  inputs.model = std::move(model);
  models::require_refit_passes(plan.recipe, inputs.model->config);
  for (const models::CacheType type : plan.measuring.caches) {
    models::require_cache(inputs.model->config, type, "--cache-dtype");
  }
  inputs.rules = grouping_rules(plan, *inputs.model);
  inputs.kv_limits = kv_limits(plan, *inputs.model);
  for (const std::filesystem::path& file : plan.data.seed_groupings) {
    inputs.seeds.push_back(models::read_grouping_file(file, *inputs.model).grouping);
  }
  if (!plan.data.calibration.empty()) {
    inputs.calibration = open_calibration(plan.data.calibration, *inputs.model, plan.data.join);
    inputs.calibration_sha256 = inputs.calibration->content_sha256();
    inputs.calibration_windows = inputs.calibration->windows;
    require_statistics(plan, inputs);
  }
  if (!plan.data.eval.empty()) {
    inputs.eval = models::read_dataset(plan.data.eval, *inputs.model, plan.data.join);
    inputs.eval_windows = calibration_windows(*inputs.eval, inputs.model->config,
                                              static_cast<std::size_t>(plan.data.eval_tokens));
  }
  open_selection(plan, inputs);
  if (!plan.data.uptrain.empty()) {
    inputs.uptrain = models::read_dataset(plan.data.uptrain, *inputs.model, plan.data.join);
  }
  require_different_data(inputs);
  const bool measures = plan.measuring.points > 0;
  const bool calibrates = plan.uses_calibration();
  if (measures && !inputs.eval) require_can_write_text(*inputs.model, "--eval");
  if (calibrates && !inputs.calibration) require_can_write_text(*inputs.model, "--calibration");
  const bool selects = plan.selects_by_measuring();
  if (selects && !inputs.selection_windows) require_can_write_text(*inputs.model, "--selection");
  if (measures || calibrates || selects) {
    inputs.compute =
        spared_memory(plan.compute, *inputs.model, {plan.place.scratch, plan.place.output},
                      scratch_needs(plan, inputs), log);
    inputs.language_model.emplace(inputs.model, inputs.compute);
  } else {
    models::require_finite_attention(*inputs.model);
  }
  return inputs;
}

bool SearchInputs::joins_documents() const {
  const auto joins = [](const std::optional<models::Dataset>& data) {
    return data && data->documents > 0;
  };
  return (calibration && joins(calibration->data)) || joins(selection) || joins(eval);
}

nlohmann::ordered_json data_hashes(const SearchPlan& plan, const SearchInputs& inputs) {
  nlohmann::ordered_json hashes = {{"weights", inputs.model->checkpoint.weights_sha256()}};
  const auto add = [&](const char* name) {
    const std::filesystem::path file = inputs.model->checkpoint.directory() / name;
    if (std::filesystem::is_regular_file(file)) hashes[name] = models::sha256_of_file(file);
  };
  add("config.json");
  for (const char* name : models::kTokenizerFiles) add(name);
  if (inputs.calibration) hashes["calibration"] = inputs.calibration_sha256;
  if (inputs.selection) hashes["selection"] = inputs.selection->sha256;
  if (inputs.eval) hashes["eval"] = inputs.eval->sha256;
  if (inputs.uptrain) hashes["uptrain"] = inputs.uptrain->sha256;
  for (const std::filesystem::path& file : plan.data.seed_groupings) {
    hashes["seed_groupings"].push_back(models::sha256_of_file(file));
  }
  return hashes;
}

}  // namespace regroup::runs
