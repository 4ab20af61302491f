#pragma once

#include <memory>
#include <string_view>

#include "models/attention/wrapped_attention.hpp"
#include "search/base/random.hpp"

namespace regroup::models {

/// How query heads are dealt to the stored heads, in order, while a model is trained: by the norms
/// of the keys (arXiv 2408.08454; METHODS §4).
enum class DealKind {
  kKdgqa,     ///< anew in every pass, by the keys of the pass
  kDgqaDiff,  ///< after every `window` steps, by the change of the norms since the last deal, …
  kDgqaEma,   ///< … or by their running mean
};

struct DealRule {
  DealKind kind = DealKind::kKdgqa;
  int window = 300;          ///< steps between two deals of DGQA
  search::RandomKey key{0};  ///< of DGQA's draws; a deal after step s uses its s-th child
};

/// Dot products whose query heads are dealt anew in training. The deal of the last step is kept:
/// it is what an evaluation computes, and what the layer folds into. Gradients do not flow through
/// a deal.
class DealtAttention final : public WrappedAttention {
 public:
  /// Starts with the head map of `inner`, whose keys and values share it.
  DealtAttention(std::shared_ptr<const DotProductAttention> inner, const DealRule& rule);

  std::string_view name() const override { return "dealt heads"; }
  at::Tensor mix(const AttentionInput& input, const AttentionPass& pass) const override;
  /// `sums`: of the passes of a step, Σ over sequences of the Frobenius norm of each stored head's
  /// keys, [n] in double.
  std::shared_ptr<const Attention> after_step(const at::Tensor& sums,
                                              std::uint64_t number) const override;

  /// The same norms of one input.
  at::Tensor key_norms(const at::Tensor& x) const;

 protected:
  std::shared_ptr<Attention> copy() const override {
    return std::make_shared<DealtAttention>(*this);
  }
  std::shared_ptr<const DotProductAttention> frozen() const override;
  void visit_tensors(const TensorVisitor& visit) override;

 private:
  std::shared_ptr<const DotProductAttention> with_deal(const at::Tensor& deal) const;
  /// The stored head of each query head, int64 [H].
  at::Tensor deal_by(const at::Tensor& norms, std::uint64_t number) const;

  DealRule rule_;
  at::Tensor deal_;    // int64 [H]
  at::Tensor before_;  // norms of the deal before, double [n]
};

}  // namespace regroup::models
