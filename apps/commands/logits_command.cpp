#include "apps/commands/logits_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "apps/forward_inputs.hpp"
#include "models/checkpoint/safetensors.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "runs/inputs/open_model.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"

namespace regroup::apps {
namespace {

/// [inputs, positions, outputs], of classifiers [inputs, classes].
std::vector<std::int64_t> logits_shape(const std::vector<models::ForwardInput>& inputs,
                                       std::size_t numbers, const models::ModelConfig& config) {
  const auto count = static_cast<std::int64_t>(inputs.size());
  const auto of_one = static_cast<std::int64_t>(numbers) / count;
  if (models::has_classes(config.kind)) return {count, of_one};
  const bool has_target = has_decoder(config.kind);
  const auto& positions = has_target ? inputs[0].decoder_ids : inputs[0].ids;
  const auto length = static_cast<std::int64_t>(positions.size());
  return {count, length, of_one / length};
}

/// The logits of every input, one after another. A GPU computes one after another too.
std::vector<float> all_logits(const models::LanguageModel& model,
                              const std::vector<models::ForwardInput>& inputs, bool on_gpu,
                              const Session& session) {
  std::vector<std::vector<float>> parts(inputs.size());
  search::Progress& progress = session.console.progress();
  progress.begin("computing logits", inputs.size(), "inputs");
  search::parallel_for(on_gpu ? 1 : inputs.size(), [&](std::size_t first) {
    for (std::size_t i = first; i < (on_gpu ? inputs.size() : first + 1); ++i) {
      if (session.stop.stop_requested()) throw Interrupted();
      parts[i] = model.logits(inputs[i]);
      progress.advance(1);
    }
  });
  progress.end();
  std::vector<float> logits;
  for (const std::vector<float>& part : parts) {
    logits.insert(logits.end(), part.begin(), part.end());
  }
  return logits;
}

}  // namespace

CLI::App* LogitsCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "logits", "Write the logits of a model, or a model with a grouping, for given inputs");
  command->add_option("MODEL", model_, "Hugging Face directory or GGUF file")->required();
  grouping_.declare(*command);
  command
      ->add_option("--input", input_,
                   "Safetensors file with input_ids and, of an encoder-decoder, decoder_input_ids, "
                   "I64 or I32, [sequences, tokens]; or pixel_values, [images, channels, height, "
                   "width]; or input_features, [sounds, bands, frames], with decoder_input_ids")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("-o,--output", output_,
                   "Safetensors file to write: logits, F32, [sequences, tokens, vocabulary] or "
                   "[images or sequences, classes]")
      ->required()
      ->type_name("FILE");
  compute_.declare(*command);
  threads_.declare(*command);
  verbosity_.declare(*command);
  return command;
}

void LogitsCommand::run(const Session& session) {
  threads_.apply();
  const models::ComputeOptions compute = compute_.options();
  require_writable_file(output_, "--output");
  const auto pretrained = runs::open_model(model_, session.console);
  grouping_.read(*pretrained);
  const models::SafetensorsFile file(input_);
  const std::vector<models::ForwardInput> inputs = read_forward_inputs(file, pretrained->config);
  const models::LanguageModel model =
      grouping_.apply({pretrained, compute}, session.stop, session.console.progress());
  const std::vector<float> logits = all_logits(model, inputs, compute.device.cuda, session);
  const std::vector<std::int64_t> shape = logits_shape(inputs, logits.size(), pretrained->config);
  const models::PlannedTensor tensor =
      models::planned_copy("logits", models::DType::kF32, shape, std::as_bytes(std::span(logits)));
  models::write_safetensors_file(output_, {&tensor, 1});
  session.console.print(fmt::format("{}: logits {}", output_, models::shape_text(shape)));
}

}  // namespace regroup::apps
