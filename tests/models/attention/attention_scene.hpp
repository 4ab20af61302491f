#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <vector>

#include "models/transformer/transformer.hpp"
#include "search/base/random.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::tests {

/// Rows of numbers in double, for references by plain loops.
using Rows = std::vector<std::vector<double>>;

/// A matrix [rows, columns] of any type.
Rows rows_of(const at::Tensor& matrix);
at::Tensor tensor_of(const Rows& rows);
/// W x + b of every row x; `bias` may be undefined.
Rows projected(const Rows& x, const at::Tensor& weight, const at::Tensor& bias);
/// Columns head · width … of a row.
std::vector<double> head_of(const std::vector<double>& row, std::int64_t head, std::int64_t width);
double dot(const std::vector<double>& a, const std::vector<double>& b);
/// Largest difference of two tensors.
double distance(const at::Tensor& a, const at::Tensor& b);

/// Independent normal numbers, float32.
at::Tensor normal(search::RandomKey key, std::vector<std::int64_t> shape);
/// A projection with normal weights of a size that makes errors visible, and a bias.
models::Linear random_linear(search::RandomKey key, std::int64_t out, std::int64_t in);

/// The projections of a layer of the scene whose 4 query heads read stored heads by these maps,
/// with biases.
models::MergedAttention random_projections(search::RandomKey key, const models::HeadMap& key_map,
                                           std::int64_t key_width, const models::HeadMap& value_map,
                                           std::int64_t value_width);

/// Causal dot products with head maps by plain loops.
struct NaiveDotProduct {
  models::MergedAttention layer;
  double scale = 1;
  std::int64_t rotary_rows = 0;  ///< the first of a key, turned as halves with θ = 100
  /// What is subtracted from the attention map of one sequence; empty: nothing.
  std::function<double(std::int64_t head, std::int64_t query, std::int64_t key)> noise = {};

  Rows operator()(const Rows& input) const;
};

/// What a layer's attention gives for one sequence by plain loops: its input [length][D] → its
/// output [length][D].
using NaiveAttentionLayer = std::function<Rows(const Rows& input)>;

/// A tiny random Llama whose second layer gets another attention, and some text.
class AttentionScene {
 public:
  static constexpr std::size_t kLayer = 1;
  static constexpr std::int64_t kLength = 9;

  AttentionScene();

  const TinyLlama& shape() const { return shape_; }
  const models::PretrainedModel& pretrained() const { return *pretrained_; }
  const models::Transformer& source() const { return *source_; }
  models::Transformer with(std::shared_ptr<const models::Attention> attention) const;
  /// Two sequences of kLength ids.
  const at::Tensor& ids() const { return ids_; }
  /// What the second layer's attention reads of them.
  models::AttentionInput input() const;

  /// Last hidden states of a pass over all of the text.
  at::Tensor states(const models::Transformer& model, const models::ForwardPass& pass = {}) const;
  /// The same where the second layer's attention gives what the naive one does.
  at::Tensor naive_states(const NaiveAttentionLayer& naive) const;
  /// The same as `states`, by a cache: four positions, then one at a time.
  at::Tensor decoded_states(const models::Transformer& model, models::KvCache& cache) const;
  /// How far they are from `states`, with a cache of the model's own.
  double decoding_error(const models::Transformer& model) const;

  /// Checks that gradients of the last states reach every parameter of the attention, and that
  /// they are those of differences.
  void check_gradients(const models::Attention& attention,
                       const models::ForwardPass& pass = {}) const;

 private:
  TinyLlama shape_;
  TemporaryDirectory scratch_;
  std::shared_ptr<const models::PretrainedModel> pretrained_;
  std::shared_ptr<const models::Transformer> source_;
  at::Tensor ids_;
};

}  // namespace regroup::tests
