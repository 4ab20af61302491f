#include "models/text/document_join.hpp"

#include <algorithm>

#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Ids = std::vector<std::int32_t>;

/// What a tokenizer adds to a text.
struct AddedIds {
  Ids before;
  Ids after;
};

/// Found out on a text of one letter, for a Tokenizer does not say it.
AddedIds added_ids(const Tokenizer& tokenizer) {
  constexpr std::string_view kText = "a";
  const Ids plain = tokenizer.encode(kText, /*special=*/false);
  const Ids whole = tokenizer.encode(kText, /*special=*/true);
  const auto found = std::search(whole.begin(), whole.end(), plain.begin(), plain.end());
  const auto length = static_cast<std::ptrdiff_t>(found == whole.end() ? 0 : plain.size());
  return {{whole.begin(), found}, {found + length, whole.end()}};
}

std::int32_t separator(std::optional<std::int32_t> end, const AddedIds& added,
                       const std::string& where) {
  if (end) return *end;
  if (!added.after.empty()) return added.after.back();
  throw InputError(
      {.what = "the model has no end-of-sequence token to put between documents",
       .where = where,
       .expected = "eos_token_id in config.json, or --join newline, blank-line or none",
       .found = "--join eos"});
}

Ids encode_apart(std::span<const std::string> documents, std::optional<std::int32_t> end,
                 const Tokenizer& tokenizer, bool special, const std::string& where) {
  const AddedIds added = added_ids(tokenizer);
  const std::int32_t between = separator(end, added, where);
  Ids ids;
  const auto append = [&ids](const Ids& more) { ids.insert(ids.end(), more.begin(), more.end()); };
  if (special) append(added.before);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (i > 0) ids.push_back(between);
    append(tokenizer.encode(documents[i], /*special=*/false));
  }
  if (special) append(added.after);
  return ids;
}

std::string_view delimiter(DocumentJoin join) {
  switch (join) {
    case DocumentJoin::kNewline:
      return "\n";
    case DocumentJoin::kBlankLine:
      return "\n\n";
    default:
      return "";
  }
}

std::string one_text(std::span<const std::string> documents, DocumentJoin join) {
  std::string text;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (i > 0) text += delimiter(join);
    text += documents[i];
  }
  return text;
}

}  // namespace

std::string_view join_name(DocumentJoin join) {
  return std::ranges::find(kDocumentJoins, join, &search::Named<DocumentJoin>::value)->name;
}

search::Option join_option(DocumentJoin& join) {
  return {.flag = "--join",
          .unit = "HOW",
          .help =
              "What stands between the documents of JSON lines (.jsonl) that are read as one "
              "text: the end-of-sequence token, a line break, a blank line or nothing",
          .field = search::names_of(join, kDocumentJoins)};
}

std::string document_text(const JsonLine& line) {
  const bool is_page = !line.value.contains("text") && line.value.contains("page");
  return required_string(line.value, is_page ? "page" : "text", line.where);
}

std::vector<std::string> document_texts(std::string_view file, const std::string& where) {
  std::vector<std::string> texts;
  for (const JsonLine& line : parse_json_lines(file, where)) texts.push_back(document_text(line));
  if (!texts.empty()) return texts;
  throw InputError({.what = "file holds no documents",
                    .where = where,
                    .expected = R"(a line like {"text": "…"})",
                    .found = "no line with content"});
}

Ids encode_joined(std::span<const std::string> documents, DocumentJoin join,
                  std::optional<std::int32_t> end, const Tokenizer& tokenizer, bool special,
                  const std::string& where) {
  if (join == DocumentJoin::kEnd) return encode_apart(documents, end, tokenizer, special, where);
  return tokenizer.encode(one_text(documents, join), special);
}

}  // namespace regroup::models
