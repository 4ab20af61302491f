#include "models/text/gguf_tokenizer_files.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "models/checkpoint/gguf/gguf_fields.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/printable.hpp"
#include "models/text/llama_cpp_patterns.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "models/text/sentencepiece_bytes.hpp"
#include "models/text/sentencepiece_model.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr std::string_view kPrefix = "tokenizer.ggml.";

/// Ids that llama.cpp takes where a file names none.
struct UsualId {
  std::string_view model;
  std::string_view role;
  std::int32_t id;
};
constexpr std::array kUsualIds = {UsualId{"llama", "unknown", 0}, UsualId{"llama", "bos", 1},
                                  UsualId{"llama", "eos", 2},     UsualId{"t5", "padding", 0},
                                  UsualId{"t5", "eos", 1},        UsualId{"t5", "unknown", 2}};

/// How transformers calls the class of such a tokenizer.
struct ClassName {
  std::string_view model;
  const char* name;
};
constexpr std::array kClassNames = {ClassName{"gpt2", "PreTrainedTokenizerFast"},
                                    ClassName{"llama", "LlamaTokenizer"},
                                    ClassName{"t5", "T5Tokenizer"}};

const char* class_name(std::string_view model) {
  for (const ClassName& entry : kClassNames) {
    if (entry.model == model) return entry.name;
  }
  return nullptr;
}

std::string ggml_key(std::string_view own) {
  return std::string(kPrefix) + std::string(own);
}

[[noreturn]] void refuse_key(const std::string& where, std::string_view own, std::string expected,
                             std::string found) {
  throw InputError({.what = "tokenizer of the GGUF file cannot be read",
                    .where = where + ", " + ggml_key(own),
                    .expected = std::move(expected),
                    .found = std::move(found)});
}

/// What all kinds of tokenizers say.
class TokenizerReader {
 public:
  TokenizerReader(const GgufMetadata& metadata, const std::string& where)
      : metadata_(metadata), where_(where) {
    fields_ = gguf_fields(metadata);
    model_ = required_string(fields_, ggml_key("model"), where_);
  }

  GgufTokenizerFiles files() {
    if (class_name(model_) == nullptr) {
      refuse_key(where_, "model", "gpt2, llama or t5; or token ids as .bin or .npy data",
                 printable(model_));
    }
    read_tokens();
    GgufTokenizerFiles files;
    if (model_ == "gpt2") {
      files.tokenizer = byte_level();
    } else {
      files.sentencepiece = sentencepiece_bytes(sentencepiece());
    }
    files.config = config();
    return files;
  }

 private:
  template <typename T>
  const T& required_list(std::string_view own) const {
    if (const T* list = find_typed<T>(metadata_, ggml_key(own))) return *list;
    const bool is_there = find_value(metadata_, ggml_key(own)) != nullptr;
    refuse_key(where_, own, "a list of texts or numbers, as llama.cpp writes it",
               is_there ? "another type" : "none");
  }

  void require_texts(std::string_view own, const std::vector<std::string>& texts) const {
    for (const std::string& text : texts) {
      if (!first_invalid_utf8(text)) continue;
      refuse_key(where_, own, "texts in UTF-8", "\"" + printable(text) + "\"");
    }
  }

