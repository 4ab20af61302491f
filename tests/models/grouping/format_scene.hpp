#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "models/grouping/formats/grouping_format.hpp"
#include "search/base/error.hpp"
#include "search/base/random.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::tests {

/// A place for files of one format, "g" among them.
class FormatScene {
 public:
  explicit FormatScene(std::string_view format) : format_(models::find_grouping_format(format)) {}

  std::filesystem::path output() const { return scratch_.path() / "g"; }
  /// Writes the grouping as the format does, each file below "g" or as "g" itself.
  void write(const search::Grouping& grouping, const models::HeadCounts& heads) const {
    std::filesystem::remove_all(output());
    for (const models::NamedText& file : models::write_grouping_as(format_, grouping, heads)) {
      scratch_.write(file.name.empty() ? "g" : "g/" + file.name, file.text);
    }
  }
  search::Grouping read_back(const std::optional<models::HeadCounts>& model = {}) const {
    return format_.read(output(), model);
  }
  search::Grouping read(const std::string& text,
                        const std::optional<models::HeadCounts>& model = {}) const {
    scratch_.write("g", text);
    return read_back(model);
  }
  std::string refusal(const std::string& text,
                      const std::optional<models::HeadCounts>& model = {}) const {
    const std::string message = error_message<InputError>([&] { read(text, model); });
    CHECK_THAT(message, contains(output().string()));
    return message;
  }
  std::string refuses_to_write(const search::Grouping& grouping,
                               const models::HeadCounts& heads) const {
    return error_message<InputError>([&] { write(grouping, heads); });
  }
  const TemporaryDirectory& scratch() const { return scratch_; }

 private:
  const models::GroupingFormat& format_;
  TemporaryDirectory scratch_;
};

inline search::Partition random_partition(int heads, search::RandomStream& random) {
  std::vector<search::Label> labels;
  const int most = 1 + random.below(heads);
  for (int h = 0; h < heads; ++h) labels.push_back(static_cast<search::Label>(random.below(most)));
  return search::Partition::from_labels(labels);
}

/// A grouping of a random number of layers by the partitions that `draw` gives for keys and values.
inline search::Grouping random_grouping(search::RandomStream& random,
                                        const std::function<search::LayerGrouping()>& draw) {
  search::Grouping grouping;
  for (int layers = 1 + random.below(12); layers > 0; --layers) grouping.layers.push_back(draw());
  return grouping;
}

/// Counts of a model for which the grouping is, with `queries` query heads for each KV head.
inline models::HeadCounts counts_of(const search::Grouping& grouping, int queries) {
  const int heads = grouping.layers[0].keys.heads();
  return {static_cast<int>(grouping.layers.size()), heads * queries, heads};
}

}  // namespace regroup::tests
