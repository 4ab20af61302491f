#include "search/methods/exhaustive_method.hpp"

#include <map>
#include <utility>

#include "search/base/error.hpp"
#include "search/problem/enumeration.hpp"

namespace regroup::search {
namespace {

/// Groupings scored together.
constexpr std::size_t kTogether = 64;

/// The cheapest grouping of every size.
class CheapestBySize {
 public:
  CheapestBySize(const GroupingProblem& problem, const MethodContext& context)
      : problem_(problem), context_(context) {}

  void add(const Grouping& grouping) {
    waiting_.push_back(grouping);
    if (waiting_.size() == kTogether) flush();
  }

  void flush() {
    if (context_.stop.stop_requested()) throw Interrupted();
    std::vector<double> scores;
    if (context_.score != nullptr) scores = context_.score->scores(waiting_);
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      ModelPoint point = scores.empty() ? problem_.point(waiting_[i])
                                        : ModelPoint{waiting_[i], {waiting_[i].size(), scores[i]}};
      const auto [place, is_first] = best_.try_emplace(point.objectives.size, point);
      if (!is_first && point.objectives.error < place->second.objectives.error) {
        place->second = std::move(point);
      }
    }
    looked_at_ += waiting_.size();
    context_.progress.advance(waiting_.size());
    waiting_.clear();
  }

  MethodResult result() && {
    MethodResult result;
    for (auto& [size, point] : best_) {
      const bool is_better =
          result.front.empty() || point.objectives.error < result.front.back().objectives.error;
      if (is_better) result.front.push_back(std::move(point));
    }
    result.evaluations = looked_at_;
    return result;
  }

 private:
  const GroupingProblem& problem_;
  const MethodContext& context_;
  std::vector<Grouping> waiting_;
  std::map<double, ModelPoint> best_;
  std::size_t looked_at_ = 0;
};

}  // namespace

std::size_t ExhaustiveMethod::candidates(const GroupingProblem& problem) const {
  return GroupingEnumeration(problem).size();
}

MethodResult ExhaustiveMethod::run(const GroupingProblem& problem,
                                   const MethodContext& context) const {
  const GroupingEnumeration groupings(problem);
  CheapestBySize cheapest(problem, context);
  context.progress.begin("searching", groupings.size(), "candidates");
  groupings.for_each([&](const Grouping& grouping) { cheapest.add(grouping); });
  cheapest.flush();
  context.progress.end();
  return std::move(cheapest).result();
}

}  // namespace regroup::search
