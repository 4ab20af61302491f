#include "apps/commands/eval_command.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/calibration_input.hpp"
#include "apps/eval_window.hpp"
#include "apps/loss_text.hpp"
#include "fitness/loss_meter.hpp"
#include "models/files/atomic_file.hpp"
#include "models/files/json_file.hpp"
#include "models/grouping/grouping_file.hpp"
#include "models/text/token_data.hpp"
#include "search/error.hpp"

namespace regroup::apps {
namespace {

using nlohmann::ordered_json;

constexpr const char* kTask = "perplexity";

void require_task(const std::string& task) {
  if (task == kTask) return;
  throw InputError(
      {.what = "task is not known", .where = "--task", .expected = kTask, .found = task});
}

/// The layout that lm-evaluation-harness writes.
ordered_json result_json(const fitness::LossEstimate& loss, const models::TokenData& data,
                         const models::TokenWindows& windows) {
  ordered_json values = {{"loss,none", loss.mean}};
  if (loss.standard_error) values["loss_stderr,none"] = *loss.standard_error;
  values["perplexity,none"] = std::exp(loss.mean);
  return {{"results", {{kTask, values}}},
          {"configs",
           {{kTask,
             {{"context", windows.context()},
              {"data", data.file.string()},
              {"data_sha256", data.sha256}}}}},
          {"n-samples",
           {{kTask, {{"original", data.ids.size() - 1}, {"effective", windows.tokens()}}}}}};
}

std::string summary(const fitness::LossEstimate& loss, const models::TokenWindows& windows) {
  return fmt::format("loss {} nats/token, perplexity {:.4f}  ({} tokens, {} windows of {})",
                     loss_text(loss, 5), std::exp(loss.mean), windows.tokens(), windows.size(),
                     windows.context());
}

}  // namespace

CLI::App* EvalCommand::declare(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("eval", "Measure a model, or a model with a grouping, on a task");
  command->add_option("MODEL", model_, "Hugging Face directory")->required();
  command->add_option("--grouping", grouping_, "Grouping JSON to apply (default: none)")
      ->type_name("FILE");
  command
      ->add_option("--calibration", calibration_,
                   "Text, token ids or a calibration file for a grouping whose merge needs one "
                   "(default: the file that the grouping names)")
      ->type_name("FILE");
  command->add_option("--task", task_, "What to measure: perplexity (nats per token)")
      ->capture_default_str();
  command->add_option("--data", data_, "Text (.txt, UTF-8) or token ids (.bin, .npy)")
      ->required()
      ->type_name("FILE");
  command->add_option("-o,--output", output_, "Write the result here as JSON")->type_name("FILE");
  command
      ->add_option("--context", context_,
                   "Window in tokens (default: the model's maximum, at most 2048)")
      ->type_name("N");
  command->add_flag("--json", json_, "Print the result as JSON");
  compute_.declare(*command);
  threads_.declare(*command);
  verbosity_.declare(*command);
  return command;
}

void EvalCommand::run(const Session& session) {
  const auto started = std::chrono::steady_clock::now();
  require_task(task_);
  const int threads = threads_.apply();
  const models::ComputeOptions compute = compute_.options();
  if (!output_.empty()) require_writable_file(output_, "--output");
  const auto pretrained =
      std::make_shared<const models::PretrainedModel>(models::open_model(model_));
  std::optional<models::GroupingFile> grouping;
  if (!grouping_.empty()) grouping = models::read_grouping_file(grouping_, *pretrained);
  const models::TokenData data = models::read_token_data(data_, *pretrained);
  const int context = eval_window(pretrained->config, context_);
  const auto windows = models::TokenWindows::of_stream(data.ids, context, 0, data.file.string());

  models::LanguageModel model(pretrained, compute);
  search::Progress& progress = session.console.progress();
  if (grouping) {
    const auto calibration =
        calibration_of(*grouping, grouping_, calibration_, model, session.stop, progress);
    model = models::Converter(model, calibration)
                .convert(grouping->grouping, grouping->recipe, session.stop);
  }
  progress.begin("measuring loss", windows.tokens(), "tokens");
  const std::vector<double> losses = model.window_losses(windows, session.stop, progress);
  progress.end();

  const fitness::LossEstimate loss = fitness::estimate(losses);
  ordered_json result = result_json(loss, data, windows);
  result["config"] = {{"model", model_},
                      {"grouping", grouping_.empty() ? ordered_json() : ordered_json(grouping_)},
                      {"dtype", compute_.dtype},
                      {"device", compute.device.to_string()},
                      {"threads", threads}};
  result["total_evaluation_time_seconds"] =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const std::string text = models::json_text(result, 2);
  if (!output_.empty()) models::write_file_atomically(output_, text + "\n");
  session.console.print(json_ ? text : summary(loss, windows));
}

}  // namespace regroup::apps
