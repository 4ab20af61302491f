#include "models/training/trained_weights.hpp"

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "models/tensors/eigen_tensors.hpp"
#include "models/training/learned_mean.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

bool is_key_or_value(const ModelParameter& parameter) {
  return parameter.own.starts_with("key.") || parameter.own.starts_with("value.");
}

bool is_chosen(const ModelParameter& parameter, TrainedPart part) {
  switch (part) {
    case TrainedPart::kAll:
      return true;
    case TrainedPart::kAttention:
      return parameter.layer.has_value();
    case TrainedPart::kKeyValue:
      return parameter.layer.has_value() && is_key_or_value(parameter);
    default:
      return false;
  }
}

/// Matrices, tables and filters shrink; norms and biases do not.
bool decays(const at::Tensor& tensor) {
  return tensor.dim() >= 2;
}

}  // namespace

TrainedWeights::TrainedWeights(const Transformer& model, const Transformer& source,
                               const search::Grouping& grouping, const TrainingOptions& options,
                               search::RandomKey key) {
  const bool learns = options.learned.has_value();
  for (const ModelParameter& parameter : model.parameters()) {
    const bool is_mean = learns && parameter.layer && is_key_or_value(parameter) &&
                         !grouping.layers[*parameter.layer].is_source();
    if (!is_mean && is_chosen(parameter, options.part)) add(parameter);
  }
  if (learns) add_learned_means(source, grouping, options, key);
  if (!tensors_.empty()) return;
  throw InputError({.what = "there is nothing to train",
                    .where = "--train",
                    .expected = "a grouping that merges heads"});
}

std::size_t TrainedWeights::add_tensor(std::string name, const at::Tensor& from,
                                       at::ScalarType type, bool decays) {
  const at::Tensor copy = at::empty(from.sizes(), at::TensorOptions(from.device()).dtype(type));
  copy.copy_(from.detach()).requires_grad_(true);
  tensors_.push_back({std::move(name), copy, decays});
  return tensors_.size() - 1;
}

void TrainedWeights::add(const ModelParameter& parameter) {
  const std::size_t tensor =
      add_tensor(parameter.name, parameter.tensor, at::kFloat, decays(parameter.tensor));
  handles_.push_back({parameter.name, tensor, {}});
}

void TrainedWeights::add_learned_means(const Transformer& source, const search::Grouping& grouping,
                                       const TrainingOptions& options, search::RandomKey key) {
  const LearnedMean form = *options.learned;
  for (const ModelParameter& parameter : source.parameters()) {
    if (!parameter.layer || !is_key_or_value(parameter)) continue;
    const std::size_t layer = *parameter.layer;
    const search::LayerGrouping& of_layer = grouping.layers[layer];
    if (of_layer.is_source()) continue;
    const bool is_key = parameter.own.starts_with("key.");
    const search::Partition partition = is_key ? of_layer.keys : of_layer.values;
    const bool is_bias = parameter.tensor.dim() == 1;
    const std::string mean = std::to_string(layer) + (is_key ? ".key" : ".value") + " weights";
    auto known = std::ranges::find(tensors_, mean, &TrainedTensor::name);
    if (known == tensors_.end()) {
      const std::int64_t width = source.width();
      const at::Tensor first = first_mean_weights(
          form, options.start, partition, parameter.tensor.size(0) / partition.heads(),
          is_bias ? width : parameter.tensor.size(1), key.split(2 * layer + (is_key ? 0 : 1)));
      add_tensor(mean, first.to(parameter.tensor.device()), at::kDouble, /*decays=*/false);
      known = tensors_.end() - 1;
    }
    const auto weights = static_cast<std::size_t>(known - tensors_.begin());
    std::vector<std::size_t> made_of = {weights};
    at::Tensor heads = parameter.tensor.detach();
    if (options.part != TrainedPart::kWeights) {
      made_of.push_back(
          add_tensor(parameter.name, parameter.tensor, at::kFloat, decays(parameter.tensor)));
      heads = tensors_.back().tensor;
    }
    const at::Tensor own = tensors_[weights].tensor;
    handles_.push_back({parameter.name, 0,
                        [heads, own, form, partition, is_bias] {
                          return is_bias ? learned_mean_of_bias(heads, own, form, partition)
                                         : learned_mean(heads, own, form, partition);
                        },
                        std::move(made_of)});
  }
}

StepWeights TrainedWeights::at_step() const {
  StepWeights weights;
  for (const Handle& handle : handles_) {
    at::Tensor folded;
    at::Tensor own = tensors_[handle.tensor].tensor;
    if (handle.fold) {
      folded = handle.fold();
      own = folded.detach().to(at::kFloat).requires_grad_(true);
    }
    weights.overlay.set(handle.name, own);
    weights.handles.push_back(own);
    weights.folded.push_back(folded);
  }
  return weights;
}

std::vector<at::Tensor> TrainedWeights::pull_back(const StepWeights& weights,
                                                  const std::vector<at::Tensor>& gradients) const {
  std::vector<at::Tensor> result(tensors_.size());
  for (std::size_t i = 0; i < handles_.size(); ++i) {
    if (!gradients[i].defined()) continue;
    if (!handles_[i].fold) {
      result[handles_[i].tensor] = gradients[i];
      continue;
    }
    std::vector<at::Tensor> causes;
    for (const std::size_t part : handles_[i].made_of) causes.push_back(tensors_[part].tensor);
    const auto found = torch::autograd::grad({weights.folded[i]}, causes,
                                             {gradients[i].to(at::kDouble)}, /*retain_graph=*/true,
                                             /*create_graph=*/false, /*allow_unused=*/true);
    for (std::size_t p = 0; p < causes.size(); ++p) {
      if (found[p].defined()) accumulate(result[handles_[i].made_of[p]], found[p]);
    }
  }
  return result;
}

WeightOverlay TrainedWeights::overlay() const {
  WeightOverlay overlay;
  const StepWeights now = at_step();
  for (const auto& [name, tensor] : now.overlay.tensors()) overlay.set(name, tensor.detach());
  return overlay;
}

}  // namespace regroup::models
