#include "fitness/tasks/tasks.hpp"

#include <fmt/format.h>

#include "fitness/bootstrap.hpp"
#include "fitness/loss_text.hpp"
#include "fitness/tasks/window_task.hpp"

namespace regroup::fitness {
namespace {

using models::WindowScore;

/// The bootstrap's key: nothing else is drawn, and the same data give the same interval.
constexpr std::uint64_t kBootstrapSeed = 1;

/// Change of every window's loss.
std::vector<double> loss_changes(std::span<const WindowScore> scores,
                                 std::span<const WindowScore> source) {
  std::vector<double> changes = models::values_of(scores, &WindowScore::loss);
  for (std::size_t w = 0; w < changes.size(); ++w) changes[w] -= source[w].loss;
  return changes;
}

TaskResult divergence_result(std::span<const WindowScore> scores,
                             std::span<const WindowScore> source, const std::string& size_text) {
  const auto mean_of = [&](const char* name, double WindowScore::*field) {
    return mean_metric(name, models::values_of(scores, field));
  };
  const std::vector<double> changes = loss_changes(scores, source);
  TaskResult result{
      {mean_of("kl", &WindowScore::divergence), mean_of("top1_agreement", &WindowScore::agreement),
       mean_of("loss", &WindowScore::loss), mean_metric("delta_loss", changes)},
      {}};
  const LossEstimate divergence = result.metrics[0].value;
  const LossEstimate agreement = result.metrics[1].value;
  const LossEstimate change = result.metrics[3].value;
  std::string range;
  if (const auto interval = bootstrap_interval(changes, search::RandomKey(kBootstrapSeed))) {
    result.metrics.push_back({"delta_loss_low", {interval->low, {}}});
    result.metrics.push_back({"delta_loss_high", {interval->high, {}}});
    range = fmt::format(" ({:+.5f} to {:+.5f})", interval->low, interval->high);
  }
  result.text = fmt::format(
      "KL from the source {} nats/token, same most likely token {:.2f} %, loss {:+.5f}{}  {}",
      loss_text(divergence, 5), 100 * agreement.mean, change.mean, range, size_text);
  return result;
}

class PreparedDivergence : public WindowTask {
 public:
  using WindowTask::WindowTask;

  TaskResult measure(const TaskModels& models, std::stop_token stop,
                     search::Progress& progress) const override {
    progress.begin("measuring the source", windows().tokens(), "tokens");
    const models::SourceStates states = models.source.source_states(windows(), stop, progress);
    progress.end();
    progress.begin("measuring the grouping", windows().tokens(), "tokens");
    const auto scores = models.model.compare(states, std::move(stop), progress);
    progress.end();
    return divergence_result(scores, states.scores(), size_text());
  }
};

/// KL(source ‖ model) over disjoint windows of a text, and what goes with it (METHODS §9).
class Divergence : public Task {
 public:
  std::string_view name() const override { return "divergence"; }
  std::string_view summary() const override {
    return "KL of --grouping from MODEL, windows of a text";
  }
  bool compares() const override { return true; }
  bool fits(const models::ModelConfig&) const override { return true; }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override;
};

}  // namespace

std::unique_ptr<const PreparedTask> Divergence::prepare(
    const TaskOptions& options, const models::PretrainedModel& model) const {
  return std::make_unique<PreparedDivergence>(options, model);
}

const Task& divergence_task() {
  static const Divergence instance;
  return instance;
}

}  // namespace regroup::fitness
