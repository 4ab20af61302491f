#include "tests/models/language_model/naive_llama.hpp"

#include <cmath>

namespace regroup::tests {
namespace {

using Vector = std::vector<double>;
using Tensors = std::map<std::string, std::vector<float>>;

/// y = W x + b for W stored by rows.
Vector linear(const Tensors& tensors, const std::string& name, const Vector& x) {
  const std::vector<float>& weight = tensors.at(name + ".weight");
  Vector y(weight.size() / x.size());
  for (std::size_t row = 0; row < y.size(); ++row) {
    for (std::size_t i = 0; i < x.size(); ++i) y[row] += weight[row * x.size() + i] * x[i];
  }
  const auto bias = tensors.find(name + ".bias");
  if (bias != tensors.end()) {
    for (std::size_t row = 0; row < y.size(); ++row) y[row] += bias->second[row];
  }
  return y;
}

Vector normalised(const Tensors& tensors, const std::string& name, const Vector& x) {
  double squares = 0;
  for (const double value : x) squares += value * value;
  const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + 1e-5);
  Vector y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * scale * tensors.at(name + ".weight")[i];
  return y;
}

/// Turns each pair (c, c + d/2) of every head by position · theta^(−2c/d).
void rotate(Vector& heads, std::size_t head_dim, double position) {
  const std::size_t half = head_dim / 2;
  for (std::size_t head = 0; head < heads.size(); head += head_dim) {
    for (std::size_t c = 0; c < half; ++c) {
      const double angle =
          position * std::pow(100.0, -2.0 * static_cast<double>(c) / static_cast<double>(head_dim));
      const double a = heads[head + c];
      const double b = heads[head + c + half];
      heads[head + c] = a * std::cos(angle) - b * std::sin(angle);
      heads[head + c + half] = b * std::cos(angle) + a * std::sin(angle);
    }
  }
}

/// Every head's part becomes the mean over its group: the same as averaging the weights.
void average(Vector& heads, const search::Partition& partition) {
  const std::size_t head_dim = heads.size() / static_cast<std::size_t>(partition.heads());
  for (const std::vector<int>& group : partition.member_ids()) {
    for (std::size_t i = 0; i < head_dim; ++i) {
      double mean = 0;
      for (const int h : group) mean += heads[static_cast<std::size_t>(h) * head_dim + i];
      mean /= static_cast<double>(group.size());
      for (const int h : group) heads[static_cast<std::size_t>(h) * head_dim + i] = mean;
    }
  }
}

/// The KV head that each query head reads: its own, or the first of the group that serves it, where
/// the mean of the group stands as well.
std::vector<std::size_t> kv_head_of_query(const TinyLlama& model,
                                          const search::LayerGrouping* grouping) {
  const auto per_kv = static_cast<std::size_t>(model.query_heads / model.kv_heads);
  std::vector<std::size_t> heads;
  for (std::size_t h = 0; h < static_cast<std::size_t>(model.query_heads); ++h) {
    if (grouping == nullptr || grouping->query_to_group.empty()) {
      heads.push_back(h / per_kv);
    } else {
      const auto group = static_cast<std::size_t>(grouping->query_to_group[h].value());
      heads.push_back(static_cast<std::size_t>(grouping->keys.member_ids()[group][0]));
    }
  }
  return heads;
}

/// Attention output of the last position given, before the output projection. Appends its attention
/// to `maps`, adds what `nudge`, which may be null, says to a logit.
Vector attend(const TinyLlama& model, const std::vector<std::size_t>& kv_of_query,
              const Vector& query, const std::vector<Vector>& keys,
              const std::vector<Vector>& values, const NaiveNudge* nudge,
              std::vector<std::vector<Vector>>& maps) {
  maps.emplace_back();
  const auto d = static_cast<std::size_t>(model.head_dim);
  Vector out(query.size());
  for (std::size_t h = 0; h < static_cast<std::size_t>(model.query_heads); ++h) {
    const std::size_t kv = kv_of_query[h];
    Vector weights;
    double total = 0;
    for (const Vector& key : keys) {
      double score = 0;
      for (std::size_t i = 0; i < d; ++i) score += query[h * d + i] * key[kv * d + i];
      double logit = score / std::sqrt(static_cast<double>(d));
      if (nudge != nullptr && nudge->where == NaiveNudge::Where::kLogit && nudge->head == h &&
          nudge->position + 1 == keys.size() && nudge->key == weights.size()) {
        logit += nudge->amount;
      }
      const auto window = static_cast<std::size_t>(model.sliding_window);
      const bool is_seen = window == 0 || weights.size() + window >= keys.size();
      weights.push_back(is_seen ? std::exp(logit) : 0);
      total += weights.back();
    }
    for (double& weight : weights) weight /= total;
    for (std::size_t t = 0; t < values.size(); ++t) {
      for (std::size_t i = 0; i < d; ++i) {
        out[h * d + i] += weights[t] * values[t][kv * d + i];
      }
    }
    maps.back().push_back(std::move(weights));
  }
  return out;
}

void add(Vector& x, const Vector& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

}  // namespace

std::vector<std::vector<double>> naive_logits(const TinyLlama& model, const Tensors& tensors,
                                              const std::vector<int>& ids,
                                              const search::Grouping* grouping, NaiveTrace* trace,
                                              const NaiveNudge* nudge) {
  if (trace != nullptr) trace->assign(static_cast<std::size_t>(model.layers), {});
  const std::vector<float>& embedding = tensors.at("model.embed_tokens.weight");
  std::vector<Vector> xs;
  for (const int id : ids) {
    const auto row = embedding.begin() + static_cast<std::ptrdiff_t>(id) * model.width;
    xs.emplace_back(row, row + model.width);
  }
  for (int layer = 0; layer < model.layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    const search::LayerGrouping* groups =
        grouping == nullptr ? nullptr : &grouping->layers[static_cast<std::size_t>(layer)];
    const std::vector<std::size_t> kv_of_query = kv_head_of_query(model, groups);
    const NaiveNudge* own = nudge != nullptr && nudge->layer == layer ? nudge : nullptr;
    std::vector<Vector> keys;
    std::vector<Vector> values;
    NaiveLayer seen;
    for (std::size_t t = 0; t < xs.size(); ++t) {
      const Vector x = normalised(tensors, prefix + "input_layernorm", xs[t]);
      Vector query = linear(tensors, prefix + "self_attn.q_proj", x);
      keys.push_back(linear(tensors, prefix + "self_attn.k_proj", x));
      values.push_back(linear(tensors, prefix + "self_attn.v_proj", x));
      seen.inputs.push_back(x);
      seen.keys.push_back(keys.back());
      if (groups != nullptr) {
        average(keys.back(), groups->keys);
        average(values.back(), groups->values);
      }
      rotate(query, static_cast<std::size_t>(model.head_dim), static_cast<double>(t));
      rotate(keys.back(), static_cast<std::size_t>(model.head_dim), static_cast<double>(t));
      seen.mixed.push_back(attend(model, kv_of_query, query, keys, values, own, seen.attention));
      Vector output = linear(tensors, prefix + "self_attn.o_proj", seen.mixed.back());
      if (own != nullptr && own->where == NaiveNudge::Where::kOutput && own->position == t) {
        output[own->head] += own->amount;
      }
      add(xs[t], output);
      seen.outputs.push_back(std::move(output));
    }
    if (trace != nullptr) trace->at(static_cast<std::size_t>(layer)) = std::move(seen);
    for (Vector& x : xs) {
      const Vector y = normalised(tensors, prefix + "post_attention_layernorm", x);
      Vector gate = linear(tensors, prefix + "mlp.gate_proj", y);
      const Vector up = linear(tensors, prefix + "mlp.up_proj", y);
      for (std::size_t i = 0; i < gate.size(); ++i) gate[i] *= up[i] / (1 + std::exp(-gate[i]));
      add(x, linear(tensors, prefix + "mlp.down_proj", gate));
    }
  }
  std::vector<std::vector<double>> logits;
  for (const Vector& x : xs) {
    const Vector y = normalised(tensors, "model.norm", x);
    Tensors head;
    head["head.weight"] = model.tied ? embedding : tensors.at("lm_head.weight");
    logits.push_back(linear(head, "head", y));
  }
  return logits;
}

}  // namespace regroup::tests
