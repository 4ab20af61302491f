#include "runs/plan/compute_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "search/base/error.hpp"

namespace regroup::runs {

std::vector<search::Option> compute_options(std::vector<std::string>& words,
                                            ComputeChoice& choice) {
  constexpr double kMostCompute = 1e6;
  return {{.flag = "--objectives",
           .key = "objectives",
           .unit = "WHAT,…",
           .help = "What is minimised: bytes,loss, or bytes,loss,compute with the multiplications "
                   "of a decoded token at --context (default: bytes,loss)",
           .field = &words},
          {.flag = "--max-compute",
           .key = "max_compute",
           .unit = "RATIO",
           .help = "Most multiplications of a decoded token's attention at --context, relative to "
                   "the source's (0: no limit)",
           .field = search::NumberField<double>{&choice.most, 0, kMostCompute}}};
}

bool is_compute_asked(const std::vector<std::string>& words) {
  std::vector<std::string> sorted = words;
  std::ranges::sort(sorted);
  if (sorted.empty() || sorted == std::vector<std::string>{"bytes", "loss"}) return false;
  if (sorted == std::vector<std::string>{"bytes", "compute", "loss"}) return true;
  throw InputError({.what = "objectives are none that a search minimises together",
                    .where = "--objectives",
                    .expected = "bytes,loss or bytes,loss,compute",
                    .found = fmt::format("{}", fmt::join(words, ","))});
}

std::vector<std::string> words_of(const ComputeChoice& choice) {
  std::vector<std::string> words = {"bytes", "loss"};
  if (choice.is_objective) words.emplace_back("compute");
  return words;
}

}  // namespace regroup::runs
