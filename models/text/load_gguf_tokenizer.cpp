#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/text/gguf_tokenizer_files.hpp"
#include "models/text/make_tokenizer.hpp"

namespace regroup::models {

std::unique_ptr<Tokenizer> load_gguf_tokenizer(const std::filesystem::path& file) {
  const std::string where = file.string();
  GgufTokenizerFiles files = gguf_tokenizer_files(read_gguf_metadata(file), where);
  if (files.tokenizer.is_null()) {
    return make_sentencepiece_tokenizer(files.sentencepiece, files.config, where);
  }
  return make_json_tokenizer(std::move(files.tokenizer), files.config, where);
}

}  // namespace regroup::models
