#include "runs/training/uptrain_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/convert/convert.hpp"
#include "models/files/json_file.hpp"
#include "models/inputs/dataset.hpp"
#include "models/language_model/candidate_meter.hpp"
#include "models/language_model/merger.hpp"
#include "models/language_model/trainer.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/pretrained/new_checkpoint.hpp"
#include "models/text/gguf_tokenizer_files.hpp"
#include "models/text/tokenizer.hpp"
#include "runs/base/eval_window.hpp"
#include "runs/base/output_directory.hpp"
#include "runs/base/version_record.hpp"
#include "runs/directory/run_directory.hpp"
#include "runs/inputs/calibration_input.hpp"
#include "runs/inputs/open_model.hpp"
#include "runs/plan/option_record.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// Child of the run's key that draws a new model's numbers; a training has the first ones.
constexpr std::uint64_t kStartKey = 100;
constexpr const char* kMerged = "merged.safetensors";
constexpr const char* kTraining = "training.safetensors";
/// Measurements and states of a training, where nothing else is asked for.
constexpr std::int64_t kMeasurements = 20;

/// What a training reads, opened and checked.
struct Inputs {
  std::shared_ptr<const models::PretrainedModel> model;
  std::shared_ptr<const models::PretrainedModel> teacher;  ///< null: the model
  models::GroupingFile grouping;
  models::Layout layout;
  models::Dataset data;
  models::Windows windows;
  std::optional<models::Dataset> validation;
  std::optional<models::Windows> measured;
};

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
  OutputAttempt attempt(request.output);
  make_directory(folder);
  models::write_new_checkpoint(
      request.config, folder,
      search::RandomKey(static_cast<std::uint64_t>(request.seed)).split(kStartKey));
  if (!request.tokenizer.empty()) copy_tokenizer(request.tokenizer, folder);
  attempt.keep();
  return folder;
}

Inputs open_inputs(const UptrainRequest& request, const RunLog& log) {
  const auto model =
      open_model(request.config.empty() ? request.model : write_new_model(request), log);
  require_whole(request, *model);
  models::GroupingFile grouping = grouping_of(request, *model);
  const models::ModelHeadMaps maps = models::head_maps(grouping.grouping, model->config);
  const models::Layout layout = models::default_layout(maps, model->config);
  const int context = eval_window(model->config, request.context);
  models::Dataset data = models::read_dataset(request.data, *model, request.join);
  models::Windows windows = models::windows_of(data, model->config, context, 0);
  Inputs inputs{model, nullptr, std::move(grouping), layout, std::move(data), std::move(windows),
                {},    {}};
  if (!request.teacher.empty()) inputs.teacher = open_model(request.teacher, log);
  if (!request.validation.empty()) {
    inputs.validation = models::read_dataset(request.validation, *model, request.join);
    inputs.measured = models::windows_of(*inputs.validation, model->config, context,
                                         static_cast<std::size_t>(request.validation_tokens));
  }
  return inputs;
}

ordered_json data_record(const models::Dataset& data, const models::Windows& windows) {
  ordered_json record = {{"sha256", data.sha256}};
  record[windows.unit()] = windows.tokens();
  record["windows"] = windows.size();
  return record;
}

/// What a run that goes on must have in common with the one before.
ordered_json identity_of(UptrainRequest request, const Inputs& inputs) {
  ordered_json identity = {{"regroup", version_record()},
                           {"command", request.config.empty() ? "uptrain" : "train"},
                           {"model", models::model_identity(*inputs.model)},
                           {"merge", inputs.grouping.recipe.name()},
                           {"grouping", ordered_json::array()},
                           {"dtype", models::config_name(request.compute.dtype)},
                           {"options", option_record(request.options())},
                           {"data", data_record(inputs.data, inputs.windows)}};
  for (const search::LayerGrouping& layer : inputs.grouping.grouping.layers) {
    ordered_json own = {layer.keys.to_string(), layer.values.to_string()};
    if (layer.widths) own.push_back(layer.widths->to_string());
    identity["grouping"].push_back(std::move(own));
  }
  if (inputs.teacher) identity["teacher"] = models::model_identity(*inputs.teacher);
  if (inputs.validation) identity["validation"] = data_record(*inputs.validation, *inputs.measured);
  return identity;
}

class UptrainRun {
 public:
  UptrainRun(const UptrainRequest& request, Inputs inputs, const RunLog& log, std::stop_token stop)
      : request_(request),
        inputs_(std::move(inputs)),
        log_(log),
        stop_(std::move(stop)),
        directory_(request.output, existing(), identity_of(request, inputs_), training_files()) {}

  UptrainResult run(const std::function<std::string(const UptrainResult&)>& write_page);

 private:
  RunDirectory::Existing existing() const {
    if (request_.force) return RunDirectory::Existing::kReplace;
    // The start of a new model stands there already.
    return request_.resume || !request_.config.empty() ? RunDirectory::Existing::kResume
                                                       : RunDirectory::Existing::kRefuse;
  }
  fs::path state(const char* name) const { return directory_.state_folder() / name; }

