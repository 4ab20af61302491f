#include <algorithm>
#include <unordered_map>
#include <utility>

#include "models/files/printable.hpp"
#include "models/text/pipeline/blank_parts.hpp"
#include "models/text/pipeline/byte_tokens.hpp"
#include "models/text/pipeline/word_cache.hpp"
#include "models/text/sentencepiece_model.hpp"
#include "models/text/sentencepiece_normalizer.hpp"
#include "models/text/sentencepiece_words.hpp"
#include "models/text/special_ids.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// What stands for an unknown piece in decoded text; libsentencepiece's.
constexpr std::string_view kUnknownSurface = " \xe2\x81\x87 ";

Vocabulary vocabulary_of(const SentencePieceModel& model) {
  Vocabulary vocabulary;
  std::int32_t id = 0;
  for (const Piece& piece : model.pieces) vocabulary.set(piece.text, id++);
  return vocabulary;
}

bool is_t5(const TokenizerConfig& config) {
  return config.class_name == "T5Tokenizer" || config.class_name == "MT5Tokenizer";
}

AddedToken special_token(std::string content, std::int32_t id) {
  AddedToken token;
  token.content = std::move(content);
  token.id = id;
  token.special = true;
  return token;
}

/// T5's sentinels stand behind the pieces, the first one last.
void add_sentinels(std::vector<AddedToken>& added, std::int32_t pieces,
                   const TokenizerConfig& config) {
  constexpr std::int64_t kUsual = 100;
  const auto count = static_cast<std::int32_t>(config.extra_ids.value_or(kUsual));
  for (std::int32_t i = 0; i < count; ++i) {
    added.push_back(special_token("<extra_id_" + std::to_string(i) + ">", pieces + count - 1 - i));
  }
}

/// The tokens that are found in the text. Control pieces are among them for a tokenizer of
/// transformers; by itself a SentencePiece model never finds them.
std::vector<AddedToken> added_tokens(const SentencePieceModel& model,
                                     const TokenizerConfig& config) {
  std::vector<AddedToken> added;
  const bool configured = config.class_name || !config.named.empty() || !config.added.empty();
  for (std::size_t id = 0; configured && id < model.pieces.size(); ++id) {
    if (model.pieces[id].type != PieceType::kControl) continue;
    added.push_back(special_token(model.pieces[id].text, static_cast<std::int32_t>(id)));
  }
  if (is_t5(config)) {
    add_sentinels(added, static_cast<std::int32_t>(model.pieces.size()), config);
  }
  add_configured_tokens(added, config, vocabulary_of(model));
  return added;
}

class SentencePieceTokenizer : public Tokenizer {
 public:
  SentencePieceTokenizer(SentencePieceModel model, const TokenizerConfig& config,
                         const std::string& where)
      : model_(std::move(model)),
        added_(added_tokens(model_, config)),
        finder_(added_),
        normalizer_(model_, where),
        words_(sentencepiece_word_model(model_)),
        blank_before_first_(!config.no_prefix_space),
        blank_before_others_(blank_before_first_ && (config.legacy || is_t5(config))) {
    for (std::size_t i = 0; i < added_.size(); ++i) added_by_id_.emplace(added_[i].id, i);
    begin_ = configured_id(config.begin, model_.begin);
    end_ = configured_id(config.end, model_.end);
    if (config.add_begin) around_.before = {require(begin_, "add_bos_token", where)};
    if (config.add_end || is_t5(config)) {
      around_.after = {require(end_, is_t5(config) ? "the end" : "add_eos_token", where)};
    }
  }

  std::vector<std::int32_t> encode(std::string_view text, bool special) const override {
    std::vector<std::int32_t> ids;
    if (special) ids = around_.before;
    WordCache words(*words_);
    finder_.split(
        text,
        [&](std::string_view part) {
          const std::string normal = normalizer_(part, has_blank(part, part.data() == text.data()));
          if (!normal.empty()) words.append_ids(normal, ids);
        },
        [&](std::int32_t id) { ids.push_back(id); });
    if (special) ids.insert(ids.end(), around_.after.begin(), around_.after.end());
    return ids;
  }

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    bool begins = model_.blank_before_text || model_.merges_blanks;
    for (const std::int32_t id : ids) append_text(id, begins, text);
    return text;
  }

  std::optional<std::int32_t> prefix() const override { return begin_ ? begin_ : end_; }

  int vocabulary() const override {
    auto size = static_cast<std::int32_t>(model_.pieces.size());
    for (const AddedToken& token : added_) size = std::max(size, token.id + 1);
    return size;
  }

 private:
  std::optional<std::int32_t> configured_id(const std::optional<std::string>& token,
                                            std::optional<std::int32_t> own) const {
    for (const AddedToken& candidate : added_) {
      if (token == candidate.content) return candidate.id;
    }
    return own;
  }

  static std::int32_t require(std::optional<std::int32_t> id, const char* field,
                              const std::string& where) {
    if (id) return *id;
    throw InputError({.what = std::string("tokenizer has no token for ") + field, .where = where});
  }

  /// Whether the model's blank stands before a part of a text. Behind an added token one that
  /// begins with a blank needs no other, unless extra blanks are left out anyway.
  bool has_blank(std::string_view part, bool first) const {
    if (first) return blank_before_first_;
    return blank_before_others_ && (normalizer_.merges_blanks() || !part.starts_with(' '));
  }

  /// Appends an id's text. `begins`: a blank that begins it is the one that was put before the
  /// text.
  void append_text(std::int32_t id, bool& begins, std::string& text) const {
    const auto index = static_cast<std::size_t>(id);
    const auto token = added_by_id_.find(id);
    const bool is_added = token != added_by_id_.end();
    if (id < 0 || index >= model_.pieces.size()) {
      if (is_added && !added_[token->second].special) text += added_[token->second].content;
    } else if (model_.pieces[index].type == PieceType::kByte) {
      const auto byte = byte_of_token(model_.pieces[index].text);
      if (byte) text += *byte;
    } else if (model_.pieces[index].type == PieceType::kUnknown) {
      text += kUnknownSurface;
    } else if (!is_added || !added_[token->second].special) {
      append_piece(model_.pieces[index], begins, text);
    }
    if (!text.empty()) begins = false;
  }

  void append_piece(const Piece& piece, bool& begins, std::string& text) const {
    if (piece.type == PieceType::kControl) return;
    std::string_view rest = piece.text;
    if (begins && rest.starts_with(kVisibleBlank)) {
      rest.remove_prefix(kVisibleBlank.size());
      // Where extra blanks are left out, all of them at the beginning are.
      begins = model_.merges_blanks;
    }
    while (!rest.empty()) {
      const std::size_t blank = rest.find(kVisibleBlank);
      text += rest.substr(0, blank);
      if (blank == rest.npos) return;
      text += ' ';
      rest.remove_prefix(blank + kVisibleBlank.size());
    }
  }

  SentencePieceModel model_;
  std::vector<AddedToken> added_;
  std::unordered_map<std::int32_t, std::size_t> added_by_id_;
  TokenFinder finder_;
  SentencePieceNormalizer normalizer_;
  std::unique_ptr<WordModel> words_;
  bool blank_before_first_;
  bool blank_before_others_;
  std::optional<std::int32_t> begin_;
  std::optional<std::int32_t> end_;
  SpecialIds around_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_tokenizer(SentencePieceModel model, const TokenizerConfig& config,
                                          const std::string& where) {
  return std::make_unique<SentencePieceTokenizer>(std::move(model), config, where);
}

}  // namespace regroup::models
