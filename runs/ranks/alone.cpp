// The ranks of a build without MPI: this process.

#include <utility>

#include "runs/ranks/ranks.hpp"

namespace regroup::runs {

Ranks::Ranks(int& /*argc*/, char**& /*argv*/) {}
Ranks::~Ranks() = default;

int rank_count() {
  return 1;
}

bool is_helper() {
  return false;
}

std::unique_ptr<fitness::Workers<models::WindowScore>> rank_workers(
    const models::CandidateMeter& meter, HelperSetup /*setup*/) {
  return fitness::score_workers(meter);
}

void help(const OpenMeter& /*open*/, std::stop_token /*stop*/) {}

}  // namespace regroup::runs
