#include <fmt/format.h>

#include "fitness/loss_text.hpp"
#include "fitness/tasks/tasks.hpp"
#include "fitness/tasks/window_task.hpp"
#include "models/language_model/label_scores.hpp"

namespace regroup::fitness {
namespace {

class PreparedSequenceToSequence : public WindowTask {
 public:
  using WindowTask::WindowTask;

  TaskResult measure(const TaskModels& models, std::stop_token stop,
                     search::Progress& progress) const override {
    progress.begin("measuring targets", windows().tokens(), "tokens");
    const auto scores = models::label_scores(models.model, windows(), std::move(stop), progress);
    progress.end();
    std::vector<double> losses;
    std::vector<double> exact;
    for (const models::LabelScore& score : scores) {
      losses.push_back(score.loss);
      exact.push_back(score.is_exact ? 1 : 0);
    }
    Metric loss = mean_metric("loss", std::move(losses));
    Metric matches = mean_metric("exact_match", std::move(exact));
    std::string text =
        fmt::format("loss {} nats/token, exact matches {}  {}", loss_text(loss.value, 5),
                    percent_text(matches.value), size_text());
    return {{std::move(loss), std::move(matches)}, std::move(text)};
  }
};

/// What an encoder-decoder makes of pairs: what a target costs, and whether greedy decoding finds
/// all of it.
class SequenceToSequence : public Task {
 public:
  std::string_view name() const override { return "sequence-to-sequence"; }
  std::string_view summary() const override {
    return "loss of targets and exact matches of greedy decoding, JSON lines with source, target";
  }
  bool fits(const models::ModelConfig& config) const override {
    return models::has_decoder(config.kind) && config.has_head;
  }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override {
    return std::make_unique<PreparedSequenceToSequence>(options, model);
  }
};

}  // namespace

const Task& sequence_to_sequence_task() {
  static const SequenceToSequence instance;
  return instance;
}

}  // namespace regroup::fitness
