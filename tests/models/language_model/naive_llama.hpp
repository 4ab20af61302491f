#pragma once

#include <map>
#include <string>
#include <vector>

#include "search/groupings/grouping.hpp"
#include "tests/fixtures/tiny_llama.hpp"

namespace regroup::tests {

/// What happens in one attention layer, [position][…].
struct NaiveLayer {
  std::vector<std::vector<double>> inputs;  ///< normalised, D
  std::vector<std::vector<double>> keys;    ///< before rotation, of the source's heads, H_kv · d
  std::vector<std::vector<std::vector<double>>> attention;  ///< H, then positions up to its own
  std::vector<std::vector<double>> mixed;    ///< what the output projection receives, H · d
  std::vector<std::vector<double>> outputs;  ///< of the block, D
};
using NaiveTrace = std::vector<NaiveLayer>;

/// Something added to one number inside one layer, for differences.
struct NaiveNudge {
  enum class Where { kLogit, kOutput };
  Where where = Where::kLogit;
  int layer = 0;
  std::size_t position = 0;
  std::size_t head = 0;  ///< of a logit; of an output its coordinate
  std::size_t key = 0;   ///< of a logit
  double amount = 0;
};

/// Logits [length][vocabulary] of a tiny Llama by plain loops in double: the formulas of the
/// papers, one number at a time, no library. With a grouping every head reads the mean of its
/// group's keys and values, each merged by its own partition, or what the allocation says. Fills
/// `trace` and obeys `nudge`, if given.
std::vector<std::vector<double>> naive_logits(
    const TinyLlama& model, const std::map<std::string, std::vector<float>>& tensors,
    const std::vector<int>& ids, const search::Grouping* grouping = nullptr,
    NaiveTrace* trace = nullptr, const NaiveNudge* nudge = nullptr);

}  // namespace regroup::tests
