#include "models/text/sentencepiece_model.hpp"

#include <sentencepiece_processor.h>

#include "models/text/tokenizer_config.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

class SentencePieceTokenizer : public Tokenizer {
 public:
  SentencePieceTokenizer(const std::filesystem::path& model, const TokenizerConfig& config)
      : add_begin_(config.add_begin), add_end_(config.add_end) {
    load_processor(model, processor_);
    require_token(add_begin_, processor_.bos_id(), "add_bos_token", model);
    require_token(add_end_, processor_.eos_id(), "add_eos_token", model);
  }

  std::vector<std::int32_t> encode(std::string_view text, bool special) const override {
    std::vector<int> pieces;
    const auto status = processor_.Encode({text.data(), text.size()}, &pieces);
    if (!status.ok()) {
      throw InputError({.what = "text cannot be tokenized", .found = status.ToString()});
    }
    std::vector<std::int32_t> ids;
    ids.reserve(pieces.size() + 2);
    if (special && add_begin_) ids.push_back(processor_.bos_id());
    ids.insert(ids.end(), pieces.begin(), pieces.end());
    if (special && add_end_) ids.push_back(processor_.eos_id());
    return ids;
  }

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::vector<int> pieces;
    for (const std::int32_t id : ids) {
      if (id >= 0 && id < vocabulary()) pieces.push_back(id);
    }
    std::string text;
    const auto status = processor_.Decode(pieces, &text);
    if (status.ok()) return text;
    throw InputError({.what = "token ids cannot be decoded", .found = status.ToString()});
  }

  std::optional<std::int32_t> prefix() const override {
    for (const int id : {processor_.bos_id(), processor_.eos_id()}) {
      if (id >= 0) return id;
    }
    return std::nullopt;
  }

  int vocabulary() const override { return processor_.GetPieceSize(); }

 private:
  static void require_token(bool wanted, int id, const char* field,
                            const std::filesystem::path& model) {
    if (!wanted || id >= 0) return;
    throw InputError(
        {.what = std::string("tokenizer has no token for ") + field, .where = model.string()});
  }

  sentencepiece::SentencePieceProcessor processor_;
  bool add_begin_;
  bool add_end_;
};

}  // namespace

std::unique_ptr<Tokenizer> load_sentencepiece(const std::filesystem::path& model,
                                              const std::filesystem::path& config) {
  return std::make_unique<SentencePieceTokenizer>(model, read_tokenizer_config(config));
}

}  // namespace regroup::models
