#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/grouping/head_counts.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// A text and the name of the file that holds it, below the output; no name: the output itself.
struct NamedText {
  std::string name;
  std::string text;
};

/// A form in which other tools hold which heads share keys and values. Stateless, hence
/// thread-safe. The files are described in docs/formats.md.
class GroupingFormat {
 public:
  virtual ~GroupingFormat() = default;

  /// The word for --format.
  virtual std::string_view name() const = 0;
  /// Whether an export is a directory of several files.
  virtual bool is_directory() const { return false; }
  /// Whether the form says which heads share, and not only how many do.
  virtual bool keeps_members() const { return true; }
  /// Whether the form says how wide a group is.
  virtual bool keeps_widths() const { return false; }

  /// The files of an export; `grouping` has `heads.layers` layers of `heads.kv_heads` heads and no
  /// allocation, and widths only where the form keeps them. Equal arguments give equal bytes.
  /// Throws InputError, naming the layer, for what the form cannot say.
  virtual std::vector<NamedText> write(const search::Grouping& grouping,
                                       const HeadCounts& heads) const = 0;

  /// Reads what another tool wrote: at least one layer, all with the same heads, those of `model`
  /// where it is given. Throws InputError for anything else.
  virtual search::Grouping read(const std::filesystem::path& path,
                                const std::optional<HeadCounts>& model) const = 0;
};

/// Names of all formats, in the order of the help.
std::vector<std::string_view> grouping_format_names();
/// Throws InputError that lists the known ones.
const GroupingFormat& find_grouping_format(std::string_view name);

/// Writes a grouping in a format. Throws InputError as GroupingFormat::write, and, naming the
/// layer, for an allocation of query heads (`query_to_group`), which no format can say, and for
/// widths where this one does not keep them.
std::vector<NamedText> write_grouping_as(const GroupingFormat& format,
                                         const search::Grouping& grouping, const HeadCounts& heads);

/// Throws InputError, naming the layer, if a format that has one partition a layer is given keys
/// and values that are grouped apart.
void require_shared_partitions(const GroupingFormat& format, const search::Grouping& grouping);

/// Throws InputError unless `layers` and the heads of each are those of `model`, where given, and
/// every layer has as many heads as the first.
void require_counts(const search::Grouping& grouping, const std::optional<HeadCounts>& model,
                    const std::string& where);

}  // namespace regroup::models
