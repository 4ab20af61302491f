#include "models/overlay/rotated_cache.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "models/attention/cache_codec.hpp"
#include "models/overlay/weight_overlay.hpp"

namespace regroup::models {
namespace {

constexpr std::int64_t kWidest = 128;

/// The largest power of two, up to `kWidest`, that divides `count`.
std::int64_t part_of(std::int64_t count) {
  return std::min(kWidest, count & -count);
}

/// Hadamard matrices along the diagonal at `places`, in their order, of rows [n, n].
void turn_among(const std::vector<std::int64_t>& places, at::Tensor& turn) {
  const auto count = static_cast<std::int64_t>(places.size());
  if (count < 2) return;
  const std::int64_t part = part_of(count);
  const at::Tensor matrix = hadamard(part).to(at::kDouble);
  for (std::int64_t first = 0; first < count; first += part) {
    const at::Tensor rows =
        at::tensor(std::vector<std::int64_t>(places.begin() + first, places.begin() + first + part),
                   at::kLong);
    turn.index_put_({rows.unsqueeze(1), rows.unsqueeze(0)}, matrix);
  }
}

std::vector<std::int64_t> range(std::int64_t first, std::int64_t end) {
  std::vector<std::int64_t> places;
  for (std::int64_t place = first; place < end; ++place) places.push_back(place);
  return places;
}

/// Of a key: among the pairs of each frequency, and among the rows that are not rotated.
at::Tensor key_turn(const MergedAttention& layer, const ModelConfig& config, std::int64_t width) {
  std::vector<int> frequencies = layer.key_frequencies;
  if (!layer.widths) {
    frequencies = SharedRows::of_heads(HeadLayout::of_keys(config)).frequencies();
  }
  const auto pairs = static_cast<std::int64_t>(frequencies.size());
  const HeadLayout layout =
      HeadLayout::of_pairs(static_cast<int>(width), static_cast<int>(pairs), config.rotary.layout);
  at::Tensor turn = at::eye(width, at::kDouble);
  for (std::size_t p = 0; p < frequencies.size();) {
    std::vector<std::int64_t> real;
    std::vector<std::int64_t> imaginary;
    for (const int frequency = frequencies[p];
         p < frequencies.size() && frequencies[p] == frequency; ++p) {
      real.push_back(layout.planes[p].first);
      imaginary.push_back(layout.planes[p].second);
    }
    turn_among(real, turn);
    turn_among(imaginary, turn);
  }
  turn_among(range(2 * pairs, width), turn);
  return turn;
}

/// Rows of every head, turned; of a bias likewise.
void turn_rows(at::Tensor& projection, const at::Tensor& turn) {
  if (!projection.defined()) return;
  const at::Tensor heads =
      projection.to(at::kDouble)
          .view({-1, turn.size(0), projection.dim() > 1 ? projection.size(1) : 1});
  projection = at::matmul(turn, heads).view(projection.sizes());
}

/// One layer so, its numbers in double.
MergedAttention rotated_layer(MergedAttention layer, const ModelConfig& config) {
  if (config.projection_clip) return layer;
  AttentionWeights& w = layer.weights;
  const std::int64_t value_width = w.value.size(0) / layer.value_map.stored();
  at::Tensor turn = at::eye(value_width, at::kDouble);
  turn_among(range(0, value_width), turn);
  turn_rows(w.value, turn);
  turn_rows(w.value_bias, turn);
  const at::Tensor columns = w.output.to(at::kDouble).view({w.output.size(0), -1, value_width});
  w.output = at::matmul(columns, turn.t()).view(w.output.sizes());
  if (config.query_key_norm != QueryKeyNorm::kNone) return layer;
  const at::Tensor of_keys = key_turn(layer, config, w.key.size(0) / layer.key_map.stored());
  for (at::Tensor* part : {&w.query, &w.query_bias, &w.key, &w.key_bias}) turn_rows(*part, of_keys);
  return layer;
}

}  // namespace

std::shared_ptr<const WeightOverlay> rotated_for_cache(std::shared_ptr<const PretrainedModel> model,
                                                       const WeightOverlay* overlay) {
  const auto own = std::make_shared<const WeightOverlay>(
      overlay == nullptr ? WeightOverlay() : in_projections(*model, *overlay));
  const auto rotated = std::make_shared<WeightOverlay>();
  const std::set<std::string> projections = projection_names(*model);
  for (const auto& [name, tensor] : own->tensors()) {
    if (!projections.contains(name)) rotated->set(name, tensor);
  }
  for (int layer = 0; layer < model->config.layers; ++layer) {
    const auto make = [model, own, layer] {
      return rotated_layer(overlaid_attention(*model, *own, layer), model->config.of_layer(layer));
    };
    rotated->set_heads(layer, {overlaid_maps(*model, *own, layer), make});
  }
  return rotated;
}

}  // namespace regroup::models
