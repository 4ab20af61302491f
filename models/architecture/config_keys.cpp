#include "models/architecture/config_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

/// Keys of any model's config that say nothing of its forward pass: names and versions, what is
/// returned, how text is generated, heads for other tasks.
constexpr std::string_view kCommon =
    "_name_or_path architectures attn_implementation _attn_implementation auto_map "
    "bad_words_ids begin_suppress_tokens bos_token_id chunk_size_feed_forward "
    "decoder_start_token_id diversity_penalty do_sample dtype early_stopping "
    "encoder_no_repeat_ngram_size eos_token_id exponential_decay_length_penalty finetuning_task "
    "forced_bos_token_id forced_eos_token_id gradient_checkpointing id2label is_composition "
    "is_encoder_decoder label2id "
    "length_penalty max_length min_length model_type no_repeat_ngram_size num_beam_groups "
    "num_beams num_labels num_return_sequences output_attentions output_hidden_states "
    "output_past output_scores pad_token_id prefix problem_type remove_invalid_values "
    "repetition_penalty return_dict return_dict_in_generate sep_token_id "
    "suppress_tokens task_specific_params temperature tf_legacy_loss tie_encoder_decoder "
    "tie_word_embeddings tokenizer_class "
    "top_k top_p torch_dtype torchscript transformers_version typical_p unsloth_fixed "
    "unsloth_version use_bfloat16 use_return_dict";

/// Keys of any model's config with which nothing here would be right.
constexpr std::string_view kCommonNeutral =
    R"({"quantization_config": null, "pruned_heads": {}, "cross_attention_hidden_size": null})";

/// Where rotary settings stand, but for the two that a family has names of its own for.
constexpr std::array kRotaryKeys = {"rope_parameters", "rope_scaling",
                                    "original_max_position_embeddings"};

/// Keys by which a converted checkpoint says its heads, and one of mixtures of keys what they are.
constexpr std::array kConvertedKeys = {"base_architecture",
                                       "num_key_value_heads_per_layer",
                                       "num_attention_heads_per_layer",
                                       "key_width_per_layer",
                                       "value_width_per_layer",
                                       "key_frequencies_per_layer",
                                       "block_configs",
                                       "attention"};

std::vector<std::string> words(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> result;
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

json parsed(std::string_view text) {
  return text.empty() ? json::object() : json::parse(text);
}

bool says_nothing(const json& value) {
  return value.is_null() || value == false || value == 0 ||
         (value.is_structured() && value.empty());
}

void require_neutral(const json& config, const json& neutral, const std::string& where) {
  for (const auto& [key, expected] : neutral.items()) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null() || *found == expected) continue;
    if (says_nothing(expected) && says_nothing(*found)) continue;
    throw InputError(
        {.what = fmt::format("{} is not supported", key),
         .where = field_of(where, key),
         .expected = says_nothing(expected) ? "absent or null" : describe_json(expected),
         .found = describe_json(*found)});
  }
}

}  // namespace

bool names_architecture(const json& config, std::string_view name) {
  const auto listed = config.find("architectures");
  return listed != config.end() && !name.empty() &&
         std::find(listed->begin(), listed->end(), name) != listed->end();
}

bool is_converted_from(const json& config, std::string_view name) {
  const auto source = config.find("base_architecture");
  return source != config.end() && !name.empty() && *source == name;
}

bool names_base_model(const json& config, const ArchitectureSpec& spec) {
  if (is_converted_from(config, spec.base_architecture)) return true;
  return names_architecture(config, spec.base_architecture) &&
         !names_architecture(config, spec.architecture);
}

ConfigKeyLists config_keys(const ArchitectureSpec& spec) {
  return {parsed(spec.keys.read), parsed(spec.keys.neutral), words(spec.keys.ignored)};
}

json resolved_config(const json& config, const ArchitectureSpec& spec, const std::string& where) {
  const ConfigKeyLists keys = config_keys(spec);
  json resolved = keys.read;
  resolved.update(config);
  for (const auto& [other, own] : spec.keys.other_names) {
    if (config.contains(other) && !config.contains(own)) resolved[own] = config[other];
  }
  // A flag that is null counts as not set.
  for (const auto& [key, usual] : keys.read.items()) {
    if (usual.is_boolean() && resolved[key].is_null()) resolved[key] = false;
  }
  require_neutral(config, parsed(kCommonNeutral), where);
  require_neutral(config, keys.neutral, where);
  return resolved;
}

std::vector<std::string> unknown_keys(const json& config, const ArchitectureSpec& spec) {
  const ConfigKeyLists keys = config_keys(spec);
  std::set<std::string> known(keys.ignored.begin(), keys.ignored.end());
  for (const json& object : {keys.read, keys.neutral, parsed(kCommonNeutral)}) {
    for (const auto& [key, value] : object.items()) known.insert(key);
  }
  for (const auto& [other, own] : spec.keys.other_names) known.emplace(other);
  for (std::string& key : words(kCommon)) known.insert(std::move(key));
  known.insert(kConvertedKeys.begin(), kConvertedKeys.end());
  if (spec.rotary != RotaryKind::kNone) {
    known.insert(kRotaryKeys.begin(), kRotaryKeys.end());
    known.emplace(spec.rotary_defaults.theta_field);
    known.emplace(spec.rotary_defaults.part_field);
  }
  std::vector<std::string> unknown;
  for (const auto& [key, value] : config.items()) {
    if (!known.contains(key)) unknown.push_back(key);
  }
  return unknown;
}

}  // namespace regroup::models
