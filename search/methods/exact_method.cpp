#include "search/methods/exact_method.hpp"

#include "search/exact/certify.hpp"

namespace regroup::search {

MethodResult ExactMethod::run(const GroupingProblem& problem, const MethodOptions& options,
                              const MethodContext& context) const {
  const ExactOptions exact{sizes(problem), options.nodes, options.seconds};
  const std::vector<ProvenUnit> units = solve_units(problem, exact, context);
  const CertifiedFront found = exact_front(problem, units);
  MethodResult result{found.front};
  for (const ProvenUnit& unit : units) {
    for (const BoundedPartition& member : unit) result.evaluations += member.nodes;
  }
  result.certificate = certify(problem, found.front, found);
  return result;
}

}  // namespace regroup::search
