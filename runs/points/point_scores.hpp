#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "fitness/measuring/measuring_service.hpp"
#include "runs/base/run_log.hpp"
#include "runs/directory/run_measurements.hpp"
#include "runs/points/run_points.hpp"
#include "runs/ranks/ranks.hpp"

namespace regroup::runs {

/// Scores of the source and of a run's points on `windows`, each distinct model and type of KV
/// cache once, from the run directory or by measuring. Holds references to its arguments.
class PointScores {
 public:
  using Scores = std::vector<models::WindowScore>;

  /// `caches`: types of KV cache besides the plain one, with which the source and the points of the
  /// search are measured too. `store`: where fitted merges may be kept; null: nowhere.
  /// `setup`: by which helpers measure the same.
  PointScores(std::shared_ptr<const models::Merger> merger, const models::MergeStore* store,
              const models::Windows& windows, std::vector<models::CacheType> caches,
              HelperSetup setup, const RunDirectory& directory, const RunLog& log,
              std::stop_token stop);

  /// Makes the scores of the source and of all points known, and says the expected time first.
  /// Throws as MeasuringService::measure.
  void find(const std::vector<RunPoint>& points);

  /// After `find`, of the source and of its points.
  const Scores& source(models::CacheType cache = models::CacheType::kExact) const;
  const Scores& of(const RunPoint& point,
                   models::CacheType cache = models::CacheType::kExact) const;

  const std::vector<models::CacheType>& caches() const { return caches_; }
  /// Those that the point's groups are whole blocks of.
  std::vector<models::CacheType> caches(const RunPoint& point) const;
  const models::ModelConfig& config() const { return meter_.merger().source().config(); }

 private:
  fitness::Candidate candidate(const RunPoint& point, models::CacheType cache) const;
  fitness::Candidate source_candidate(models::CacheType cache) const;
  std::vector<fitness::Candidate> candidates(const std::vector<RunPoint>& points) const;
  void announce(const std::vector<fitness::Candidate>& missing) const;
  double passes(const std::vector<fitness::Candidate>& missing) const;

  models::CandidateMeter meter_;
  std::vector<models::CacheType> caches_;
  const RunLog& log_;
  std::unique_ptr<fitness::Workers<models::WindowScore>> workers_;
  RunMeasurements<models::WindowScore> memory_;
  fitness::MeasuringService<models::WindowScore> service_;
  std::map<std::string, Scores> scores_;  // by fitness::identity
};

}  // namespace regroup::runs
