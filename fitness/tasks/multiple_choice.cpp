#include "fitness/tasks/tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fitness/tasks/document_task.hpp"
#include "models/files/json_fields.hpp"
#include "models/text/continuation_encoder.hpp"
#include "models/text/text_counts.hpp"
#include "search/base/error.hpp"

namespace regroup::fitness {
namespace {

struct Option {
  std::string context;
  std::string choice;
};

/// A document: its options and the number of the right one.
struct Question {
  std::vector<Option> options;
  std::size_t gold = 0;
};

std::vector<std::string> required_options(const models::JsonLine& line, std::string_view key) {
  std::vector<std::string> options = models::required_strings(line.value, key, line.where);
  if (options.size() >= 2) return options;
  throw InputError({.what = "document offers no choice",
                    .where = models::field_of(line.where, key),
                    .expected = "at least 2 strings",
                    .found = std::to_string(options.size())});
}

/// `query, choices, gold`: one context, several continuations.
std::vector<Option> options_of_query(const models::JsonLine& line) {
  const std::string query = models::required_string(line.value, "query", line.where);
  std::vector<Option> options;
  for (std::string& choice : required_options(line, "choices")) {
    if (choice.empty()) {
      throw InputError({.what = "choice is empty",
                        .where = models::field_of(line.where, "choices"),
                        .expected = "at least one character"});
    }
    options.push_back({query, std::move(choice)});
  }
  return options;
}

/// `context_options, continuation, gold`: several contexts, the same continuation after each.
std::vector<Option> options_of_contexts(const models::JsonLine& line) {
  const std::string continuation = required_text(line, "continuation");
  std::vector<Option> options;
  for (std::string& context : required_options(line, "context_options")) {
    options.push_back({std::move(context), continuation});
  }
  return options;
}

Question read_question(const models::JsonLine& line) {
  Question question{
      line.value.contains("context_options") ? options_of_contexts(line) : options_of_query(line),
      0};
  const std::int64_t last = std::ssize(question.options) - 1;
  question.gold =
      static_cast<std::size_t>(models::required_int(line.value, "gold", line.where, 0, last));
  return question;
}

/// The first of the largest values.
std::size_t best(const std::vector<double>& values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

class PreparedMultipleChoice : public DocumentTask {
 public:
  PreparedMultipleChoice(const DocumentFile& file, std::vector<Question> questions,
                         std::vector<DocumentRequests> requests)
      : DocumentTask(file.sha256, file.documents, std::move(requests)),
        questions_(std::move(questions)) {}

 private:
  TaskResult result(std::span<const DocumentScores> documents) const override {
    std::vector<double> right;
    std::vector<double> right_by_length;
    for (std::size_t i = 0; i < documents.size(); ++i) {
      const Question& question = questions_[i];
      std::vector<double> sums;
      std::vector<double> means;
      for (std::size_t n = 0; n < documents[i].size(); ++n) {
        const auto length = models::count_characters(question.options[n].choice);
        sums.push_back(documents[i][n].log_probability);
        means.push_back(sums.back() / static_cast<double>(length));
      }
      right.push_back(best(sums) == question.gold ? 1 : 0);
      right_by_length.push_back(best(means) == question.gold ? 1 : 0);
    }
    Metric accuracy = mean_metric("acc", std::move(right));
    Metric by_length = mean_metric("acc_norm", std::move(right_by_length));
    std::string text =
        fmt::format("accuracy {}, by probability per character {}  {}",
                    percent_text(accuracy.value), percent_text(by_length.value), size_text());
    return {{std::move(accuracy), std::move(by_length)}, std::move(text)};
  }

  std::vector<Question> questions_;
};

/// Choosing the most likely of several continuations, or of several contexts of one continuation,
/// as lm-evaluation-harness does (METHODS §9).
class MultipleChoice : public Task {
 public:
  std::string_view name() const override { return "multiple-choice"; }
  std::string_view summary() const override {
    return "JSON lines with query, choices, gold or context_options, continuation, gold";
  }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override;
};

}  // namespace

std::unique_ptr<const PreparedTask> MultipleChoice::prepare(
    const TaskOptions& options, const models::PretrainedModel& model) const {
  const DocumentFile file = read_documents(options);
  std::vector<Question> questions;
  for (const models::JsonLine& line : file.lines) questions.push_back(read_question(line));
  const models::ContinuationEncoder encoder(model, options.context);
  auto requests = encode_documents(questions.size(), [&](std::size_t i) {
    DocumentRequests of_document;
    for (const Option& option : questions[i].options) {
      of_document.push_back(encoder.continuation(
          option.context, joined(option.context, option.choice), file.lines[i].where));
    }
    return of_document;
  });
  return std::make_unique<PreparedMultipleChoice>(file, std::move(questions), std::move(requests));
}

const Task& multiple_choice_task() {
  static const MultipleChoice instance;
  return instance;
}

}  // namespace regroup::fitness
