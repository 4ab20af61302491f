#pragma once

#include <Eigen/Core>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "search/asymgqa/unit_search.hpp"
#include "search/base/progress.hpp"
#include "search/base/random.hpp"
#include "search/base/state_store.hpp"
#include "search/evolution/history.hpp"
#include "search/evolution/nsga2.hpp"
#include "search/groupings/grouping_score.hpp"
#include "search/key_norm/deal.hpp"
#include "search/key_norm/key_grams.hpp"
#include "search/problem/certificate.hpp"
#include "search/problem/problem.hpp"
#include "search/problem/unit_front.hpp"

namespace regroup::search {

/// What QCQA's second stage chooses for each unit.
enum class StageTwoChoice {
  kFrontMember,  ///< any member of the unit's stage-1 front
  kBit,          ///< the paper: grouped or left as it is. "Grouped" is the stage-1 member with at
                 ///< most k groups, the same k in all units; k is part of the candidate
};

/// What the user may set of any method; each reads what concerns it.
struct MethodOptions {
  Nsga2Options nsga2;
  double seconds = 0;      ///< that a stage, or the branch and bound, may take; 0: no limit
  std::size_t nodes = 10;  ///< subsets that a branch and bound relaxes
  StageTwoChoice stage_two = StageTwoChoice::kFrontMember;
  std::vector<Grouping> seeds;          ///< groupings of this model to begin with
  const KeyGrams* key_grams = nullptr;  ///< of the source model; null where no method needs them
  DgqaKind dgqa = DgqaKind::kEma;
  AsymGqaOptions asymgqa;
};

/// What a run works with beside the problem and its options.
struct MethodContext {
  RandomKey key;  ///< of all its draws
  std::stop_token stop;
  Progress& progress;
  StateStore& store;
  /// Distances between heads, [n, n] for each unit of the problem; for methods that use them.
  std::span<const Eigen::MatrixXd> head_distances = {};
  /// What is minimised instead of the problem's prices; null: the prices.
  const GroupingScore* score = nullptr;
};

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
  std::vector<ProofRecord> proofs;         ///< of an exact solver: units in order, then groups
  /// What it found for each unit alone, by number of groups; empty for methods that only know whole
  /// groupings. A split of the KV heads over units by other costs chooses among them.
  std::vector<UnitFront> units;
};

/// A way to find groupings for every KV size. Stateless and thread-safe.
class SearchMethod {
 public:
  virtual ~SearchMethod() = default;
  /// As on the command line: "qcqa".
  virtual std::string_view name() const = 0;
  /// Whether it begins with MethodOptions::seeds.
  virtual bool takes_seeds() const { return false; }
  /// As in files: "qcqa-ac".
  virtual std::string_view file_name() const { return name(); }
  /// Whether it reads MethodContext::head_distances, which must then be there.
  virtual bool uses_head_distances() const { return false; }
  /// Whether it can minimise MethodContext::score; others need prices that add up.
  virtual bool takes_score() const { return false; }
  /// Whether its results say what it found for each unit (MethodResult::units).
  virtual bool knows_units() const { return false; }
  /// Candidates that `run` scores at most, where it takes a score; else 0.
  virtual std::size_t candidates(const GroupingProblem&, const MethodOptions&) const { return 0; }
  /// Which sizes the groups of its results may have.
  virtual GroupSizes sizes(const GroupingProblem& problem) const {
    return problem.rules().equal_sizes() ? GroupSizes::kEqual : GroupSizes::kArbitrary;
  }
  /// Whether it allocates query heads to groups by the norms of keys: MethodOptions::key_grams must
  /// then be there, and keys and values share their partitions.
  virtual bool allocates_queries() const { return false; }
  /// Throws Interrupted on `stop`.
  virtual MethodResult run(const GroupingProblem& problem, const MethodOptions& options,
                           const MethodContext& context) const = 0;
};

}  // namespace regroup::search
