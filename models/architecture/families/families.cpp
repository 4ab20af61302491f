#include "models/architecture/families/families.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Every supported family; a new one is one line here.
const std::vector<ArchitectureSpec>& families() {
  static const std::vector<ArchitectureSpec> table = {
      llama_architecture(), mistral_architecture(), qwen2_architecture(),    qwen3_architecture(),
      gpt2_architecture(),  opt_architecture(),     gpt_neox_architecture(), bert_architecture(),
      vit_architecture(),   t5_architecture(),
  };
  return table;
}

std::string supported_architectures() {
  std::vector<std::string_view> names;
  for (const ArchitectureSpec& spec : families()) names.push_back(spec.architecture);
  return fmt::format("one of {}", fmt::join(names, ", "));
}

}  // namespace

const ArchitectureSpec& find_architecture(const nlohmann::json& config, const std::string& where) {
  const nlohmann::json& listed = required_array(config, "architectures", where);
  const auto base = config.find("base_architecture");
  for (const ArchitectureSpec& spec : families()) {
    if (base != config.end() && *base == spec.architecture) return spec;
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

}  // namespace regroup::models
