#include "models/inputs/text_lines.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/sha256.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

TextLines::TextLines(const std::filesystem::path& file, const PretrainedModel& model)
    : file_(file.string()),
      mapped_(file),
      sha256_(sha256_hex(mapped_.bytes())),
      tokenizer_(load_tokenizer(model.checkpoint.directory())),
      context_(model.config.context),
      end_(has_decoder(model.config.kind) ? model.config.eos : std::nullopt) {}

std::vector<JsonLine> TextLines::all(std::string_view content, std::string_view example) const {
  const std::string_view text(reinterpret_cast<const char*>(mapped_.bytes().data()),
                              mapped_.bytes().size());
  std::vector<JsonLine> lines = parse_json_lines(text, file_);
  if (!lines.empty()) return lines;
  throw InputError({.what = fmt::format("file has no {}", content),
                    .where = file_,
                    .expected = fmt::format("a line like {}", example)});
}

std::vector<std::int32_t> TextLines::ids(const JsonLine& line, std::string_view field) const {
  const std::string text = required_string(line.value, field, line.where);
  std::vector<std::int32_t> ids = tokenizer_->encode(text, /*special=*/true);
  if (end_ && (ids.empty() || ids.back() != *end_)) ids.push_back(*end_);
  if (!ids.empty() && ids.size() <= static_cast<std::size_t>(context_)) return ids;
  throw InputError({.what = "text does not fit the model",
                    .where = field_of(line.where, field),
                    .expected = fmt::format("1 to {} tokens", context_),
                    .found = std::to_string(ids.size())});
}

}  // namespace regroup::models
