#include "fitness/tasks/tasks.hpp"

#include <fmt/format.h>

#include "fitness/tasks/document_task.hpp"
#include "fitness/tasks/window_task.hpp"

namespace regroup::fitness {
namespace {

/// The share of ranks below `end`.
Metric share_below(const char* name, const std::vector<int>& ranks, int end) {
  std::vector<double> is_below;
  is_below.reserve(ranks.size());
  for (const int rank : ranks) is_below.push_back(rank < end ? 1 : 0);
  return mean_metric(name, std::move(is_below));
}

class PreparedClassification : public WindowTask {
 public:
  using WindowTask::WindowTask;

  TaskResult measure(const TaskModels& models, std::stop_token stop,
                     search::Progress& progress) const override {
    progress.begin(fmt::format("classifying {}", windows().unit()), windows().size(),
                   windows().unit());
    const std::vector<int> ranks = models.model.class_ranks(windows(), std::move(stop), progress);
    progress.end();
    constexpr int kFew = 5;
    Metric first = share_below("acc", ranks, 1);
    Metric few = share_below("acc5", ranks, kFew);
    std::string text = fmt::format("top-1 accuracy {}, top-5 {}  {}", percent_text(first.value),
                                   percent_text(few.value), size_text());
    return {{std::move(first), std::move(few)}, std::move(text)};
  }
};

/// Share of images or texts whose class the model finds most likely, and among its five most
/// likely.
class Classification : public Task {
 public:
  Classification(models::ModelKind kind, std::string_view name, std::string_view summary)
      : kind_(kind), name_(name), summary_(summary) {}

  std::string_view name() const override { return name_; }
  std::string_view summary() const override { return summary_; }
  bool fits(const models::ModelConfig& config) const override {
    return config.kind == kind_ && config.has_head;
  }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override {
    return std::make_unique<PreparedClassification>(options, model);
  }

 private:
  models::ModelKind kind_;
  std::string_view name_;
  std::string_view summary_;
};

}  // namespace

const Task& image_classification_task() {
  static const Classification instance(
      models::ModelKind::kImage, "image-classification",
      "top-1 and top-5 accuracy on a folder of class folders, or CIFAR-10's binary files");
  return instance;
}

const Task& text_classification_task() {
  static const Classification instance(models::ModelKind::kText, "text-classification",
                                       "top-1 and top-5 accuracy on JSON lines with text, label");
  return instance;
}

}  // namespace regroup::fitness
