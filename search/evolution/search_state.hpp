#pragma once

#include <optional>
#include <vector>

#include "search/evolution/archive.hpp"
#include "search/evolution/genomes.hpp"
#include "search/evolution/history.hpp"
#include "search/evolution/pareto.hpp"

namespace regroup::search {

/// NSGA-II after a generation: all that the next one depends on. A value.
struct Nsga2State {
  int generation = -1;          ///< the last one made; -1: not even the first population
  std::size_t evaluations = 0;  ///< candidates looked at so far
  int stalled = 0;              ///< generations since the archive last improved
  bool exhausted = false;       ///< a generation found no candidate that was new
  Genomes population{0};
  std::vector<Objectives> objectives;  ///< of the population
  std::vector<int> ranks;
  std::vector<double> crowding;
  std::vector<ParetoArchive::Entry> archive;

  bool operator==(const Nsga2State&) const = default;
};

/// A two-stage search after a generation: what is on disk while it runs.
struct SearchState {
  int stage = 1;
  std::vector<Nsga2State> stage_one;  ///< one per unit of the problem
  std::vector<History> unit_history;  ///< one per unit of the problem
  Nsga2State stage_two;               ///< begun in stage 2
  History model_history;
  double seconds = 0;  ///< that the current stage has taken so far

  bool operator==(const SearchState&) const = default;
};

/// Where a search keeps its state, so that a later run can go on from it.
class StateStore {
 public:
  virtual ~StateStore() = default;
  /// What an earlier run left, if anything. Throws InputError if it cannot be read.
  virtual std::optional<SearchState> load() const = 0;
  /// Throws WorkError.
  virtual void save(const SearchState& state) = 0;
};

/// Keeps nothing.
class NoStateStore : public StateStore {
 public:
  std::optional<SearchState> load() const override { return std::nullopt; }
  void save(const SearchState&) override {}
};

}  // namespace regroup::search
