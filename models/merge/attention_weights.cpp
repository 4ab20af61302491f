#include "models/merge/attention_weights.hpp"

#include "models/transformer/tensors.hpp"

namespace regroup::models {

AttentionWeights read_attention(const PretrainedModel& model, int layer) {
  const ModuleNames& modules = model.spec.modules;
  const auto weight = [&](std::string_view module) {
    return to_tensor(model.tensor(module, layer));
  };
  const auto bias = [&](std::string_view module, bool is_there) {
    return is_there ? to_tensor(model.tensor(module, layer, ".bias")) : at::Tensor();
  };
  const ModelConfig& config = model.config;
  return {.query = weight(modules.query),
          .key = weight(modules.key),
          .value = weight(modules.value),
          .output = weight(modules.output),
          .query_bias = bias(modules.query, config.input_bias),
          .key_bias = bias(modules.key, config.input_bias),
          .value_bias = bias(modules.value, config.input_bias),
          .output_bias = bias(modules.output, config.output_bias)};
}

MergedAttention source_attention(const PretrainedModel& model, int layer) {
  std::vector<int> kv_of_query;
  for (int query = 0; query < model.config.query_heads; ++query) {
    kv_of_query.push_back(query / model.config.queries_per_kv_head());
  }
  return {read_attention(model, layer), kv_of_query, kv_of_query};
}

}  // namespace regroup::models
