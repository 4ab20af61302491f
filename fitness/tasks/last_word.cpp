#include "fitness/tasks/tasks.hpp"

#include <fmt/format.h>

#include <cmath>

#include "fitness/loss_text.hpp"
#include "fitness/tasks/document_task.hpp"
#include "models/files/json_fields.hpp"
#include "models/text/continuation_encoder.hpp"

namespace regroup::fitness {
namespace {

/// exp of a mean loss; its standard error by the delta method: that of the mean times the
/// derivative of exp there.
LossEstimate perplexity_of(const LossEstimate& loss) {
  LossEstimate perplexity{std::exp(loss.mean), loss.standard_error};
  if (perplexity.standard_error) *perplexity.standard_error *= perplexity.mean;
  return perplexity;
}

class PreparedLastWord : public DocumentTask {
 public:
  using DocumentTask::DocumentTask;

 private:
  TaskResult result(std::span<const DocumentScores> documents) const override {
    std::vector<double> greedy;
    std::vector<double> losses;
    for (const DocumentScores scores : documents) {
      greedy.push_back(scores.front().greedy ? 1 : 0);
      losses.push_back(-scores.front().log_probability);
    }
    Metric accuracy = mean_metric("acc", std::move(greedy));
    const LossEstimate perplexity = perplexity_of(estimate(losses));
    std::string text = fmt::format("accuracy {}, perplexity {}  {}", percent_text(accuracy.value),
                                   loss_text(perplexity, 4), size_text());
    return {{std::move(accuracy), {"perplexity", perplexity}}, std::move(text)};
  }
};

/// Predicting how a text ends, as LAMBADA does: whether every token of the last word is the most
/// likely one, and what whole words cost.
class LastWord : public Task {
 public:
  std::string_view name() const override { return "last-word"; }
  std::string_view summary() const override { return "JSON lines with context, continuation"; }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override;
};

}  // namespace

std::unique_ptr<const PreparedTask> LastWord::prepare(const TaskOptions& options,
                                                      const models::PretrainedModel& model) const {
  const DocumentFile file = read_documents(options);
  const models::ContinuationEncoder encoder(model, options.context);
  auto requests = encode_documents(file.lines.size(), [&](std::size_t i) {
    const models::JsonLine& line = file.lines[i];
    const std::string context = models::required_string(line.value, "context", line.where);
    const std::string word = required_text(line, "continuation");
    return DocumentRequests{encoder.continuation(context, joined(context, word), line.where)};
  });
  return std::make_unique<PreparedLastWord>(file.sha256, file.documents, std::move(requests));
}

const Task& last_word_task() {
  static const LastWord instance;
  return instance;
}

}  // namespace regroup::fitness
