#pragma once

#include <Eigen/Core>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "search/base/options.hpp"
#include "search/base/progress.hpp"
#include "search/base/random.hpp"
#include "search/base/state_store.hpp"
#include "search/costs/key_grams.hpp"
#include "search/evolution/history.hpp"
#include "search/groupings/grouping_score.hpp"
#include "search/problem/certificate.hpp"
#include "search/problem/problem.hpp"
#include "search/problem/unit_front.hpp"

namespace regroup::search {

/// What a run works with beside the problem and the method's own options. What of the model a
/// method says that it needs is there; the rest may be.
struct MethodContext {
  RandomKey key;  ///< of all its draws
  std::stop_token stop;
  Progress& progress;
  StateStore& store;
  /// Distances between heads, [n, n] for each unit of the problem (SearchMethod::head_distances).
  std::span<const Eigen::MatrixXd> head_distances = {};
  /// What is minimised instead of the problem's prices; null: the prices.
  const GroupingScore* score = nullptr;
  std::span<const Grouping> seeds = {};  ///< groupings of this model to begin with
  const KeyGrams* key_grams = nullptr;   ///< of the source model (allocates_queries)
  /// How much of the work that is limited by a constant this problem may take (pricing_work.hpp):
  /// its share where several problems are searched for one front.
  double effort = 1;

  /// The same with the key's child.
  MethodContext with_key(std::uint64_t child) const {
    MethodContext result = *this;
    result.key = key.split(child);
    return result;
  }
};

/// What distances between heads are taken from.
enum class HeadDistance { kActivation, kWeight };

/// What an exact solver says of one unit and number of groups, as `proof.csv` records it.
struct ProofRecord {
  std::string unit;  ///< its name
  int groups = 0;
  double cost = 0;   ///< of the best partition found
  double bound = 0;  ///< no partition costs less
  bool is_optimal = false;
  std::size_t nodes = 0;  ///< subsets relaxed; 0 where all were looked at
};

/// What a method found.
struct MethodResult {
  std::vector<ModelPoint> front;  ///< by ascending size
  History history;                ///< empty for methods without generations
  std::size_t evaluations = 0;    ///< candidates priced; of an exact solver, subsets relaxed
  std::optional<Certificate> certificate;  ///< where the method makes one itself
  std::optional<FrontBounds> bounds = {};  ///< what it has proven, where it proves anything
  std::vector<ProofRecord> proofs;         ///< of an exact solver: units in order, then groups
  /// What it found for each unit alone, by number of groups; empty for methods that only know whole
  /// groupings. A split of the KV heads over units by other costs chooses among them.
  std::vector<UnitFront> units;
};

/// A way to find groupings for every KV size, with its options. Thread-safe once these are set.
class SearchMethod {
 public:
  virtual ~SearchMethod() = default;
  /// As on the command line: "qcqa".
  virtual std::string_view name() const = 0;
  /// As in files: "qcqa-ac".
  virtual std::string_view file_name() const { return name(); }
  /// Its options, bound to this object.
  virtual std::vector<Option> options() { return {}; }
  /// Fills in what its options leave open, knowing whether it minimises a score.
  virtual void complete(bool /*by_score*/) {}
  /// Whether it begins with MethodContext::seeds.
  virtual bool takes_seeds() const { return false; }
  /// What the distances that it reads in MethodContext are taken from; nothing: it reads none.
  virtual std::optional<HeadDistance> head_distances() const { return std::nullopt; }
  /// Whether it can minimise MethodContext::score; others need prices that add up.
  virtual bool takes_score() const { return false; }
  /// Whether its results say what it found for each unit (MethodResult::units).
  virtual bool knows_units() const { return false; }
  /// Candidates that `run` scores at most, where it takes a score; else 0.
  virtual std::size_t candidates(const GroupingProblem&) const { return 0; }
  /// Which sizes the groups of its results may have.
  virtual GroupSizes sizes(const GroupingProblem& problem) const {
    return problem.rules().equal_sizes() ? GroupSizes::kEqual : GroupSizes::kArbitrary;
  }
  /// Whether it allocates query heads to groups by the norms of keys: MethodContext::key_grams must
  /// then be there, and keys and values share their partitions.
  virtual bool allocates_queries() const { return false; }
  /// Throws Interrupted on `stop`.
  virtual MethodResult run(const GroupingProblem& problem, const MethodContext& context) const = 0;
};

/// --seconds, of every method that can end by the clock.
inline Option seconds_option(double& seconds) {
  return {"--seconds", "seconds", "S",
          "Time before a stage, or the exact method's proof, ends; the counts it reached are "
          "recorded (0: no limit)",
          NumberField<double>{&seconds, 0, kFinite}};
}

}  // namespace regroup::search
