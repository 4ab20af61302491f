#include "models/text/pipeline_tokenizer.hpp"

#include <algorithm>

#include "models/text/pipeline/word_cache.hpp"

namespace regroup::models {
namespace {

/// The added tokens that are looked for in the text as it is, or in normalized text.
TokenFinder finder(const TokenizerParts& parts, bool normalized) {
  std::vector<AddedToken> tokens;
  for (const AddedToken& token : parts.added) {
    if (token.normalized != normalized) continue;
    tokens.push_back(token);
    if (normalized) tokens.back().content = parts.normalizer(token.content);
  }
  return TokenFinder(std::move(tokens));
}

/// The decoder that knows the added tokens too; of several with one id a special one counts.
Decoder whole_decoder(const TokenizerParts& parts) {
  Decoder decoder = parts.decoder;
  for (AddedToken token : parts.added) {
    if (token.normalized) token.content = parts.normalizer(token.content);
    decoder.add(token);
  }
  for (const AddedToken& token : parts.added) {
    if (token.special) decoder.leave_out(token.id);
  }
  for (const std::int32_t id : parts.left_out) decoder.leave_out(id);
  return decoder;
}

class PipelineTokenizer : public Tokenizer {
 public:
  explicit PipelineTokenizer(TokenizerParts parts)
      : parts_(std::move(parts)), in_text_(finder(parts_, false)), after_(finder(parts_, true)) {
    parts_.decoder = whole_decoder(parts_);
  }

  std::vector<std::int32_t> encode(std::string_view text, bool special) const override {
    std::vector<std::int32_t> ids;
    WordCache words(*parts_.model);
    const auto append_token = [&](std::int32_t id) { ids.push_back(id); };
    if (special) ids = parts_.special.before;
    in_text_.split(
        text,
        [&](std::string_view part) {
          append_part({part, part.data() == text.data()}, words, ids);
        },
        append_token);
    if (special) {
      ids.insert(ids.end(), parts_.special.after.begin(), parts_.special.after.end());
    }
    return ids;
  }

  std::string decode(std::span<const std::int32_t> ids) const override {
    return parts_.decoder(ids);
  }

  std::optional<std::int32_t> prefix() const override { return parts_.prefix; }

  int vocabulary() const override {
    int size = parts_.vocabulary;
    for (const AddedToken& token : parts_.added) size = std::max(size, token.id + 1);
    return size;
  }

 private:
  void append_part(const TextPart& part, WordCache& words, std::vector<std::int32_t>& ids) const {
    const std::string normalized =
        parts_.normalizer.empty() ? std::string() : parts_.normalizer(part.text);
    const std::string_view text = parts_.normalizer.empty() ? part.text : normalized;
    const auto append_word = [&](const TextPart& word) { words.append_ids(word.text, ids); };
    after_.split(
        text,
        [&](std::string_view rest) {
          const bool begins = part.begins_text && rest.data() == text.data();
          parts_.pre_tokenizer.steps.for_each_word({rest, begins}, append_word);
        },
        [&](std::int32_t id) { ids.push_back(id); });
  }

  TokenizerParts parts_;
  TokenFinder in_text_;
  TokenFinder after_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_pipeline_tokenizer(TokenizerParts parts) {
  return std::make_unique<PipelineTokenizer>(std::move(parts));
}

}  // namespace regroup::models
