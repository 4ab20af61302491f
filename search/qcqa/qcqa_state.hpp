#pragma once

#include <optional>
#include <string>
#include <vector>

#include "search/base/state_store.hpp"
#include "search/evolution/nsga2_state.hpp"

namespace regroup::search {

/// QCQA after a generation: what is kept while it runs. A value.
struct QcqaState {
  int stage = 1;
  std::vector<Nsga2State> stage_one;  ///< one per unit of the problem
  std::vector<History> unit_history;  ///< one per unit of the problem
  Nsga2State stage_two;               ///< begun in stage 2
  History model_history;
  double seconds = 0;  ///< that the current stage has taken so far

  bool operator==(const QcqaState&) const = default;
};

/// Its record in a store.
inline constexpr std::string_view kQcqaRecord = "qcqa";
std::string record_of(const QcqaState& state);
/// Throws WorkError for a record that is not whole.
QcqaState qcqa_state_of(std::string_view record);

/// What the store has of an earlier run; else a state without generations.
QcqaState load_qcqa_state(const StateStore& store);
/// Throws WorkError.
void save(StateStore& store, const QcqaState& state);

}  // namespace regroup::search
