#include "models/text/tokenizer_json.hpp"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "models/text/pipeline/byte_level_bpe.hpp"
#include "models/text/pipeline/unsupported.hpp"
#include "models/text/pipeline/word_piece.hpp"
#include "models/text/pipeline_tokenizer.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

const json& field_or_null(const json& object, const char* key) {
  static const json null;
  const auto field = object.find(key);
  return field == object.end() ? null : *field;
}

/// Options of a BPE that must be absent, null, false, 0 or empty.
void refuse_other_bpe(const json& model, const std::string& where) {
  for (const char* key :
       {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"}) {
    const json& value = field_or_null(model, key);
    const bool off = value.is_null() || value == false || value == 0 || value == "";
    if (!off) {
      refuse_tokenizer("BPE of the tokenizer is not supported", field_of(where, key), "none",
                       describe_json(value));
    }
  }
}

std::unique_ptr<WordModel> read_bpe(const json& model, Vocabulary vocabulary,
                                    const std::string& where) {
  refuse_other_bpe(model, where);
  BpeOptions options;
  options.whole_words = optional_bool(model, "ignore_merges", where).value_or(false);
  options.unknown = optional_string(model, "unk_token", where);
  options.fuse_unknown = optional_bool(model, "fuse_unk", where).value_or(false);
  return std::make_unique<ByteLevelBpe>(std::move(vocabulary), read_merges(model, where), options,
                                        where);
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

std::unique_ptr<WordModel> read_model(const json& model, Vocabulary vocabulary, bool byte_level,
                                      const std::string& where) {
  const std::string type = required_string(model, "type", where);
  if (type == "BPE" && byte_level) return read_bpe(model, std::move(vocabulary), where);
  if (type == "WordPiece" && !byte_level) {
    return read_word_piece(model, std::move(vocabulary), where);
  }
  refuse_tokenizer("model of the tokenizer is not supported", where,
                   "BPE with the pre-tokenizer ByteLevel, WordPiece without it",
                   fmt::format("{} {} it", type, byte_level ? "with" : "without"));
}

/// By the model alone, but that the decoder WordPiece may say that it leaves blanks where they are.
Decoder read_decoder(const json& tokenizer, const Vocabulary& vocabulary, bool byte_level,
                     const std::string& where) {
  if (byte_level) return Decoder::of_bytes(vocabulary);
  const std::string prefix = optional_string(required_object(tokenizer, "model", where),
                                             "continuing_subword_prefix", where)
                                 .value_or(WordPieceOptions().continuation);
  const json* decoder = optional_object(tokenizer, "decoder", where);
  const std::string here = field_of(where, "decoder");
  const bool cleans = decoder == nullptr || optional_bool(*decoder, "cleanup", here).value_or(true);
  return Decoder::of_pieces(vocabulary, prefix, cleans);
}

std::vector<AddedToken> read_added_tokens(const json& tokenizer, const Vocabulary& vocabulary,
                                          const std::string& where) {
  std::vector<AddedToken> tokens;
  const json* list = optional_array(tokenizer, "added_tokens", where);
  if (list == nullptr) return tokens;
  for (const json& entry : *list) {
    const std::string here = fmt::format("{}, added token {}", where, tokens.size());
    require_object(entry, here);
    const std::int32_t id = checked_id(field_or_null(entry, "id"), here);
    tokens.push_back(read_added_token(entry, id, here));
    const auto known = vocabulary.find(tokens.back().content);
    if (known && *known != id) {
      throw InputError({.what = "added token has another id than in the vocabulary",
                        .where = here,
                        .expected = std::to_string(*known),
                        .found = std::to_string(id)});
    }
  }
  return tokens;
}

}  // namespace

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

const json& TokenizerJson::part(const char* key) const {
  return field_or_null(file, key);
}

std::string TokenizerJson::part_where(const char* key) const {
  return field_of(where, key);
}

TokenizerJson read_tokenizer_json(const std::filesystem::path& file,
                                  const std::filesystem::path& config) {
  TokenizerJson tokenizer;
  tokenizer.file = read_json_file(file);
  tokenizer.where = file.string();
  const json& model = required_object(tokenizer.file, "model", tokenizer.where);
  const std::string where = tokenizer.part_where("model");
  const std::string type = required_string(model, "type", where);
  if (type != "BPE" && type != "WordPiece") {
    refuse_tokenizer("model of the tokenizer is not supported", where, "BPE or WordPiece", type);
  }
  tokenizer.vocabulary =
      read_vocabulary(required_object(model, "vocab", where), tokenizer.part_where("vocab"));
  tokenizer.added = read_added_tokens(tokenizer.file, tokenizer.vocabulary, tokenizer.where);
  tokenizer.special =
      read_post_processor(tokenizer.part("post_processor"), tokenizer.part_where("post_processor"));
  tokenizer.config = read_tokenizer_config(config);
  add_configured_ids(tokenizer.special, tokenizer.config, tokenizer.added, tokenizer.vocabulary,
                     config.string());
  return tokenizer;
}

std::unique_ptr<Tokenizer> load_tokenizer_json(const std::filesystem::path& file,
                                               const std::filesystem::path& config) {
  TokenizerJson source = read_tokenizer_json(file, config);
  TokenizerParts parts;
  parts.vocabulary = source.vocabulary.size();
  parts.normalizer = read_normalizer(source.part("normalizer"), source.part_where("normalizer"));
  parts.pre_tokenizer =
      read_pre_tokenizer(source.part("pre_tokenizer"), source.part_where("pre_tokenizer"));
  parts.prefix = prefix_id(source.config, source.added, source.vocabulary);
  parts.left_out = special_token_ids(source.config, source.added, source.vocabulary);
  parts.decoder =
      read_decoder(source.file, source.vocabulary, parts.pre_tokenizer.byte_level, source.where);
  parts.added = std::move(source.added);
  parts.special = std::move(source.special);
  parts.model = read_model(source.model(), std::move(source.vocabulary),
                           parts.pre_tokenizer.byte_level, source.part_where("model"));
  return make_pipeline_tokenizer(std::move(parts));
}

}  // namespace regroup::models
