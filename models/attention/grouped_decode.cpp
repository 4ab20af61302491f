#include "models/attention/grouped_decode.hpp"

#include <algorithm>
#include <vector>

#include "models/attention/fused_attention.hpp"

namespace regroup::models {
namespace {

/// Undefined for 0, 1, 2, …: nothing needs to move then.
at::Tensor index_tensor(const std::vector<std::int64_t>& index, const at::Device& device) {
  bool is_identity = true;
  for (std::size_t i = 0; i < index.size(); ++i) {
    is_identity = is_identity && index[i] == static_cast<std::int64_t>(i);
  }
  return is_identity ? at::Tensor() : at::tensor(index, at::kLong).to(device);
}

at::Tensor select(const at::Tensor& heads, const at::Tensor& index) {
  return index.defined() ? heads.index_select(1, index) : heads;
}

}  // namespace

HeadGroups::HeadGroups(const HeadMap& map, const at::Device& device) : map_(map) {
  std::vector<std::vector<std::int64_t>> members(static_cast<std::size_t>(map.stored()));
  for (int query = 0; query < map.queries(); ++query) {
    members[static_cast<std::size_t>(map[query])].push_back(query);
  }
  for (const auto& group : members) largest_ = std::max<std::int64_t>(largest_, std::ssize(group));
  std::vector<std::int64_t> places(static_cast<std::size_t>(map.queries()));
  std::vector<std::int64_t> queries;
  for (auto& group : members) {
    for (const std::int64_t query : group) {
      places[static_cast<std::size_t>(query)] = std::ssize(queries);
      queries.push_back(query);
    }
    const std::size_t rest = static_cast<std::size_t>(largest_) - group.size();
    queries.insert(queries.end(), rest, group.empty() ? 0 : group.front());
  }
  query_of_place_ = index_tensor(queries, device);
  // What was repeated must be left out again, whatever the order.
  const bool has_repeats = queries.size() > places.size();
  place_of_query_ =
      has_repeats ? at::tensor(places, at::kLong).to(device) : index_tensor(places, device);
}

at::Tensor HeadGroups::gather(const at::Tensor& of_queries) const {
  const at::Tensor rows = select(of_queries, query_of_place_);
  std::vector<std::int64_t> shape = rows.sizes().vec();
  shape[0] *= map_.stored();
  shape[1] = largest_;
  return rows.reshape(shape);
}

at::Tensor HeadGroups::scatter(const at::Tensor& of_groups) const {
  std::vector<std::int64_t> shape = of_groups.sizes().vec();
  shape[0] /= map_.stored();
  shape[1] = map_.stored() * largest_;
  return select(of_groups.reshape(shape), place_of_query_);
}

at::Tensor grouped_decode(const DecodeInput& input, const HeadGroups& key_groups,
                          const HeadGroups& value_groups) {
  const at::Tensor queries = key_groups.gather(input.queries.squeeze(2) * input.scale);
  at::Tensor logits = at::bmm(queries, input.keys.flatten(0, 1).transpose(1, 2));
  if (input.cap) logits = capped(logits, *input.cap);
  at::Tensor weights;
  if (key_groups == value_groups && !input.bias) {
    weights = at::softmax(logits, -1);
  } else {
    logits = key_groups.scatter(logits);
    if (input.bias) logits = logits + input.bias->squeeze(2);
    weights = value_groups.gather(at::softmax(logits, -1));
  }
  const at::Tensor mixed = at::bmm(weights, input.values.flatten(0, 1));
  return value_groups.scatter(mixed).unsqueeze(2);
}

}  // namespace regroup::models
