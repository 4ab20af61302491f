#include "models/attention/dealt_attention.hpp"

#include <span>
#include <utility>
#include <vector>

#include "search/key_norm/deal.hpp"

namespace regroup::models {
namespace {

at::Tensor tensor_of(const HeadMap& map) {
  const std::vector<std::int64_t> heads(map.stored_of_query().begin(), map.stored_of_query().end());
  return at::tensor(heads, at::kLong);
}

std::span<const double> numbers_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<double>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

DealtAttention::DealtAttention(std::shared_ptr<const DotProductAttention> inner,
                               const DealRule& rule)
    : WrappedAttention(std::move(inner)),
      rule_(rule),
      deal_(tensor_of(this->inner().key_map())),
      before_(at::zeros({this->inner().key_map().stored()}, at::kDouble)) {}

std::shared_ptr<const DotProductAttention> DealtAttention::with_deal(const at::Tensor& deal) const {
  const std::int64_t* heads = deal.const_data_ptr<std::int64_t>();
  const HeadMap map({heads, heads + deal.numel()}, inner().key_map().stored());
  return inner().with_maps(map, map);
}

std::shared_ptr<const DotProductAttention> DealtAttention::frozen() const {
  return with_deal(deal_);
}

at::Tensor DealtAttention::key_norms(const at::Tensor& x) const {
  const at::Tensor squares = inner().keys(x.detach()).detach().square();
  return squares.sum(at::IntArrayRef{2, 3}).to(at::kCPU, at::kDouble).sqrt().sum(0);
}

at::Tensor DealtAttention::deal_by(const at::Tensor& norms, std::uint64_t number) const {
  const auto queries = static_cast<int>(deal_.numel());
  const search::DgqaKind kind =
      rule_.kind == DealKind::kDgqaDiff ? search::DgqaKind::kDiff : search::DgqaKind::kEma;
  const std::vector<int> counts = rule_.kind == DealKind::kKdgqa
                                      ? search::deal_kdgqa(numbers_of(norms), queries)
                                      : search::deal_dgqa(numbers_of(norms), numbers_of(before_),
                                                          queries, kind, rule_.key.split(number));
  const std::vector<std::int64_t> repeats(counts.begin(), counts.end());
  return at::repeat_interleave(at::tensor(repeats, at::kLong));
}

at::Tensor DealtAttention::mix(const AttentionInput& input, const AttentionPass& pass) const {
  if (!pass.is_training) return frozen()->mix(input, pass);
  const at::Tensor norms = key_norms(input.keys);
  if (pass.sums != nullptr) *pass.sums = pass.sums->defined() ? *pass.sums + norms : norms;
  if (rule_.kind != DealKind::kKdgqa) return frozen()->mix(input, pass);
  return with_deal(deal_by(norms, pass.number))->mix(input, pass);
}

std::shared_ptr<const Attention> DealtAttention::after_step(const at::Tensor& sums,
                                                            std::uint64_t number) const {
  auto next = std::make_shared<DealtAttention>(*this);
  const auto window = static_cast<std::uint64_t>(rule_.window);
  const bool is_due = rule_.kind == DealKind::kKdgqa || (number + 1) % window == 0;
  if (!is_due || !sums.defined()) return next;
  next->deal_ = deal_by(sums, number);
  next->before_ = sums;
  return next;
}

void DealtAttention::visit_tensors(const TensorVisitor& visit) {
  WrappedAttention::visit_tensors(visit);
  visit("deal", deal_, TensorUse::kState);
  visit("norms_before", before_, TensorUse::kState);
}

}  // namespace regroup::models
