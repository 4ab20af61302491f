#include "models/gguf/tokenizer_metadata.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "models/gguf/gguf_vocabulary.hpp"
#include "models/text/tokenizer_json.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr std::string_view kBlank = "\xe2\x96\x81";  // "▁"
constexpr int kByteTokens = 256;

std::string byte_token(int byte) {
  return fmt::format("<0x{:02X}>", byte);
}

/// The steps of a normalizer or pre-tokenizer, one or those of a sequence; none where it is null.
std::vector<json> steps_of_part(const json& node, const char* list, const std::string& where) {
  if (node.is_null()) return {};
  if (required_string(node, "type", where) != "Sequence") return {node};
  const json& steps = required_array(node, list, where);
  return {steps.begin(), steps.end()};
}

/// Whether a step puts "▁" in place of blanks.
bool is_blank_replacement(const json& step, const std::string& where) {
  if (required_string(step, "type", where) != "Replace") return false;
  const json& pattern = required_object(step, "pattern", where);
  return optional_string(pattern, "String", where) == " " &&
         required_string(step, "content", where) == kBlank;
}

/// Whether a step does nothing once there are no blanks any more, as in Gemma's file.
bool is_split_at_blanks(const json& step, const std::string& where) {
  if (required_string(step, "type", where) != "Split") return false;
  return optional_string(required_object(step, "pattern", where), "String", where) == " ";
}

/// How blanks of a text become "▁": by a normalizer or by a Metaspace.
class BlankRules {
 public:
  explicit BlankRules(const TokenizerJson& source) {
    const std::string normalizer = source.part_where("normalizer");
    for (const json& step : steps_of_part(source.part("normalizer"), "normalizers", normalizer)) {
      add_normalizer(step, normalizer);
    }
    const std::string cut = source.part_where("pre_tokenizer");
    for (const json& step : steps_of_part(source.part("pre_tokenizer"), "pretokenizers", cut)) {
      add_pre_tokenizer(step, cut);
    }
    if (!replaces_) refuse_for_llama_cpp(cut, "blanks that become \"▁\"", "blanks that stay");
  }

  bool blank_before_text() const { return prepends_; }

 private:
  void add_normalizer(const json& step, const std::string& where) {
    const std::string type = required_string(step, "type", where);
    if (type == "Prepend" && !replaces_ && required_string(step, "prepend", where) == kBlank) {
      prepends_ = true;
    } else if (is_blank_replacement(step, where)) {
      replaces_ = true;
    } else {
      refuse_for_llama_cpp(where, "\"▁\" before the text and in place of blanks", type);
    }
  }

  void add_pre_tokenizer(const json& step, const std::string& where) {
    const std::string type = required_string(step, "type", where);
    if (replaces_ && is_split_at_blanks(step, where)) return;
    if (type != "Metaspace" || replaces_) {
      refuse_for_llama_cpp(where, "text that is not cut before BPE", type);
    }
    const bool split = optional_bool(step, "split", where).value_or(true);
    if (split || required_string(step, "replacement", where) != kBlank) {
      refuse_for_llama_cpp(where, "text that is not cut before BPE", "Metaspace that splits");
    }
    replaces_ = true;
    prepends_ = optional_string(step, "prepend_scheme", where).value_or("always") != "never";
  }

  bool prepends_ = false;
  bool replaces_ = false;
};

/// Ranks of merged tokens: the token of the first merge has 0, the next other one 1, …
class TokenRanks {
 public:
  TokenRanks(const std::vector<Merge>& merges, const Vocabulary& vocabulary,
             const std::string& where) {
    std::string last;
    for (const Merge& merge : merges) {
      std::string token = merge.left + merge.right;
      if (!vocabulary.find(merge.left) || !vocabulary.find(merge.right) ||
          !vocabulary.find(token)) {
        refuse_for_llama_cpp(where, "merges of tokens to tokens", printable(token));
      }
      if (token != last && !ranks_.emplace(token, static_cast<int>(ranks_.size())).second) {
        refuse_for_llama_cpp(where, "merges that make one token one after another",
                             "others between those of " + printable(token));
      }
      ++merges_of_[token];
      last = std::move(token);
    }
    vocabulary.for_each([&](const std::string& token, std::int32_t) {
      require_all_pairs(token, vocabulary, where);
    });
  }

