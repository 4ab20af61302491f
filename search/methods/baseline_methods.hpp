#pragma once

#include "search/method/method.hpp"

namespace regroup::search {

/// Neighbour GQA with the same number of groups in every layer, one point for each number.
class NeighbourMethod : public SearchMethod {
 public:
  std::string_view name() const override { return "neighbour"; }
  bool knows_units() const override { return true; }
  MethodResult run(const GroupingProblem& problem, const MethodContext& context) const override;
};

/// MQA: one group in every layer, the only point.
class MqaMethod : public SearchMethod {
 public:
  std::string_view name() const override { return "mqa"; }
  MethodResult run(const GroupingProblem& problem, const MethodContext& context) const override;
};

/// Three random groupings for every reachable KV size; the cheapest of each is its point.
class RandomMethod : public SearchMethod {
 public:
  std::string_view name() const override { return "random"; }
  MethodResult run(const GroupingProblem& problem, const MethodContext& context) const override;
};

/// Draws of a random baseline at one KV size.
inline constexpr int kRandomDraws = 3;

}  // namespace regroup::search
