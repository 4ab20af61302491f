#include "models/passes/key_products.hpp"

#include <fmt/format.h>

#include "models/attention/dot_product_attention.hpp"
#include "models/passes/token_losses.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// keys [batch, n_K, length, d] → products [batch, n_K, n_K], double, on the CPU.
at::Tensor products_of_heads(const at::Tensor& keys) {
  const at::Tensor rows = keys.flatten(2).to(at::kDouble);
  return at::bmm(rows, rows.transpose(1, 2)).cpu().contiguous();
}

Eigen::MatrixXd symmetric_matrix(const at::Tensor& products) {
  const Eigen::Map<const Eigen::MatrixXd> map(products.const_data_ptr<double>(), products.size(0),
                                              products.size(1));
  // A product of a matrix with its own transpose is symmetric only up to rounding.
  return 0.5 * (map + map.transpose());
}

void require_finite(const Eigen::MatrixXd& gram, std::size_t layer) {
  if (gram.allFinite()) return;
  throw WorkError(
      {.what = "the model's keys are not finite numbers", .where = fmt::format("layer {}", layer)});
}

}  // namespace

void batch_key_grams(const Transformer& transformer, const Windows& windows, std::size_t begin,
                     std::size_t end, search::KeyGrams& grams) {
  transformer.hidden_states(
      input_batch(transformer, windows, begin, end), nullptr,
      [&](std::size_t layer, const AttentionInput& input) {
        const at::Tensor products = products_of_heads(
            as_dot_product(transformer.attention(layer), "dealing by key norms").keys(input.keys));
        for (std::size_t w = begin; w < end; ++w) {
          Eigen::MatrixXd& gram = grams.layers[layer][w];
          gram = symmetric_matrix(products[static_cast<std::int64_t>(w - begin)]);
          require_finite(gram, layer);
        }
      });
}

}  // namespace regroup::models
