#include "models/checkpoint/gguf/gguf_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "models/checkpoint/gguf/gguf_fields.hpp"
#include "models/checkpoint/gguf/rotary_factors.hpp"
#include "models/elements/tensor_view.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostLayers = 4096;
constexpr std::int64_t kMostHeads = std::int64_t{1} << 16;
constexpr std::int64_t kLargestSize = std::int64_t{1} << 24;

/// The keys of an architecture whose meaning is known, less its name.
constexpr std::array kKnownKeys = {"vocab_size",
                                   "context_length",
                                   "embedding_length",
                                   "block_count",
                                   "feed_forward_length",
                                   "attention.head_count",
                                   "attention.head_count_kv",
                                   "attention.key_length",
                                   "attention.value_length",
                                   "attention.layer_norm_rms_epsilon",
                                   "attention.sliding_window",
                                   "attention.causal",
                                   "rope.dimension_count",
                                   "rope.freq_base",
                                   "rope.scale_linear",
                                   "rope.scaling.type",
                                   "rope.scaling.factor",
                                   "rope.scaling.original_context_length",
                                   "rope.scaling.finetuned",
                                   "expert_count",
                                   "expert_used_count",
                                   "tensor_data_layout"};

/// Keys that say, where they are there, that all is as usual.
struct UsualValue {
  const char* key;
  json value;
};

/// A field whose name depends on the family.
struct FamilyType {
  std::string_view family;
  const char* model_type;
};
constexpr std::array kModelTypes = {
    FamilyType{"LlamaForCausalLM", "llama"}, FamilyType{"MistralForCausalLM", "mistral"},
    FamilyType{"Qwen2ForCausalLM", "qwen2"}, FamilyType{"Qwen3ForCausalLM", "qwen3"}};

class ConfigReader {
 public:
  ConfigReader(const GgufHeader& header, const GgufSource& source, const std::string& where)
      : header_(header), source_(source), where_(where), fields_(gguf_fields(header.metadata)) {}

  json config() {
    refuse_unknown();
    layers_ = size_of("block_count", kMostLayers);
    require_equal_layers();
    set_sizes();
    set_heads();
    set_rotary();
    set_family();
    set_tokens();
    config_["torch_dtype"] = config_name(dtype_of(tensor("blk.0.attn_k.weight").type));
    return std::move(config_);
  }

 private:
  std::string key(std::string_view own) const { return fmt::format("{}.{}", source_.name, own); }
  std::int64_t size_of(std::string_view own, std::int64_t most = kLargestSize) const {
    return required_int(fields_, key(own), where_, 1, most);
  }
  bool has(const std::string& name) const { return header_.tensors.contains(name); }
  bool has_bias(std::string_view module) const { return has(fmt::format("blk.0.{}.bias", module)); }

  /// A tensor that every file has, in an openelm file under another name.
  const GgufTensorPlace& tensor(const std::string& name) const {
    const auto found = header_.tensors.find(
        source_.fused && name.starts_with("blk.0.attn_k.") ? "blk.0.attn_qkv.weight" : name);
    if (found != header_.tensors.end()) return found->second;
    throw InputError({.what = "tensor is missing", .where = where_, .expected = name});
  }

  void refuse_unknown() const {
    const std::string prefix = key("");
    for (const GgufEntry& entry : header_.metadata) {
      if (!entry.key.starts_with(prefix)) continue;
      const std::string own = entry.key.substr(prefix.size());
      if (std::find(kKnownKeys.begin(), kKnownKeys.end(), own) != kKnownKeys.end()) continue;
      throw InputError({.what = "key of the GGUF file is not known, so the model may be another",
                        .where = where_ + ", " + printable(entry.key),
                        .expected = "a key that the program reads",
                        .found = fields_.contains(entry.key) ? describe_json(fields_[entry.key])
                                                             : "a long array"});
    }
    const std::array usual = {UsualValue{"expert_count", 0}, UsualValue{"expert_used_count", 0},
                              UsualValue{"attention.causal", true}};
    for (const UsualValue& one : usual) {
      const auto found = fields_.find(key(one.key));
      if (found == fields_.end() || *found == one.value) continue;
      refuse_field(where_, key(one.key), describe_json(one.value), describe_json(*found));
    }
    const auto parts = optional_int(fields_, "split.count", where_, 0, kMostLayers);
    if (parts.value_or(1) > 1) {
      refuse_field(where_, "split.count", "one file; gguf-split --merge puts parts together",
                   std::to_string(*parts));
    }
  }

