#pragma once

#include <map>
#include <string>
#include <vector>

#include "search/grouping.hpp"
#include "tests/fixtures/tiny_llama.hpp"

namespace regroup::tests {

/// Keys before rotation of the source's heads, [layer][position][H_kv · d].
using NaiveKeys = std::vector<std::vector<std::vector<double>>>;

/// Logits [length][vocabulary] of a tiny Llama by plain loops in double: the formulas of the
/// papers, one number at a time, no library. With a grouping every head reads the mean of its
/// group's keys and values, each merged by its own partition, or what the allocation says. Fills
/// `seen_keys` if given.
std::vector<std::vector<double>> naive_logits(
    const TinyLlama& model, const std::map<std::string, std::vector<float>>& tensors,
    const std::vector<int>& ids, const search::Grouping* grouping = nullptr,
    NaiveKeys* seen_keys = nullptr);

}  // namespace regroup::tests
