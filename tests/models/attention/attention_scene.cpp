#include "tests/models/attention/attention_scene.hpp"

#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <numbers>
#include <utility>

#include "tests/support/catch.hpp"

namespace regroup::tests {

using namespace regroup::models;

Rows rows_of(const at::Tensor& matrix) {
  const at::Tensor wide = matrix.detach().to(at::kDouble).contiguous();
  const double* data = wide.const_data_ptr<double>();
  Rows rows;
  for (std::int64_t row = 0; row < wide.size(0); ++row, data += wide.size(1)) {
    rows.emplace_back(data, data + wide.size(1));
  }
  return rows;
}

at::Tensor tensor_of(const Rows& rows) {
  std::vector<at::Tensor> tensors;
  for (const std::vector<double>& row : rows) tensors.push_back(at::tensor(row, at::kDouble));
  return at::stack(tensors).to(at::kFloat);
}

Rows projected(const Rows& x, const at::Tensor& weight, const at::Tensor& bias) {
  const Rows w = rows_of(weight);
  Rows result;
  for (const std::vector<double>& row : x) {
    std::vector<double>& y = result.emplace_back();
    for (const std::vector<double>& weights : w) y.push_back(dot(weights, row));
    if (!bias.defined()) continue;
    const std::vector<double> b = rows_of(bias.unsqueeze(0))[0];
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += b[i];
  }
  return result;
}

std::vector<double> head_of(const std::vector<double>& row, std::int64_t head, std::int64_t width) {
  const auto begin = row.begin() + head * width;
  return {begin, begin + width};
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

at::Tensor normal(search::RandomKey key, std::vector<std::int64_t> shape) {
  search::RandomStream random(key);
  at::Tensor numbers = at::empty(shape, at::kFloat);
  float* data = numbers.data_ptr<float>();
  for (std::int64_t i = 0; i < numbers.numel(); ++i) {
    const double radius = std::sqrt(-2 * std::log(1 - random.unit()));
    data[i] = static_cast<float>(radius * std::cos(2 * std::numbers::pi * random.unit()));
  }
  return numbers;
}

Linear random_linear(search::RandomKey key, std::int64_t out, std::int64_t in) {
  return {0.4 * normal(key.split(0), {out, in}), 0.2 * normal(key.split(1), {out})};
}

MergedAttention random_projections(search::RandomKey key, const HeadMap& key_map,
                                   std::int64_t key_width, const HeadMap& value_map,
                                   std::int64_t value_width) {
  const std::int64_t width = TinyLlama().width;
  const std::int64_t heads = key_map.queries();
  const Linear query = random_linear(key.split(0), heads * key_width, width);
  const Linear keys = random_linear(key.split(1), key_map.stored() * key_width, width);
  const Linear values = random_linear(key.split(2), value_map.stored() * value_width, width);
  const Linear output = random_linear(key.split(3), width, heads * value_width);
  return {{query.weight, keys.weight, values.weight, output.weight, query.bias, keys.bias,
           values.bias, output.bias},
          key_map,
          value_map};
}

namespace {

/// Turns pairs (c, c + rows/2) of the first rows by position · 100^(−2c/rows).
std::vector<double> turned(std::vector<double> head, std::int64_t rows, std::int64_t position) {
  const auto half = static_cast<std::size_t>(rows / 2);
  for (std::size_t c = 0; c < half; ++c) {
    const double angle = static_cast<double>(position) *
                         std::pow(100.0, -static_cast<double>(c) / static_cast<double>(half));
    const double a = head[c];
    const double b = head[c + half];
    head[c] = a * std::cos(angle) - b * std::sin(angle);
    head[c + half] = b * std::cos(angle) + a * std::sin(angle);
  }
  return head;
}

}  // namespace

Rows NaiveDotProduct::operator()(const Rows& input) const {
  const AttentionWeights& w = layer.weights;
  const Rows queries = projected(input, w.query, w.query_bias);
  const Rows keys = projected(input, w.key, w.key_bias);
  const Rows values = projected(input, w.value, w.value_bias);
  const std::int64_t heads = layer.key_map.queries();
  const std::int64_t key_width = w.query.size(0) / heads;
  const std::int64_t value_width = w.output.size(1) / heads;
  Rows mixed(input.size());
  for (std::int64_t t = 0; t < std::ssize(input); ++t) {
    std::vector<double>& row = mixed[static_cast<std::size_t>(t)];
    for (int h = 0; h < heads; ++h) {
      const auto query =
          turned(head_of(queries[static_cast<std::size_t>(t)], h, key_width), rotary_rows, t);
      std::vector<double> weights;
      double sum = 0;
      for (std::int64_t i = 0; i <= t; ++i) {
        const auto key =
            turned(head_of(keys[static_cast<std::size_t>(i)], layer.key_map[h], key_width),
                   rotary_rows, i);
        weights.push_back(std::exp(scale * dot(query, key)));
        sum += weights.back();
      }
      std::vector<double> part(static_cast<std::size_t>(value_width));
      for (std::int64_t i = 0; i < std::ssize(input); ++i) {
        double weight = i <= t ? weights[static_cast<std::size_t>(i)] / sum : 0;
        if (noise) weight -= noise(h, t, i);
        const auto value =
            head_of(values[static_cast<std::size_t>(i)], layer.value_map[h], value_width);
        for (std::size_t c = 0; c < part.size(); ++c) part[c] += weight * value[c];
      }
      row.insert(row.end(), part.begin(), part.end());
    }
  }
  return projected(mixed, w.output, w.output_bias);
}

AttentionScene::AttentionScene() {
  shape_.write(scratch_.path());
  pretrained_ = std::make_shared<const PretrainedModel>(open_model(scratch_.path()));
  source_ = std::make_shared<const Transformer>(*pretrained_, ComputeOptions{});
  ids_ = at::tensor({1, 5, 3, 19, 0, 7, 7, 12, 4, 1, 18, 2, 9, 9, 0, 3, 6, 11}, at::kLong)
             .view({2, kLength});
}

Transformer AttentionScene::with(std::shared_ptr<const Attention> attention) const {
  Transformer model = *source_;
  model.replace_attention(kLayer, std::move(attention));
  return model;
}

AttentionInput AttentionScene::input() const {
  return source_->attention_input(kLayer, source_->advance(0, source_->embed({ids_, {}, {}})));
}

at::Tensor AttentionScene::states(const Transformer& model, const ForwardPass& pass) const {
  return model.hidden_states({ids_, {}, {}}, nullptr, {}, pass);
}

at::Tensor AttentionScene::naive_states(const NaiveAttentionLayer& naive) const {
  const Stream stream = source_->advance(0, source_->embed({ids_, {}, {}}));
  const at::Tensor input = source_->attention_input(kLayer, stream).keys;
  std::vector<at::Tensor> outputs;
  for (std::int64_t i = 0; i < input.size(0); ++i) {
    outputs.push_back(tensor_of(naive(rows_of(input[i]))));
  }
  return source_->finish(source_->after_attention(kLayer, stream, at::stack(outputs)));
}

at::Tensor AttentionScene::decoded_states(const Transformer& model, KvCache& cache) const {
  std::vector<at::Tensor> parts = {model.hidden_states({ids_.slice(1, 0, 4), {}, {}}, &cache)};
  for (std::int64_t t = 4; t < kLength; ++t) {
    parts.push_back(model.hidden_states({ids_.slice(1, t, t + 1), {}, {}}, &cache));
  }
  return at::cat(parts, 1);
}

double AttentionScene::decoding_error(const Transformer& model) const {
  KvCache cache = model.make_cache(2, kLength);
  return distance(decoded_states(model, cache), states(model));
}

void AttentionScene::check_gradients(const Attention& attention, const ForwardPass& pass) const {
  const at::AutoGradMode with_gradients(true);
  const std::shared_ptr<const Attention> own = attention.with_own_weights();
  const at::Tensor last = states(with(own), pass);
  const at::Tensor weights = normal(search::RandomKey(77), last.sizes().vec());
  std::vector<at::Tensor> parameters;
  for (const NamedTensor& tensor : own->tensors()) {
    if (tensor.use == TensorUse::kParameter) parameters.push_back(tensor.tensor);
  }
  const auto gradients = torch::autograd::grad({(last * weights).sum()}, parameters);
  // Along a random direction through all parameters at once, and through each by itself.
  const search::RandomKey key(78);
  double slope = 0;
  std::vector<at::Tensor> directions;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    CAPTURE(i);
    CHECK(at::isfinite(gradients[i]).all().item<bool>());
    CHECK(gradients[i].abs().max().item<double>() > 1e-4);
    directions.push_back(normal(key.split(i), parameters[i].sizes().vec()));
    slope += (gradients[i] * directions.back()).sum().item<double>();
  }
  const double step = 2e-3;
  const auto moved = [&](double by) {
    std::size_t i = 0;
    const at::NoGradGuard no_gradients;
    const auto there = attention.with_tensors([&](const NamedTensor& tensor) {
      if (tensor.use != TensorUse::kParameter) return tensor.tensor;
      return tensor.tensor + by * directions[i++];
    });
    return (states(with(there), pass) * weights).sum(at::kDouble).item<double>();
  };
  CHECK((moved(step) - moved(-step)) / (2 * step) == Approx(slope).epsilon(0.02).margin(0.05));
}

}  // namespace regroup::tests
