#include "apps/commands/calibrate_command.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/option_declaration.hpp"
#include "models/files/json_file.hpp"
#include "models/files/sha256.hpp"
#include "runs/inputs/calibration_input.hpp"
#include "runs/inputs/open_model.hpp"
#include "runs/inputs/sampled_text.hpp"
#include "runs/inputs/spared_memory.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

// Children of the seed's key.
constexpr std::uint64_t kTextKey = 1;
constexpr std::uint64_t kLabelKey = 2;

}  // namespace

CLI::App* CalibrateCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "calibrate", "Measure what merges and prices need of a model's activations");
  command->add_option("MODEL", model_, "Hugging Face directory or GGUF file")->required();
  command
      ->add_option(
          "--data", data_,
          "Text (.txt, UTF-8), documents (.jsonl) or token ids (.bin, .npy) (default: sampled "
          "from the model)")
      ->type_name("FILE");
  command->add_option("-o,--output", output_, "Calibration file to write (.safetensors)")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--tokens", tokens_,
                   "Use no more tokens of --data than this, spread evenly over it (0: all)")
      ->capture_default_str()
      ->type_name("N");
  declare_options({models::join_option(join_)}, *command);
  command->add_flag("--without-gradients", without_gradients_,
                    "Leave out the backward pass, and with it fisher prices and weights");
  command->add_option("--seed", seed_, "Of sampled text and of the labels of the gradients")
      ->capture_default_str()
      ->type_name("N");
  command->add_flag("--force", force_, "Replace the file even if it holds the same already");
  compute_.declare(*command);
  declare_scratch(*command, scratch_);
  threads_.declare(*command);
  command->add_flag("--json", json_, "Print the summary as JSON");
  verbosity_.declare(*command);
  return command;
}

void CalibrateCommand::run(const Session& session) {
  threads_.apply();
  const models::ComputeOptions compute = compute_.options();
  if (!models::is_calibration_file(output_)) {
    throw InputError({.what = "calibration files are safetensors",
                      .where = "--output",
                      .expected = "a name that ends in .safetensors",
                      .found = output_});
  }
  runs::require_range(seed_, 0, runs::kLargestOption, "--seed");
  runs::require_range(tokens_, 0, runs::kLargestOption, "--tokens");
  require_writable_file(output_, "--output");
  const auto model = runs::open_model(model_, session.console);
  models::require_equal_layers(*model);
  const search::RandomKey key(static_cast<std::uint64_t>(seed_));
  search::Progress& progress = session.console.progress();
  std::optional<models::Dataset> data;
  std::optional<models::Windows> windows;
  if (!data_.empty()) {
    data = models::read_dataset(data_, *model, join_);
    windows = runs::calibration_windows(*data, model->config, static_cast<std::size_t>(tokens_));
  } else {
    runs::require_can_write_text(*model, "--data");
  }
  const runs::ScratchNeeds needs{
      windows ? windows->tokens() : runs::kSampledWindows * runs::kSampledContext, true, false,
      false};
  const models::LanguageModel language_model(
      model, runs::spared_memory(compute, *model, {scratch_, output_}, needs, session.console));
  if (!windows) {
    windows = runs::sample_text(language_model, key.split(kTextKey), session.stop, progress);
  }
  const auto labels = without_gradients_ ? std::nullopt : std::optional(key.split(kLabelKey));
  const std::string sha256 =
      data ? data->sha256 : models::sha256_hex(std::as_bytes(windows->ids()));
  const bool reuses =
      !force_ && runs::reusable_calibration(output_, *model, *windows, sha256, labels);
  if (!reuses) {
    const models::Calibration calibration =
        runs::make_calibration(language_model, *windows, sha256, labels, session.stop, progress);
    models::write_calibration(output_, calibration, *model);
  }
  if (json_) {
    const nlohmann::ordered_json summary = {{"output", output_},
                                            {"tokens", windows->tokens()},
                                            {"windows", windows->size()},
                                            {"context", windows->context()},
                                            {"sampled", data_.empty()},
                                            {"gradients", !without_gradients_},
                                            {"reused", reuses}};
    session.console.print(models::json_text(summary, 2));
    return;
  }
  session.console.print(fmt::format("{}: {}{}{}", output_, windows->size_text(),
                                    data_.empty() ? ", sampled from the model" : "",
                                    reuses ? "; it was there already" : ""));
}

}  // namespace regroup::apps