  /// Every tensor must be one that a model of this plan has, and every layer must have the same.
  void require_equal_layers() const {
    std::map<std::string, std::int64_t> layers_with;
    for (const auto& [name, place] : header_.tensors) {
      const GgufTensorName parts = split_gguf_name(name);
      if (name == kRotaryFactors) continue;
      if (!is_known(parts)) {
        throw InputError({.what = "tensor of the GGUF file is not known",
                          .where = where_,
                          .expected = fmt::format("tensors of llama.cpp's {}", source_.name),
                          .found = tensor_label(name)});
      }
      if (parts.layer >= 0) ++layers_with[fmt::format("{}.{}", parts.module, parts.part)];
    }
    for (const auto& [name, count] : layers_with) {
      if (count == layers_) continue;
      throw InputError({.what = "not every layer of the GGUF file has the same tensors",
                        .where = where_ + ", blk.N." + printable(name),
                        .expected = fmt::format("{} layers", layers_),
                        .found = std::to_string(count)});
    }
  }

  bool is_known(const GgufTensorName& name) const {
    if (name.layer >= layers_ || hugging_face_module(name).empty()) return false;
    const bool is_norm = name.module.ends_with("_norm");
    const bool is_head_norm = name.module == "attn_q_norm" || name.module == "attn_k_norm";
    const bool is_input =
        name.module == "attn_q" || name.module == "attn_k" || name.module == "attn_v";
    if (is_head_norm && !source_.query_key_norm) return false;
    if (name.module == "attn_qkv" ? !source_.fused : is_input && source_.fused) return false;
    if (name.part == "weight") return true;
    return name.part == "bias" && name.layer >= 0 && !is_norm && name.module != "attn_qkv";
  }

  void set_sizes() {
    config_["num_hidden_layers"] = layers_;
    config_["hidden_size"] = width_ = size_of("embedding_length");
    config_["max_position_embeddings"] = context_ = size_of("context_length");
    config_["intermediate_size"] = equal_count("feed_forward_length");
    config_["vocab_size"] = vocabulary_ = tensor("token_embd.weight").shape[0];
    config_["rms_norm_eps"] =
        required_number(fields_, key("attention.layer_norm_rms_epsilon"), where_, 0, 1);
    config_["hidden_act"] = "silu";
    config_["tie_word_embeddings"] = !has("output.weight");
  }

  /// One number, or a list with one for every layer.
  std::vector<std::int64_t> counts(std::string_view own, std::int64_t most) const {
    const std::string name = key(own);
    const auto found = fields_.find(name);
    if (found == fields_.end() || !found->is_array()) {
      return std::vector<std::int64_t>(static_cast<std::size_t>(layers_),
                                       required_int(fields_, name, where_, 1, most));
    }
    if (found->size() != static_cast<std::size_t>(layers_)) {
      refuse_field(where_, name, fmt::format("{} numbers, one for each layer", layers_),
                   std::to_string(found->size()));
    }
    std::vector<std::int64_t> numbers;
    for (const json& number : *found) {
      numbers.push_back(checked_int(number, field_of(where_, name), 1, most));
    }
    return numbers;
  }

  std::int64_t equal_count(std::string_view own) const {
    const std::vector<std::int64_t> numbers = counts(own, kLargestSize);
    if (std::adjacent_find(numbers.begin(), numbers.end(), std::not_equal_to<>()) ==
        numbers.end()) {
      return numbers[0];
    }
    refuse_field(where_, key(own), "the same number in all layers", "others by layer");
  }

  void set_heads() {
    const std::vector<std::int64_t> queries = counts("attention.head_count", kMostHeads);
    const bool says_kv = fields_.contains(key("attention.head_count_kv"));
    const std::vector<std::int64_t> kv =
        says_kv ? counts("attention.head_count_kv", kMostHeads) : queries;
    config_["num_attention_heads"] = queries[0];
    config_["num_key_value_heads"] = kv[0];
    const auto differs = [](const std::vector<std::int64_t>& numbers) {
      return std::adjacent_find(numbers.begin(), numbers.end(), std::not_equal_to<>()) !=
             numbers.end();
    };
    if (differs(queries) || differs(kv)) {
      config_["num_attention_heads_per_layer"] = queries;
      config_["num_key_value_heads_per_layer"] = kv;
    }
    set_head_dim(queries[0]);
  }

  void set_head_dim(std::int64_t queries) {
    const auto own = optional_int(fields_, key("attention.key_length"), where_, 1, kLargestSize);
    if (!own && width_ % queries != 0) {
      refuse_field(where_, key("attention.head_count"), fmt::format("a divisor of {}", width_),
                   std::to_string(queries));
    }
    head_dim_ = own.value_or(width_ / queries);
    const auto values =
        optional_int(fields_, key("attention.value_length"), where_, 1, kLargestSize);
    if (values.value_or(head_dim_) != head_dim_) {
      refuse_field(where_, key("attention.value_length"),
                   fmt::format("{}, the length of keys", head_dim_), std::to_string(*values));
    }
    config_["head_dim"] = head_dim_;
  }

