#include "models/language_model/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "models/language_model/label_scores.hpp"
#include "models/passes/token_losses.hpp"
#include "models/passes/window_checks.hpp"
#include "models/passes/window_pass.hpp"
#include "models/tensors/tensors.hpp"
#include "models/training/learning_rate.hpp"
#include "models/training/optimizer.hpp"
#include "models/training/state_tensors.hpp"
#include "models/training/step_gradients.hpp"
#include "models/training/trained_weights.hpp"
#include "models/training/training_attention.hpp"
#include "models/training/window_order.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

// Children of a training's key.
constexpr std::uint64_t kOrderKey = 1;
constexpr std::uint64_t kPassKey = 2;
constexpr std::uint64_t kMeanKey = 3;
constexpr std::uint64_t kDealKey = 4;

/// Positions that count for `--tokens`, of a window on average.
double positions_of_window(const Windows& windows) {
  std::size_t sum = 0;
  for (std::size_t w = 0; w < windows.size(); ++w) sum += windows.positions(w);
  return static_cast<double>(sum) / static_cast<double>(windows.size());
}

/// Tensors that a layer's attention has by its own steps and not by gradients.
std::map<std::string, at::Tensor> states_of(const Transformer& model) {
  std::map<std::string, at::Tensor> states;
  for (std::size_t layer = 0; layer < model.layers(); ++layer) {
    for (const NamedTensor& own : model.attention(layer).tensors()) {
      if (own.use == TensorUse::kState) {
        states[fmt::format("{}.{}", layer, own.name)] = own.tensor;
      }
    }
  }
  return states;
}

void put_states(Transformer& model, const std::map<std::string, at::Tensor>& states) {
  for (std::size_t layer = 0; layer < model.layers(); ++layer) {
    const auto changed = model.attention(layer).with_tensors([&](const NamedTensor& own) {
      const auto found = states.find(fmt::format("{}.{}", layer, own.name));
      if (own.use != TensorUse::kState || found == states.end()) return own.tensor;
      return found->second.to(own.tensor.scalar_type());
    });
    const auto has_state = [](const NamedTensor& own) { return own.use == TensorUse::kState; };
    if (std::ranges::any_of(changed->tensors(), has_state)) model.replace_attention(layer, changed);
  }
}

const at::Tensor& tensor_of(const TensorFile& file, const std::string& name,
                            const at::Tensor& like) {
  const auto found = file.tensors.find(name);
  if (found != file.tensors.end() && found->second.sizes() == like.sizes()) return found->second;
  throw InputError({.what = "the state is of another training",
                    .where = name,
                    .expected = fmt::format("a tensor of {} numbers", like.numel())});
}

void require_teacher(const LanguageModel& model, const LanguageModel& teacher,
                     const LossTerms& terms) {
  if (!terms.needs_source()) return;
  const auto refuse = [](const char* what, auto expected, auto found) {
    throw InputError({.what = what,
                      .where = "--teacher",
                      .expected = fmt::format("{}", expected),
                      .found = fmt::format("{}", found)});
  };
  const Transformer& own = model.transformer();
  const Transformer& other = teacher.transformer();
  if (own.outputs() != other.outputs()) {
    refuse("the teacher has another vocabulary", own.outputs(), other.outputs());
  }
  if (terms.hidden > 0 && own.layers() != other.layers()) {
    refuse("the teacher has another number of layers", own.layers(), other.layers());
  }
  if (terms.hidden > 0 && own.width() != other.width()) {
    refuse("the teacher has another width", own.width(), other.width());
  }
}

}  // namespace

class Trainer::Content {
 public:
  Content(const LanguageModel& model, const LanguageModel& source, const LanguageModel& teacher,
          const search::Grouping& grouping, const TrainingOptions& options, Windows data,
          search::RandomKey key)
      : model_(model),
        teacher_(teacher),
        grouping_(grouping),
        options_(options),
        data_(std::move(data)),
        key_(key),
        base_(with_training_attention(model.transformer(), grouping, options, key.split(kDealKey))),
        weights_(base_, source.transformer(), grouping, options, key.split(kMeanKey)),
        optimizer_(weights_.tensors(), options.decay),
        each_(std::max<std::size_t>(
            1, static_cast<std::size_t>(std::lround(static_cast<double>(options.batch_tokens) /
                                                    positions_of_window(data_))))),
        order_(data_.size(), each_, key.split(kOrderKey)) {}

