#include "apps/search/run_record.hpp"

#include "models/files/sha256.hpp"
#include "regroup/version.hpp"

namespace regroup::apps {
namespace {

using nlohmann::ordered_json;

ordered_json model_record(const models::PretrainedModel& model) {
  return {{"name", model.name()},
          {"architecture", model.config.architecture},
          {"layers", model.config.layers},
          {"query_heads", model.config.query_heads},
          {"kv_heads", model.config.kv_heads},
          {"head_dim", model.config.head_dim},
          {"dtype", models::config_name(model.dtype)},
          {"weights_sha256", model.checkpoint.weights_sha256()}};
}

ordered_json calibration_record(const SearchInputs& inputs) {
  if (!inputs.calibration) return nullptr;
  return {{"file", inputs.calibration->file.filename().string()},
          {"sha256", inputs.calibration->sha256},
          {"tokens", inputs.calibration->ids.size()},
          {"sampled", false}};
}

ordered_json eval_record(const SearchInputs& inputs,
                         const std::optional<models::TokenWindows>& windows) {
  if (!windows) return nullptr;
  const auto ids = std::as_bytes(windows->ids());
  ordered_json record;
  if (inputs.eval) record["file"] = inputs.eval->file.filename().string();
  record["sha256"] = inputs.eval ? inputs.eval->sha256 : models::sha256_hex(ids);
  record["tokens"] = windows->tokens();
  record["windows"] = windows->size();
  record["context"] = windows->context();
  record["sampled"] = !inputs.eval.has_value();
  return record;
}

}  // namespace

ordered_json version_record() {
  return {{"regroup", kVersion}, {"torch", kTorchVersion}, {"compiler", kCompiler}};
}

ordered_json run_record(const SearchOptions& options, const SearchInputs& inputs,
                        const std::optional<models::TokenWindows>& windows,
                        std::size_t evaluations) {
  return {{"format", "regroup.run"},
          {"version", 1},
          {"regroup", kVersion},
          {"seed", options.seed},
          {"options", options.result_options()},
          {"model", model_record(*inputs.model)},
          {"data",
           {{"calibration", calibration_record(inputs)}, {"eval", eval_record(inputs, windows)}}},
          {"versions", version_record()},
          {"evaluations", evaluations}};
}

ordered_json finished_record(ordered_json record, const SearchOptions& options,
                             const std::map<std::string, double>& seconds) {
  record["command_line"] = options.command_line;
  record["paths"] = {{"model", options.model.string()},
                     {"calibration", options.calibration.string()},
                     {"eval", options.eval.string()}};
  record["threads"] = options.threads;
  record["device"] = options.compute.device.to_string();
  record["timings"] = seconds;
  return record;
}

}  // namespace regroup::apps
