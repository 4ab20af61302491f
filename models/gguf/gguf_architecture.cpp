#include "models/gguf/gguf_architecture.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "models/layouts/layout.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::string_view kLlama = "LlamaForCausalLM";
constexpr std::string_view kMistral = "MistralForCausalLM";
constexpr std::string_view kQwen2 = "Qwen2ForCausalLM";
constexpr std::string_view kQwen3 = "Qwen3ForCausalLM";

/// A family's own before those that can stand in for it.
constexpr std::array kArchitectures = {
    GgufArchitecture{.name = "qwen2", .families = {kQwen2}, .wide_heads = false},
    GgufArchitecture{.name = "qwen3", .families = {kQwen3}, .query_key_norm = true},
    GgufArchitecture{.name = "llama",
                     .families = {kLlama, kMistral, kQwen2},
                     .output_bias = true,
                     .mlp_bias = true,
                     .scaled_rotary = true,
                     .rotary = RotaryLayout::kInterleaved},
    GgufArchitecture{.name = "deci",
                     .families = {kLlama, kMistral, kQwen2},
                     .heads_by_layer = true,
                     .output_bias = true,
                     .mlp_bias = true,
                     .scaled_rotary = true,
                     .rotary = RotaryLayout::kInterleaved},
    GgufArchitecture{.name = "openelm",
                     .families = {kQwen3},
                     .heads_by_layer = true,
                     .query_key_norm = true,
                     .input_bias = false,
                     .own_head = false,
                     .fused = true},
};

bool knows(const GgufArchitecture& architecture, std::string_view family) {
  const auto& families = architecture.families;
  return std::find(families.begin(), families.end(), family) != families.end();
}

/// The first thing that a model has and llama.cpp's transformer has not, if any.
std::optional<std::string> obstacle(const GgufArchitecture& architecture, const ModelConfig& config,
                                    const std::vector<LayerHeads>& heads) {
  struct Need {
    bool present;
    bool held;
    const char* what;
  };
  const bool is_llama3 = std::holds_alternative<Llama3RotaryScaling>(config.rotary.scaling);
  const bool wide = heads[0].query * heads[0].key_width != config.width;
  const bool has_factors = is_llama3 || heads[0].key_width != config.head_dim;
  for (const Need& need :
       {Need{!are_uniform(heads), architecture.heads_by_layer, "another number of heads by layer"},
        Need{config.query_key_norm != QueryKeyNorm::kNone, architecture.query_key_norm,
             "norms of queries and keys"},
        Need{config.input_bias, architecture.input_bias, "biases of queries, keys and values"},
        Need{config.output_bias, architecture.output_bias, "a bias of the attention's output"},
        Need{config.mlp.has_bias, architecture.mlp_bias, "biases of the feed-forward blocks"},
        Need{config.rotary.is_scaled() && !is_llama3, false,
             "rotary frequencies scaled otherwise than Llama 3's"},
        Need{has_factors, architecture.scaled_rotary, "rotary frequencies of its own"},
        Need{wide, architecture.wide_heads, "query heads that do not add up to the width"},
        Need{!config.tied_embeddings, architecture.own_head,
             "a head that is not the token table"}}) {
    if (need.present && !need.held) return need.what;
  }
  return std::nullopt;
}

std::set<std::string_view> all_families() {
  std::set<std::string_view> families;
  for (const GgufArchitecture& architecture : kArchitectures) {
    families.insert(architecture.families.begin(), architecture.families.end());
  }
  families.erase("");
  return families;
}

[[noreturn]] void refuse_model(const std::string& expected, const std::string& found) {
  throw InputError({.what = "model cannot be written as GGUF: llama.cpp would not compute it",
                    .where = "--format",
                    .expected = expected,
                    .found = found});
}

/// No transformer of the list has windows.
void refuse_sliding_windows(const ModelConfig& config) {
  for (const int window : config.sliding_windows) {
    if (window == 0 || window >= config.context) continue;
    refuse_model(
        fmt::format("attention to all tokens before a query; or --context {}", window),
        fmt::format("a sliding window of {} tokens in a context of {}", window, config.context));
  }
}

}  // namespace

const GgufArchitecture& gguf_architecture(const ModelConfig& config,
                                          const std::vector<LayerHeads>& heads) {
  if (!all_families().contains(config.architecture)) {
    refuse_model(fmt::format("a model of {}", fmt::join(all_families(), ", ")),
                 config.architecture);
  }
  if (!config.has_head) {
    refuse_model("a model with its head", fmt::format("{} without it", config.architecture));
  }
  refuse_sliding_windows(config);
  std::string obstacles;
  for (const GgufArchitecture& architecture : kArchitectures) {
    if (!knows(architecture, config.architecture)) continue;
    const auto found = obstacle(architecture, config, heads);
    if (!found) return architecture;
    obstacles +=
        fmt::format("{}{} has not {}", obstacles.empty() ? "" : "; ", architecture.name, *found);
  }
  refuse_model("another --layout, or --format hf",
               fmt::format("{} of which llama.cpp's {}", config.architecture, obstacles));
}

}  // namespace regroup::models
