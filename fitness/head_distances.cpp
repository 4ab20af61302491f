#include "fitness/head_distances.hpp"

#include "search/asymgqa/nearest_heads.hpp"

namespace regroup::fitness {

std::vector<Eigen::MatrixXd> head_distances(const std::vector<LayerGrams>& grams,
                                            search::PartitionSharing sharing) {
  std::vector<Eigen::MatrixXd> distances;
  for (const LayerGrams& layer : grams) {
    if (sharing == search::PartitionSharing::kJoint) {
      distances.push_back(search::cosine_distances(layer.keys + layer.values));
    } else {
      distances.push_back(search::cosine_distances(layer.keys));
      distances.push_back(search::cosine_distances(layer.values));
    }
  }
  return distances;
}

}  // namespace regroup::fitness
