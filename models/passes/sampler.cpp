#include "models/passes/sampler.hpp"

#include <vector>

#include "models/passes/token_losses.hpp"
#include "models/passes/token_sampling.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
void sample_sequences(const Transformer& transformer, std::int32_t first,
                      std::span<search::RandomStream> streams, std::stop_token stop,
                      std::span<std::int32_t> ids) {
  const std::size_t length = ids.size() / streams.size();
  std::vector<std::int32_t> newest(streams.size(), first);
  for (std::size_t s = 0; s < streams.size(); ++s) ids[s * length] = first;
  const auto capacity = static_cast<std::int64_t>(length) - 1;  // the last id is not read
  KvCache cache = transformer.make_cache(std::ssize(streams), capacity);
  for (std::size_t position = 1; position < length; ++position) {
    if (stop.stop_requested()) throw Interrupted();
    const at::Tensor input = id_tensor(newest, std::ssize(newest), transformer.options());
    const at::Tensor logits =
        transformer.logits(transformer.hidden_states({input, {}, {}}, &cache)).squeeze(1);
    const at::Tensor cumulative = cumulative_probabilities(logits);
    const auto vocabulary = static_cast<std::size_t>(cumulative.size(1));
    const double* rows = cumulative.const_data_ptr<double>();
    for (std::size_t s = 0; s < streams.size(); ++s) {
      newest[s] = pick_token({rows + s * vocabulary, vocabulary}, streams[s].unit());
      ids[s * length + position] = newest[s];
    }
  }
}

}  // namespace regroup::models
