#include "models/checkpoint/gguf/gguf_source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "models/checkpoint/gguf/gguf_fields.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Every architecture that is read; a new one like these is one line here.
constexpr std::array kSources = {
    GgufSource{.name = "llama", .family = "", .pairs_rows = true},
    GgufSource{.name = "deci", .family = "", .pairs_rows = true},
    GgufSource{.name = "qwen2", .family = "Qwen2ForCausalLM"},
    GgufSource{.name = "qwen3", .family = "Qwen3ForCausalLM", .query_key_norm = true},
    GgufSource{
        .name = "openelm", .family = "Qwen3ForCausalLM", .query_key_norm = true, .fused = true}};

struct ModuleName {
  std::string_view gguf;
  std::string_view hugging_face;  ///< in a layer, less "model.layers.N."
};

constexpr std::array kModules = {ModuleName{"token_embd", "model.embed_tokens"},
                                 ModuleName{"output_norm", "model.norm"},
                                 ModuleName{"output", "lm_head"}};
constexpr std::array kLayerModules = {ModuleName{"attn_norm", "input_layernorm"},
                                      ModuleName{"attn_q", "self_attn.q_proj"},
                                      ModuleName{"attn_k", "self_attn.k_proj"},
                                      ModuleName{"attn_v", "self_attn.v_proj"},
                                      ModuleName{"attn_qkv", "self_attn.q_proj"},
                                      ModuleName{"attn_output", "self_attn.o_proj"},
                                      ModuleName{"attn_q_norm", "self_attn.q_norm"},
                                      ModuleName{"attn_k_norm", "self_attn.k_norm"},
                                      ModuleName{"ffn_norm", "post_attention_layernorm"},
                                      ModuleName{"ffn_gate", "mlp.gate_proj"},
                                      ModuleName{"ffn_up", "mlp.up_proj"},
                                      ModuleName{"ffn_down", "mlp.down_proj"}};

template <std::size_t N>
std::string_view find_module(const std::array<ModuleName, N>& modules, std::string_view name) {
  for (const ModuleName& entry : modules) {
    if (entry.gguf == name) return entry.hugging_face;
  }
  return {};
}

}  // namespace

const GgufSource& gguf_source(const GgufHeader& header, const std::string& where) {
  const auto* name = find_typed<std::string>(header.metadata, "general.architecture");
  for (const GgufSource& source : kSources) {
    if (name != nullptr && source.name == *name) return source;
  }
  std::vector<std::string_view> known;
  for (const GgufSource& source : kSources) known.push_back(source.name);
  throw InputError({.what = "architecture of the GGUF file is not supported",
                    .where = where + ", general.architecture",
                    .expected = fmt::format("one of {}", fmt::join(known, ", ")),
                    .found = name == nullptr ? "none" : printable(*name)});
}

GgufTensorName split_gguf_name(std::string_view name) {
  constexpr std::string_view kLayer = "blk.";
  GgufTensorName result;
  if (name.starts_with(kLayer)) {
    const char* end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + kLayer.size(), end, result.layer);
    if (error != std::errc() || result.layer < 0 || rest == end || *rest != '.') return {};
    name.remove_prefix(static_cast<std::size_t>(rest + 1 - name.data()));
  }
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {};
  result.module = name.substr(0, dot);
  result.part = name.substr(dot + 1);
  return result;
}

std::string hugging_face_module(const GgufTensorName& name) {
  if (name.layer < 0) return std::string(find_module(kModules, name.module));
  const std::string_view module = find_module(kLayerModules, name.module);
  return module.empty() ? "" : fmt::format("model.layers.{}.{}", name.layer, module);
}

}  // namespace regroup::models
