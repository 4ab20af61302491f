#include "models/layers/layer_head_maps.hpp"

#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using search::Partition;

TEST_CASE("query heads read the stored head of their KV head's group") {
  const search::LayerGrouping layer{Partition::parse("0 2 | 1 3"), Partition::parse("0 | 1 2 3")};
  const LayerHeadMaps maps = head_maps(layer, 2);
  CHECK(maps.keys == HeadMap({0, 0, 1, 1, 0, 0, 1, 1}, 2));
  CHECK(maps.values == HeadMap({0, 0, 1, 1, 1, 1, 1, 1}, 2));
}

TEST_CASE("groups that an allocation does not name are not stored") {
  search::LayerGrouping layer{Partition::parse("0 | 1 2 | 3"), Partition::parse("0 | 1 2 | 3")};
  for (const int group : {2, 0, 0, 2}) layer.query_to_group.emplace_back(group);
  const LayerHeadMaps maps = head_maps(layer, 1);
  CHECK(maps.keys == HeadMap({1, 0, 0, 1}, 2));
  CHECK(maps.values == maps.keys);
}

TEST_CASE("a grouping of single heads has the maps of its source") {
  ModelConfig config;
  config.layers = 2;
  config.query_heads = 6;
  config.kv_heads = 3;
  const auto maps = head_maps(search::Grouping::uniform(2, Partition::singletons(3)), config);
  REQUIRE(maps.size() == 2);
  CHECK(maps[1] == source_head_maps(config, 1));
  CHECK(maps[1].keys == HeadMap({0, 0, 1, 1, 2, 2}, 3));
}
