#include "models/refit/even_rows.hpp"

#include <algorithm>
#include <numeric>

namespace regroup::models {

std::vector<EvenRows> even_rows(std::span<const std::int64_t> lengths, std::int64_t most) {
  const std::int64_t all = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  const std::int64_t step = std::max<std::int64_t>(1, (all + most - 1) / most);
  std::vector<EvenRows> chosen;
  std::int64_t begin = 0;  // of the window, among all positions
  for (std::size_t window = 0; window < lengths.size(); ++window) {
    const std::int64_t first = (step - begin % step) % step;
    if (first < lengths[window]) chosen.push_back({window, first, step});
    begin += lengths[window];
  }
  return chosen;
}

}  // namespace regroup::models
