#include "models/text/pipeline/bpe.hpp"

#include <fmt/format.h>

#include "models/files/printable.hpp"
#include "models/text/pipeline/blank_parts.hpp"
#include "models/text/pipeline/byte_alphabet.hpp"
#include "models/text/pipeline/unicode.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

std::int32_t require_token(const Vocabulary& vocabulary, const std::string& token,
                           const std::string& where) {
  if (const auto id = vocabulary.find(token)) return *id;
  throw InputError({.what = "tokenizer names a token that is not in its vocabulary",
                    .where = where,
                    .found = printable(token)});
}

/// Whether the merge joins what for_each_blank_part cuts apart.
bool joins_blank_parts(const Merge& merge) {
  return merge.right.starts_with(kVisibleBlank) && !merge.left.ends_with(kVisibleBlank);
}

}  // namespace

/// The symbols of a word, with unknown ones fused where the file says so.
class Bpe::Symbols {
 public:
  explicit Symbols(const Bpe& model) : model_(model), list_(model.merges_) {}

  void add(std::int32_t id) {
    after_unknown_ = false;
    list_.append(id);
  }
  void add_unknown() {
    const bool fused = model_.options_.fuse_unknown && after_unknown_;
    after_unknown_ = model_.unknown_.has_value();
    if (after_unknown_ && !fused) list_.append(*model_.unknown_);
  }
  void append_merged(std::vector<std::int32_t>& ids) {
    list_.merge_all();
    list_.for_each([&](std::int32_t id, std::size_t) { ids.push_back(id); });
  }

 private:
  const Bpe& model_;
  SymbolList list_;
  bool after_unknown_ = false;
};

Bpe::Bpe(Vocabulary vocabulary, const std::vector<Merge>& merges, const BpeOptions& options,
         const std::string& where)
    : vocabulary_(std::move(vocabulary)), options_(options), byte_tokens_(vocabulary_) {
  for (std::size_t byte = 0; byte < kBytes; ++byte) {
    const bool ascii = byte < 0x80;
    if (options_.bytes) byte_ids_[byte] = vocabulary_.find(byte_alphabet()[byte]);
    if (!options_.bytes && ascii) {
      byte_ids_[byte] = vocabulary_.find(std::string(1, static_cast<char>(byte)));
    }
  }
  if (options_.unknown) unknown_ = require_token(vocabulary_, *options_.unknown, where);
  cuts_at_blanks_ = !options_.bytes && !options_.whole_words && options_.continuation.empty() &&
                    options_.ending.empty() && vocabulary_.find(kVisibleBlank).has_value();
  for (std::size_t i = 0; i < merges.size(); ++i) {
    if (joins_blank_parts(merges[i])) cuts_at_blanks_ = false;
    add_merge(merges[i], static_cast<std::int32_t>(i), fmt::format("{}, merge {}", where, i));
  }
}

void Bpe::add_merge(const Merge& merge, std::int32_t rank, const std::string& where) {
  const std::int32_t left = require_token(vocabulary_, merge.left, where);
  const std::int32_t right = require_token(vocabulary_, merge.right, where);
  const bool continues = !options_.continuation.empty() &&
                         std::string_view(merge.right).starts_with(options_.continuation);
  const std::string tail =
      continues ? merge.right.substr(options_.continuation.size()) : merge.right;
  const std::int32_t both = require_token(vocabulary_, merge.left + tail, where);
  merges_.set(left, right, {rank, both});
}

std::optional<std::int32_t> Bpe::whole_word(std::string_view word) const {
  if (word.size() > vocabulary_.longest()) return std::nullopt;
  return options_.bytes ? vocabulary_.find(in_byte_alphabet(word)) : vocabulary_.find(word);
}

void Bpe::append_bytes(std::string_view word, Symbols& symbols) const {
  for (const char c : word) {
    const auto id = byte_ids_[static_cast<unsigned char>(c)];
    id ? symbols.add(*id) : symbols.add_unknown();
  }
}

std::optional<std::int32_t> Bpe::id_of_character(std::string_view character, bool first,
                                                 bool last) const {
  const bool prefixed = !first && !options_.continuation.empty();
  const bool ended = last && !options_.ending.empty();
  if (prefixed || ended) {
    std::string token = prefixed ? options_.continuation : std::string();
    token.append(character).append(ended ? options_.ending : std::string());
    return vocabulary_.find(token);
  }
  if (character.size() == 1) return byte_ids_[static_cast<unsigned char>(character[0])];
  return vocabulary_.find(character);
}

void Bpe::append_characters(std::string_view word, Symbols& symbols) const {
  std::vector<std::int32_t> bytes;
  for (std::string_view rest = word; !rest.empty();) {
    const std::string_view before = rest;
    take_character(rest);
    const std::string_view character = before.substr(0, before.size() - rest.size());
    bytes.clear();
    if (const auto id = id_of_character(character, before.size() == word.size(), rest.empty())) {
      symbols.add(*id);
    } else if (options_.byte_fallback && byte_tokens_.append_ids(character, bytes)) {
      for (const std::int32_t byte : bytes) symbols.add(byte);
    } else {
      symbols.add_unknown();
    }
  }
}

void Bpe::append_ids(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (options_.whole_words) {
    if (const auto id = whole_word(word)) return ids.push_back(*id);
  }
  Symbols symbols(*this);
  options_.bytes ? append_bytes(word, symbols) : append_characters(word, symbols);
  symbols.append_merged(ids);
}

void Bpe::for_each_part(std::string_view word, const OnPart& on_part) const {
  cuts_at_blanks_ ? for_each_blank_part(word, on_part) : on_part(word);
}

}  // namespace regroup::models
