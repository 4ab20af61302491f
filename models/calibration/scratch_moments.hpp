#pragma once

#include <memory>
#include <vector>

#include "models/calibration/moment_store.hpp"
#include "models/elements/dtype.hpp"
#include "models/files/scratch.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// Moments in a scratch, put there layer by layer, moments and gradients each in any order.
class ScratchMoments final : public MomentStore {
 public:
  ScratchMoments(std::shared_ptr<const Scratch> scratch, const ModelConfig& config);

  /// Moments without gradients. Throws WorkError where the disk is full.
  void put(std::size_t layer, const LayerMoments& moments);
  void put(std::size_t layer, const LayerGradients& gradients);

  LayerMoments layer(std::size_t layer) const override;
  bool has_gradients() const override { return !layers_.front().gradients.empty(); }

 private:
  /// A matrix or vector.
  struct Numbers {
    Eigen::Index rows;
    Eigen::Index columns;
    DType type;
    std::shared_ptr<const std::byte> memory;
  };
  /// In the order of for_each_moment.
  struct Layer {
    std::vector<Numbers> moments;
    std::vector<Numbers> gradients;
    bool is_cross = false;
  };

  std::vector<Numbers> kept(const LayerMoments& moments) const;

  std::shared_ptr<const Scratch> scratch_;
  ModelConfig config_;
  std::vector<Layer> layers_;
};

}  // namespace regroup::models
