#include "search/base/random.hpp"

#include <Random123/threefry.h>

namespace regroup::search {
namespace {

// The second counter word keeps children and draws of one key apart.
constexpr std::uint64_t kDrawDomain = 0;
constexpr std::uint64_t kSplitDomain = 1;

std::array<std::uint64_t, 2> threefry(const std::array<std::uint64_t, 2>& key,
                                      std::uint64_t counter, std::uint64_t domain) {
  const threefry2x64_ctr_t in = {{counter, domain}};
  const threefry2x64_key_t k = {{key[0], key[1]}};
  const threefry2x64_ctr_t out = threefry2x64(in, k);
  return {out.v[0], out.v[1]};
}

}  // namespace

RandomKey RandomKey::split(std::uint64_t number) const {
  RandomKey child(0);
  child.words_ = threefry(words_, number, kSplitDomain);
  return child;
}

std::array<std::uint64_t, 2> RandomKey::block(std::uint64_t counter) const {
  return threefry(words_, counter, kDrawDomain);
}

std::uint64_t RandomStream::bits() {
  const std::uint64_t lane = counter_ % 2;
  if (lane == 0) block_ = key_.block(counter_ / 2);
  ++counter_;
  return block_[lane];
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  // Draws above the largest multiple of `bound` are thrown away, so that every value is as likely.
  const std::uint64_t excess = (0 - bound) % bound;
  while (true) {
    const std::uint64_t draw = bits();
    if (draw >= excess) return draw % bound;
  }
}

double RandomStream::unit() {
  return static_cast<double>(bits() >> 11) * 0x1p-53;
}

}  // namespace regroup::search