  void set_rotary() {
    constexpr double kUsualTheta = 10000;
    const double theta =
        optional_number(fields_, key("rope.freq_base"), where_, 1).value_or(kUsualTheta);
    config_["rope_theta"] = theta;
    const auto turned = optional_int(fields_, key("rope.dimension_count"), where_, 1, kLargestSize);
    if (turned.value_or(head_dim_) != head_dim_) {
      config_["partial_rotary_factor"] =
          static_cast<double>(*turned) / static_cast<double>(head_dim_);
    }
    config_["rope_scaling"] = rotary_scaling(theta, turned.value_or(head_dim_));
  }

  json rotary_scaling(double theta, std::int64_t dimensions) const {
    const double old = optional_number(fields_, key("rope.scale_linear"), where_, 0).value_or(1);
    const std::string usual = old == 1 ? "none" : "linear";
    const std::string type =
        optional_string(fields_, key("rope.scaling.type"), where_).value_or(usual);
    const auto factors = header_.tensors.find(kRotaryFactors);
    const bool has_factors = factors != header_.tensors.end();
    if (type == "none" && has_factors) {
      return scaling_of_factors(factors->second, theta, dimensions, context_, where_);
    }
    if (type == "none") return nullptr;
    if (type == "linear" && !has_factors) {
      const double factor =
          optional_number(fields_, key("rope.scaling.factor"), where_, 0).value_or(old);
      if (factor == 1) return nullptr;
      return {{"rope_type", "linear"}, {"factor", factor}};
    }
    refuse_field(where_, key("rope.scaling.type"), "none or linear",
                 printable(type) + (has_factors ? " beside " + std::string(kRotaryFactors) : ""));
  }

  /// The family whose biases and windows these are.
  std::string family() const {
    if (!source_.family.empty()) return std::string(source_.family);
    if (config_.contains("sliding_window")) return "MistralForCausalLM";
    const bool inputs_alone = has_bias("attn_q") && !has_bias("attn_output");
    return inputs_alone ? "Qwen2ForCausalLM" : "LlamaForCausalLM";
  }

  void set_family() {
    const auto window =
        optional_int(fields_, key("attention.sliding_window"), where_, 0, kLargestSize);
    if (window.value_or(0) > 0 && *window < context_) {
      if (!source_.family.empty()) {
        refuse_field(where_, key("attention.sliding_window"),
                     fmt::format("none, or the context of {}", context_), std::to_string(*window));
      }
      config_["sliding_window"] = *window;
    }
    const bool bias = has_bias("attn_q");
    for (const char* module : {"attn_k", "attn_v"}) {
      if (has_bias(module) != bias) refuse_lone_bias();
    }
    const std::string name = family();
    if (has_bias("attn_output") && (!bias || name == "Qwen2ForCausalLM")) refuse_lone_bias();
    config_["architectures"] = {name};
    const auto type = std::find_if(kModelTypes.begin(), kModelTypes.end(),
                                   [&](const FamilyType& entry) { return entry.family == name; });
    config_["model_type"] = type->model_type;
    // Qwen2 has its biases in any case.
    config_["attention_bias"] = bias && name != "Qwen2ForCausalLM";
    config_["mlp_bias"] = has_bias("ffn_up");
    for (const char* module : {"ffn_gate", "ffn_down"}) {
      if (has_bias(module) != has_bias("ffn_up")) refuse_lone_bias();
    }
  }

  [[noreturn]] void refuse_lone_bias() const {
    throw InputError({.what = "biases of the GGUF file are those of no family that is supported",
                      .where = where_,
                      .expected = "biases of queries, keys and values; of these and the outputs; "
                                  "of the whole feed-forward block; or none",
                      .found = "others"});
  }

  void set_tokens() {
    for (const char* name : {"bos", "eos", "padding"}) {
      const auto id = optional_int(fields_, fmt::format("tokenizer.ggml.{}_token_id", name), where_,
                                   0, vocabulary_ - 1);
      const std::string own = std::string(name) == "padding" ? "pad" : name;
      if (id) config_[own + "_token_id"] = *id;
    }
  }

  const GgufHeader& header_;
  const GgufSource& source_;
  const std::string& where_;
  json fields_;
  json config_ = json::object();
  std::int64_t layers_ = 0;
  std::int64_t width_ = 0;
  std::int64_t context_ = 0;
  std::int64_t vocabulary_ = 0;
  std::int64_t head_dim_ = 0;
};

}  // namespace

json gguf_config(const GgufHeader& header, const GgufSource& source, const std::string& where) {
  return ConfigReader(header, source, where).config();
}

}  // namespace regroup::models
