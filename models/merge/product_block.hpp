#pragma once

#include <Eigen/Core>
#include <memory>

namespace regroup::models {

class Scratch;

/// A matrix of products that may lie in a scratch: those of all heads of a wide model are as large
/// as a layer's weights, and every layer has some. Immutable; copies share the numbers.
class ProductBlock {
 public:
  ProductBlock() = default;
  ProductBlock(Eigen::MatrixXd matrix);  // NOLINT: a matrix is one

  /// The same in the scratch. Throws WorkError where the disk is full.
  ProductBlock put_away(const Scratch& scratch) const;

  Eigen::Map<const Eigen::MatrixXd> matrix() const { return {numbers_.get(), rows_, columns_}; }
  Eigen::Index rows() const { return rows_; }
  Eigen::Index size() const { return rows_ * columns_; }

 private:
  std::shared_ptr<const double> numbers_;
  Eigen::Index rows_ = 0;
  Eigen::Index columns_ = 0;
};

}  // namespace regroup::models
