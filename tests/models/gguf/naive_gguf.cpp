#include "tests/models/gguf/naive_gguf.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace regroup::tests {
namespace {

using Matrix = std::vector<double>;
using Vector = std::vector<double>;

/// rows · vector, the matrix [rows, columns].
Vector times(const Matrix& matrix, const Vector& vector) {
  Vector result(matrix.size() / vector.size());
  for (std::size_t row = 0; row < result.size(); ++row) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      result[row] += matrix[row * vector.size() + i] * vector[i];
    }
  }
  return result;
}

Vector plus(Vector a, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

/// RMSNorm of each `size` numbers.
Vector normed(Vector values, const Vector& weight, double epsilon) {
  const std::size_t size = weight.size();
  for (std::size_t first = 0; first < values.size(); first += size) {
    double squares = 0;
    for (std::size_t i = 0; i < size; ++i) squares += values[first + i] * values[first + i];
    const double scale = 1 / std::sqrt(squares / static_cast<double>(size) + epsilon);
    for (std::size_t i = 0; i < size; ++i) values[first + i] *= scale * weight[i];
  }
  return values;
}

class NaiveModel {
 public:
  explicit NaiveModel(const GgufFile& file) : file_(file) {
    name_ = file.metadata["general.architecture"];
    head_dim_ = static_cast<std::size_t>(of("attention.key_length"));
    epsilon_ = file.metadata[name_ + ".attention.layer_norm_rms_epsilon"];
    interleaved_ = name_ == "llama" || name_ == "deci";
  }

  std::vector<Vector> logits(const std::vector<int>& ids) const {
    const auto width = static_cast<std::size_t>(of("embedding_length"));
    const Matrix table = file_.values("token_embd.weight");
    std::vector<Vector> stream;
    for (const int id : ids) {
      const auto begin =
          table.begin() + static_cast<std::ptrdiff_t>(id) * static_cast<std::ptrdiff_t>(width);
      stream.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(width));
    }
    for (int layer = 0; layer < of("block_count"); ++layer) run_layer(layer, stream);
    const Matrix head = file_.has("output.weight") ? file_.values("output.weight") : table;
    for (Vector& x : stream) {
      x = times(head, normed(x, file_.values("output_norm.weight"), epsilon_));
    }
    return stream;
  }

 private:
  int of(const std::string& key, std::size_t layer = 0) const {
    return file_.number(name_ + "." + key, layer);
  }
  std::string tensor(int layer, const std::string& module) const {
    return "blk." + std::to_string(layer) + "." + module;
  }
  /// A linear map with the bias that it may have.
  Vector linear(int layer, const std::string& module, const Vector& x) const {
    const std::string at = tensor(layer, module);
    const Vector y = times(file_.values(at + ".weight"), x);
    return file_.has(at + ".bias") ? plus(y, file_.values(at + ".bias")) : y;
  }
  Vector norm(int layer, const std::string& module, const Vector& x) const {
    const std::string at = tensor(layer, module) + ".weight";
    return file_.has(at) ? normed(x, file_.values(at), epsilon_) : x;
  }

  void turn(Vector& heads, std::size_t position) const {
    const double theta = file_.metadata[name_ + ".rope.freq_base"];
    const std::size_t half = head_dim_ / 2;
    const Vector factors =
        file_.has("rope_freqs.weight") ? file_.values("rope_freqs.weight") : Vector(half, 1.0);
    for (std::size_t first = 0; first < heads.size(); first += head_dim_) {
      for (std::size_t c = 0; c < half; ++c) {
        const double frequency =
            std::pow(theta, -2.0 * static_cast<double>(c) / static_cast<double>(head_dim_)) /
            factors[c];
        const double angle = static_cast<double>(position) * frequency;
        double& a = heads[first + (interleaved_ ? 2 * c : c)];
        double& b = heads[first + (interleaved_ ? 2 * c + 1 : c + half)];
        const double old = a;
        a = old * std::cos(angle) - b * std::sin(angle);
        b = old * std::sin(angle) + b * std::cos(angle);
      }
    }
  }

  struct Projected {
    Vector query, key, value;
  };
  Projected project(int layer, const Vector& x, std::size_t position) const {
    const auto at = static_cast<std::size_t>(layer);
    const std::size_t queries =
        static_cast<std::size_t>(of("attention.head_count", at)) * head_dim_;
    const std::size_t keys =
        static_cast<std::size_t>(of("attention.head_count_kv", at)) * head_dim_;
    Projected p;
    if (file_.has(tensor(layer, "attn_qkv.weight"))) {
      const Vector all = linear(layer, "attn_qkv", x);
      const auto cut = [&](std::size_t from, std::size_t size) {
        return Vector(all.begin() + static_cast<std::ptrdiff_t>(from),
                      all.begin() + static_cast<std::ptrdiff_t>(from + size));
      };
      p = {cut(0, queries), cut(queries, keys), cut(queries + keys, keys)};
    } else {
      p = {linear(layer, "attn_q", x), linear(layer, "attn_k", x), linear(layer, "attn_v", x)};
    }
    if (p.query.size() != queries || p.key.size() != keys || p.value.size() != keys) {
      throw std::runtime_error("heads of the metadata are not those of the tensors");
    }
    p.query = norm(layer, "attn_q_norm", p.query);
    p.key = norm(layer, "attn_k_norm", p.key);
    turn(p.query, position);
    turn(p.key, position);
    return p;
  }

  /// Of the last of the tokens so far.
  Vector attend(const Vector& query, const std::vector<Projected>& tokens) const {
    const std::size_t heads = query.size() / head_dim_;
    const std::size_t served = heads * head_dim_ / tokens[0].key.size();
    Vector mixed(query.size());
    for (std::size_t head = 0; head < heads; ++head) {
      const std::size_t kv = head / served * head_dim_;
      Vector weights;
      for (const Projected& token : tokens) {
        double score = 0;
        for (std::size_t i = 0; i < head_dim_; ++i) {
          score += query[head * head_dim_ + i] * token.key[kv + i];
        }
        weights.push_back(score / std::sqrt(static_cast<double>(head_dim_)));
      }
      const double largest = *std::max_element(weights.begin(), weights.end());
      double sum = 0;
      for (double& weight : weights) sum += weight = std::exp(weight - largest);
      for (std::size_t t = 0; t < tokens.size(); ++t) {
        for (std::size_t i = 0; i < head_dim_; ++i) {
          mixed[head * head_dim_ + i] += weights[t] / sum * tokens[t].value[kv + i];
        }
      }
    }
    return mixed;
  }

  void run_layer(int layer, std::vector<Vector>& stream) const {
    std::vector<Projected> tokens;
    for (std::size_t t = 0; t < stream.size(); ++t) {
      tokens.push_back(project(layer, norm(layer, "attn_norm", stream[t]), t));
      const Vector mixed = attend(tokens.back().query, tokens);
      stream[t] = plus(stream[t], linear(layer, "attn_output", mixed));
      const Vector x = norm(layer, "ffn_norm", stream[t]);
      const Vector gate = linear(layer, "ffn_gate", x);
      Vector hidden = linear(layer, "ffn_up", x);
      for (std::size_t i = 0; i < hidden.size(); ++i) {
        hidden[i] *= gate[i] / (1 + std::exp(-gate[i]));
      }
      stream[t] = plus(stream[t], linear(layer, "ffn_down", hidden));
    }
  }

  const GgufFile& file_;
  std::string name_;
  std::size_t head_dim_ = 0;
  double epsilon_ = 0;
  bool interleaved_ = false;
};

}  // namespace

std::vector<std::vector<double>> naive_gguf_logits(const GgufFile& file,
                                                   const std::vector<int>& ids) {
  return NaiveModel(file).logits(ids);
}

}  // namespace regroup::tests