  /// Below 0, the higher the earlier; 0 of a token that is not merged.
  float score(const std::string& token) const {
    const auto found = ranks_.find(token);
    return found == ranks_.end() ? 0 : -1 - static_cast<float>(found->second);
  }

 private:
  /// By scores every two tokens that make a token can be merged; so each must be a merge.
  void require_all_pairs(const std::string& token, const Vocabulary& vocabulary,
                         const std::string& where) const {
    int pairs = 0;
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      if ((token[cut] & 0xc0) == 0x80) continue;  // inside of a character
      const std::string_view text = token;
      if (vocabulary.find(text.substr(0, cut)) && vocabulary.find(text.substr(cut))) ++pairs;
    }
    const auto found = merges_of_.find(token);
    if (pairs == (found == merges_of_.end() ? 0 : found->second)) return;
    refuse_for_llama_cpp(where, "a merge for every two tokens that make a token",
                         "a pair without one makes " + printable(token));
  }

  std::unordered_map<std::string, int> ranks_;
  std::unordered_map<std::string, int> merges_of_;
};

void require_bytes(const Vocabulary& vocabulary, const std::string& where) {
  for (int byte = 0; byte < kByteTokens; ++byte) {
    if (vocabulary.find(byte_token(byte))) continue;
    refuse_for_llama_cpp(where, "a token for every byte", "none for " + byte_token(byte));
  }
}

PieceType type_of_piece(const std::string& text, const std::optional<std::string>& unknown) {
  if (text == unknown) return PieceType::kUnknown;
  const bool is_byte =
      text.size() == byte_token(0).size() && text.starts_with("<0x") && text.ends_with('>');
  return is_byte ? PieceType::kByte : PieceType::kNormal;
}

GgufVocabulary vocabulary_of_pieces(const TokenizerJson& source, const TokenRanks& ranks,
                                    const std::optional<std::string>& unknown, int rows) {
  require_rows(static_cast<std::size_t>(source.vocabulary.size()), rows, source.where);
  GgufVocabulary vocabulary(rows);
  source.vocabulary.for_each([&](const std::string& text, std::int32_t id) {
    vocabulary.set(id, text, ranks.score(text), type_of_piece(text, unknown));
  });
  for (const AddedToken& token : source.added) {
    if (!vocabulary.holds(token.id) || token.content == unknown) continue;
    vocabulary.set(token.id, token.content, 0,
                   token.special ? PieceType::kControl : PieceType::kUserDefined);
  }
  return vocabulary;
}

}  // namespace

bool has_piece_bpe(const std::filesystem::path& file) {
  const json tokenizer = read_json_file(file);
  const std::string where = file.string();
  const json& model = required_object(tokenizer, "model", where);
  const std::string field = field_of(where, "model");
  return optional_string(model, "type", field) == "BPE" &&
         optional_bool(model, "byte_fallback", field).value_or(false);
}

GgufMetadata piece_bpe_metadata(const std::filesystem::path& directory, const ModelConfig& config) {
  const TokenizerJson source =
      read_tokenizer_json(directory / "tokenizer.json", directory / "tokenizer_config.json");
  const std::string where = source.part_where("model");
  if (optional_bool(source.model(), "ignore_merges", where).value_or(false)) {
    refuse_for_llama_cpp(where, "merges alone", "ignore_merges");
  }
  const BlankRules blanks(source);
  require_bytes(source.vocabulary, where);
  const TokenRanks ranks(read_merges(source.model(), where), source.vocabulary, where);
  auto unknown = optional_string(source.model(), "unk_token", where);
  if (!unknown) unknown = source.config.unknown;
  GgufMetadata metadata = {{"tokenizer.ggml.model", std::string("llama")},
                           {"tokenizer.ggml.pre", std::string("default")}};
  vocabulary_of_pieces(source, ranks, unknown, config.vocabulary)
      .append_to(metadata, true, source.where);
  SpecialTokens special = special_tokens_of(source.config, source.special, source.added,
                                            source.vocabulary, config, source.where);
  if (unknown && !special.unknown) special.unknown = source.vocabulary.find(*unknown);
  append_special_tokens(metadata, special);
  metadata.push_back({"tokenizer.ggml.add_space_prefix", blanks.blank_before_text()});
  return metadata;
}

}  // namespace regroup::models
