#include "search/costs/relaxation.hpp"

namespace regroup::search {

PartitionSubset PartitionSubset::all(int heads) {
  PartitionSubset subset;
  for (int head = 0; head < heads; ++head) subset.blocks.push_back({Head(head)});
  return subset;
}

}  // namespace regroup::search