  double positions_of_step() const {
    return static_cast<double>(each_) * positions_of_window(data_);
  }
  std::int64_t steps() const {
    return std::max<std::int64_t>(
        1, static_cast<std::int64_t>(
               std::ceil(static_cast<double>(options_.tokens) / positions_of_step())));
  }
  std::int64_t done() const { return done_; }
  const TrainedWeights& weights() const { return weights_; }

  TrainingStep step(std::stop_token stop);
  LanguageModel model() const;
  void keep_best();
  void return_to_best();
  void save(const std::filesystem::path& file, const std::string& notes,
            const std::filesystem::path& temporary_directory) const;
  std::string restore(const std::filesystem::path& file);
  search::Grouping grouping() const { return dealt_grouping(base_, grouping_, options_); }
  WeightOverlay overlay() const {
    return trained_overlay(model().transformer(), grouping_, model_.pretrained(), options_);
  }

 private:
  struct Best {
    std::vector<at::Tensor> tensors;
    std::map<std::string, at::Tensor> states;
  };

  void require_finite(const TrainingStep& step) const;
  void follow(const std::vector<at::Tensor>& sums);

  LanguageModel model_;
  LanguageModel teacher_;
  search::Grouping grouping_;
  TrainingOptions options_;
  Windows data_;
  search::RandomKey key_;
  Transformer base_;  // with the states that training has come to
  TrainedWeights weights_;
  Optimizer optimizer_;
  std::size_t each_;  // windows of a step
  WindowOrder order_;
  std::int64_t done_ = 0;
  std::optional<Best> best_;
};

void Trainer::Content::require_finite(const TrainingStep& step) const {
  if (std::isfinite(step.loss) && std::isfinite(step.gradient_norm)) return;
  throw WorkError(
      {.what = "training has left the finite numbers",
       .where = fmt::format("step {}", step.step),
       .expected = "a finite loss and gradient; a lower --lr or --clip may help",
       .found = fmt::format("loss {}, gradient norm {}", step.loss, step.gradient_norm)});
}

void Trainer::Content::follow(const std::vector<at::Tensor>& sums) {
  for (std::size_t layer = 0; layer < sums.size(); ++layer) {
    if (!sums[layer].defined()) continue;
    base_.replace_attention(
        layer, base_.attention(layer).after_step(sums[layer], static_cast<std::uint64_t>(done_)));
  }
}

TrainingStep Trainer::Content::step(std::stop_token stop) {
  const StepWeights weights = weights_.at_step();
  const Transformer model(model_.pretrained(), base_, weights.overlay);
  const auto number = static_cast<std::uint64_t>(done_);
  const Windows windows = data_.chosen(order_.of_step(number));
  const StepProblem problem{model, options_.loss.needs_source() ? &teacher_.transformer() : nullptr,
                            options_.loss, weights.handles, options_.recompute};
  const StepGradients found =
      step_gradients(problem, windows, key_.split(kPassKey).split(number), number, std::move(stop));
  std::vector<at::Tensor> gradients = weights_.pull_back(weights, found.gradients);
  TrainingStep step{.step = done_ + 1,
                    .positions = std::llround(static_cast<double>(done_ + 1) * positions_of_step()),
                    .rate = learning_rate(options_, done_, steps()),
                    .loss = found.losses.total,
                    .cross_entropy = found.losses.cross_entropy,
                    .divergence = found.losses.divergence,
                    .hidden = found.losses.hidden,
                    .gradient_norm = gradient_norm(gradients)};
  require_finite(step);
  clip_gradients(gradients, step.gradient_norm, options_.clip);
  optimizer_.step(gradients, step.rate);
  follow(found.sums);
  ++done_;
  return step;
}

LanguageModel Trainer::Content::model() const {
  return model_.with_transformer(
      std::make_shared<Transformer>(model_.pretrained(), base_, weights_.overlay()));
}

void Trainer::Content::keep_best() {
  best_.emplace();
  for (const TrainedTensor& tensor : weights_.tensors()) {
    best_->tensors.push_back(tensor.tensor.detach().clone());
  }
  best_->states = states_of(base_);
}

void Trainer::Content::return_to_best() {
  if (!best_) return;
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < best_->tensors.size(); ++i) {
    at::Tensor tensor = weights_.tensors()[i].tensor;
    tensor.copy_(best_->tensors[i]);
  }
  put_states(base_, best_->states);
}

