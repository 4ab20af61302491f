#include "models/gguf/tokenizer_metadata.hpp"

#include <iterator>
#include <string>
#include <utility>

#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/text/chat/chat_template.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// What a GGUF file says of its own tokenizer, as it stands there.
GgufMetadata own_metadata(const std::filesystem::path& file) {
  GgufMetadata result;
  for (GgufEntry& entry : read_gguf_metadata(file)) {
    if (entry.key.starts_with("tokenizer.")) result.push_back(std::move(entry));
  }
  if (!result.empty()) return result;
  throw InputError({.what = "GGUF file has no tokenizer",
                    .where = file.string(),
                    .expected = "keys that begin with tokenizer.; or --no-tokenizer"});
}

/// Of a SentencePiece model where there is one, as llama.cpp's own converter does, else of the
/// files in the order in which load_tokenizer looks for them.
GgufMetadata vocabulary_metadata(const PretrainedModel& model) {
  const std::filesystem::path& directory = model.checkpoint.directory();
  for (const char* name : {"tokenizer.model", "spiece.model"}) {
    if (std::filesystem::exists(directory / name)) {
      return sentencepiece_metadata(directory / name, model.config);
    }
  }
  const std::filesystem::path pipeline = directory / "tokenizer.json";
  if (std::filesystem::exists(pipeline) && has_piece_bpe(pipeline)) {
    return piece_bpe_metadata(directory, model.config);
  }
  if (std::filesystem::exists(pipeline) || std::filesystem::exists(directory / "vocab.json")) {
    return byte_level_metadata(directory, model.config);
  }
  throw InputError({.what = "model has no tokenizer that can be written as GGUF",
                    .where = directory.string(),
                    .expected = "tokenizer.model, spiece.model, tokenizer.json, or vocab.json with "
                                "merges.txt; or --no-tokenizer"});
}

}  // namespace

GgufMetadata gguf_tokenizer(const PretrainedModel& model) {
  if (model.checkpoint.is_gguf()) return own_metadata(model.checkpoint.directory());
  GgufMetadata metadata = vocabulary_metadata(model);
  if (auto text = read_chat_template(model.checkpoint.directory())) {
    metadata.push_back({"tokenizer.chat_template", std::move(*text)});
  }
  return metadata;
}

GgufMetadata gguf_without_tokenizer() {
  return {{"tokenizer.ggml.model", std::string("no_vocab")}};
}

}  // namespace regroup::models
