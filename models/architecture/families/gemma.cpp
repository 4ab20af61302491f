#include "models/architecture/families/families.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

void read_gemma(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  out.embedding_scale = std::sqrt(static_cast<double>(out.width));
  // Early checkpoints say "gelu" and mean its tanh form, as transformers takes it.
  if (required_string(config, "hidden_act", where) == "gelu") {
    out.mlp.activation = Activation::kTanhGelu;
  }
}

}  // namespace

ArchitectureSpec gemma_architecture() {
  ArchitectureSpec spec = llama_like("GemmaForCausalLM", "gemma");
  spec.base_architecture = "GemmaModel";
  spec.norm = NormKind::kOffsetRootMeanSquare;
  spec.attention_bias = AttentionBias::kByField;
  spec.activations = {"gelu_pytorch_tanh", "gelu", "silu", "relu"};
  spec.read_own = read_gemma;
  spec.config_class = "GemmaConfig";
  spec.keys = {
      .read = R"({"vocab_size": 256000, "hidden_size": 3072, "intermediate_size": 24576,
"num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 16,
"head_dim": 256, "hidden_act": "gelu_pytorch_tanh", "max_position_embeddings": 8192,
"rms_norm_eps": 1e-06, "eos_token_id": 1, "bos_token_id": 2, "tie_word_embeddings":
true, "rope_parameters": null, "attention_bias": false})",
      .neutral =
          R"({"num_experts": 0, "num_local_experts": 0, "use_bidirectional_attention": null})",
      .ignored = "attention_dropout hidden_activation initializer_range pad_token_id use_cache"};
  return spec;
}

}  // namespace regroup::models
