#include "apps/commands/eval_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/eval_window.hpp"
#include "apps/loss_text.hpp"
#include "fitness/bootstrap.hpp"
#include "fitness/loss_estimate.hpp"
#include "models/files/atomic_file.hpp"
#include "models/files/json_file.hpp"
#include "models/inputs/input_data.hpp"
#include "models/language_model.hpp"
#include "search/error.hpp"

namespace regroup::apps {
namespace {

using nlohmann::ordered_json;

constexpr std::array<const char*, 2> kTasks = {"perplexity", "divergence"};

/// The bootstrap's key: `eval` draws nothing else, and the same data give the same interval.
constexpr std::uint64_t kBootstrapSeed = 1;

void require_task(const std::string& task, bool has_grouping) {
  if (std::ranges::find(kTasks, task) == kTasks.end()) {
    throw InputError({.what = "task is not known",
                      .where = "--task",
                      .expected = fmt::format("{}", fmt::join(kTasks, " or ")),
                      .found = task});
  }
  if (task == "divergence" && !has_grouping) {
    throw InputError({.what = "a divergence is that of a grouping from its source",
                      .where = "--task divergence",
                      .expected = "--grouping FILE"});
  }
}

/// What a task found.
struct Measured {
  ordered_json values;  ///< under the names of lm-evaluation-harness
  std::string text;     ///< for people
};

void set_estimate(ordered_json& values, const std::string& name,
                  const fitness::LossEstimate& estimate) {
  values[name + ",none"] = estimate.mean;
  if (estimate.standard_error) values[name + "_stderr,none"] = *estimate.standard_error;
}

std::string size_text(const models::Samples& windows) {
  return fmt::format("({} tokens, {} windows of {})", windows.tokens(), windows.size(),
                     windows.context());
}

Measured measure_loss(const models::LanguageModel& model, const models::Samples& windows,
                      const Session& session) {
  search::Progress& progress = session.console.progress();
  progress.begin("measuring loss", windows.tokens(), "tokens");
  const std::vector<double> losses = model.window_losses(windows, session.stop, progress);
  progress.end();
  const fitness::LossEstimate loss = fitness::estimate(losses);
  Measured result;
  set_estimate(result.values, "loss", loss);
  result.values["perplexity,none"] = std::exp(loss.mean);
  result.text = fmt::format("loss {} nats/token, perplexity {:.4f}  {}", loss_text(loss, 5),
                            std::exp(loss.mean), size_text(windows));
  return result;
}

Measured divergence_result(std::span<const models::WindowScore> scores,
                           std::span<const models::WindowScore> source,
                           const models::Samples& windows) {
  const auto mean_of = [&](double models::WindowScore::*field) {
    return fitness::estimate(models::values_of(scores, field));
  };
  const fitness::LossEstimate divergence = mean_of(&models::WindowScore::divergence);
  const fitness::LossEstimate agreement = mean_of(&models::WindowScore::agreement);
  std::vector<double> changes = models::values_of(scores, &models::WindowScore::loss);
  for (std::size_t w = 0; w < changes.size(); ++w) changes[w] -= source[w].loss;
  const fitness::LossEstimate change = fitness::estimate(changes);
  const auto interval = fitness::bootstrap_interval(changes, search::RandomKey(kBootstrapSeed));
  Measured result;
  set_estimate(result.values, "kl", divergence);
  set_estimate(result.values, "top1_agreement", agreement);
  set_estimate(result.values, "loss", mean_of(&models::WindowScore::loss));
  set_estimate(result.values, "delta_loss", change);
  if (interval) {
    result.values["delta_loss_low,none"] = interval->low;
    result.values["delta_loss_high,none"] = interval->high;
  }
  result.text = fmt::format(
      "KL from the source {} nats/token, same most likely token {:.2f} %, loss {:+.5f}{}  {}",
      loss_text(divergence, 5), 100 * agreement.mean, change.mean,
      interval ? fmt::format(" ({:+.5f} to {:+.5f})", interval->low, interval->high) : "",
      size_text(windows));
  return result;
}

Measured measure_divergence(const models::LanguageModel& source, const models::LanguageModel& model,
                            const models::Samples& windows, const Session& session) {
  search::Progress& progress = session.console.progress();
  progress.begin("measuring the source", windows.tokens(), "tokens");
  const models::SourceStates states = source.source_states(windows, session.stop, progress);
  progress.end();
  progress.begin("measuring the grouping", windows.tokens(), "tokens");
  const auto scores = model.compare(states, session.stop, progress);
  progress.end();
  return divergence_result(scores, states.scores(), windows);
}

/// The layout that lm-evaluation-harness writes.
ordered_json result_json(const std::string& task, const ordered_json& values,
                         const models::InputData& data, const models::Samples& windows) {
  return {{"results", {{task, values}}},
          {"configs",
           {{task,
             {{"context", windows.context()},
              {"data", data.file.string()},
              {"data_sha256", data.sha256}}}}},
          {"n-samples", {{task, {{"original", data.size()}, {"effective", windows.tokens()}}}}}};
}

}  // namespace

CLI::App* EvalCommand::declare(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("eval", "Measure a model, or a model with a grouping, on a task");
  command->add_option("MODEL", model_, "Hugging Face directory")->required();
  grouping_.declare(*command);
  command
      ->add_option("--task", task_,
                   "What to measure: perplexity (nats per token), or divergence of --grouping from "
                   "MODEL (nats per token)")
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
  require_task(task_, grouping_.is_given());
  const int threads = threads_.apply();
  const models::ComputeOptions compute = compute_.options();
  if (!output_.empty()) require_writable_file(output_, "--output");
  const auto pretrained =
      std::make_shared<const models::PretrainedModel>(models::open_model(model_));
  grouping_.read(*pretrained);
  const models::InputData data = models::read_input_data(data_, *pretrained);
  const int context = eval_window(pretrained->config, context_);
  const auto windows = models::windows_of(data, pretrained->config, context, 0);

  const models::LanguageModel source(pretrained, compute);
  const models::LanguageModel model =
      grouping_.apply(source, session.stop, session.console.progress());
  const Measured measured = task_ == "divergence"
                                ? measure_divergence(source, model, windows, session)
                                : measure_loss(model, windows, session);
  ordered_json result = result_json(task_, measured.values, data, windows);
  result["config"] = {
      {"model", model_},
      {"grouping", grouping_.is_given() ? ordered_json(grouping_.file()) : ordered_json()},
      {"dtype", compute_.dtype},
      {"device", compute.device.to_string()},
      {"threads", threads}};
  result["total_evaluation_time_seconds"] =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const std::string text = models::json_text(result, 2);
  if (!output_.empty()) models::write_file_atomically(output_, text + "\n");
  session.console.print(json_ ? text : measured.text);
}

}  // namespace regroup::apps
