#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace regroup::search {

/// An explicit, splittable random key. Equal keys give equal draws on every platform and for any
/// number of threads; keys split with different numbers are independent. Thread-safe: a value.
///
/// Counter-based Threefry-2x64-20 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
/// SC 2011) from the Random123 library.
class RandomKey {
 public:
  explicit RandomKey(std::uint64_t seed) : words_{seed, 0} {}

  /// The key of the `number`-th child of this key.
  RandomKey split(std::uint64_t number) const;

  /// The `counter`-th pair of 64 random bits of this key.
  std::array<std::uint64_t, 2> block(std::uint64_t counter) const;

  bool operator==(const RandomKey&) const = default;

 private:
  std::array<std::uint64_t, 2> words_;
};

/// Draws of one key, one after the other. Not thread-safe: one stream belongs to one task.
class RandomStream {
 public:
  explicit RandomStream(RandomKey key) : key_(key) {}

  std::uint64_t bits();
  /// Uniform on {0, …, bound − 1}, without bias; `bound` ≥ 1.
  std::uint64_t below(std::uint64_t bound);
  /// The same for the int arithmetic of heads and groups.
  int below(int bound) { return static_cast<int>(below(static_cast<std::uint64_t>(bound))); }
  /// Uniform on [0, 1), 53 bits.
  double unit();
  /// True with the given probability.
  bool chance(double probability) { return unit() < probability; }

  /// Puts the elements in uniformly random order (Fisher–Yates).
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t left = items.size(); left > 1; --left) {
      std::swap(items[left - 1], items[below(static_cast<std::uint64_t>(left))]);
    }
  }

 private:
  RandomKey key_;
  std::uint64_t counter_ = 0;
  std::array<std::uint64_t, 2> block_{};
};

}  // namespace regroup::search
