#include "models/text/pipeline/byte_level_bpe.hpp"

#include <fmt/format.h>

#include <queue>

#include "models/files/printable.hpp"
#include "models/text/pipeline/unicode.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

std::array<std::string, 256> make_byte_alphabet() {
  std::array<std::string, 256> alphabet;
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < alphabet.size(); ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
    append_character(alphabet[byte], printable ? byte : next++);
  }
  return alphabet;
}

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  constexpr unsigned kBits = 32;
  return (static_cast<std::uint64_t>(left) << kBits) | static_cast<std::uint32_t>(right);
}

std::int32_t require_token(const Vocabulary& vocabulary, const std::string& token,
                           const std::string& where) {
  if (const auto id = vocabulary.find(token)) return *id;
  throw InputError({.what = "tokenizer names a token that is not in its vocabulary",
                    .where = where,
                    .found = printable(token)});
}

}  // namespace

/// The symbols of one word while it is put together: a linked list over its bytes, and the merges
/// that are possible, the earliest first, then the leftmost.
class ByteLevelBpe::Word {
 public:
  explicit Word(const ByteLevelBpe& model) : model_(model) {}

  void append(std::int32_t id) {
    const auto at = static_cast<std::int32_t>(symbols_.size());
    if (at > 0) symbols_.back().next = at;
    symbols_.push_back({id, at - 1, kNone});
  }

  void merge_all() {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(symbols_.size()); ++i) propose(i);
    while (!candidates_.empty()) {
      const Candidate candidate = candidates_.top();
      candidates_.pop();
      if (is_current(candidate)) apply(candidate);
    }
  }

  void append_ids(std::vector<std::int32_t>& ids) const {
    for (std::int32_t i = 0; i != kNone; i = at(i).next) ids.push_back(at(i).id);
  }

 private:
  static constexpr std::int32_t kNone = -1;
  struct Symbol {
    std::int32_t id;  // kNone: merged into the one before
    std::int32_t previous;
    std::int32_t next;
  };
  struct Candidate {
    Result result;
    std::int32_t at;
    std::int32_t left;  // ids when it was proposed
    std::int32_t right;
    bool operator<(const Candidate& other) const {
      if (result.rank != other.result.rank) return result.rank > other.result.rank;
      return at > other.at;
    }
  };

  Symbol& at(std::int32_t i) { return symbols_[static_cast<std::size_t>(i)]; }
  const Symbol& at(std::int32_t i) const { return symbols_[static_cast<std::size_t>(i)]; }

  void propose(std::int32_t i) {
    if (i == kNone || at(i).next == kNone) return;
    const std::int32_t left = at(i).id;
    const std::int32_t right = at(at(i).next).id;
    if (const Result* result = model_.find_merge(left, right)) {
      candidates_.push({*result, i, left, right});
    }
  }

  bool is_current(const Candidate& candidate) const {
    const Symbol& symbol = at(candidate.at);
    return symbol.id == candidate.left && symbol.next != kNone &&
           at(symbol.next).id == candidate.right;
  }

  void apply(const Candidate& candidate) {
    Symbol& left = at(candidate.at);
    Symbol& right = at(left.next);
    left.id = candidate.result.id;
    left.next = right.next;
    right.id = kNone;
    if (left.next != kNone) at(left.next).previous = candidate.at;
    propose(left.previous);
    propose(candidate.at);
  }

  const ByteLevelBpe& model_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> candidates_;
};

ByteLevelBpe::ByteLevelBpe(Vocabulary vocabulary, const std::vector<Merge>& merges,
                           const BpeOptions& options, const std::string& where)
    : vocabulary_(std::move(vocabulary)),
      whole_words_(options.whole_words),
      fuse_unknown_(options.fuse_unknown) {
  for (std::size_t byte = 0; byte < kBytes; ++byte) {
    byte_ids_[byte] = vocabulary_.find(byte_alphabet()[byte]);
  }
  if (options.unknown) unknown_ = require_token(vocabulary_, *options.unknown, where);
  merges_.reserve(merges.size());
  for (std::size_t i = 0; i < merges.size(); ++i) {
    add_merge(merges[i], static_cast<std::int32_t>(i), fmt::format("{}, merge {}", where, i));
  }
}

void ByteLevelBpe::add_merge(const Merge& merge, std::int32_t rank, const std::string& where) {
  const std::int32_t left = require_token(vocabulary_, merge.left, where);
  const std::int32_t right = require_token(vocabulary_, merge.right, where);
  const std::int32_t both = require_token(vocabulary_, merge.left + merge.right, where);
  merges_.insert_or_assign(pair_key(left, right), Result{rank, both});
}

const ByteLevelBpe::Result* ByteLevelBpe::find_merge(std::int32_t left, std::int32_t right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

std::optional<std::int32_t> ByteLevelBpe::whole_word(std::string_view word) const {
  if (word.size() > vocabulary_.longest()) return std::nullopt;
  std::string token;
  for (const char c : word) token += byte_alphabet()[static_cast<unsigned char>(c)];
  return vocabulary_.find(token);
}

void ByteLevelBpe::append_ids(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (whole_words_) {
    if (const auto id = whole_word(word)) return ids.push_back(*id);
  }
  Word symbols(*this);
  bool after_unknown = false;
  for (const char c : word) {
    const auto id = byte_ids_[static_cast<unsigned char>(c)];
    const bool fused = fuse_unknown_ && after_unknown;
    after_unknown = !id && unknown_;
    if (id) symbols.append(*id);
    if (after_unknown && !fused) symbols.append(*unknown_);
  }
  symbols.merge_all();
  symbols.append_ids(ids);
}

const std::array<std::string, 256>& byte_alphabet() {
  static const std::array<std::string, 256> alphabet = make_byte_alphabet();
  return alphabet;
}

}  // namespace regroup::models
