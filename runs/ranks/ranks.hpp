#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fitness/measuring/workers.hpp"

namespace regroup::runs {

/// The processes that mpirun has started a command in, the ranks; one where the build has no MPI
/// (REGROUP_MPI) or nobody started several. Rank 0 does what a single process does, and deals
/// candidates out to the others, which only help: what is measured of a candidate depends on it
/// alone, so that results are the same for any number of ranks. Lives as long as the program works,
/// once. Its end lets the helpers end; an exception of a helper ends them all.
class Ranks {
 public:
  Ranks(int& argc, char**& argv);
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
};

/// How many there are.
int rank_count();
/// Whether this one only helps.
bool is_helper();

/// What a helper must know to measure what rank 0 would.
struct HelperSetup {
  std::filesystem::path calibration;  ///< file; empty: none is needed
  std::filesystem::path run;          ///< that keeps fitted weights
  std::string calibration_sha256;     ///< as in KeptWeights
  std::vector<std::string> wanted;    ///< merges that are kept, by fitness::grouping_content

  bool operator==(const HelperSetup&) const = default;
};

/// Workers that have all ranks measure: candidates that differ in their cache alone go to one of
/// them, so that none is converted twice. `meter` must outlive them.
std::unique_ptr<fitness::Workers<models::WindowScore>> rank_workers(
    const models::CandidateMeter& meter, HelperSetup setup);

/// Makes what a helper measures with.
using OpenMeter = std::function<const models::CandidateMeter&(const HelperSetup& setup)>;

/// A helper's work: measures what rank 0 asks for until that has ended.
void help(const OpenMeter& open, std::stop_token stop);

}  // namespace regroup::runs
