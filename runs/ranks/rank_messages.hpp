#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "fitness/measuring/candidate.hpp"
#include "models/inputs/window_score.hpp"
#include "runs/ranks/ranks.hpp"

namespace regroup::runs {

/// What rank 0 asks of a helper.
struct HelperJob {
  HelperSetup setup;
  std::vector<fitness::Candidate> candidates;
};

/// Messages between ranks of one program, as bytes. Reading throws WorkError for other bytes.
std::vector<std::byte> job_message(const HelperJob& job);
HelperJob read_job(std::span<const std::byte> message);

/// The scores of each candidate by window, bit by bit.
using CandidateScores = std::vector<std::vector<models::WindowScore>>;
std::vector<std::byte> scores_message(const CandidateScores& scores);
CandidateScores read_scores(std::span<const std::byte> message);

}  // namespace regroup::runs
