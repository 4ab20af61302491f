#include "search/costs/subset_cost.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "search/base/error.hpp"
#include "search/costs/pair_sketch.hpp"
#include "search/evolution/genome_index.hpp"

namespace regroup::search {
namespace {

constexpr double kNotPriced = std::numeric_limits<double>::quiet_NaN();

/// So many that threads seldom wait for each other.
constexpr std::size_t kShards = 64;

/// A set of heads as a genome: head h is bit h of the genes.
class HeadSet {
 public:
  HeadSet(std::span<const Head> members, std::size_t genes) : genes_(genes) {
    for (const Head head : members) {
      gene(head) = static_cast<Gene>(gene(head) | 1U << head.at() % kBits);
    }
  }

  static std::size_t genes(int heads) {
    return (static_cast<std::size_t>(heads) + kBits - 1) / kBits;
  }
  std::span<const Gene> genome() const { return std::span(words_).first(genes_); }

  std::vector<Head> members() const {
    std::vector<Head> members;
    for (std::size_t i = 0; i < genes_; ++i) {
      for (unsigned left = words_[i]; left != 0; left &= left - 1) {
        members.emplace_back(static_cast<int>(i * kBits) + std::countr_zero(left));
      }
    }
    return members;
  }

  std::size_t shard() const {
    std::uint64_t mixed = 0;
    for (const Gene gene : genome()) mixed = (mixed ^ gene) * 0x9E3779B97F4A7C15;
    return (mixed >> 32) % kShards;
  }

 private:
  static constexpr std::size_t kBits = std::numeric_limits<Gene>::digits;

  Gene& gene(Head head) { return words_[head.at() / kBits]; }

  std::size_t genes_;
  std::array<Gene, Partition::kMaxHeads / kBits> words_{};
};

double require_price(double cost, const std::vector<Head>& members) {
  if (std::isfinite(cost) && cost >= 0) return cost;
  std::string heads;
  for (const Head head : members) heads += fmt::format(" {}", head.value());
  throw WorkError({.what = "the price of a group is not a cost",
                   .where = "heads" + heads,
                   .expected = "finite and not negative",
                   .found = fmt::format("{}", cost)});
}

}  // namespace

/// Prices by set, each set in the shard that its content names.
class SubsetCost::Memo {
 public:
  explicit Memo(int heads) : genes_(HeadSet::genes(heads)) {
    for (std::size_t i = 0; i < kShards; ++i) shards_.push_back(std::make_unique<Shard>(genes_));
  }

  std::size_t genes() const { return genes_; }

  /// The set's price and number in its shard; kNotPriced if nobody has priced it yet.
  std::pair<double, std::size_t> find(const HeadSet& set) {
    Shard& shard = *shards_[set.shard()];
    const std::scoped_lock lock(shard.mutex);
    const GenomeIndex::Place place = shard.sets.insert(set.genome());
    if (place.is_new) shard.costs.push_back(kNotPriced);
    return {shard.costs[place.number], place.number};
  }

  /// True if it was not there before.
  bool keep(const HeadSet& set, std::size_t number, double cost) {
    Shard& shard = *shards_[set.shard()];
    const std::scoped_lock lock(shard.mutex);
    const bool is_new = std::isnan(shard.costs[number]);
    shard.costs[number] = cost;
    return is_new;
  }

 private:
  struct Shard {
    explicit Shard(std::size_t genes) : sets(genes) {}
    std::mutex mutex;
    GenomeIndex sets;
    std::vector<double> costs;  // by number of the set
  };

  std::size_t genes_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

SubsetCost::SubsetCost(int heads) : heads_(heads) {
  if (heads < 1 || heads > Partition::kMaxHeads) {
    throw InputError({.what = "number of heads is out of range",
                      .expected = fmt::format("1 to {}", Partition::kMaxHeads),
                      .found = std::to_string(heads)});
  }
  memo_ = std::make_unique<Memo>(heads);
}

SubsetCost::~SubsetCost() = default;

double SubsetCost::group_cost(std::span<const Head> members) const {
  if (members.size() < 2) return 0;
  const HeadSet set(members, memo_->genes());
  const auto [known, number] = memo_->find(set);
  if (!std::isnan(known)) return known;
  const std::vector<Head> ascending = set.members();
  const double cost = require_price(compute_cost(ascending), ascending);
  if (memo_->keep(set, number, cost)) ++priced_;
  return cost;
}

std::shared_ptr<const CostTable> SubsetCost::sketch() const {
  return std::make_shared<GramCost>(pair_sketch(*this));
}

}  // namespace regroup::search
