#include "models/text/tokenizer.hpp"

#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/files/mapped_file.hpp"
#include "models/text/bert_vocabulary.hpp"
#include "models/text/gguf_tokenizer_files.hpp"
#include "models/text/gpt2_tokenizer.hpp"
#include "models/text/sentencepiece_model.hpp"
#include "models/text/tokenizer_json.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// A SentencePiece model, or tiktoken's text form under the same name.
std::unique_ptr<Tokenizer> load_model_file(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  TokenizerConfig config = read_directory_config(file.parent_path());
  if (is_tiktoken(content)) {
    return make_tiktoken_tokenizer(content, std::move(config), file.string());
  }
  return make_tokenizer(parse_sentencepiece_model(content, file.string()), config, file.string());
}

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory) {
  if (is_gguf_file(directory)) return load_gguf_tokenizer(directory);
  const auto has = [&](const char* name) { return std::filesystem::exists(directory / name); };
  if (has("tokenizer.json")) {
    return load_tokenizer_json(directory / "tokenizer.json");
  }
  for (const char* name : {"tokenizer.model", "spiece.model"}) {
    if (has(name)) return load_model_file(directory / name);
  }
  if (has("vocab.json") && has("merges.txt")) return load_byte_level_files(directory);
  if (has("vocab.txt")) return load_bert_vocabulary(directory);
  throw InputError(
      {.what = "no tokenizer that is supported",
       .where = directory.string(),
       .expected = "tokenizer.json, tokenizer.model, spiece.model, vocab.json with merges.txt, or "
                   "vocab.txt; or token ids as .bin or .npy data"});
}

}  // namespace regroup::models
