#include "models/grouping/grouping_compute.hpp"

#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using search::Grouping;
using search::GroupWidths;
using search::Partition;

TEST_CASE("compute counts scores, values and projections of what a grouping stores") {
  ModelConfig config;
  config.layers = 2;
  config.width = 6;
  config.query_heads = 4;
  config.kv_heads = 4;
  config.head_dim = 3;
  const GroupingCompute compute(config, 10);
  CHECK(compute(Grouping::uniform(2, Partition::singletons(4))) == 1);
  // A layer of the source: 10·4·(3 + 3) + 6·(4·3 + 4·3 + 4·3) + 4·3·6.
  const double source = 240 + 216 + 72;
  const Partition pairs = Partition::parse("0 1 | 2 3");
  const Grouping grouped{{{pairs, pairs}, {Partition::singletons(4), Partition::singletons(4)}}};
  CHECK(compute(grouped) == (240 + 6 * (12 + 6 + 6) + 72 + source) / (2 * source));
  const Partition one = Partition::one_group(4);
  const Grouping wide{{{one, pairs, {}, GroupWidths{3, {8}, {6, 4}}}, grouped.layers[1]}};
  const double layer = 10 * 4 * (8 + 6) + 6 * (4 * 8 + 8 + 2 * 6) + 4 * 6 * 6;
  CHECK(compute(wide) == (layer + source) / (2 * source));
  CHECK(compute.of_layer(wide.layers[0]) == layer / (2 * source));
}