  /// Of those that are in use.
  void require_different_tokens() const {
    std::set<std::string_view> texts;
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (types_[id] == PieceType::kUnused) continue;
      if (!tokens_[id].empty() && texts.insert(tokens_[id]).second) continue;
      refuse_key(where_, "tokens", "a text of its own for every id",
                 fmt::format("\"{}\" for {}, empty or a second time", printable(tokens_[id]), id));
    }
  }

  void read_tokens() {
    tokens_ = required_list<std::vector<std::string>>("tokens");
    require_texts("tokens", tokens_);
    types_.assign(tokens_.size(), PieceType::kNormal);
    if (find_value(metadata_, ggml_key("token_type")) != nullptr) {
      const auto& types = required_list<std::vector<std::int32_t>>("token_type");
      require_length("token_type", types.size());
      for (std::size_t id = 0; id < types.size(); ++id) types_[id] = type_of(types[id]);
    }
    require_different_tokens();
  }

  PieceType type_of(std::int32_t number) const {
    if (number >= static_cast<int>(PieceType::kNormal) &&
        number <= static_cast<int>(PieceType::kByte)) {
      return static_cast<PieceType>(number);
    }
    refuse_key(where_, "token_type", "numbers from 1 to 6", std::to_string(number));
  }

  void require_length(std::string_view own, std::size_t length) const {
    if (length == tokens_.size()) return;
    refuse_key(where_, own, fmt::format("as many as tokens, {}", tokens_.size()),
               std::to_string(length));
  }

  /// The id of a token of a role, "bos"; where the file does not say it, that of the kind.
  std::optional<std::int32_t> id_of_role(std::string_view role) const {
    const auto own = optional_int(fields_, ggml_key(std::string(role) + "_token_id"), where_, 0,
                                  static_cast<std::int64_t>(tokens_.size()) - 1);
    if (own) return static_cast<std::int32_t>(*own);
    for (const UsualId& usual : kUsualIds) {
      const bool is_there = static_cast<std::size_t>(usual.id) < tokens_.size();
      if (usual.model == model_ && usual.role == role && is_there) return usual.id;
    }
    return std::nullopt;
  }

  bool flag(const char* own, bool otherwise) const {
    return optional_bool(fields_, ggml_key(own), where_).value_or(otherwise);
  }

  const LlamaCppPattern& pattern() const {
    const std::string name = required_string(fields_, ggml_key("pre"), where_);
    if (const LlamaCppPattern* known = find_llama_cpp_pattern(name)) return *known;
    std::string names;
    for (const LlamaCppPattern& known : llama_cpp_patterns()) {
      names += (names.empty() ? "" : ", ") + std::string(known.name);
    }
    refuse_key(where_, "pre", "one of " + names, printable(name));
  }

  json byte_level() const {
    json vocabulary = json::object();
    json added = json::array();
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (types_[id] == PieceType::kUnused) continue;
      vocabulary[tokens_[id]] = id;
      if (is_added(id)) added.push_back(added_token(id));
    }
    json merges = json::array();
    const auto& merge_texts = required_list<std::vector<std::string>>("merges");
    require_texts("merges", merge_texts);
    for (const std::string& merge : merge_texts) merges.push_back(merge);
    const LlamaCppPattern& cut = pattern();
    return {{"version", "1.0"},
            {"truncation", nullptr},
            {"padding", nullptr},
            {"added_tokens", std::move(added)},
            {"normalizer", nullptr},
            {"pre_tokenizer", pre_tokenizer(cut)},
            {"post_processor", post_processor()},
            {"decoder",
             {{"type", "ByteLevel"},
              {"add_prefix_space", true},
              {"trim_offsets", true},
              {"use_regex", true}}},
            {"model",
             {{"type", "BPE"},
              {"dropout", nullptr},
              {"unk_token", nullptr},
              {"continuing_subword_prefix", nullptr},
              {"end_of_word_suffix", nullptr},
              {"fuse_unk", false},
              {"byte_fallback", false},
              {"ignore_merges", cut.whole_words},
              {"vocab", std::move(vocabulary)},
              {"merges", std::move(merges)}}}};
  }

  static json pre_tokenizer(const LlamaCppPattern& pattern) {
    json steps = json::array();
    for (const std::string_view expression : pattern.expressions) {
      steps.push_back({{"type", "Split"},
                       {"pattern", {{"Regex", expression}}},
                       {"behavior", "Isolated"},
                       {"invert", false}});
    }
    steps.push_back({{"type", "ByteLevel"},
                     {"add_prefix_space", false},
                     {"trim_offsets", true},
                     {"use_regex", false}});
    return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
  }

  /// What stands around a text, as transformers' tokenizers of byte-level BPE have it.
  json post_processor() const {
    json single = json::array();
    json special = json::object();
    const auto add = [&](bool wanted, const char* role) {
      const auto id = id_of_role(role);
      if (!wanted) return;
      if (!id) refuse_key(where_, std::string(role) + "_token_id", "the id that is added", "none");
      const std::string& token = tokens_[static_cast<std::size_t>(*id)];
      single.push_back({{"SpecialToken", {{"id", token}, {"type_id", 0}}}});
      special[token] = {{"id", token}, {"ids", {*id}}, {"tokens", {token}}};
    };
    add(adds_begin(), "bos");
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    add(adds_end(), "eos");
    if (special.empty()) return nullptr;
    json pair = single;
    pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
    return {{"type", "TemplateProcessing"},
            {"single", std::move(single)},
            {"pair", std::move(pair)},
            {"special_tokens", std::move(special)}};
  }

  bool adds_begin() const {
    return flag("add_bos_token", model_ == "gpt2" ? pattern().add_begin : model_ == "llama");
  }
  bool adds_end() const { return flag("add_eos_token", model_ == "t5"); }

  bool is_added(std::size_t id) const {
    return types_[id] == PieceType::kControl || types_[id] == PieceType::kUserDefined;
  }

  /// A token of a role that is an ordinary one must not be found in text as one of its own.
  bool is_special(std::size_t id) const {
    const bool says_types = find_value(metadata_, ggml_key("token_type")) != nullptr;
    return !says_types || types_[id] != PieceType::kNormal;
  }

  json added_token(std::size_t id) const {
    return {{"id", id},
            {"content", tokens_[id]},
            {"lstrip", false},
            {"normalized", false},
            {"rstrip", false},
            {"single_word", false},
            {"special", types_[id] == PieceType::kControl}};
  }

  SentencePieceModel sentencepiece() const {
    SentencePieceModel model;
    const bool bpe = model_ == "llama";
    model.kind = bpe ? SentencePieceKind::kBpe : SentencePieceKind::kUnigram;
    const auto& scores = required_list<std::vector<float>>("scores");
    require_length("scores", scores.size());
    model.begin = id_of_role("bos");
    model.end = id_of_role("eos");
    model.unknown = id_of_role("unknown");
    model.padding = id_of_role("padding");
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      const PieceType type = piece_type(model, id);
      model.pieces.push_back({piece_text(tokens_[id], type), scores[id], type});
      model.byte_fallback = model.byte_fallback || types_[id] == PieceType::kByte;
    }
    model.blank_before_text = flag("add_space_prefix", true);
    model.merges_blanks = flag("remove_extra_whitespaces", !bpe);
    const auto* map =
        find_typed<std::vector<std::uint8_t>>(metadata_, ggml_key("precompiled_charsmap"));
    if (map != nullptr) model.character_map.assign(map->begin(), map->end());
    return model;
  }

  /// The user's tokens stand in a GGUF file as they do in a text, with blanks.
  static std::string piece_text(const std::string& token, PieceType type) {
    if (type != PieceType::kUserDefined) return token;
    std::string text;
    for (const char c : token) {
      if (c == ' ') {
        text += "\xe2\x96\x81";  // "▁"
      } else {
        text += c;
      }
    }
    return text;
  }

  /// A model has one unknown piece, the one that the file names; some files call it a control
  /// piece.
  PieceType piece_type(const SentencePieceModel& model, std::size_t id) const {
    if (model.unknown && static_cast<std::size_t>(*model.unknown) == id) return PieceType::kUnknown;
    return types_[id] == PieceType::kUnknown ? PieceType::kUnused : types_[id];
  }

  json config() const {
    json config = {{"add_bos_token", adds_begin()},
                   {"add_eos_token", adds_end()},
                   {"clean_up_tokenization_spaces", false}};
    for (const auto& [role, name] :
         {std::pair("bos", "bos_token"), std::pair("eos", "eos_token"),
          std::pair("unknown", "unk_token"), std::pair("padding", "pad_token")}) {
      const auto id = id_of_role(role);
      if (id && is_special(static_cast<std::size_t>(*id))) {
        config[name] = tokens_[static_cast<std::size_t>(*id)];
      }
    }
    config["tokenizer_class"] = class_name(model_);
    if (model_ == "llama") {
      // llama.cpp has a blank before every part of a text between special tokens.
      config["legacy"] = true;
      config["add_prefix_space"] = flag("add_space_prefix", true);
    }
    if (model_ == "t5") config["extra_ids"] = 0;  // they are among the pieces
    json decoder = json::object();
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (!is_added(id)) continue;
      json token = added_token(id);
      token.erase("id");
      // As the piece has it, which finds it in text where blanks are marks already.
      if (model_ != "gpt2") token["content"] = piece_text(tokens_[id], types_[id]);
      decoder[std::to_string(id)] = std::move(token);
    }
    config["added_tokens_decoder"] = std::move(decoder);
    if (const auto text = optional_string(fields_, "tokenizer.chat_template", where_)) {
      require_utf8(*text, where_ + ", tokenizer.chat_template");
      config["chat_template"] = *text;
    }
    return config;
  }

  const GgufMetadata& metadata_;
  const std::string& where_;
  json fields_;
  std::string model_;
  std::vector<std::string> tokens_;
  std::vector<PieceType> types_;
};

}  // namespace

GgufTokenizerFiles gguf_tokenizer_files(const GgufMetadata& metadata, const std::string& where) {
  return TokenizerReader(metadata, where).files();
}

std::map<std::string, std::string> file_contents(const GgufTokenizerFiles& files) {
  std::map<std::string, std::string> contents;
  if (!files.tokenizer.is_null()) contents["tokenizer.json"] = files.tokenizer.dump(2) + "\n";
  if (!files.sentencepiece.empty()) contents["tokenizer.model"] = files.sentencepiece;
  contents["tokenizer_config.json"] = files.config.dump(2) + "\n";
  return contents;
}

}  // namespace regroup::models
