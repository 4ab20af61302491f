#include "models/text/tokenizer.hpp"

#include "models/text/gpt2_tokenizer.hpp"
#include "models/text/sentencepiece_model.hpp"
#include "models/text/tokenizer_json.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory) {
  const auto has = [&](const char* name) { return std::filesystem::exists(directory / name); };
  const std::filesystem::path config = directory / "tokenizer_config.json";
  for (const char* name : {"tokenizer.model", "spiece.model"}) {
    if (has(name)) return load_sentencepiece(directory / name, config);
  }
  if (has("tokenizer.json")) return load_tokenizer_json(directory / "tokenizer.json", config);
  if (has("vocab.json") && has("merges.txt")) return load_gpt2_tokenizer(directory);
  throw InputError(
      {.what = "no tokenizer that is supported",
       .where = directory.string(),
       .expected = "tokenizer.model, spiece.model, tokenizer.json, or vocab.json with merges.txt; "
                   "or token ids as .bin or .npy data"});
}

}  // namespace regroup::models
