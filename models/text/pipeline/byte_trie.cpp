#include "models/text/pipeline/byte_trie.hpp"

#include <algorithm>
#include <utility>

namespace regroup::models {

void ByteTrie::grow() {
  constexpr std::size_t kLeast = 64;
  const std::vector<Edge> old = std::move(edges_);
  edges_.assign(std::max(kLeast, 2 * old.size()), {});
  for (const Edge& edge : old) {
    if (edge.key != 0) edges_[slot_of(edge.key)] = edge;
  }
}

void ByteTrie::set(std::string_view text, std::int32_t value) {
  std::uint32_t node = 0;
  for (const char byte : text) {
    if (2 * (values_.size() + 1) > edges_.size()) grow();
    const std::uint64_t key = key_of(node, static_cast<unsigned char>(byte));
    Edge& edge = edges_[slot_of(key)];
    if (edge.key == 0) {
      edge = {key, static_cast<std::uint32_t>(values_.size())};
      values_.push_back(-1);
    }
    node = edge.node;
  }
  values_[node] = value;
}

}  // namespace regroup::models
