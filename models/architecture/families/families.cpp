#include "models/architecture/families/families.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/architecture/config_keys.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

std::string supported_architectures() {
  std::vector<std::string_view> names;
  for (const ArchitectureSpec& spec : families()) names.push_back(spec.architecture);
  return fmt::format("one of {}", fmt::join(names, ", "));
}

bool is_named(const json& config, const ArchitectureSpec& spec) {
  return names_architecture(config, spec.architecture) ||
         names_architecture(config, spec.base_architecture) ||
         std::ranges::any_of(spec.other_architectures, [&](std::string_view name) {
           return names_architecture(config, name);
         });
}

[[noreturn]] void refuse(const std::string& where, std::string_view key, std::string found) {
  throw InputError({.what = "architecture is not supported",
                    .where = field_of(where, key),
                    .expected = supported_architectures(),
                    .found = std::move(found)});
}

const ArchitectureSpec& find_by_model_type(const json& config, const std::string& where) {
  const std::string type = required_string(config, "model_type", where);
  for (const ArchitectureSpec& spec : families()) {
    if (spec.model_type == type) return spec;
  }
  refuse(where, "model_type", printable(type));
}

}  // namespace

const std::vector<ArchitectureSpec>& families() {
  // A new family is one line here.
  static const std::vector<ArchitectureSpec> table = {
      llama_architecture(),
      mistral_architecture(),
      qwen2_architecture(),
      qwen3_architecture(),
      qwen3_moe_architecture(),
      mixtral_architecture(),
      gemma_architecture(),
      gemma2_architecture(),
      gemma3_architecture(),
      phi_architecture(),
      phi3_architecture(),
      olmo_architecture(),
      olmo2_architecture(),
      olmoe_architecture(),
      granite_architecture(),
      smollm3_architecture(),
      stablelm_architecture(),
      starcoder2_architecture(),
      gpt2_architecture(),
      gptj_architecture(),
      gpt_neo_architecture(),
      gpt_neox_architecture(),
      opt_architecture(),
      bloom_architecture(),
      mpt_architecture(),
      falcon_architecture(),
      bert_architecture(),
      roberta_architecture(),
      distilbert_architecture(),
      bert_classifier_architecture(),
      roberta_classifier_architecture(),
      distilbert_classifier_architecture(),
      vit_architecture(),
      dinov2_architecture(),
      t5_architecture(),
      bart_architecture(),
      m2m100_architecture(),
      marian_architecture(),
      whisper_architecture(),
  };
  return table;
}

const ArchitectureSpec& find_architecture(const json& config, const std::string& where) {
  for (const ArchitectureSpec& spec : families()) {
    if (is_converted_from(config, spec.architecture)) return spec;
    if (is_converted_from(config, spec.base_architecture)) return spec;
  }
  const json* listed = optional_array(config, "architectures", where);
  if (listed == nullptr) return find_by_model_type(config, where);
  for (const ArchitectureSpec& spec : families()) {
    if (is_named(config, spec)) return spec;
  }
  std::string found = "an empty list";
  if (!listed->empty()) {
    const json& first = (*listed)[0];
    found = first.is_string() ? printable(first.get<std::string>()) : describe_json(first);
  }
  refuse(where, "architectures", std::move(found));
}

}  // namespace regroup::models
