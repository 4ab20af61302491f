#pragma once

#include <Eigen/Core>
#include <span>

#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// A matrix in the order of a checkpoint's tensors.
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The numbers of one attention projection or of its bias, wherever the checkpoint stores them:
/// [heads, rows of a head, columns], row-major. Valid while the model lives.
class ProjectionView {
 public:
  static ProjectionView of_weight(const PretrainedModel& model, int layer, AttentionRole role);
  static ProjectionView of_bias(const PretrainedModel& model, int layer, AttentionRole role);

  std::size_t heads() const { return static_cast<std::size_t>(place_.blocks); }
  std::size_t head_size() const { return static_cast<std::size_t>(place_.rows * place_.columns); }
  /// Elements from, from + 1, … of one head. Throws InputError for an element type that is not one
  /// of weights.
  void read(std::size_t head, std::size_t from, std::span<float> out) const;
  /// All of it, [heads · rows, columns].
  RowMatrix matrix() const;
  /// Gives the memory of its tensor back to the system; it can still be read.
  void release() const { model_.checkpoint.release(tensor_); }

 private:
  ProjectionView(const PretrainedModel& model, const TensorView& tensor, StoredProjection place)
      : model_(model), tensor_(tensor), place_(std::move(place)) {}

  const PretrainedModel& model_;
  const TensorView& tensor_;
  StoredProjection place_;
};

}  // namespace regroup::models
