#include "models/text/token_data.hpp"

#include <fmt/format.h>

#include <string_view>

#include "models/files/mapped_file.hpp"
#include "models/files/sha256.hpp"
#include "models/text/id_files.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

std::vector<std::int32_t> tokenize(std::string_view text, const std::filesystem::path& file,
                                   const PretrainedModel& model) {
  require_utf8(text, file.string());
  const std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(model.checkpoint.directory());
  return tokenizer->encode(text, /*special=*/true);
}

}  // namespace

void require_vocabulary(std::span<const std::int32_t> ids, int vocabulary,
                        const std::string& where) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= 0 && ids[i] < vocabulary) continue;
    throw InputError({.what = "token id is outside the model's vocabulary",
                      .where = fmt::format("{}, token {}", where, i),
                      .expected = fmt::format("0 to {}", vocabulary - 1),
                      .found = std::to_string(ids[i])});
  }
}

TokenData read_token_data(const std::filesystem::path& file, const PretrainedModel& model) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  TokenData data{file, sha256_hex(bytes), {}};
  if (file.extension() == ".bin") {
    data.ids = read_bin_ids(bytes, model.config.vocabulary, file.string());
  } else if (file.extension() == ".npy") {
    data.ids = read_npy_ids(bytes, file.string());
  } else {
    data.ids = tokenize({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file, model);
  }
  require_vocabulary(data.ids, model.config.vocabulary, file.string());
  return data;
}

}  // namespace regroup::models
