#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "models/language_model/merger.hpp"
#include "runs/base/run_log.hpp"
#include "runs/directory/run_directory.hpp"
#include "runs/points/run_points.hpp"

namespace regroup::runs {

/// Scores of the source and of a run's points on `windows`, each distinct model and type of KV
/// cache once, from the run directory or by measuring. Holds references to its arguments.
class PointScores {
 public:
  using Scores = std::vector<models::WindowScore>;

  /// `caches`: types of KV cache besides the plain one, with which the source and the points of the
  /// search are measured too.
  PointScores(const models::Merger& merger, const models::Windows& windows,
              std::vector<models::CacheType> caches, const RunDirectory& directory,
              const RunLog& log, std::stop_token stop);

  /// Makes the scores of the source and of all points known. What the run directory remembers is
  /// not measured again; each new measurement is remembered at once. Says the expected time first.
  /// Throws as LanguageModel::compare and Merger::merged_model.
  void find(const std::vector<RunPoint>& points);

  /// After `find`, of the source and of its points.
  const Scores& source(models::CacheType cache = models::CacheType::kExact) const;
  const Scores& of(const RunPoint& point,
                   models::CacheType cache = models::CacheType::kExact) const;

  const std::vector<models::CacheType>& caches() const { return caches_; }
  const models::ModelConfig& config() const { return merger_.source().config(); }

 private:
  /// What is not known yet of one model: the source where `point` is null.
  struct Missing {
    const RunPoint* point = nullptr;
    std::vector<models::CacheType> types = {};
  };

  bool recall(const std::string& key);
  void keep(const std::string& key, Scores scores);
  Missing missing_of(const RunPoint* point);
  void measure(const std::vector<Missing>& missing);
  double passes(const std::vector<Missing>& missing) const;

  const models::Merger& merger_;
  const models::Windows& windows_;
  std::vector<models::CacheType> caches_;
  const RunDirectory& directory_;
  const RunLog& log_;
  std::stop_token stop_;
  std::map<std::string, Scores> scores_;
};

}  // namespace regroup::runs
