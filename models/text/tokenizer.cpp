#include "models/text/tokenizer.hpp"

#include "models/text/sentencepiece_tokenizer.hpp"
#include "search/error.hpp"

namespace regroup::models {

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory) {
  const std::filesystem::path sentencepiece = directory / "tokenizer.model";
  if (std::filesystem::exists(sentencepiece)) {
    return load_sentencepiece(sentencepiece, directory / "tokenizer_config.json");
  }
  throw InputError(
      {.what = "no tokenizer that is supported",
       .where = directory.string(),
       .expected = "tokenizer.model (SentencePiece), or token ids as .bin or .npy data"});
}

}  // namespace regroup::models
