#include "models/text/text_stream.hpp"

#include "models/text/pipeline/utf8.hpp"

namespace regroup::models {

TextStream::TextStream(const Tokenizer& tokenizer, std::span<const std::int32_t> before)
    : tokenizer_(tokenizer), ids_(before.begin(), before.end()), given_ids_(ids_.size()) {
  given_bytes_ = text_from(0).size();
}

std::string TextStream::text_from(std::size_t first) const {
  return replace_invalid_utf8(tokenizer_.decode(std::span(ids_).subspan(first)));
}

std::string TextStream::add(std::int32_t id) {
  ids_.push_back(id);
  const std::string text = text_from(0);
  // U+FFFD at the end may still become a character.
  if (text.size() <= given_bytes_ || text.ends_with(kReplacementCharacter)) return {};
  std::string fresh = text.substr(given_bytes_);
  given_bytes_ = text.size();
  // The ids behind the given ones can stand for all, if there is any text in them by themselves.
  const std::string own = text_from(given_ids_);
  if (!own.empty()) {
    ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(given_ids_));
    given_bytes_ = own.size();
  }
  given_ids_ = ids_.size();
  return fresh;
}

std::string TextStream::finish() const {
  const std::string text = text_from(0);
  return text.size() > given_bytes_ ? text.substr(given_bytes_) : std::string();
}

}  // namespace regroup::models
