#include "search/groupings/partition.hpp"
#include "search/problem/enumeration.hpp"

#include <set>

#include "search/base/error.hpp"
#include "search/groupings/grouping.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/random_tables.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

std::string from_groups_message(int heads, const std::vector<std::vector<int>>& groups) {
  return error_message<InputError>([&] { Partition::from_groups(heads, groups); });
}

}  // namespace

TEST_CASE("partitions are canonical whatever the labels") {
  const std::vector<Label> a = {5, 2, 2, 5};
  const std::vector<Label> b = {0, 9, 9, 0};
  CHECK(Partition::from_labels(a) == Partition::from_labels(b));
  CHECK(Partition::from_labels(a).to_string() == "0 3 | 1 2");
  CHECK(std::hash<Partition>()(Partition::from_labels(a)) ==
        std::hash<Partition>()(Partition::from_labels(b)));
}

TEST_CASE("every partition prints and parses to itself, once each") {
  int count = 0;
  std::set<std::string> printed;
  for_each_partition(6, [&](const Partition& partition) {
    ++count;
    printed.insert(partition.to_string());
    CHECK(Partition::parse(partition.to_string()) == partition);
    CHECK(Partition::from_groups(6, partition.member_ids()) == partition);
  });
  CHECK(count == 203);  // Bell(6)
  CHECK(printed.size() == 203);
}

TEST_CASE("neighbours follow floor(h G / H)") {
  CHECK(Partition::neighbours(8, 2).to_string() == "0 1 2 3 | 4 5 6 7");
  CHECK(Partition::neighbours(8, 3).to_string() == "0 1 2 | 3 4 5 | 6 7");
  CHECK(Partition::neighbours(5, 5) == Partition::singletons(5));
  CHECK(Partition::neighbours(5, 1) == Partition::one_group(5));
  CHECK_THROWS_AS(Partition::neighbours(4, 5), InputError);
}

TEST_CASE("equal sizes are recognised") {
  CHECK(Partition::parse("0 3 | 1 2").has_equal_sizes());
  CHECK_FALSE(Partition::parse("0 | 1 2 3").has_equal_sizes());
  CHECK_FALSE(Partition::parse("0 1 | 2").has_equal_sizes());
}

TEST_CASE("broken groups are refused, each with its own message") {
  CHECK_THAT(from_groups_message(4, {{0, 1}, {1, 2, 3}}), contains("listed twice"));
  CHECK_THAT(from_groups_message(4, {{0, 1}, {3}}), contains("head 2 missing"));
  CHECK_THAT(from_groups_message(4, {{0, 1}, {2, 3, 4}}), contains("out of range"));
  CHECK_THAT(from_groups_message(4, {{0, 1, -1}, {2, 3}}), contains("out of range"));
  CHECK_THAT(from_groups_message(4, {{0, 1, 2, 3}, {}}), contains("no heads"));
  CHECK_THAT(from_groups_message(0, {}), contains("number of heads"));
  CHECK_THAT(from_groups_message(2000, {}), contains("number of heads"));
  CHECK_THROWS_AS(Partition::parse("0 x"), InputError);
}

TEST_CASE("a grouping counts its KV heads") {
  Grouping grouping{{{Partition::parse("0 1 | 2 3"), Partition::parse("0 1 2 3")},
                     {Partition::singletons(4), Partition::singletons(4)}}};
  CHECK(grouping.kv_heads() == 2 + 1 + 4 + 4);
  CHECK(grouping.source_kv_heads() == 16);
  CHECK(grouping.kv_ratio() == 11.0 / 16);
  CHECK_FALSE(grouping.is_source());
  CHECK(Grouping::uniform(3, Partition::singletons(4)).is_source());
}

TEST_CASE("a KV limit allows what it names in spite of rounding") {
  CHECK(kv_heads_within(0.3, 10) == 3);
  CHECK(kv_heads_within(0.7, 10) == 7);
  CHECK(kv_heads_within(0.29, 10) == 2);
  CHECK(kv_heads_within(1, 128) == 128);
}
