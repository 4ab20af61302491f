// Writes a random Llama checkpoint of any shape, streaming, to measure time and memory on.
//
// usage: make_random_checkpoint DIR LAYERS HEADS KV_HEADS WIDTH MLP_WIDTH [VOCABULARY]
// A 7B shape: make_random_checkpoint DIR 32 32 32 4096 11008

#include <Eigen/Core>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "models/architecture/expected_tensors.hpp"
#include "models/architecture/families/families.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "search/base/random.hpp"

using namespace regroup;

namespace {

nlohmann::json config_of(char** arguments, int vocabulary) {
  const auto number = [&](int i) { return std::atoi(arguments[i]); };
  return {{"architectures", {"LlamaForCausalLM"}},
          {"num_hidden_layers", number(2)},
          {"num_attention_heads", number(3)},
          {"num_key_value_heads", number(4)},
          {"hidden_size", number(5)},
          {"intermediate_size", number(6)},
          {"vocab_size", vocabulary},
          {"max_position_embeddings", 2048},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"hidden_act", "silu"},
          {"tie_word_embeddings", false},
          {"bos_token_id", 1},
          {"torch_dtype", "bfloat16"}};
}

/// Uniform bfloat16 numbers of the size of trained weights, four from each 64 random bits.
void fill(std::span<std::byte> out, search::RandomKey key) {
  search::RandomStream random(key);
  constexpr float kScale = 0.02F / 32768.0F;
  for (std::size_t at = 0; at + 1 < out.size();) {
    std::uint64_t bits = random.bits();
    for (int lane = 0; lane < 4 && at + 1 < out.size(); ++lane, at += 2, bits >>= 16U) {
      const float value = kScale * static_cast<float>(static_cast<std::int16_t>(bits & 0xffffU));
      const Eigen::bfloat16 half(value);
      std::memcpy(out.data() + at, &half, sizeof half);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 7 || count > 8) {
    std::cerr << "usage: make_random_checkpoint DIR LAYERS HEADS KV_HEADS WIDTH MLP_WIDTH "
                 "[VOCABULARY]\n";
    return 2;
  }
  constexpr int kVocabulary = 32000;
  const std::filesystem::path directory = arguments[1];
  const nlohmann::json config =
      config_of(arguments, count > 7 ? std::atoi(arguments[7]) : kVocabulary);
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "config.json") << config.dump(2) << '\n';
  const auto& spec = models::find_architecture(config, "config.json");
  const auto shape = models::read_model_config(config, spec, "config.json");
  std::vector<models::PlannedTensor> plan;
  std::uint64_t number = 0;
  for (const models::ExpectedTensor& tensor : models::expected_tensors(spec, shape)) {
    plan.push_back({tensor.name, models::DType::kBF16, tensor.shape,
                    [key = search::RandomKey(1).split(number++)](std::span<std::byte> out) {
                      fill(out, key);
                    }});
  }
  models::write_checkpoint_weights(directory, plan, {.max_shard_bytes = 5'000'000'000});
  return 0;
}