  /// Before the first file is written.
  void begin() {
    if (!std::exchange(has_begun_, true)) directory_.begin();
  }
  void open_models();
  models::LanguageModel merged_model();
  /// Goes on from the last state, if there is one.
  void take_up();
  void train();
  void take_step();
  void measure();
  void save() const;
  bool is_due() const {
    return trainer_->done() % every() == 0 || trainer_->done() == trainer_->steps();
  }
  std::int64_t every() const;
  bool has_lost_patience() const;
  void say_where() const;
  ordered_json record() const;
  ordered_json trained_record() const;
  void write_model() const;

  const UptrainRequest& request_;
  Inputs inputs_;
  const RunLog& log_;
  std::stop_token stop_;
  RunDirectory directory_;
  bool has_begun_ = false;
  std::optional<models::LanguageModel> source_;
  std::optional<models::LanguageModel> teacher_;
  std::optional<models::SourceStates> reference_;
  std::unique_ptr<models::Trainer> trainer_;
  TrainingLog training_;
};

std::int64_t UptrainRun::every() const {
  if (request_.validate_every > 0) return request_.validate_every;
  return std::max<std::int64_t>(1, trainer_->steps() / kMeasurements);
}

models::LanguageModel UptrainRun::merged_model() {
  const search::Grouping& grouping = inputs_.grouping.grouping;
  if (grouping.is_source()) return *source_;
  const fs::path file = state(kMerged);
  if (!directory_.continues() || !fs::exists(file)) {
    const auto calibration = calibration_of(inputs_.grouping, request_.grouping,
                                            request_.calibration, *source_, stop_, log_.progress());
    const auto merged =
        models::Merger(*source_, calibration).merge(grouping, inputs_.grouping.recipe, stop_);
    begin();
    models::write_merged(file, *inputs_.model, *merged, directory_.state_folder());
  }
  // As the file has them whether it was there or not: the same numbers.
  return source_->with_overlay(*models::read_merged(file, *inputs_.model, grouping));
}

void UptrainRun::open_models() {
  source_.emplace(inputs_.model, request_.compute);
  if (inputs_.teacher) {
    teacher_.emplace(inputs_.teacher, request_.compute);
  } else {
    teacher_ = source_;
  }
  const models::LanguageModel start = merged_model();
  trainer_ = std::make_unique<models::Trainer>(
      start, *source_, *teacher_, inputs_.grouping.grouping, request_.training, inputs_.windows,
      search::RandomKey(static_cast<std::uint64_t>(request_.seed)));
}

void UptrainRun::take_up() {
  const fs::path file = state(kTraining);
  if (!directory_.continues() || !fs::exists(file)) return;
  training_ = read_log(models::parse_json(trainer_->restore(file), file.string()));
  log_.log(fmt::format("Goes on after step {} of {}", trainer_->done(), trainer_->steps()));
}

void UptrainRun::save() const {
  trainer_->save(state(kTraining), log_json(training_).dump(), directory_.state_folder());
}

void UptrainRun::measure() {
  if (!inputs_.measured) return;
  search::Progress& progress = log_.progress();
  if (!reference_) {
    progress.begin("measuring the source", inputs_.measured->tokens(), inputs_.measured->unit());
    reference_ = source_->source_states(*inputs_.measured, stop_, progress);
    progress.end();
  }
  search::SilentProgress silent;
  const auto scores = trainer_->model().compare(*reference_, stop_, silent);
  training_.validations.push_back(validation_of(trainer_->done(), scores, reference_->scores()));
  const Validation& now = training_.validations.back();
  const bool is_better =
      !training_.best || now.loss.mean < training_.validations[*training_.best].loss.mean;
  if (!is_better) return;
  training_.best = training_.validations.size() - 1;
  trainer_->keep_best();
}

bool UptrainRun::has_lost_patience() const {
  if (request_.patience == 0 || !training_.best) return false;
  return training_.validations.size() - 1 - *training_.best >=
         static_cast<std::size_t>(request_.patience);
}

void UptrainRun::say_where() const {
  const auto done = static_cast<std::size_t>(trainer_->done());
  const auto steps = static_cast<std::size_t>(trainer_->steps());
  std::string text = fmt::format("step {} of {}", done, steps);
  if (done > 0) {
    const std::size_t last = std::min<std::size_t>(done, static_cast<std::size_t>(every()));
    double loss = 0;
    double seconds = 0;
    for (std::size_t i = done - last; i < done; ++i) {
      loss += training_.steps[i].loss / static_cast<double>(last);
      seconds += training_.seconds[i] / static_cast<double>(last);
    }
    const auto positions =
        static_cast<double>(training_.steps.back().positions) / static_cast<double>(done);
    text += fmt::format("  loss {:.4f}  {:.0f} tokens/s  {} left", loss, positions / seconds,
                        duration_text(seconds * static_cast<double>(steps - done)));
  }
  if (!training_.validations.empty() &&
      training_.validations.back().step == static_cast<std::int64_t>(done)) {
    const Validation& now = training_.validations.back();
    text += fmt::format("  validation {:.4f} ({:+.4f})", now.loss.mean, now.delta.mean);
  }
  log_.log(text);
}

