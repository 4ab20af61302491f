#pragma once

#include "models/grouping/formats/grouping_format.hpp"

namespace regroup::models {

/// Clusters of heads as Clustered Head Attention has them (CHAI, arXiv 2403.08058): of each layer
/// the JSON list of its clusters, each a list of head ids, `[[0, 3], [1, 2]]`. CHAI's
/// perform_offline_clustering.py writes a file for each layer, `layer_3_out_cluster.json`; one file
/// with all layers is a list of those lists. Both are read whatever was asked for, and in place of
/// a layer's clusters the cluster's label of each head, `[0, 1, 1, 0]`.
class ChaiFormat : public GroupingFormat {
 public:
  enum class Form { kOneFile, kFileForEachLayer };

  explicit ChaiFormat(Form form) : form_(form) {}

  std::string_view name() const override { return is_directory() ? "chai-layers" : "chai"; }
  bool is_directory() const override { return form_ == Form::kFileForEachLayer; }
  std::vector<NamedText> write(const search::Grouping& grouping,
                               const HeadCounts& heads) const override;
  search::Grouping read(const std::filesystem::path& path,
                        const std::optional<HeadCounts>& model) const override;

 private:
  Form form_;
};

}  // namespace regroup::models
