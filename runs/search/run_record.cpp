#include "runs/search/run_record.hpp"

#include "models/files/sha256.hpp"
#include "models/grouping/grouping_file.hpp"
#include "regroup/version.hpp"
#include "runs/base/version_record.hpp"

namespace regroup::runs {
namespace {

using nlohmann::ordered_json;

ordered_json model_record(const models::PretrainedModel& model) {
  ordered_json record = models::model_identity(model);
  record["dtype"] = models::config_name(model.dtype);
  return record;
}

/// Where a text came from; absent: sampled from the model.
struct TextSource {
  std::filesystem::path file;
  std::string sha256;
  std::size_t documents = 0;  ///< that it was joined of
};

std::optional<TextSource> source_of(const std::optional<models::Dataset>& data) {
  if (!data) return std::nullopt;
  return TextSource{data->file, data->sha256, data->documents};
}

std::optional<TextSource> source_of(const std::optional<CalibrationInput>& input) {
  if (!input) return std::nullopt;
  return TextSource{input->file, input->data_sha256(), input->data ? input->data->documents : 0};
}

ordered_json text_record(const std::optional<TextSource>& data,
                         const std::optional<models::Windows>& windows, models::DocumentJoin join) {
  if (!windows) return nullptr;
  ordered_json record;
  if (data) record["file"] = data->file.filename().string();
  record["sha256"] = data ? data->sha256 : models::sha256_hex(std::as_bytes(windows->ids()));
  if (windows->kind() == models::WindowKind::kImages) {
    record["images"] = windows->size();
  } else if (windows->kind() == models::WindowKind::kTexts) {
    record["texts"] = windows->size();
  } else {
    record["tokens"] = windows->tokens();
    record["windows"] = windows->size();
    record["context"] = windows->context();
  }
  record["sampled"] = !data.has_value();
  if (data && data->documents > 0) {
    record["documents"] = data->documents;
    record["join"] = models::join_name(join);
  }
  return record;
}

/// The parts of one file that calibration and selection share, where they do.
ordered_json data_record(const SearchInputs& inputs, const RunTexts& texts,
                         models::DocumentJoin join) {
  const bool split = inputs.splits_calibration();
  const std::optional<TextSource> calibration = source_of(inputs.calibration);
  ordered_json record = {
      {"calibration", text_record(calibration, texts.calibration, join)},
      {"selection",
       text_record(split ? calibration : source_of(inputs.selection), texts.selection, join)},
      {"eval", text_record(source_of(inputs.eval), texts.eval, join)}};
  if (split) {
    record["calibration"]["part"] = "first three quarters";
    record["selection"]["part"] = "last quarter";
  }
  return record;
}

}  // namespace

ordered_json run_record(const SearchPlan& plan, const SearchInputs& inputs, const RunTexts& texts,
                        std::size_t evaluations) {
  return {{"format", "regroup.run"},
          {"version", 1},
          {"regroup", kProgramVersion},
          {"seed", plan.seed},
          {"options", plan.options},
          {"model", model_record(*inputs.model)},
          {"data", data_record(inputs, texts, plan.data.join)},
          {"input_sha256", data_hashes(plan, inputs)},
          {"versions", version_record()},
          {"evaluations", evaluations}};
}

ordered_json finished_record(ordered_json record, const SearchPlan& plan,
                             const std::optional<models::CalibrationReference>& file,
                             const std::map<std::string, double>& seconds) {
  if (file) record["calibration_file"] = {{"file", file->file}, {"sha256", file->sha256}};
  record["command_line"] = plan.place.command_line;
  record["paths"] = {{"model", plan.place.model.string()},
                     {"calibration", plan.data.calibration.string()},
                     {"selection", plan.data.selection.string()},
                     {"eval", plan.data.eval.string()}};
  record["threads"] = plan.place.threads;
  record["device"] = plan.compute.device.to_string();
  record["timings"] = seconds;
  return record;
}

}  // namespace regroup::runs
