#include "runs/training/uptrain_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/convert/convert.hpp"
#include "models/files/json_file.hpp"
#include "models/language_model/label_scores.hpp"
#include "models/language_model/merged_layers.hpp"
#include "models/language_model/merger.hpp"
#include "models/language_model/trainer.hpp"
#include "models/layouts/layout.hpp"
#include "models/text/gguf_tokenizer_files.hpp"
#include "runs/directory/run_directory.hpp"
#include "runs/inputs/grouped_layers.hpp"
#include "runs/plan/option_record.hpp"
#include "runs/training/uptrain_inputs.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kMerged = "merged.safetensors";
constexpr const char* kTraining = "training.safetensors";
/// Measurements and states of a training, where nothing else is asked for.
constexpr std::int64_t kMeasurements = 20;

class UptrainRun {
 public:
  UptrainRun(const UptrainRequest& request, UptrainInputs inputs, const RunLog& log,
             std::stop_token stop)
      : request_(request),
        inputs_(std::move(inputs)),
        log_(log),
        stop_(std::move(stop)),
        directory_(request.output, existing(), uptrain_identity(request, inputs_),
                   training_files()) {}

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
  /// What the source makes of the validation data, once.
  void run_source();
  void measure();
  /// The scores with the loss of labels where training minimises that and pairs have no other.
  std::vector<models::WindowScore> with_labels(const models::LanguageModel& model,
                                               std::vector<models::WindowScore> scores) const;
  const std::vector<models::WindowScore>& source_scores();
  void save() const;
  bool is_due() const {
    return trainer_->done() % every() == 0 || trainer_->done() == trainer_->steps();
  }
  std::int64_t every() const;
  bool has_lost_patience() const;
  void say_where() const;
  ordered_json record();
  ordered_json trained_record();
  void write_model() const;

  const UptrainRequest& request_;
  UptrainInputs inputs_;
  const RunLog& log_;
  std::stop_token stop_;
  RunDirectory directory_;
  bool has_begun_ = false;
  std::optional<models::LanguageModel> source_;
  std::optional<models::LanguageModel> teacher_;
  std::optional<models::SourceStates> reference_;
  std::vector<models::WindowScore> source_scores_;  // empty: not made yet
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
    const auto merged = grouped_layers({inputs_.grouping, request_.grouping, request_.calibration},
                                       *source_, stop_, log_.progress());
    begin();
    models::write_merged(file, *inputs_.model, *merged, {}, directory_.state_folder());
  }
  // As the file has them whether it was there or not: the same numbers.
  return source_->with_overlay(*models::read_merged(file, *inputs_.model, grouping).layers);
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

std::vector<models::WindowScore> UptrainRun::with_labels(
    const models::LanguageModel& model, std::vector<models::WindowScore> scores) const {
  const bool by_labels = request_.training.loss.cross_entropy > 0;
  if (!by_labels || inputs_.measured->kind() != models::WindowKind::kPairs) return scores;
  search::SilentProgress silent;
  const auto labels = models::label_scores(model, *inputs_.measured, stop_, silent);
  for (std::size_t w = 0; w < scores.size(); ++w) scores[w].loss = labels[w].loss;
  return scores;
}

const std::vector<models::WindowScore>& UptrainRun::source_scores() {
  if (source_scores_.empty()) source_scores_ = with_labels(*source_, reference_->scores());
  return source_scores_;
}

void UptrainRun::run_source() {
  if (reference_) return;
  search::Progress& progress = log_.progress();
  progress.begin("measuring the source", inputs_.measured->tokens(), inputs_.measured->unit());
  reference_ = source_->source_states(*inputs_.measured, stop_, progress);
  progress.end();
}

void UptrainRun::measure() {
  if (!inputs_.measured) return;
  run_source();
  search::SilentProgress silent;
  const models::LanguageModel model = trainer_->model();
  const auto scores = with_labels(model, model.compare(*reference_, stop_, silent));
  training_.validations.push_back(validation_of(trainer_->done(), scores, source_scores()));
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

ordered_json UptrainRun::trained_record() {
  ordered_json record = ordered_json::object();
  if (training_.validations.empty()) return record;
  const std::vector<double> losses = values_of(source_scores(), &models::WindowScore::loss);
  const fitness::LossEstimate source = fitness::estimate(losses);
  record["source"] = {{"loss", source.mean}};
  if (source.standard_error) record["source"]["loss_stderr"] = *source.standard_error;
  record["zero_shot"] = validation_json(training_.validations.front());
  record["trained"] = validation_json(training_.validations[*training_.best]);
  record["last"] = validation_json(training_.validations.back());
  return record;
}

ordered_json UptrainRun::record() {
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
                         {"data", training_data_record(inputs_.data, inputs_.windows)}};
  if (inputs_.validation)
    record["validation"] = training_data_record(*inputs_.validation, *inputs_.measured);
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
    return {inputs_.grouping,
            {},
            ordered_json::parse(models::json_text(
                models::read_json_file(directory_.path() / training_files().last)))};
  }
  open_models();
  begin();
  take_up();
  train();
  if (inputs_.measured) run_source();
  trainer_->return_to_best();
  write_model();
  UptrainResult result{inputs_.grouping, training_, record()};
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
  return UptrainRun(request, open_uptrain_inputs(request, log), log, std::move(stop))
      .run(write_page);
}

}  // namespace regroup::runs
