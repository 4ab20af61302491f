#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "models/overlay/weight_overlay.hpp"
#include "models/training/training_options.hpp"
#include "models/transformer/transformer.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// A tensor that the optimiser changes.
struct TrainedTensor {
  std::string name;   ///< as a WeightOverlay names it; of a learned mean's weights "NAME weights"
  at::Tensor tensor;  ///< float32, of a learned mean double; requires gradients
  bool decays = false;
};

/// A model's tensors as one step computes with them.
struct StepWeights {
  WeightOverlay overlay;            ///< to lay over the model
  std::vector<at::Tensor> handles;  ///< of the overlay: gradients are taken by these
  std::vector<at::Tensor>
      folded;  ///< what each handle is made of; undefined: it is a tensor itself
};

/// What training changes of a model, and how the model's tensors are made of it: as they are, or
/// by the learned means of a grouping (WGQA), whose weights are trained with the source's heads or
/// alone.
class TrainedWeights {
 public:
  /// `model` has the grouping's heads, `source` those that a learned mean is made of. Throws
  /// InputError where the choice leaves nothing to train.
  TrainedWeights(const Transformer& model, const Transformer& source,
                 const search::Grouping& grouping, const TrainingOptions& options,
                 search::RandomKey key);

  const std::vector<TrainedTensor>& tensors() const { return tensors_; }
  StepWeights at_step() const;
  /// The gradients of the tensors, given those of the handles; undefined where there is none.
  std::vector<at::Tensor> pull_back(const StepWeights& weights,
                                    const std::vector<at::Tensor>& gradients) const;
  /// The tensors of the model as they are now, which record nothing.
  WeightOverlay overlay() const;

 private:
  /// A tensor of the model, made of trained ones.
  struct Handle {
    std::string name;
    std::size_t tensor = 0;            // it is that one …
    std::function<at::Tensor()> fold;  // … or what this makes
    std::vector<std::size_t> made_of = {};
  };

  void add(const ModelParameter& parameter);
  void add_learned_means(const Transformer& source, const search::Grouping& grouping,
                         const TrainingOptions& options, search::RandomKey key);
  /// The place among the tensors.
  std::size_t add_tensor(std::string name, const at::Tensor& from, at::ScalarType type,
                         bool decays);

  std::vector<TrainedTensor> tensors_;
  std::vector<Handle> handles_;
};

}  // namespace regroup::models
