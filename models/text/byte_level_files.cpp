#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "models/files/json_file.hpp"
#include "models/files/mapped_file.hpp"
#include "models/text/byte_level_kind.hpp"
#include "models/text/gpt2_tokenizer.hpp"
#include "models/text/pipeline/unsupported.hpp"

namespace regroup::models {
namespace {

std::vector<Merge> read_merges_file(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  return parse_merges({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
}

const ByteLevelKind& kind_of(const TokenizerConfig& config, const std::string& where) {
  const std::string name = config.class_name.value_or("GPT2Tokenizer");
  if (const ByteLevelKind* kind = find_byte_level_kind(name)) return *kind;
  refuse_tokenizer("vocab.json and merges.txt belong to a tokenizer that is not supported", where,
                   "tokenizer_class GPT2Tokenizer, Qwen2Tokenizer or RobertaTokenizer, or a "
                   "tokenizer.json",
                   name);
}

struct Files {
  const ByteLevelKind& kind;
  Gpt2Files files;
};

Files read_files(const std::filesystem::path& directory) {
  const std::filesystem::path config_file = directory / "tokenizer_config.json";
  const std::filesystem::path vocabulary_file = directory / "vocab.json";
  TokenizerConfig config = read_directory_config(directory);
  const ByteLevelKind& kind = kind_of(config, config_file.string());
  Gpt2Files files;
  files.vocabulary = read_vocabulary(read_json_file(vocabulary_file), vocabulary_file.string());
  complete(files, kind, std::move(config), config_file.string());
  files.merges = read_merges_file(directory / "merges.txt");
  return {kind, std::move(files)};
}

}  // namespace

Gpt2Files read_gpt2_files(const std::filesystem::path& directory) {
  Files read = read_files(directory);
  if (read.kind.pre_tokenizer.empty()) return std::move(read.files);
  refuse_tokenizer("vocab.json and merges.txt belong to another tokenizer",
                   (directory / "tokenizer_config.json").string(), "tokenizer_class GPT2Tokenizer",
                   std::string(read.kind.name));
}

std::unique_ptr<Tokenizer> load_byte_level_files(const std::filesystem::path& directory) {
  Files read = read_files(directory);
  return make_byte_level_tokenizer(read.kind, std::move(read.files),
                                   (directory / "merges.txt").string());
}

}  // namespace regroup::models
