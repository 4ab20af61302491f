#include "models/text/word_models.hpp"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/text/pipeline/unigram.hpp"
#include "models/text/pipeline/unsupported.hpp"
#include "models/text/pipeline/word_level.hpp"
#include "models/text/pipeline/word_piece.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

void refuse_dropout(const json& model, const std::string& where) {
  const auto dropout = model.find("dropout");
  if (dropout == model.end() || dropout->is_null() || *dropout == 0) return;
  refuse_tokenizer("BPE of the tokenizer is not supported", field_of(where, "dropout"), "none",
                   describe_json(*dropout));
}

std::unique_ptr<WordModel> read_bpe(const json& model, Vocabulary vocabulary, bool bytes,
                                    const std::string& where) {
  refuse_dropout(model, where);
  BpeOptions options;
  options.bytes = bytes;
  options.whole_words = optional_bool(model, "ignore_merges", where).value_or(false);
  options.byte_fallback = optional_bool(model, "byte_fallback", where).value_or(false);
  options.unknown = optional_string(model, "unk_token", where);
  options.fuse_unknown = optional_bool(model, "fuse_unk", where).value_or(false);
  options.continuation = optional_string(model, "continuing_subword_prefix", where).value_or("");
  options.ending = optional_string(model, "end_of_word_suffix", where).value_or("");
  // Symbols that are bytes have no room for these.
  const bool marked = !options.continuation.empty() || !options.ending.empty();
  if (bytes && (marked || options.byte_fallback)) {
    refuse_tokenizer("BPE of the tokenizer is not supported", where,
                     "neither byte_fallback, continuing_subword_prefix nor end_of_word_suffix "
                     "with the pre-tokenizer ByteLevel",
                     options.byte_fallback ? "byte_fallback"
                                           : "\"" + options.continuation + options.ending + "\"");
  }
  return std::make_unique<Bpe>(std::move(vocabulary), read_merges(model, where), options, where);
}

std::unique_ptr<WordModel> read_word_piece(const json& model, Vocabulary vocabulary,
                                           const std::string& where) {
  WordPieceOptions options;
  const auto set = [&](const char* key, std::string& option) {
    if (auto value = optional_string(model, key, where)) option = std::move(*value);
  };
  set("unk_token", options.unknown);
  set("continuing_subword_prefix", options.continuation);
  options.most_characters = optional_int(model, "max_input_chars_per_word", where, 0,
                                         std::numeric_limits<std::int64_t>::max())
                                .value_or(options.most_characters);
  return std::make_unique<WordPiece>(std::move(vocabulary), options, where);
}

/// The vocabulary of a Unigram: a list of tokens with their scores.
std::vector<ScoredToken> read_scored_tokens(const json& model, const std::string& where) {
  std::vector<ScoredToken> tokens;
  for (const json& entry : required_array(model, "vocab", where)) {
    const bool fits =
        entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_number();
    if (!fits) {
      throw InputError({.what = "token of the tokenizer is not one",
                        .where = fmt::format("{}, token {}", where, tokens.size()),
                        .expected = "a text and its score",
                        .found = describe_json(entry)});
    }
    tokens.push_back({entry[0].get<std::string>(), entry[1].get<double>()});
  }
  return tokens;
}

std::unique_ptr<WordModel> read_unigram(const json& model, const std::string& where) {
  constexpr std::int64_t kMostTokens = std::numeric_limits<std::int32_t>::max() - 1;
  UnigramOptions options;
  if (const auto id = optional_int(model, "unk_id", where, 0, kMostTokens)) {
    options.unknown = static_cast<std::int32_t>(*id);
  }
  options.byte_fallback = optional_bool(model, "byte_fallback", where).value_or(false);
  return std::make_unique<Unigram>(read_scored_tokens(model, where), options, where);
}

}  // namespace

WordModelKind word_model_kind(const json& model, const std::string& where) {
  using enum WordModelKind;
  if (model.contains("type") && !model["type"].is_null()) {
    const std::string type = required_string(model, "type", where);
    if (type == "BPE") return kBpe;
    if (type == "WordPiece") return kWordPiece;
    if (type == "Unigram") return kUnigram;
    if (type == "WordLevel") return kWordLevel;
    refuse_tokenizer("model of the tokenizer is not supported", where,
                     "BPE, WordPiece, Unigram or WordLevel", type);
  }
  if (model.contains("merges")) return kBpe;
  if (model.contains("max_input_chars_per_word")) return kWordPiece;
  if (model.contains("vocab") && model["vocab"].is_array()) return kUnigram;
  if (model.contains("unk_token")) return kWordLevel;
  refuse_tokenizer("model of the tokenizer is not supported", field_of(where, "type"),
                   "BPE, WordPiece, Unigram or WordLevel", "none");
}

Vocabulary read_model_vocabulary(const json& model, const std::string& where) {
  const std::string field = field_of(where, "vocab");
  if (word_model_kind(model, where) != WordModelKind::kUnigram) {
    return read_vocabulary(required_object(model, "vocab", where), field);
  }
  Vocabulary vocabulary;
  std::int32_t id = 0;
  for (const ScoredToken& token : read_scored_tokens(model, where))
    vocabulary.set(token.text, id++);
  return vocabulary;
}

std::unique_ptr<WordModel> read_word_model(const json& model, Vocabulary vocabulary, bool bytes,
                                           const std::string& where) {
  switch (word_model_kind(model, where)) {
    case WordModelKind::kWordPiece:
      return read_word_piece(model, std::move(vocabulary), where);
    case WordModelKind::kUnigram:
      return read_unigram(model, where);
    case WordModelKind::kWordLevel:
      return std::make_unique<WordLevel>(std::move(vocabulary),
                                         optional_string(model, "unk_token", where).value_or(""));
    case WordModelKind::kBpe:
      break;
  }
  return read_bpe(model, std::move(vocabulary), bytes, where);
}

/// A merge is `["Ġ", "t"]` or, in older files, `"Ġ t"`.
std::vector<Merge> read_merges(const json& model, const std::string& where) {
  std::vector<Merge> merges;
  for (const json& merge : required_array(model, "merges", where)) {
    const std::string here = fmt::format("{}, merge {}", where, merges.size());
    if (merge.is_string()) {
      merges.push_back(split_merge(merge.get<std::string>(), here));
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      merges.push_back({merge[0].get<std::string>(), merge[1].get<std::string>()});
    } else {
      throw InputError({.what = "merge of the tokenizer is not one",
                        .where = here,
                        .expected = "two tokens",
                        .found = describe_json(merge)});
    }
  }
  return merges;
}

}  // namespace regroup::models
