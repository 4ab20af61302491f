#include "models/text/token_data.hpp"

#include <fmt/format.h>

#include <string_view>

#include "models/files/byte_text.hpp"
#include "models/files/mapped_file.hpp"
#include "models/files/sha256.hpp"
#include "models/files/stand_in.hpp"
#include "models/text/id_files.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Text is checked before a tokenizer is asked for: it may be the wrong file.
void require_text(std::span<const std::byte> bytes, const std::string& where) {
  if (const std::string_view name = content_name(bytes); !name.empty()) {
    throw InputError({.what = "data file is not text",
                      .where = where,
                      .expected = "UTF-8 text, or another ending: .bin, .npy, .jsonl",
                      .found = std::string(name)});
  }
  require_utf8(text_of(bytes), where);
}

void tokenize(std::string_view text, const PretrainedModel& model, DocumentJoin join,
              TokenData& data) {
  const std::string where = data.file.string();
  const auto load = [&] { return load_tokenizer(model.checkpoint.directory()); };
  if (!holds_documents(data.file)) {
    data.ids = load()->encode(text, /*special=*/true);
    return;
  }
  const std::vector<std::string> documents = document_texts(text, where);
  data.documents = documents.size();
  data.ids = encode_joined(documents, join, model.config.eos, *load(), /*special=*/true, where);
}

}  // namespace

bool holds_ids(const std::filesystem::path& file) {
  return file.extension() == ".bin" || file.extension() == ".npy";
}

bool holds_documents(const std::filesystem::path& file) {
  return file.extension() == ".jsonl";
}

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

TokenData read_token_data(const std::filesystem::path& file, const PretrainedModel& model,
                          DocumentJoin join) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  TokenData data{file, sha256_hex(bytes), {}};
  if (file.extension() == ".bin") {
    data.ids = read_bin_ids(bytes, model.config.vocabulary, file.string());
  } else if (file.extension() == ".npy") {
    data.ids = read_npy_ids(bytes, file.string());
  } else {
    require_text(bytes, file.string());
    tokenize(text_of(bytes), model, join, data);
  }
  require_vocabulary(data.ids, model.config.vocabulary, file.string());
  return data;
}

}  // namespace regroup::models
