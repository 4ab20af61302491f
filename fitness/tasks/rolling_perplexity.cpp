#include "fitness/tasks/tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fitness/tasks/document_task.hpp"
#include "models/files/mapped_file.hpp"
#include "models/files/sha256.hpp"
#include "models/text/continuation_encoder.hpp"
#include "models/text/document_join.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "models/text/text_counts.hpp"
#include "models/text/token_data.hpp"
#include "search/base/error.hpp"

namespace regroup::fitness {
namespace {

struct Text {
  std::string content;
  std::string where;
};

struct TextFile {
  std::string sha256;
  std::size_t documents = 0;
  std::vector<Text> texts;
};

TextFile read_text_lines(const TaskOptions& options) {
  const DocumentFile file = read_documents(options);
  TextFile result{file.sha256, file.documents, {}};
  for (const models::JsonLine& line : file.lines) {
    result.texts.push_back({models::document_text(line), line.where});
  }
  return result;
}

TextFile read_whole_text(const TaskOptions& options) {
  const models::MappedFile mapped(options.data);
  const auto bytes = mapped.bytes();
  const std::string where = options.data.string();
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  models::require_utf8(text, where);
  return {models::sha256_hex(bytes), 1, {{std::move(text), where}}};
}

TextFile read_texts(const TaskOptions& options) {
  if (models::holds_ids(options.data)) {
    throw InputError({.what = "token ids have neither words nor bytes",
                      .where = options.data.string(),
                      .expected = "text (.txt) or JSON lines (.jsonl)"});
  }
  TextFile file =
      models::holds_documents(options.data) ? read_text_lines(options) : read_whole_text(options);
  const auto has_content = [](const Text& text) { return !text.content.empty(); };
  if (std::ranges::none_of(file.texts, has_content)) {
    throw InputError({.what = "text is empty",
                      .where = options.data.string(),
                      .expected = "at least one character"});
  }
  return file;
}

/// What the texts are divided by.
struct TextSize {
  std::size_t words = 0;
  std::size_t bytes = 0;
};

TextSize size_of(const std::vector<Text>& texts) {
  TextSize size;
  for (const Text& text : texts) {
    size.words += models::count_words(text.content);
    size.bytes += text.content.size();
  }
  return size;
}

class PreparedRollingPerplexity : public DocumentTask {
 public:
  PreparedRollingPerplexity(const TextFile& file, std::vector<DocumentRequests> requests)
      : DocumentTask(file.sha256, file.documents, std::move(requests)),
        size_(size_of(file.texts)) {}

 private:
  TaskResult result(std::span<const DocumentScores> documents) const override {
    double loss = 0;
    for (const DocumentScores scores : documents) {
      for (const models::ContinuationScore& score : scores) loss -= score.log_probability;
    }
    const double of_word = std::exp(loss / static_cast<double>(size_.words));
    const double per_byte = loss / static_cast<double>(size_.bytes);
    const double bits = per_byte / std::numbers::ln2;
    return {{{"word_perplexity", {of_word, {}}},
             {"byte_perplexity", {std::exp(per_byte), {}}},
             {"bits_per_byte", {bits, {}}}},
            fmt::format("perplexity {:.4f} a word, {:.5f} a byte, {:.5f} bits/byte  {}", of_word,
                        std::exp(per_byte), bits, size_text())};
  }

  TextSize size_;
};

/// Perplexity of words and bytes over whole documents, as lm-evaluation-harness measures it by
/// rolling windows: every token is scored once, and what they cost together is divided by the words
/// or bytes of the text.
class RollingPerplexity : public Task {
 public:
  std::string_view name() const override { return "rolling-perplexity"; }
  bool has_samples() const override { return false; }
  std::string_view summary() const override {
    return "of words and bytes, a text or JSON lines with text";
  }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override;
};

}  // namespace

std::unique_ptr<const PreparedTask> RollingPerplexity::prepare(
    const TaskOptions& options, const models::PretrainedModel& model) const {
  const TextFile file = read_texts(options);
  const models::ContinuationEncoder encoder(model, options.context);
  auto requests = encode_documents(file.texts.size(), [&](std::size_t i) {
    return encoder.rolling(file.texts[i].content, file.texts[i].where);
  });
  return std::make_unique<PreparedRollingPerplexity>(file, std::move(requests));
}

const Task& rolling_perplexity_task() {
  static const RollingPerplexity instance;
  return instance;
}

}  // namespace regroup::fitness
