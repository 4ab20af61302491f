#include "models/architecture/families/families.hpp"

#include <bit>
#include <cmath>
#include <utility>

namespace regroup::models {

std::vector<double> alibi_slopes(int heads) {
  constexpr double kBits = 8;
  const int near = static_cast<int>(std::bit_floor(static_cast<unsigned>(heads)));
  std::vector<double> slopes;
  for (int i = 1; i <= near; ++i) slopes.push_back(std::exp2(-kBits * i / near));
  // The rest are every second one of twice as many.
  for (int i = 1; std::cmp_less(slopes.size(), heads); i += 2) {
    slopes.push_back(std::exp2(-kBits * i / (2 * near)));
  }
  return slopes;
}

}  // namespace regroup::models
