#include "apps/commands/eval_command.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/eval_result.hpp"
#include "apps/option_declaration.hpp"
#include "models/files/atomic_file.hpp"
#include "models/files/json_file.hpp"
#include "models/language_model/language_model.hpp"
#include "runs/base/eval_window.hpp"
#include "runs/inputs/open_model.hpp"
#include "runs/inputs/spared_memory.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

using nlohmann::ordered_json;

std::string task_help() {
  std::string text = "What to measure:";
  const char* separator = " ";
  for (const fitness::Task* task : fitness::all_tasks()) {
    text += fmt::format("{}{} ({})", separator, task->name(), task->summary());
    separator = "; ";
  }
  return text;
}

}  // namespace

CLI::App* EvalCommand::declare(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("eval", "Measure a model, or a model with a grouping, on a task");
  command->add_option("MODEL", model_, "Hugging Face directory or GGUF file")->required();
  grouping_.declare(*command);
  command->add_option("--task", task_, task_help())->capture_default_str()->type_name("TASK");
  command
      ->add_option("--data", data_,
                   "Text (.txt, UTF-8), token ids (.bin, .npy), JSON lines (.jsonl) or a folder of "
                   "images, as the task and the model read them")
      ->required()
      ->type_name("FILE");
  command->add_option("-o,--output", output_, "Write the result here as JSON")->type_name("FILE");
  command
      ->add_option(
          "--samples", samples_,
          "Write what was found of each window or document here, as JSON lines: to compare "
          "two models in pairs")
      ->type_name("FILE");
  command
      ->add_option("--context", context_,
                   "Window, longest input in tokens (default: the model's maximum, at most 2048)")
      ->type_name("N");
  command->add_option("--limit", limit_, "Measure only the first N documents (default: 0, all)")
      ->type_name("N");
  declare_options({models::join_option(join_)}, *command);
  command
      ->add_option("--cache-dtype", cache_dtype_,
                   "Compute with keys and values as a KV cache of this type gives them back: f16, "
                   "q8_0, q4_0, as llama.cpp's -ctk and -ctv (default: the type of the "
                   "computation)")
      ->type_name("TYPE");
  grouping_.declare_rotation(*command);
  command->add_flag("--json", json_, "Print the result as JSON");
  compute_.declare(*command);
  declare_scratch(*command, scratch_);
  threads_.declare(*command);
  verbosity_.declare(*command);
  return command;
}

const fitness::Task& EvalCommand::task() const {
  const fitness::Task& task = fitness::find_task(task_);
  if (task.compares() && !grouping_.is_given() && cache_dtype_.empty()) {
    throw InputError({.what = "task compares a grouping with its source",
                      .where = fmt::format("--task {}", task_),
                      .expected = "--grouping FILE, or --cache-dtype TYPE"});
  }
  if (!samples_.empty() && !task.has_samples()) {
    throw InputError({.what = "task finds nothing of single windows or documents",
                      .where = "--samples",
                      .expected = "another task",
                      .found = task_});
  }
  runs::require_range(limit_, 0, runs::kLargestOption, "--limit");
  return task;
}

models::CacheType EvalCommand::cache_type() const {
  return cache_dtype_.empty() ? models::CacheType::kExact
                              : models::find_cache_type(cache_dtype_, "--cache-dtype");
}

ordered_json EvalCommand::config(const models::PretrainedModel& model, int threads) const {
  ordered_json config = {
      {"model", model_},
      {"grouping", grouping_.is_given() ? ordered_json(grouping_.file()) : ordered_json()},
      {"dtype", compute_.dtype},
      {"cache_dtype", cache_dtype_.empty() ? compute_.dtype : cache_dtype_}};
  if (model.config.kind == models::ModelKind::kCausal) {
    config["kv_bytes_per_token"] =
        models::kv_bytes_per_token(model, grouping_.size(model.config), cache_type());
  }
  config["device"] = compute_.options().device.to_string();
  config["threads"] = threads;
  return config;
}

void EvalCommand::run(const Session& session) {
  const auto started = std::chrono::steady_clock::now();
  const fitness::Task& task = this->task();
  const models::CacheType cache = cache_type();
  const int threads = threads_.apply();
  const models::ComputeOptions compute = compute_.options();
  if (!output_.empty()) require_writable_file(output_, "--output");
  if (!samples_.empty()) require_writable_file(samples_, "--samples");
  const auto pretrained = runs::open_model(model_, session.console);
  fitness::require_fits(task, *pretrained);
  models::require_cache(pretrained->config, cache, "--cache-dtype");
  grouping_.read(*pretrained);
  const fitness::TaskOptions options{data_, runs::eval_window(pretrained->config, context_),
                                     static_cast<std::size_t>(limit_), join_};
  const auto prepared = task.prepare(options, *pretrained);
  if (!prepared->remark().empty()) session.console.log(prepared->remark());

  search::Progress& progress = session.console.progress();
  const models::LanguageModel source(
      pretrained, runs::spared_memory(
                      compute, *pretrained, {scratch_, std::filesystem::temp_directory_path()},
                      {prepared->effective_samples() * static_cast<std::size_t>(options.context),
                       false, grouping_.is_given(), false},
                      session.console));
  const models::LanguageModel model =
      grouping_.apply(source, session.stop, progress).with_cache(cache);
  const fitness::TaskResult found = prepared->measure({model, source}, session.stop, progress);
  ordered_json result = eval_result(task_, options, *prepared, found.metrics);
  result["config"] = config(*pretrained, threads);
  result["total_evaluation_time_seconds"] =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (!samples_.empty()) models::write_file_atomically(samples_, sample_lines(found.metrics));
  const std::string text = models::json_text(result, 2);
  if (!output_.empty()) models::write_file_atomically(output_, text + "\n");
  session.console.print(json_ ? text : found.text);
}

}  // namespace regroup::apps
