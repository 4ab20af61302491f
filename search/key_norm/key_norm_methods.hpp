#pragma once

#include "search/key_norm/deal.hpp"
#include "search/method/method.hpp"

namespace regroup::search {

/// When a key-norm method deals the query heads.
enum class KeyNormDeal {
  kOnce,      ///< KDGQA: from the norms summed over the calibration windows
  kReplayed,  ///< DGQA: after every window, the last deal stays
};

/// Key-norm allocation (arXiv 2408.08454; METHODS §4): for every number G of groups, the same in
/// all layers, neighbours are pooled into G heads and the query heads dealt to them by the norms of
/// their keys. Groups that are dealt none are not stored, so several G may give one size: the
/// cheapest of each size is its point. The problem's rules count pooled groups, of which fewer may
/// be stored; frozen layers are left as they are. Needs MethodContext::key_grams and a fitness that
/// prices allocations. O(H_kv) deals a layer, H_kv³ products of keys a layer and window.
class KeyNormMethod : public SearchMethod {
 public:
  /// `kind` is DGQA's.
  explicit KeyNormMethod(KeyNormDeal deal, DgqaKind kind = DgqaKind::kEma)
      : deal_(deal), kind_(kind) {}
  std::string_view name() const override { return deal_ == KeyNormDeal::kOnce ? "kdgqa" : "dgqa"; }
  std::vector<Option> options() override;
  bool allocates_queries() const override { return true; }
  MethodResult run(const GroupingProblem& problem, const MethodContext& context) const override;

 private:
  /// The group of each query head, dealt to the groups of `pooled` by the norms in each window.
  std::vector<Group> allocation(const std::vector<Eigen::MatrixXd>& windows,
                                const Partition& pooled, int queries, RandomKey key) const;
  /// Allocates every layer that is not frozen.
  Grouping allocated(Grouping pooled, const GroupingRules& rules, const KeyGrams& grams,
                     RandomKey key) const;

  KeyNormDeal deal_;
  DgqaKind kind_;
};

}  // namespace regroup::search