void UptrainRun::take_step() {
  const auto started = std::chrono::steady_clock::now();
  training_.steps.push_back(trainer_->step(stop_));
  training_.seconds.push_back(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
}

void UptrainRun::train() {
  if (training_.validations.empty() && trainer_->done() == 0) {
    measure();
    save();
    say_where();
  }
  search::Progress& progress = log_.progress();
  const auto left = static_cast<std::size_t>(trainer_->steps() - trainer_->done());
  progress.begin("training", left, "steps");
  while (trainer_->done() < trainer_->steps() && !has_lost_patience()) {
    take_step();
    progress.advance(1);
    if (!is_due()) continue;
    measure();
    save();
    say_where();
  }
  progress.end();
}

ordered_json UptrainRun::trained_record() const {
  ordered_json record = ordered_json::object();
  if (training_.validations.empty()) return record;
  const std::vector<double> losses = values_of(reference_->scores(), &models::WindowScore::loss);
  const fitness::LossEstimate source = fitness::estimate(losses);
  record["source"] = {{"loss", source.mean}};
  if (source.standard_error) record["source"]["loss_stderr"] = *source.standard_error;
  record["zero_shot"] = validation_json(training_.validations.front());
  record["trained"] = validation_json(training_.validations[*training_.best]);
  record["last"] = validation_json(training_.validations.back());
  return record;
}

ordered_json UptrainRun::record() const {
  UptrainRequest request = request_;
  double seconds = 0;
  for (const double step : training_.seconds) seconds += step;
  const double positions =
      training_.steps.empty() ? 0 : static_cast<double>(training_.steps.back().positions);
  ordered_json record = {{"format", "regroup.train"},
                         {"version", 1},
                         {"model", models::model_identity(*inputs_.model)},
                         {"merge", inputs_.grouping.recipe.name()},
                         {"kv_ratio", trainer_->grouping().kv_ratio()},
                         {"options", option_record(request.options())},
                         {"dtype", models::config_name(request_.compute.dtype)},
                         {"data", data_record(inputs_.data, inputs_.windows)}};
  if (inputs_.validation)
    record["validation"] = data_record(*inputs_.validation, *inputs_.measured);
  record["steps"] = training_.steps.size();
  record["tokens"] = static_cast<std::int64_t>(positions);
  record["trained_numbers"] = trainer_->trained_numbers();
  record.update(trained_record());
  record["seconds"] = seconds;
  if (seconds > 0) record["tokens_per_second"] = positions / seconds;
  return record;
}

void UptrainRun::write_model() const {
  const fs::path folder = directory_.path() / "model";
  fs::create_directories(folder);
  const models::ModelHeadMaps maps = models::head_maps(trainer_->grouping(), inputs_.model->config);
  const models::Layout layout = models::default_layout(maps, inputs_.model->config);
  models::ConvertOptions options;
  const fs::path& source = inputs_.model->checkpoint.directory();
  if (inputs_.model->checkpoint.is_gguf()) {
    options.made_files = models::file_contents(
        models::gguf_tokenizer_files(models::read_gguf_metadata(source), source.string()));
  }
  models::convert_checkpoint(*inputs_.model, *trainer_->overlay(), layout, options, folder, stop_,
                             log_.progress());
}

UptrainResult UptrainRun::run(const std::function<std::string(const UptrainResult&)>& write_page) {
  if (directory_.is_finished()) {
    log_.log(fmt::format("{} has finished already", directory_.path().string()));
    return {inputs_.model,
            inputs_.grouping,
            inputs_.layout,
            {},
            ordered_json::parse(models::json_text(
                models::read_json_file(directory_.path() / training_files().last)))};
  }
  open_models();
  begin();
  take_up();
  train();
  if (inputs_.measured && !reference_) {
    search::SilentProgress silent;
    reference_ = source_->source_states(*inputs_.measured, stop_, silent);
  }
  trainer_->return_to_best();
  write_model();
  UptrainResult result{inputs_.model, inputs_.grouping, inputs_.layout, training_, record()};
  result.grouping.grouping = trainer_->grouping();
  directory_.write(
      "grouping.json",
      models::grouping_text(result.grouping.grouping, result.grouping.recipe, *inputs_.model,
                            {.method = request_.config.empty() ? "uptrain" : "train",
                             .seed = static_cast<std::uint64_t>(request_.seed)}));
  const auto positions = training_.steps.empty() ? 0 : training_.steps.front().positions;
  directory_.write("train.csv", training_csv(training_, positions));
  directory_.write("report.html", write_page(result));
  directory_.write("train.json", models::json_text(result.record, 2) + "\n");
  return result;
}

}  // namespace

UptrainResult run_uptrain(const UptrainRequest& request, const RunLog& log, std::stop_token stop,
                          const std::function<std::string(const UptrainResult&)>& write_page) {
  require_valid(request);
  return UptrainRun(request, open_inputs(request, log), log, std::move(stop)).run(write_page);
}

}  // namespace regroup::runs
