#include "search/exact/exact_method.hpp"

#include "search/exact/certify.hpp"

namespace regroup::search {

std::vector<Option> ExactMethod::options() {
  return {seconds_option(options_.seconds),
          {"--nodes", "nodes", "N",
           "Method exact where not all groups are priced: subsets that are bounded for each layer "
           "and number of groups; more prove more",
           NumberField<std::int64_t>{&options_.nodes, 1, kMany}}};
}

MethodResult ExactMethod::run(const GroupingProblem& problem, const MethodContext& context) const {
  const ExactOptions exact{sizes(problem), static_cast<std::size_t>(options_.nodes),
                           options_.seconds};
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
  result.bounds = found;
  result.certificate = certify(problem, found.front, found);
  return result;
}

}  // namespace regroup::search
