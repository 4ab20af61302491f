#include "search/costs/pricing_work.hpp"

namespace regroup::search {

double work_of_all_groups(int heads, const std::function<double(int members)>& work) {
  double total = 0;
  double subsets = heads;  // of so many members
  for (int members = 2; members <= heads; ++members) {
    subsets *= static_cast<double>(heads - members + 1) / members;
    total += subsets * work(members);
  }
  return total;
}

bool is_costly(const CostTable& table) {
  return work_of_all_groups(table.heads(), [&](int members) { return table.work(members); }) >
         kMostPricingWork;
}

}  // namespace regroup::search
