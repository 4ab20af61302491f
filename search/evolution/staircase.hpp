#pragma once

#include <iterator>
#include <map>
#include <utility>

namespace regroup::search {

/// Points (x, y) of which none covers another: where x grows, y falls. One point covers another if
/// neither of its coordinates is larger; so do equal points. Each carries a `T`. Not thread-safe.
template <class T>
class Staircase {
 public:
  struct Step {
    double y = 0;
    T value;
  };
  using Steps = std::map<double, Step>;

  /// By ascending x, hence by descending y.
  const Steps& steps() const { return steps_; }

  /// The step with the least y of those whose x is at most `x`; null if there is none. O(log n).
  const Step* step_within(double x) const {
    const auto above = steps_.upper_bound(x);
    return above == steps_.begin() ? nullptr : &std::prev(above)->second;
  }

  /// Whether a step covers the point. O(log n).
  bool covers(double x, double y) const {
    const Step* const step = step_within(x);
    return step != nullptr && step->y <= y;
  }

  /// Removes the steps that the point covers. O(log n) and what is removed.
  void remove_covered(double x, double y) {
    auto step = steps_.lower_bound(x);
    while (step != steps_.end() && step->second.y >= y) step = steps_.erase(step);
  }

  /// Adds a point that no step covers but an equal one, in place of those that it covers. O(log n)
  /// and what is removed.
  void add(double x, double y, T value) {
    remove_covered(x, y);
    steps_.insert_or_assign(x, Step{y, std::move(value)});
  }

 private:
  Steps steps_;
};

}  // namespace regroup::search
