#include "models/training/window_order.hpp"

#include <numeric>
#include <span>

namespace regroup::models {

std::size_t WindowOrder::at(std::uint64_t place) {
  const std::uint64_t round = place / windows_;
  if (order_.empty() || round != round_) {
    order_.resize(windows_);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    search::RandomStream(key_.split(round)).shuffle(std::span(order_));
    round_ = round;
  }
  return order_[place % windows_];
}

std::vector<std::size_t> WindowOrder::of_step(std::uint64_t step) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < each_; ++i) numbers.push_back(at(step * each_ + i));
  return numbers;
}

}  // namespace regroup::models
