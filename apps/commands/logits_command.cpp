#include "apps/commands/logits_command.hpp"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <vector>

#include "models/checkpoint/safetensors.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "search/error.hpp"
#include "search/parallel.hpp"

namespace regroup::apps {
namespace {

constexpr const char* kInputIds = "input_ids";
constexpr const char* kLogits = "logits";

/// Token ids of sequences of equal length.
struct InputIds {
  std::size_t sequences = 0;
  std::size_t length = 0;
  std::vector<std::int32_t> ids;  ///< [sequences · length]

  std::span<const std::int32_t> sequence(std::size_t i) const {
    return std::span(ids).subspan(i * length, length);
  }
};

template <class Element>
std::vector<std::int32_t> ids_of(const models::TensorView& tensor, int vocabulary) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(tensor.elements()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    Element id = 0;
    std::memcpy(&id, tensor.bytes.data() + i * sizeof id, sizeof id);
    if (id < 0 || id >= vocabulary) {
      throw InputError({.what = "token id is outside the vocabulary",
                        .where = fmt::format("{}, element {}", tensor.where(), i),
                        .expected = fmt::format("0 to {}", vocabulary - 1),
                        .found = std::to_string(id)});
    }
    ids[i] = static_cast<std::int32_t>(id);
  }
  return ids;
}

InputIds read_input_ids(const models::SafetensorsFile& file, const models::ModelConfig& config) {
  const models::TensorView& tensor = file.tensor(kInputIds);
  const bool is_batch = tensor.shape.size() == 2 && tensor.shape[0] > 0 && tensor.shape[1] > 0 &&
                        tensor.shape[1] <= config.context;
  if (!is_batch) {
    throw InputError({.what = "input does not have the shape of a batch of sequences",
                      .where = tensor.where(),
                      .expected = fmt::format("[sequences, 1 to {} tokens]", config.context),
                      .found = models::shape_text(tensor.shape)});
  }
  InputIds input{
      static_cast<std::size_t>(tensor.shape[0]), static_cast<std::size_t>(tensor.shape[1]), {}};
  if (tensor.dtype == models::DType::kI64) {
    input.ids = ids_of<std::int64_t>(tensor, config.vocabulary);
  } else if (tensor.dtype == models::DType::kI32) {
    input.ids = ids_of<std::int32_t>(tensor, config.vocabulary);
  } else {
    throw InputError({.what = "token ids have an element type that is not supported",
                      .where = tensor.where(),
                      .expected = "I64 or I32",
                      .found = std::string(models::safetensors_name(tensor.dtype))});
  }
  return input;
}

void write_logits(const std::string& file, const InputIds& input,
                  const std::vector<float>& logits) {
  const auto count = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  const std::size_t vocabulary = logits.size() / input.ids.size();
  const models::PlannedTensor tensor =
      models::planned_copy(kLogits, models::DType::kF32,
                           {count(input.sequences), count(input.length), count(vocabulary)},
                           std::as_bytes(std::span(logits)));
  models::write_safetensors_file(file, {&tensor, 1});
}

}  // namespace

CLI::App* LogitsCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "logits", "Write the logits of a model, or a model with a grouping, for given inputs");
  command->add_option("MODEL", model_, "Hugging Face directory")->required();
  grouping_.declare(*command);
  command
      ->add_option("--input", input_,
                   "Safetensors file with input_ids, I64 or I32, [sequences, tokens]")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("-o,--output", output_,
                   "Safetensors file to write: logits, F32, [sequences, tokens, vocabulary]")
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
  const auto pretrained =
      std::make_shared<const models::PretrainedModel>(models::open_model(model_));
  grouping_.read(*pretrained);
  const models::SafetensorsFile file(input_);
  const InputIds input = read_input_ids(file, pretrained->config);
  search::Progress& progress = session.console.progress();
  const models::LanguageModel model =
      grouping_.apply({pretrained, compute}, session.stop, progress);

  const auto vocabulary = static_cast<std::size_t>(pretrained->config.vocabulary);
  std::vector<float> logits(input.ids.size() * vocabulary);
  progress.begin("computing logits", input.sequences, "sequences");
  search::parallel_for(compute.device.cuda ? 1 : input.sequences, [&](std::size_t first) {
    const std::size_t last = compute.device.cuda ? input.sequences : first + 1;
    for (std::size_t i = first; i < last; ++i) {
      if (session.stop.stop_requested()) throw Interrupted();
      const std::vector<float> own = model.logits(input.sequence(i));
      std::ranges::copy(own, logits.begin() + static_cast<std::ptrdiff_t>(i * own.size()));
      progress.advance(1);
    }
  });
  progress.end();
  write_logits(output_, input, logits);
  session.console.print(fmt::format("{}: logits of {} x {} tokens, vocabulary {}", output_,
                                    input.sequences, input.length, vocabulary));
}

}  // namespace regroup::apps
