#pragma once

#include "search/method/method.hpp"
#include "search/qcqa/qcqa_options.hpp"

namespace regroup::search {

/// QCQA in two stages (arXiv 2406.10247; METHODS §2), with groups of any size ("qcqa", in files
/// "qcqa-ac") or of equal size ("qcqa-ec").
class QcqaMethod : public SearchMethod {
 public:
  explicit QcqaMethod(GroupSizes sizes, const QcqaOptions& options = {})
      : sizes_(sizes), options_(options) {}
  std::string_view name() const override;
  std::string_view file_name() const override;
  std::vector<Option> options() override { return search::options(options_); }
  bool takes_seeds() const override { return true; }
  bool knows_units() const override { return true; }
  GroupSizes sizes(const GroupingProblem& problem) const override;
  MethodResult run(const GroupingProblem& problem, const MethodContext& context) const override;

 private:
  GroupSizes sizes_;
  QcqaOptions options_;
};

}  // namespace regroup::search
