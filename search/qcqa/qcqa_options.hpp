#pragma once

#include <cstdint>
#include <vector>

#include "search/base/options.hpp"
#include "search/evolution/nsga2.hpp"

namespace regroup::search {

/// What QCQA's second stage chooses for each unit.
enum class StageTwoChoice {
  kFrontMember,  ///< any member of the unit's stage-1 front
  kBit,          ///< the paper: grouped or left as it is. "Grouped" is the stage-1 member with at
                 ///< most k groups, the same k in all units; k is part of the candidate
};

/// How far QCQA's two evolutionary stages go, and what the second one chooses.
struct QcqaOptions {
  int population = Nsga2Options().population;
  int generations = Nsga2Options().generations;  ///< of each stage
  std::int64_t evaluations = 0;                  ///< candidates a stage looks at; 0: no limit
  int patience = 0;    ///< generations without a better front; 0: no limit
  double seconds = 0;  ///< that a stage may take; 0: no limit
  StageTwoChoice stage_two = StageTwoChoice::kFrontMember;

  /// As one search takes it.
  Nsga2Options nsga2() const;
};

/// The options, bound to `values`.
std::vector<Option> options(QcqaOptions& values);

}  // namespace regroup::search
