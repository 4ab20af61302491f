#include "search/costs/filled_cost.hpp"

#include <utility>

#include "search/costs/relaxation.hpp"

namespace regroup::search {

FilledCost::FilledCost(std::shared_ptr<const CostTable> table, int members, double missing,
                       std::shared_ptr<const CostTable> narrow)
    : table_(std::move(table)), members_(members), missing_(missing), narrow_(std::move(narrow)) {}

double FilledCost::group_cost(std::span<const Head> members) const {
  const auto missing = members_ - static_cast<int>(members.size());
  if (members.empty()) return 0;
  return missing > 0 ? missing * missing_ : table_->group_cost(members);
}

std::unique_ptr<const Relaxation> FilledCost::relaxation() const {
  return table_->relaxation();
}

double FilledCost::work(int members) const {
  return members > members_ ? table_->work(members) : 0;
}

std::shared_ptr<const CostTable> FilledCost::sketch() const {
  std::shared_ptr<const CostTable> sketch = narrow_->sketch();
  if (sketch == nullptr) return nullptr;
  return std::make_shared<const FilledCost>(sketch, members_, missing_, sketch);
}

}  // namespace regroup::search
