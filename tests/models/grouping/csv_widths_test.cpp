// Tables of heads that say how wide their groups are.

#include <algorithm>
#include <fstream>
#include <vector>

#include "models/grouping/group_widths.hpp"
#include "tests/models/grouping/format_scene.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using search::Grouping;
using search::Partition;
using search::RandomKey;
using search::RandomStream;

namespace {

/// The text of a table whose header stays first.
std::string with_rows_reversed(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line + "\n");
  std::reverse(lines.begin() + 1, lines.end());
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

}  // namespace

TEST_CASE("random widths of groups come back from csv, in any order of its rows") {
  RandomStream random{RandomKey(19)};
  const FormatScene scene("csv");
  constexpr int kHeadDim = 6;
  const auto draw_widths = [&](const Partition& partition) {
    std::vector<int> widths;
    for (const auto& members : partition.members()) {
      widths.push_back(2 + 2 * random.below(static_cast<int>(members.size()) * kHeadDim / 2));
    }
    return widths;
  };
  for (int round = 0; round < 40; ++round) {
    const int heads = 1 + random.below(12);
    const Grouping grouping = random_grouping(random, [&]() -> search::LayerGrouping {
      search::LayerGrouping layer{random_partition(heads, random), random_partition(heads, random)};
      if (random.chance(0.3)) return layer;
      layer.widths = unless_heads(
          {kHeadDim, draw_widths(layer.keys), draw_widths(layer.values), random.chance(0.5)});
      return layer;
    });
    HeadCounts counts = counts_of(grouping, 1);
    counts.head_dim = kHeadDim;
    CAPTURE(round);
    scene.write(grouping, counts);
    CHECK(scene.read_back(counts) == grouping);
    CHECK(scene.read(with_rows_reversed(scene.output()), counts) == grouping);
    if (grouping.has_widths()) {
      CHECK_THAT(error_message<InputError>([&] { scene.read_back(); }),
                 contains("expected: --model"));
    }
  }
}

TEST_CASE("widths of csv that no group can have are refused, naming the line") {
  const FormatScene scene("csv");
  const HeadCounts model{1, 2, 2, 8};
  const auto table = [](const char* first, const char* second) {
    return std::string("head,key_group,value_group,key_width,value_width,frequencies\nL0H0,0,0,") +
           first + "\nL0H1,0,0," + second + "\n";
  };
  CHECK(scene.read(table("12,16,free", "12,16,free"), model).layers[0].widths ==
        search::GroupWidths{8, {12}, {16}, true});
  const std::string odd = scene.refusal(table("11,16,free", "11,16,free"), model);
  CHECK_THAT(odd, contains("line 2") && contains("width of a group is odd") && contains("11"));
  CHECK_THAT(scene.refusal(table("12,18,free", "12,18,free"), model),
             contains("an even number from 2 to 16") && contains("18"));
  CHECK_THAT(scene.refusal(table("12,0,free", "12,0,free"), model), contains("from 2 to 16"));
  CHECK_THAT(scene.refusal(table("12,16,free", "14,16,free"), model),
             contains("line 3") && contains("different widths") && contains("14"));
  CHECK_THAT(scene.refusal(table("12,16,free", "12,16,shared"), model),
             contains("line 3") && contains("the same in all rows"));
  CHECK_THAT(scene.refusal(table("12,16,some", "12,16,some"), model),
             contains("free or shared") && contains("\"some\""));
}

TEST_CASE("frequencies of a table without widths are another tool's") {
  const FormatScene scene("csv");
  const Grouping found =
      scene.read("head,group,frequencies\nL0H0,0,440\nL0H1,0,880\n", HeadCounts{1, 2, 2, 8});
  CHECK_FALSE(found.has_widths());
}
