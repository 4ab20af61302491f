#include "search/exact/exact_method.hpp"

#include "search/exact/certify.hpp"

namespace regroup::search {

MethodResult ExactMethod::run(const GroupingProblem& problem, const MethodOptions& options,
                              const MethodContext& context) const {
  const ExactOptions exact{sizes(problem), options.nodes, options.seconds};
  const std::vector<ProvenUnit> units = solve_units(problem, exact, context);
  const CertifiedFront found = exact_front(problem, units);
  MethodResult result{found.front};
  for (std::size_t u = 0; u < units.size(); ++u) {
    result.units.emplace_back();
    for (const BoundedPartition& member : units[u]) {
      result.units.back().push_back({member.partition, member.cost});
      result.evaluations += member.nodes;
      result.proofs.push_back({problem.units()[u].name, member.partition.groups(), member.cost,
                               member.bound, member.is_optimal, member.nodes});
    }
  }
  result.certificate = certify(problem, found.front, found);
  return result;
}

}  // namespace regroup::search
