#include "models/grouping/formats/formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/grouping/grouping_layers.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;
using search::Partition;

constexpr std::string_view kFilePrefix = "layer_";
constexpr std::string_view kFileSuffix = "_out_cluster.json";

std::string file_of_layer(std::size_t layer) {
  return fmt::format("{}{}{}", kFilePrefix, layer, kFileSuffix);
}

/// A layer as a list of labels: heads with equal labels share a cluster.
Partition read_labels(const json& labels, const std::string& where) {
  constexpr std::int64_t kMostLabel = Partition::kMaxHeads - 1;
  std::vector<search::Label> checked;
  for (const json& label : labels) {
    const std::string place = fmt::format("{}, head {}", where, checked.size());
    checked.push_back(static_cast<search::Label>(checked_int(label, place, 0, kMostLabel)));
  }
  if (checked.size() > Partition::kMaxHeads) {
    throw InputError({.what = "layer has too many heads",
                      .where = where,
                      .expected = fmt::format("at most {}", Partition::kMaxHeads),
                      .found = std::to_string(checked.size())});
  }
  return Partition::from_labels(checked);
}

Partition read_clusters(const json& layer, const std::optional<HeadCounts>& model,
                        const std::string& where) {
  if (!layer.is_array() || layer.empty()) {
    throw InputError({.what = "layer is not a list of clusters",
                      .where = where,
                      .expected = "lists of head ids, or a label for each head",
                      .found = describe_json(layer)});
  }
  if (layer[0].is_number()) return read_labels(layer, where);
  return read_partition(layer, model ? model->kv_heads : count_heads(layer), where);
}

search::LayerGrouping read_layer(const json& layer, const std::optional<HeadCounts>& model,
                                 const std::string& where) {
  const Partition partition = read_clusters(layer, model, where);
  return {partition, partition};
}

search::Grouping read_one_file(const std::filesystem::path& file,
                               const std::optional<HeadCounts>& model) {
  const json layers = read_json_file(file);
  if (!layers.is_array() || layers.empty()) {
    throw InputError({.what = "file is not a list of layers",
                      .where = file.string(),
                      .expected = "an array with an entry for each attention layer",
                      .found = describe_json(layers)});
  }
  search::Grouping grouping;
  for (const json& layer : layers) {
    const std::string where = fmt::format("{}, layer {}", file.string(), grouping.layers.size());
    grouping.layers.push_back(read_layer(layer, model, where));
  }
  return grouping;
}

/// How many files in the directory are called as those of layers are.
std::size_t count_layer_files(const std::filesystem::path& directory) {
  std::size_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(kFilePrefix) && name.ends_with(kFileSuffix)) ++count;
  }
  if (!error) return count;
  throw InputError(
      {.what = "directory cannot be read", .where = directory.string(), .found = error.message()});
}

search::Grouping read_directory(const std::filesystem::path& directory,
                                const std::optional<HeadCounts>& model) {
  const std::size_t files = std::max<std::size_t>(count_layer_files(directory), 1);
  search::Grouping grouping;
  for (std::size_t i = 0; i < files; ++i) {
    const std::filesystem::path file = directory / file_of_layer(i);
    if (!std::filesystem::exists(file)) {
      throw InputError(
          {.what = "clusters of a layer are missing",
           .where = directory.string(),
           .expected = fmt::format("{} to {}", file_of_layer(0), file_of_layer(files - 1)),
           .found = fmt::format("no {}", file_of_layer(i))});
    }
    grouping.layers.push_back(read_layer(read_json_file(file), model, file.string()));
  }
  return grouping;
}

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

}  // namespace

std::vector<NamedText> ChaiFormat::write(const search::Grouping& grouping,
                                         const HeadCounts& /*heads*/) const {
  require_shared_partitions(*this, grouping);
  std::vector<NamedText> files;
  std::string all;
  for (const search::LayerGrouping& layer : grouping.layers) {
    const std::string clusters = json(layer.keys.member_ids()).dump();
    all += (all.empty() ? "[\n " : ",\n ") + clusters;
    if (is_directory()) files.push_back({file_of_layer(files.size()), clusters + "\n"});
  }
  if (!is_directory()) files.push_back({"", all + "\n]\n"});
  return files;
}

search::Grouping ChaiFormat::read(const std::filesystem::path& path,
                                  const std::optional<HeadCounts>& model) const {
  const search::Grouping grouping = std::filesystem::is_directory(path)
                                        ? read_directory(path, model)
                                        : read_one_file(path, model);
  require_counts(grouping, model, path.string());
  return grouping;
}

const GroupingFormat& chai_format() {
  static const ChaiFormat instance(ChaiFormat::Form::kOneFile);
  return instance;
}

const GroupingFormat& chai_layers_format() {
  static const ChaiFormat instance(ChaiFormat::Form::kFileForEachLayer);
  return instance;
}

}  // namespace regroup::models
