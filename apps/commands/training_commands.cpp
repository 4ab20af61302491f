#include "apps/commands/training_commands.hpp"

#include <fmt/format.h>

#include "apps/grouping_option.hpp"
#include "apps/option_declaration.hpp"
#include "apps/report/training_page.hpp"
#include "models/files/json_file.hpp"
#include "runs/training/uptrain_run.hpp"

namespace regroup::apps {
namespace {

std::string summary(const runs::UptrainResult& result, const std::filesystem::path& output) {
  const auto& record = result.record;
  std::string text = fmt::format(
      "{}: KV {:.4f}, {} tokens in {} steps, {:.0f} tokens/s", (output / "model").string(),
      record["kv_ratio"].get<double>(), record["tokens"].get<std::int64_t>(),
      record["steps"].get<std::size_t>(), record.value("tokens_per_second", 0.0));
  if (!record.contains("trained")) return text;
  const auto number = [&](const char* part, const char* key) {
    return record[part][key].get<double>();
  };
  return text + fmt::format(
                    "\nLoss on the validation data: source {:.4f}, before training {:.4f} "
                    "({:+.4f}), after step {} {:.4f} ({:+.4f})",
                    number("source", "loss"), number("zero_shot", "loss"),
                    number("zero_shot", "delta_loss"), record["trained"]["step"].get<int>(),
                    number("trained", "loss"), number("trained", "delta_loss"));
}

}  // namespace

void TrainingCommand::declare_training(CLI::App& command,
                                       const std::vector<search::Option>& options) {
  command
      .add_option("--data", request_.data,
                  "What to train on: text (.txt, UTF-8), token ids (.bin, .npy), JSON lines "
                  "(.jsonl) or a folder of images, as the model reads them")
      ->required()
      ->type_name("FILE");
  command
      .add_option("--validation", request_.validation,
                  "The same to measure on: the best model measured is the one that is written "
                  "(default: none, the last one is written)")
      ->type_name("FILE");
  command.add_option("-o,--output", request_.output, "Directory to write")
      ->required()
      ->type_name("DIR");
  declare_options(options, command);
  CLI::Option* force =
      command.add_flag("--force", request_.force, "Replace an earlier training in the directory");
  command
      .add_flag("--resume", request_.resume,
                "Continue the training in the directory, if it is the same")
      ->excludes(force);
  compute_.declare(command);
  threads_.declare(command);
  command.add_flag("--json", json_, "Print train.json");
  verbosity_.declare(command);
}

void TrainingCommand::run(const Session& session) {
  threads_.apply();
  request_.compute = compute_.options();
  complete();
  const runs::UptrainResult result =
      runs::run_uptrain(request_, session.console, session.stop, training_page);
  session.console.print(json_ ? models::json_text(result.record, 2)
                              : summary(result, request_.output));
}

CLI::App* UptrainCommand::declare(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("uptrain", "Train a model on after its KV heads were merged");
  command->add_option("MODEL", request_.model, "Hugging Face directory or GGUF file")->required();
  grouping_.declare(*command);
  declare_calibration(*command, calibration_);
  command
      ->add_option("--teacher", request_.teacher,
                   "Model that the loss compares with (default: MODEL itself)")
      ->type_name("MODEL");
  declare_training(*command, request_.options());
  return command;
}

void UptrainCommand::complete() {
  if (grouping_.is_given()) request_.grouping = grouping_.path();
  request_.calibration = calibration_;
}

CLI::App* TrainCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand("train", "Train a model that begins from nothing");
  command
      ->add_option("CONFIG", request_.config,
                   "config.json of a model of any family; \"attention\" in it asks for mixtures of "
                   "keys (docs/training.md)")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--tokenizer", request_.tokenizer,
                   "Directory whose tokenizer the model gets, for data that are text (default: "
                   "none, data are token ids)")
      ->type_name("DIR");
  declare_training(*command, request_.options_of_new());
  return command;
}

void TrainCommand::complete() {
  request_.training.loss = {.cross_entropy = 1, .divergence = 0, .hidden = 0};
}

}  // namespace regroup::apps
