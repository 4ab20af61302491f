#include "models/inputs/dataset.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "models/files/json_fields.hpp"
#include "models/files/json_lines.hpp"
#include "models/files/mapped_file.hpp"
#include "models/files/sha256.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Ids of a text, closed as the model was trained to see them.
std::vector<std::int32_t> closed_ids(const Tokenizer& tokenizer, const std::string& text,
                                     std::optional<std::int32_t> end) {
  std::vector<std::int32_t> ids = tokenizer.encode(text, /*special=*/true);
  if (end && (ids.empty() || ids.back() != *end)) ids.push_back(*end);
  return ids;
}

void require_fits(const std::vector<std::int32_t>& ids, const ModelConfig& config,
                  const std::string& where) {
  if (!ids.empty() && ids.size() <= static_cast<std::size_t>(config.context)) return;
  throw InputError({.what = "text does not fit the model",
                    .where = where,
                    .expected = fmt::format("1 to {} tokens", config.context),
                    .found = std::to_string(ids.size())});
}

}  // namespace

PairFile read_pair_file(const std::filesystem::path& file, const PretrainedModel& model) {
  const MappedFile mapped(file);
  PairFile result{sha256_hex(mapped.bytes()), {}};
  const std::unique_ptr<const Tokenizer> tokenizer = load_tokenizer(model.checkpoint.directory());
  const std::string_view text(reinterpret_cast<const char*>(mapped.bytes().data()),
                              mapped.bytes().size());
  const auto ids_of = [&](const JsonLine& line, const char* field) {
    std::vector<std::int32_t> ids =
        closed_ids(*tokenizer, required_string(line.value, field, line.where), model.config.eos);
    require_fits(ids, model.config, field_of(line.where, field));
    return ids;
  };
  for (const JsonLine& line : parse_json_lines(text, file.string())) {
    result.pairs.push_back({ids_of(line, "source"), ids_of(line, "target")});
  }
  if (result.pairs.empty()) {
    throw InputError({.what = "file has no pairs of texts",
                      .where = file.string(),
                      .expected = R"(a line like {"source": "…", "target": "…"})"});
  }
  return result;
}

}  // namespace regroup::models
