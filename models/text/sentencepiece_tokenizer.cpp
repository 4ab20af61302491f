#include "models/text/sentencepiece_tokenizer.hpp"

#include <sentencepiece_processor.h>

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/mapped_file.hpp"
#include "search/error.hpp"

namespace regroup::models {
namespace {

struct SpecialTokens {
  bool begin = false;
  bool end = false;
};

SpecialTokens read_special_tokens(const std::filesystem::path& config) {
  if (!std::filesystem::exists(config)) return {};
  const nlohmann::json json = read_json_file(config);
  const std::string where = config.string();
  return {optional_bool(json, "add_bos_token", where).value_or(false),
          optional_bool(json, "add_eos_token", where).value_or(false)};
}

class SentencePieceTokenizer : public Tokenizer {
 public:
  SentencePieceTokenizer(const std::filesystem::path& model, SpecialTokens special)
      : special_(special) {
    const MappedFile file(model);
    const auto bytes = file.bytes();
    const auto status = processor_.LoadFromSerializedProto(
        {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (!status.ok()) {
      throw InputError({.what = "tokenizer is not a SentencePiece model",
                        .where = model.string(),
                        .found = status.ToString()});
    }
    require_token(special.begin, processor_.bos_id(), "add_bos_token", model);
    require_token(special.end, processor_.eos_id(), "add_eos_token", model);
  }

  std::vector<std::int32_t> encode(std::string_view text, bool special) const override {
    std::vector<int> pieces;
    const auto status = processor_.Encode({text.data(), text.size()}, &pieces);
    if (!status.ok()) {
      throw InputError({.what = "text cannot be tokenized", .found = status.ToString()});
    }
    std::vector<std::int32_t> ids;
    ids.reserve(pieces.size() + 2);
    if (special && special_.begin) ids.push_back(processor_.bos_id());
    ids.insert(ids.end(), pieces.begin(), pieces.end());
    if (special && special_.end) ids.push_back(processor_.eos_id());
    return ids;
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
  SpecialTokens special_;
};

}  // namespace

std::unique_ptr<Tokenizer> load_sentencepiece(const std::filesystem::path& model,
                                              const std::filesystem::path& config) {
  return std::make_unique<SentencePieceTokenizer>(model, read_special_tokens(config));
}

}  // namespace regroup::models
