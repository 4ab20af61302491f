#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fitness/loss_estimate.hpp"
#include "models/language_model/language_model.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/text/document_join.hpp"
#include "search/base/progress.hpp"

namespace regroup::fitness {

/// What a task measures on.
struct TaskOptions {
  std::filesystem::path data;
  int context = 0;        ///< longest input, tokens
  std::size_t limit = 0;  ///< only the first so many documents; 0: all
  models::DocumentJoin join = models::DocumentJoin::kEnd;  ///< of documents read as one text
};

/// One figure of a task, under its name in lm-evaluation-harness.
struct Metric {
  std::string name;  ///< "acc"
  LossEstimate value;
  /// What it is the mean of, by window or document; empty: it is no such mean.
  std::vector<double> samples = {};
};

/// A figure that is the mean of what was found of each window or document.
inline Metric mean_metric(std::string name, std::vector<double> samples) {
  const LossEstimate value = estimate(samples);
  return {std::move(name), value, std::move(samples)};
}

/// What a task found.
struct TaskResult {
  std::vector<Metric> metrics;
  std::string text;  ///< the same for people, one line
};

/// The model that is measured, and the one whose heads were merged for it.
struct TaskModels {
  const models::LanguageModel& model;
  const models::LanguageModel& source;
};

/// A task whose data were read for one model and checked.
class PreparedTask {
 public:
  virtual ~PreparedTask() = default;
  /// SHA-256 of the data file, hexadecimal.
  virtual const std::string& sha256() const = 0;
  /// Windows that the data hold, tokens or documents, and how many of them are measured.
  virtual std::size_t original_samples() const = 0;
  virtual std::size_t effective_samples() const = 0;
  /// Documents that were joined to one text; 0: none were.
  virtual std::size_t joined_documents() const { return 0; }
  /// What the user should know before it is measured; empty: nothing.
  virtual std::string remark() const { return {}; }
  /// Throws as LanguageModel::window_losses.
  virtual TaskResult measure(const TaskModels& models, std::stop_token stop,
                             search::Progress& progress) const = 0;
};

/// Something that can be measured of a model. Stateless and thread-safe.
class Task {
 public:
  virtual ~Task() = default;
  /// The word for `--task`, and the key in the result.
  virtual std::string_view name() const = 0;
  /// What it measures on what data, for the help; no full stop.
  virtual std::string_view summary() const = 0;
  /// Whether it compares the model with its source, which must then be another one.
  virtual bool compares() const { return false; }
  /// Whether its figures are means over windows or documents.
  virtual bool has_samples() const { return true; }
  /// Whether it can be measured of such a model.
  virtual bool fits(const models::ModelConfig& config) const {
    return config.kind == models::ModelKind::kCausal && config.has_head;
  }
  /// Reads and checks the data. Throws InputError.
  virtual std::unique_ptr<const PreparedTask> prepare(
      const TaskOptions& options, const models::PretrainedModel& model) const = 0;
};

/// The task called `name`; throws InputError that lists the known ones.
const Task& find_task(std::string_view name);
/// Throws InputError if the task cannot be measured of the model.
void require_fits(const Task& task, const models::PretrainedModel& model);
/// Every task, in the order of the table.
std::span<const Task* const> all_tasks();

}  // namespace regroup::fitness
