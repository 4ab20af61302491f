#include "apps/convert/gguf_output.hpp"

#include <nlohmann/json.hpp>

#include "apps/shared_options.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

constexpr const char* kOption = "--output";

/// The ending keeps a slip of the hand from replacing weights or a grouping.
void require_usable_file(const GgufOutput& output) {
  const std::filesystem::path& file = output.file;
  if (file.extension() != ".gguf") {
    throw InputError({.what = "output is not named as a GGUF file",
                      .where = kOption,
                      .expected = "FILE.gguf with --format gguf",
                      .found = file.string()});
  }
  if (!output.overwrites && std::filesystem::exists(file)) {
    throw InputError({.what = "output file exists already",
                      .where = kOption,
                      .expected = "another name, or --force",
                      .found = file.string()});
  }
  require_writable_file(file, kOption);
}

models::GgufMetadata provenance_of(const models::GroupingFile& grouping,
                                   const std::filesystem::path& file, models::Layout layout) {
  models::GgufMetadata metadata = {
      {"regroup.grouping", file.filename().string()},
      {"regroup.kv_ratio", static_cast<float>(grouping.grouping.kv_ratio())},
      {"regroup.layout", std::string(models::layout_name(layout))},
      {"regroup.merge", grouping.recipe.name()}};
  const nlohmann::json json = models::read_json_file(file);
  const nlohmann::json method =
      json.value(nlohmann::json::json_pointer("/provenance/method"), nlohmann::json());
  if (method.is_string()) metadata.push_back({"regroup.method", method.get<std::string>()});
  return metadata;
}

}  // namespace

models::GgufPlan check_gguf_output(const GgufOutput& output, const models::PretrainedModel& model,
                                   const models::GroupingFile& grouping,
                                   const std::filesystem::path& grouping_file,
                                   models::Layout layout) {
  models::GgufOptions options;
  if (!output.dtype.empty()) options.type = models::find_ggml_type(output.dtype);
  options.tokenizer = output.tokenizer;
  options.context = output.context;
  options.provenance = provenance_of(grouping, grouping_file, layout);
  models::GgufPlan plan = models::plan_gguf(model, grouping.grouping, layout, options);
  require_usable_file(output);
  return plan;
}

}  // namespace regroup::apps
