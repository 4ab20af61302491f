#include "tests/models/tiny_llama.hpp"

#include <cmath>
#include <fstream>

#include "models/architecture/architecture_spec.hpp"
#include "models/checkpoint/half.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "search/random.hpp"

namespace regroup::tests {
namespace {

std::vector<models::ExpectedTensor> shapes_of(const TinyLlama& model) {
  const nlohmann::json config = model.config();
  const auto& spec = models::find_architecture(config, "config.json");
  return models::expected_tensors(spec, models::read_model_config(config, spec, "config.json"));
}

std::int64_t elements(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

}  // namespace

nlohmann::json TinyLlama::config() const {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"hidden_size", width},
          {"intermediate_size", mlp_width},
          {"num_hidden_layers", layers},
          {"num_attention_heads", query_heads},
          {"num_key_value_heads", kv_heads},
          {"head_dim", head_dim},
          {"vocab_size", vocabulary},
          {"max_position_embeddings", context},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 100.0},
          {"hidden_act", "silu"},
          {"attention_bias", bias},
          {"mlp_bias", bias},
          {"tie_word_embeddings", tied},
          {"bos_token_id", 1},
          {"eos_token_id", 2},
          {"torch_dtype", models::config_name(dtype)}};
}

std::map<std::string, std::vector<float>> TinyLlama::tensors() const {
  std::map<std::string, std::vector<float>> result;
  search::RandomStream random{search::RandomKey(seed)};
  for (const models::ExpectedTensor& tensor : shapes_of(*this)) {
    const bool norm = tensor.name.find("norm") != std::string::npos;
    const double scale =
        tensor.shape.size() == 2 ? 2.0 / std::sqrt(static_cast<double>(tensor.shape[1])) : 0.3;
    std::vector<float> values(static_cast<std::size_t>(elements(tensor.shape)));
    for (float& value : values) {
      value = static_cast<float>((norm ? 1.0 : 0.0) + scale * (2 * random.unit() - 1));
    }
    result[tensor.name] = values;
  }
  return result;
}

void TinyLlama::write(const std::filesystem::path& directory) const {
  write(directory, tensors());
}

void TinyLlama::write(const std::filesystem::path& directory,
                      const std::map<std::string, std::vector<float>>& values) const {
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "config.json") << config().dump(2);
  std::vector<models::PlannedTensor> plan;
  for (const models::ExpectedTensor& tensor : shapes_of(*this)) {
    const std::vector<float>& source = values.at(tensor.name);
    plan.push_back({tensor.name, dtype, tensor.shape, [this, &source](std::span<std::byte> out) {
                      models::from_float(dtype, source, out);
                    }});
  }
  models::write_checkpoint_weights(directory, plan);
}

}  // namespace regroup::tests
