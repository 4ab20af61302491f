#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace regroup::search {

/// One generation of an evolutionary search, as `history.csv` records it.
struct GenerationRecord {
  int stage = 1;                ///< 1: one unit's partitions; 2: the whole model
  std::string unit;             ///< name of the unit, "model" in stage 2
  int generation = 0;           ///< 0 is the first population
  std::size_t evaluations = 0;  ///< so far, in this unit
  std::size_t front = 0;        ///< size of the archive
  double hypervolume = 0;       ///< of the archive, in [0, 1] (METHODS §8)

  bool operator==(const GenerationRecord&) const = default;
};

using History = std::vector<GenerationRecord>;

}  // namespace regroup::search
