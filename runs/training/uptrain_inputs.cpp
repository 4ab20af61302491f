#include "runs/training/uptrain_inputs.hpp"

#include <string_view>
#include <utility>

#include "models/language_model/candidate_meter.hpp"
#include "models/layouts/layout.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/pretrained/new_checkpoint.hpp"
#include "models/text/tokenizer.hpp"
#include "runs/base/eval_window.hpp"
#include "runs/base/output_directory.hpp"
#include "runs/base/version_record.hpp"
#include "runs/inputs/open_model.hpp"
#include "runs/plan/option_record.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// Child of the run's key that draws a new model's numbers; a training has the first ones.
constexpr std::uint64_t kStartKey = 100;

/// What only merged heads can have needs a grouping, and a grouping the checkpoint that it is of.
void require_whole(const UptrainRequest& request, const models::PretrainedModel& model) {
  if (!model.config.heads_by_layer.empty()) models::require_equal_layers(model);
  if (!request.grouping.empty()) return;
  const models::TrainingOptions& training = request.training;
  const char* option = training.learned ? "--weights"
                       : training.deal  ? "--deal"
                       : training.noise ? "--noise"
                                        : nullptr;
  if (option == nullptr) return;
  throw InputError({.what = "no heads are merged",
                    .where = option,
                    .expected = "--grouping FILE, or --run DIR --kv RATIO"});
}

/// The grouping; means that are to be learned, and deals, begin as the mean.
models::GroupingFile grouping_of(const UptrainRequest& request,
                                 const models::PretrainedModel& model) {
  if (request.grouping.empty()) return {models::source_grouping(model.config), {}, {}};
  models::GroupingFile file = models::read_grouping_file(request.grouping, model);
  if (!request.training.learned) return file;
  if (file.grouping.has_widths()) {
    throw InputError({.what = "weights of a mean are learned for heads of the source's width",
                      .where = request.grouping.string(),
                      .expected = "a grouping without widths, or no --weights"});
  }
  return {std::move(file.grouping), models::MergeRecipe(models::find_merge("mean")), {}};
}

/// Copies the files of a tokenizer that stand beside a model.
void copy_tokenizer(const fs::path& from, const fs::path& to) {
  bool has_any = false;
  for (const std::string_view name : models::kTokenizerFiles) {
    if (!fs::exists(from / name)) continue;
    fs::copy_file(from / name, to / name, fs::copy_options::overwrite_existing);
    has_any = true;
  }
  if (has_any) return;
  throw InputError({.what = "there is no tokenizer",
                    .where = "--tokenizer",
                    .expected = "a directory with the files of one",
                    .found = from.string()});
}

/// Where a model that begins from nothing is written before it is trained.
fs::path write_new_model(const UptrainRequest& request) {
  const bool accepts = request.force || request.resume;
  require_usable_directory(request.output,
                           accepts ? ExistingFiles::kAccept : ExistingFiles::kRefuse,
                           "--force or --resume");
  const fs::path folder = request.output / "state" / "start";
  make_directory(folder);
  models::write_new_checkpoint(
      request.config, folder,
      search::RandomKey(static_cast<std::uint64_t>(request.seed)).split(kStartKey));
  if (!request.tokenizer.empty()) copy_tokenizer(request.tokenizer, folder);
  return folder;
}

}  // namespace

UptrainInputs open_uptrain_inputs(const UptrainRequest& request, const RunLog& log) {
  // What a new model leaves in the directory goes again where anything is refused.
  OutputAttempt attempt(request.output);
  const auto model =
      open_model(request.config.empty() ? request.model : write_new_model(request), log);
  require_whole(request, *model);
  models::GroupingFile grouping = grouping_of(request, *model);
  const models::ModelHeadMaps maps = models::head_maps(grouping.grouping, model->config);
  models::default_layout(maps, model->config);  // some layout must hold it
  const int context = eval_window(model->config, request.context);
  models::Dataset data = models::read_dataset(request.data, *model, request.join);
  models::Windows windows = models::windows_of(data, model->config, context, 0);
  UptrainInputs inputs{model, nullptr, std::move(grouping), std::move(data), std::move(windows),
                       {},    {}};
  if (!request.teacher.empty()) inputs.teacher = open_model(request.teacher, log);
  if (!request.validation.empty()) {
    inputs.validation = models::read_dataset(request.validation, *model, request.join);
    inputs.measured = models::windows_of(*inputs.validation, model->config, context,
                                         static_cast<std::size_t>(request.validation_tokens));
  }
  attempt.keep();
  return inputs;
}

ordered_json training_data_record(const models::Dataset& data, const models::Windows& windows) {
  ordered_json record = {{"sha256", data.sha256}};
  record[windows.unit()] = windows.tokens();
  record["windows"] = windows.size();
  return record;
}

ordered_json uptrain_identity(UptrainRequest request, const UptrainInputs& inputs) {
  ordered_json identity = {{"regroup", version_record()},
                           {"command", request.config.empty() ? "uptrain" : "train"},
                           {"model", models::model_identity(*inputs.model)},
                           {"merge", inputs.grouping.recipe.name()},
                           {"grouping", ordered_json::array()},
                           {"dtype", models::config_name(request.compute.dtype)},
                           {"options", option_record(request.options())},
                           {"data", training_data_record(inputs.data, inputs.windows)}};
  for (const search::LayerGrouping& layer : inputs.grouping.grouping.layers) {
    ordered_json own = {layer.keys.to_string(), layer.values.to_string()};
    if (layer.widths) own.push_back(layer.widths->to_string());
    identity["grouping"].push_back(std::move(own));
  }
  if (inputs.teacher) identity["teacher"] = models::model_identity(*inputs.teacher);
  if (inputs.validation)
    identity["validation"] = training_data_record(*inputs.validation, *inputs.measured);
  return identity;
}

}  // namespace regroup::runs