void Trainer::Content::save(const std::filesystem::path& file, const std::string& notes,
                            const std::filesystem::path& temporary_directory) const {
  std::map<std::string, at::Tensor> all;
  const std::vector<Optimizer::Moments> moments = optimizer_.moments();
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const TrainedTensor& tensor = weights_.tensors()[i];
    all["weights/" + tensor.name] = tensor.tensor;
    if (moments[i].first.defined()) {
      all["first/" + tensor.name] = moments[i].first;
      all["second/" + tensor.name] = moments[i].second;
    }
    if (best_) all["best/" + tensor.name] = best_->tensors[i];
  }
  for (const auto& [name, tensor] : states_of(base_)) all["states/" + name] = tensor;
  if (best_) {
    for (const auto& [name, tensor] : best_->states) all["best_states/" + name] = tensor;
  }
  all["done"] = at::full({1}, static_cast<double>(done_), at::kDouble);
  write_tensors(file, all, notes, temporary_directory);
}

std::string Trainer::Content::restore(const std::filesystem::path& file) {
  const TensorFile kept = read_tensors(file);
  const auto done =
      static_cast<std::int64_t>(tensor_of(kept, "done", at::empty({1})).item<double>());
  const std::map<std::string, at::Tensor> states = states_of(base_);
  std::vector<Optimizer::Moments> moments;
  std::vector<at::Tensor> tensors;
  Best best;
  const bool has_best = kept.tensors.contains("best/" + weights_.tensors()[0].name);
  for (const TrainedTensor& tensor : weights_.tensors()) {
    const at::Tensor& own = tensor.tensor;
    const auto read = [&](const std::string& part) {
      return tensor_of(kept, part + tensor.name, own).to(own.device());
    };
    tensors.push_back(read("weights/"));
    const bool has_moments = kept.tensors.contains("first/" + tensor.name);
    moments.push_back(has_moments ? Optimizer::Moments{read("first/"), read("second/")}
                                  : Optimizer::Moments{});
    if (has_best) best.tensors.push_back(read("best/"));
  }
  std::map<std::string, at::Tensor> own_states;
  for (const auto& [name, tensor] : states) {
    own_states[name] = tensor_of(kept, "states/" + name, tensor);
    if (has_best) best.states[name] = tensor_of(kept, "best_states/" + name, tensor);
  }
  {
    const at::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      at::Tensor tensor = weights_.tensors()[i].tensor;
      tensor.copy_(tensors[i]);
    }
  }
  put_states(base_, own_states);
  optimizer_.restore(moments, done);
  done_ = done;
  best_.reset();
  if (has_best) best_ = std::move(best);
  return kept.notes;
}

Trainer::Trainer(const LanguageModel& model, const LanguageModel& source,
                 const LanguageModel& teacher, const search::Grouping& grouping,
                 const TrainingOptions& options, Windows data, search::RandomKey key) {
  require_valid(options);
  require_windows(data, model.config());
  require_teacher(model, teacher, options.loss);
  if (options.loss.cross_entropy > 0 && !has_labels(model.config())) {
    require_targets(model.config());
  }
  content_ =
      std::make_unique<Content>(model, source, teacher, grouping, options, std::move(data), key);
}

Trainer::~Trainer() = default;

std::int64_t Trainer::steps() const {
  return content_->steps();
}

std::int64_t Trainer::done() const {
  return content_->done();
}

std::int64_t Trainer::positions() const {
  return std::llround(static_cast<double>(steps()) * content_->positions_of_step());
}

std::int64_t Trainer::trained_numbers() const {
  std::int64_t sum = 0;
  for (const TrainedTensor& tensor : content_->weights().tensors()) sum += tensor.tensor.numel();
  return sum;
}

TrainingStep Trainer::step(std::stop_token stop) {
  return content_->step(std::move(stop));
}

LanguageModel Trainer::model() const {
  return content_->model();
}

void Trainer::keep_best() {
  content_->keep_best();
}

void Trainer::return_to_best() {
  content_->return_to_best();
}

void Trainer::save(const std::filesystem::path& file, const std::string& notes,
                   const std::filesystem::path& temporary_directory) const {
  content_->save(file, notes, temporary_directory);
}

std::string Trainer::restore(const std::filesystem::path& file) {
  return content_->restore(file);
}

search::Grouping Trainer::grouping() const {
  return content_->grouping();
}

std::shared_ptr<const WeightOverlay> Trainer::overlay() const {
  return std::make_shared<const WeightOverlay>(content_->overlay());
}

}  // namespace regroup::models
