#include "models/gguf/tokenizer_metadata.hpp"

#include <iterator>
#include <string>

#include "models/text/chat/chat_template.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Of a SentencePiece model where there is one, as llama.cpp's own converter does, else of the
/// files in the order in which load_tokenizer looks for them.
GgufMetadata vocabulary_metadata(const PretrainedModel& model) {
  const std::filesystem::path& directory = model.checkpoint.directory();
  for (const char* name : {"tokenizer.model", "spiece.model"}) {
    if (std::filesystem::exists(directory / name)) {
      return sentencepiece_metadata(directory / name, model.config);
    }
  }
  if (std::filesystem::exists(directory / "tokenizer.json") ||
      std::filesystem::exists(directory / "vocab.json")) {
    return byte_level_metadata(directory, model.config);
  }
  throw InputError({.what = "model has no tokenizer that can be written as GGUF",
                    .where = directory.string(),
                    .expected = "tokenizer.model, spiece.model, tokenizer.json, or vocab.json with "
                                "merges.txt; or --no-tokenizer"});
}

}  // namespace

GgufMetadata gguf_tokenizer(const PretrainedModel& model) {
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
