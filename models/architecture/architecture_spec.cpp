#include "models/architecture/architecture_spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/architecture/families/llama.hpp"
#include "models/architecture/families/mistral.hpp"
#include "models/architecture/families/qwen2.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "search/error.hpp"

namespace regroup::models {
namespace {

/// Every supported family; a new one is one line here.
const std::vector<ArchitectureSpec>& families() {
  static const std::vector<ArchitectureSpec> table = {
      llama_architecture(),
      mistral_architecture(),
      qwen2_architecture(),
  };
  return table;
}

std::string supported_architectures() {
  std::vector<std::string_view> names;
  for (const ArchitectureSpec& spec : families()) names.push_back(spec.architecture);
  return fmt::format("one of {}", fmt::join(names, ", "));
}

}  // namespace

std::string module_name(std::string_view name, int layer) {
  return fmt::format(fmt::runtime(name), layer);
}

const ArchitectureSpec& find_architecture(const nlohmann::json& config, const std::string& where) {
  const nlohmann::json& listed = required_array(config, "architectures", where);
  for (const ArchitectureSpec& spec : families()) {
    if (std::find(listed.begin(), listed.end(), spec.architecture) != listed.end()) return spec;
  }
  std::string found = "an empty list";
  if (!listed.empty()) {
    found =
        listed[0].is_string() ? printable(listed[0].get<std::string>()) : describe_json(listed[0]);
  }
  throw InputError({.what = "architecture is not supported",
                    .where = field_of(where, "architectures"),
                    .expected = supported_architectures(),
                    .found = found});
}

std::vector<ExpectedTensor> expected_tensors(const ArchitectureSpec& spec,
                                             const ModelConfig& config) {
  const std::int64_t width = config.width;
  const std::int64_t queries = std::int64_t{config.query_heads} * config.head_dim;
  const std::int64_t keys = std::int64_t{config.kv_heads} * config.head_dim;
  std::vector<ExpectedTensor> tensors;
  const auto add = [&](std::string_view module, int layer, std::vector<std::int64_t> shape,
                       bool bias) {
    const std::string name = module_name(module, layer);
    const std::int64_t rows = shape[0];
    tensors.push_back({name + ".weight", std::move(shape)});
    if (bias) tensors.push_back({name + ".bias", {rows}});
  };
  add(spec.modules.embedding, 0, {config.vocabulary, width}, false);
  for (int layer = 0; layer < config.layers; ++layer) {
    add(spec.modules.attention_norm, layer, {width}, false);
    add(spec.modules.query, layer, {queries, width}, config.input_bias);
    add(spec.modules.key, layer, {keys, width}, config.input_bias);
    add(spec.modules.value, layer, {keys, width}, config.input_bias);
    add(spec.modules.output, layer, {width, queries}, config.output_bias);
    add(spec.modules.mlp_norm, layer, {width}, false);
    add(spec.modules.gate, layer, {config.mlp_width, width}, config.mlp_bias);
    add(spec.modules.up, layer, {config.mlp_width, width}, config.mlp_bias);
    add(spec.modules.down, layer, {width, config.mlp_width}, config.mlp_bias);
  }
  add(spec.modules.final_norm, 0, {width}, false);
  if (!config.tied_embeddings) add(spec.modules.head, 0, {config.vocabulary, width}, false);
  return tensors;
}

}  // namespace regroup::models
