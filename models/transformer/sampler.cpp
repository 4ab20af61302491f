#include "models/transformer/sampler.hpp"

#include <vector>

#include "models/transformer/token_losses.hpp"
#include "search/error.hpp"

namespace regroup::models {
namespace {

/// The id at which the cumulative probability passes `draw`, in [0, 1).
std::int32_t pick(std::span<const double> cumulative, double draw) {
  const double threshold = draw * cumulative.back();
  const auto at = std::upper_bound(cumulative.begin(), cumulative.end(), threshold);
  // Rounding may leave the threshold at the very end.
  const auto last = std::ssize(cumulative) - 1;
  return static_cast<std::int32_t>(std::min(at - cumulative.begin(), last));
}

}  // namespace

void sample_sequences(const Decoder& decoder, std::int32_t first,
                      std::span<search::RandomStream> streams, std::stop_token stop,
                      std::span<std::int32_t> ids) {
  const std::size_t length = ids.size() / streams.size();
  std::vector<std::int32_t> newest(streams.size(), first);
  for (std::size_t s = 0; s < streams.size(); ++s) ids[s * length] = first;
  KvCache cache;
  for (std::size_t position = 1; position < length; ++position) {
    if (stop.stop_requested()) throw Interrupted();
    const at::Tensor input = id_tensor(newest, std::ssize(newest), decoder.options());
    const at::Tensor logits = decoder.logits(decoder.hidden_states(input, &cache)).squeeze(1);
    const at::Tensor cumulative =
        logits.to(at::kCPU, at::kDouble).softmax(1).cumsum(1).contiguous();
    const auto vocabulary = static_cast<std::size_t>(cumulative.size(1));
    const double* rows = cumulative.const_data_ptr<double>();
    for (std::size_t s = 0; s < streams.size(); ++s) {
      newest[s] = pick({rows + s * vocabulary, vocabulary}, streams[s].unit());
      ids[s * length + position] = newest[s];
    }
  }
}

}  // namespace regroup::models
