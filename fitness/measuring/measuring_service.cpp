#include "fitness/measuring/measuring_service.hpp"

#include <map>
#include <string>
#include <utility>

namespace regroup::fitness {
namespace {

/// Candidates without repetitions, and what is known of them.
template <class Value>
struct Known {
  std::map<std::string, std::vector<Value>> by_identity;  // empty where not known
  std::vector<Candidate> missing;

  Known(std::span<const Candidate> candidates, const Measurements<Value>& memory) {
    for (const Candidate& candidate : candidates) {
      const auto [place, is_new] = by_identity.try_emplace(identity(candidate));
      if (!is_new) continue;
      if (auto kept = memory.recall(candidate)) {
        place->second = std::move(*kept);
      } else {
        missing.push_back(candidate);
      }
    }
  }
};

}  // namespace

template <class Value>
std::vector<std::vector<Value>> MeasuringService<Value>::measure(
    std::span<const Candidate> candidates, search::Progress& progress) const {
  Known<Value> known(candidates, memory_);
  workers_.measure(known.missing, stop_, progress, [&](std::size_t i, Values values) {
    memory_.remember(known.missing[i], values);
    known.by_identity.at(identity(known.missing[i])) = std::move(values);
  });
  std::vector<Values> all;
  all.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    all.push_back(known.by_identity.at(identity(candidate)));
  }
  return all;
}

template <class Value>
std::vector<Candidate> MeasuringService<Value>::missing(
    std::span<const Candidate> candidates) const {
  return Known<Value>(candidates, memory_).missing;
}

template class MeasuringService<models::WindowScore>;
template class MeasuringService<double>;

}  // namespace regroup::fitness
