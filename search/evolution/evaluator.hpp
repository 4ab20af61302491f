#pragma once

#include <span>

#include "search/evolution/genomes.hpp"
#include "search/evolution/pareto.hpp"

namespace regroup::search {

/// The batch seam of a search: candidates in, objectives out.
///
/// `evaluate` may be called from several threads at once on one object and may itself spread the
/// batch over threads; the objectives of a candidate depend on its genes alone, so that a serial
/// and a parallel run give the same log. Objectives are never NaN.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  /// `objectives` has one entry per candidate.
  virtual void evaluate(const Genomes& candidates, std::span<Objectives> objectives) const = 0;
};

}  // namespace regroup::search
