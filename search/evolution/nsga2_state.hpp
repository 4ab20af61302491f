#pragma once

#include <vector>

#include "search/base/record.hpp"
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

/// For records of progress. Reading throws WorkError for a record that is not whole.
void write(RecordWriter& record, const Nsga2State& state);
Nsga2State read_nsga2_state(RecordReader& record);
/// The rows of a history are of one stage and one unit.
void write(RecordWriter& record, const History& history);
History read_history(RecordReader& record);

}  // namespace regroup::search
