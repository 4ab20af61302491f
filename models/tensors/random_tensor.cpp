#include "models/tensors/random_tensor.hpp"

#include <cmath>
#include <numbers>
#include <span>

namespace regroup::models {
namespace {

std::span<double> numbers_of(at::Tensor& tensor) {
  return {tensor.data_ptr<double>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

at::Tensor uniform_tensor(search::RandomKey key, at::IntArrayRef shape) {
  at::Tensor result = at::empty(shape, at::kDouble);
  search::RandomStream stream(key);
  for (double& number : numbers_of(result)) number = stream.unit();
  return result;
}

at::Tensor normal_tensor(search::RandomKey key, at::IntArrayRef shape) {
  at::Tensor result = at::empty(shape, at::kDouble);
  const std::span<double> numbers = numbers_of(result);
  search::RandomStream stream(key);
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    const double radius = std::sqrt(-2 * std::log1p(-stream.unit()));
    const double angle = 2 * std::numbers::pi * stream.unit();
    numbers[i] = radius * std::cos(angle);
    if (i + 1 < numbers.size()) numbers[i + 1] = radius * std::sin(angle);
  }
  return result;
}

}  // namespace regroup::models
