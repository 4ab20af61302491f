#include "models/merge/product_block.hpp"

#include <cstring>
#include <utility>

#include "models/files/scratch.hpp"

namespace regroup::models {

ProductBlock::ProductBlock(Eigen::MatrixXd matrix) : rows_(matrix.rows()), columns_(matrix.cols()) {
  const auto owner = std::make_shared<const Eigen::MatrixXd>(std::move(matrix));
  numbers_ = {owner, owner->data()};
}

ProductBlock ProductBlock::put_away(const Scratch& scratch) const {
  const auto bytes = static_cast<std::size_t>(size()) * sizeof(double);
  if (bytes == 0) return *this;
  const std::shared_ptr<std::byte> memory = scratch.allocate(bytes);
  std::memcpy(memory.get(), numbers_.get(), bytes);
  ProductBlock result = *this;
  result.numbers_ = {memory, reinterpret_cast<const double*>(memory.get())};
  return result;
}

}  // namespace regroup::models
