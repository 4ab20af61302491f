#include "fitness/tasks/tasks.hpp"

#include <fmt/format.h>

#include <cmath>

#include "fitness/loss_text.hpp"
#include "fitness/tasks/window_task.hpp"

namespace regroup::fitness {
namespace {

class PreparedPerplexity : public WindowTask {
 public:
  using WindowTask::WindowTask;

  TaskResult measure(const TaskModels& models, std::stop_token stop,
                     search::Progress& progress) const override {
    progress.begin("measuring loss", windows().tokens(), "tokens");
    Metric loss =
        mean_metric("loss", models.model.window_losses(windows(), std::move(stop), progress));
    progress.end();
    const double perplexity = std::exp(loss.value.mean);
    std::string text = fmt::format("loss {} nats/token, perplexity {:.4f}  {}",
                                   loss_text(loss.value, 5), perplexity, size_text());
    return {{std::move(loss), {"perplexity", {perplexity, {}}}}, std::move(text)};
  }
};

/// Mean loss of the next token over disjoint windows of a text (METHODS §9).
class Perplexity : public Task {
 public:
  std::string_view name() const override { return "perplexity"; }
  std::string_view summary() const override { return "loss of next tokens, windows of a text"; }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override;
};

}  // namespace

std::unique_ptr<const PreparedTask> Perplexity::prepare(
    const TaskOptions& options, const models::PretrainedModel& model) const {
  return std::make_unique<PreparedPerplexity>(options, model);
}

const Task& perplexity_task() {
  static const Perplexity instance;
  return instance;
}

}  // namespace regroup::fitness
