#pragma once

#include <ATen/ATen.h>

#include "search/base/random.hpp"

namespace regroup::models {

/// Independent numbers of a key, float64 on the CPU, the same on every machine.

/// Uniform on [0, 1).
at::Tensor uniform_tensor(search::RandomKey key, at::IntArrayRef shape);
/// Normal with mean 0 and variance 1, by Box and Muller's method.
at::Tensor normal_tensor(search::RandomKey key, at::IntArrayRef shape);

}  // namespace regroup::models
