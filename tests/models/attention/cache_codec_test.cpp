// KV caches in llama.cpp's block formats: rows bit by bit, attention by plain loops, models.

#include <ATen/ATen.h>

#include <Eigen/Core>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "models/attention/cache_codec.hpp"
#include "models/language_model/language_model.hpp"
#include "models/transformer/transformer.hpp"
#include "search/base/error.hpp"
#include "search/base/random.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

using Row = std::vector<float>;

float stored_scale(float scale) {
  return static_cast<float>(Eigen::half(scale));
}

/// One block of q8_0 there and back, one number at a time.
void round_q8_0(std::span<float> block) {
  float largest = 0;
  for (const float value : block) largest = std::max(largest, std::fabs(value));
  const float scale = largest / 127;
  const float inverse = scale != 0 ? 1 / scale : 0;
  for (float& value : block) {
    const auto level = static_cast<std::int8_t>(std::round(value * inverse));
    value = static_cast<float>(level) * stored_scale(scale);
  }
}

/// The same of q4_0.
void round_q4_0(std::span<float> block) {
  float largest = 0;
  float extreme = 0;
  for (const float value : block) {
    if (largest >= std::fabs(value)) continue;
    largest = std::fabs(value);
    extreme = value;
  }
  const float scale = extreme / -8;
  const float inverse = scale != 0 ? 1 / scale : 0;
  for (float& value : block) {
    const float shifted = value * inverse;
    const int level = std::min(15, static_cast<int>(shifted + 8.5F));
    value = static_cast<float>(level - 8) * stored_scale(scale);
  }
}

Row rounded_row(Row row, CacheType type) {
  for (std::size_t at = 0; at < row.size(); at += 32) {
    const std::span<float> block = std::span(row).subspan(at, 32);
    type == CacheType::kQ8_0 ? round_q8_0(block) : round_q4_0(block);
  }
  return row;
}

/// Parts of n numbers times the Hadamard matrix: entry (i, j) has the sign of the bits in common.
Row turned_row(const Row& row, std::size_t n) {
  Row result(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const double sign = std::popcount((i % n) & j) % 2 == 0 ? 1 : -1;
      sum += sign * row[i / n * n + j];
    }
    result[i] = static_cast<float>(sum / std::sqrt(static_cast<double>(n)));
  }
  return result;
}

at::Tensor tensor_of(const Row& row) {
  return at::tensor(row, at::kFloat);
}

Row row_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kFloat).contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

at::Tensor rounded(const at::Tensor& values, CacheType type) {
  return type == CacheType::kQ8_0 ? rounded_to_q8_0(values) : rounded_to_q4_0(values);
}

/// Blocks that reach every branch: random ones of all sizes, zeros, equal extremes of both signs,
/// values halfway between two levels, scales that float16 holds only in part or not at all.
std::vector<Row> odd_blocks() {
  std::vector<Row> blocks = {Row(32, 0.0F), Row(32, -3.0F)};
  search::RandomStream random{search::RandomKey(5)};
  for (const float size : {1e-42F, 1e-38F, 1e-9F, 1e-5F, 1e-3F, 1.0F, 50.0F, 1e4F}) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      Row block;
      for (int i = 0; i < 32; ++i) {
        block.push_back(size * static_cast<float>(2 * random.unit() - 1));
      }
      blocks.push_back(block);
    }
  }
  Row halves;
  for (int i = 0; i < 32; ++i) halves.push_back(static_cast<float>(i - 16) + 0.5F);
  halves[0] = 127;  // a scale of 1 in q8_0
  blocks.push_back(halves);
  halves[0] = -8;  // and in q4_0
  for (float& value : halves) value = std::clamp(value, -8.0F, 7.5F);
  blocks.push_back(halves);
  for (const float first : {2.0F, -2.0F}) {
    Row both(32, 0.5F);
    both[3] = first;
    both[9] = -first;
    blocks.push_back(both);
  }
  return blocks;
}

LanguageModel load(const TinyLlama& shape, const TemporaryDirectory& scratch) {
  shape.write(scratch.path());
  return {std::make_shared<const PretrainedModel>(open_model(scratch.path())), ComputeOptions{}};
}

TinyLlama shape_of(int head_dim) {
  TinyLlama shape;
  shape.head_dim = head_dim;
  shape.query_heads = 2;
  shape.kv_heads = 2;
  return shape;
}

at::Tensor some_ids() {
  return at::tensor({1, 5, 3, 19, 0, 7, 7, 12, 4, 11}, at::kLong).view({1, 10});
}

AttentionInput first_input(const LanguageModel& model) {
  const Transformer& transformer = model.transformer();
  return transformer.attention_input(0, transformer.embed({some_ids(), {}, {}}));
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

Row dot_softmax(const std::vector<Row>& keys, const Row& query, std::size_t seen, double scale) {
  std::vector<double> logits(seen);
  for (std::size_t t = 0; t < seen; ++t) {
    for (std::size_t i = 0; i < query.size(); ++i) logits[t] += double{keys[t][i]} * query[i];
    logits[t] *= scale;
  }
  const double most = *std::ranges::max_element(logits);
  double sum = 0;
  for (double& logit : logits) sum += logit = std::exp(logit - most);
  Row weights;
  for (const double logit : logits) weights.push_back(static_cast<float>(logit / sum));
  return weights;
}

/// What a head's attention gives with a quantised cache, as llama.cpp computes it: queries and keys
/// turned, keys rounded, values turned and rounded, and the output turned back. [length][d].
std::vector<Row> naive_head(const std::vector<Row>& queries, const std::vector<Row>& keys,
                            const std::vector<Row>& values, CacheType type) {
  const std::size_t d = queries[0].size();
  const bool turns = d % 64 == 0;
  const std::size_t n_k = turns ? (d & (~d + 1)) : 1;
  const std::size_t n_v = turns ? 64 : 1;
  std::vector<Row> stored_keys;
  std::vector<Row> stored_values;
  for (const Row& row : keys) stored_keys.push_back(rounded_row(turned_row(row, n_k), type));
  for (const Row& row : values) stored_values.push_back(rounded_row(turned_row(row, n_v), type));
  std::vector<Row> result;
  for (std::size_t t = 0; t < queries.size(); ++t) {
    const Row weights = dot_softmax(stored_keys, turned_row(queries[t], n_k), t + 1,
                                    1 / std::sqrt(static_cast<double>(d)));
    Row mixed(d, 0.0F);
    for (std::size_t s = 0; s <= t; ++s) {
      for (std::size_t i = 0; i < d; ++i) mixed[i] += weights[s] * stored_values[s][i];
    }
    result.push_back(turned_row(mixed, n_v));
  }
  return result;
}

/// The same rows as llama.cpp keeps them.
std::vector<Row> ordered(std::vector<Row> rows, KeyOrder order) {
  if (order == KeyOrder::kAsIs) return rows;
  for (Row& row : rows) {
    const Row before = row;
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = before[i / 2 + i % 2 * row.size() / 2];
  }
  return rows;
}

/// [length, d] → rows.
std::vector<Row> rows_of(const at::Tensor& matrix) {
  std::vector<Row> rows;
  for (std::int64_t t = 0; t < matrix.size(0); ++t) rows.push_back(row_of(matrix[t]));
  return rows;
}

}  // namespace

TEST_CASE("blocks are rounded to q8_0 and q4_0 bit by bit as one number at a time") {
  for (const CacheType type : {CacheType::kQ8_0, CacheType::kQ4_0}) {
    for (const Row& block : odd_blocks()) {
      CAPTURE(block[0], cache_type_name(type));
      // Below this the inverse of the scale overflows, which C leaves undefined; all is 0 then.
      const bool vanishes = std::fabs(block[0]) < 1e-36F && block[0] != 0;
      const Row expected = vanishes ? Row(32, 0.0F) : rounded_row(block, type);
      CHECK(row_of(rounded(tensor_of(block), type)) == expected);
    }
  }
}

TEST_CASE("rows hold blocks one after another, and each has a scale of its own") {
  Row row(96, 1e-3F);
  row[40] = 100;
  for (const CacheType type : {CacheType::kQ8_0, CacheType::kQ4_0}) {
    const Row found = row_of(rounded(tensor_of(row).view({1, 1, 1, 96}), type));
    CHECK(found == rounded_row(row, type));
    CHECK(found[41] == 0);
    CHECK(found[31] != 0);
    CHECK(found[64] != 0);
  }
}

TEST_CASE("a block with a number that is not finite is not finite, and no other") {
  for (const float odd :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e38F}) {
    Row row(64, 1.0F);
    row[5] = odd;
    for (const CacheType type : {CacheType::kQ8_0, CacheType::kQ4_0}) {
      const at::Tensor found = rounded(tensor_of(row), type);
      CHECK_FALSE(found[5].isfinite().item<bool>());
      CHECK(found.slice(0, 32).isfinite().all().item<bool>());
    }
  }
}

TEST_CASE("the Hadamard matrix is symmetric and its own inverse") {
  const at::Tensor matrix = hadamard(64);
  CHECK(distance(matrix, matrix.t()) == 0);
  CHECK(distance(at::matmul(matrix, matrix), at::eye(64)) < 1e-6);
  Row unit(64, 0.0F);
  unit[11] = 1;
  CHECK(row_of(matrix[11]) == turned_row(unit, 64));
}

TEST_CASE("attention with a quantised cache is what plain loops give") {
  const at::NoGradGuard no_gradients;
  for (const int head_dim : {32, 64, 96, 128, 192}) {
    const TemporaryDirectory scratch;
    const LanguageModel model = load(shape_of(head_dim), scratch);
    const Attention& attention = model.transformer().attention(0);
    const AttentionInput input = first_input(model);
    const AttentionTrace trace = attention.trace(input);
    for (const auto& [type, order] : {std::pair(CacheType::kQ8_0, KeyOrder::kInterleaved),
                                      std::pair(CacheType::kQ4_0, KeyOrder::kInterleaved),
                                      std::pair(CacheType::kQ4_0, KeyOrder::kAsIs)}) {
      CAPTURE(head_dim, cache_type_name(type), order == KeyOrder::kAsIs);
      const at::Tensor mixed =
          attention.with_cache(type, order)->mix(input, {}).view({10, 2, head_dim});
      CHECK(distance(mixed, trace.mixed.view({10, 2, head_dim})) > 1e-4);  // it does something
      for (std::int64_t head = 0; head < 2; ++head) {
        const auto expected = naive_head(ordered(rows_of(trace.queries[0][head]), order),
                                         ordered(rows_of(trace.keys[0][head]), order),
                                         rows_of(trace.values[0][head]), type);
        for (std::int64_t t = 0; t < 10; ++t) {
          CHECK(distance(mixed[t][head], tensor_of(expected[static_cast<std::size_t>(t)])) < 2e-5);
        }
      }
    }
  }
}

TEST_CASE("a cache of float16 rounds keys and values, whatever the size of a head") {
  const at::NoGradGuard no_gradients;
  const at::Tensor values = at::tensor({0.1F, -70000.0F, 1e-8F, 3.0F}).view({1, 1, 1, 4});
  const CacheCodec codec(CacheType::kF16, {4, 4}, KeyOrder::kInterleaved, at::kCPU);
  const Row found = row_of(codec.keys(values));
  for (std::size_t i = 0; i < 4; ++i) CHECK(found[i] == stored_scale(row_of(values)[i]));
  CHECK(row_of(codec.values(values)) == found);
  CHECK(row_of(CacheCodec().keys(values)) == row_of(values));
}

TEST_CASE("token by token a quantised cache gives the same states as all at once") {
  const at::NoGradGuard no_gradients;
  const TemporaryDirectory scratch;
  const LanguageModel source = load(shape_of(64), scratch);
  for (const CacheType type : named_cache_types()) {
    const LanguageModel model = source.with_cache(type);
    const at::Tensor ids = some_ids();
    const at::Tensor whole = model.transformer().hidden_states({ids, {}, {}});
    KvCache cache = model.transformer().make_cache(ids.size(0), 10);
    std::vector<at::Tensor> parts = {
        model.transformer().hidden_states({ids.slice(1, 0, 5), {}, {}}, &cache)};
    for (std::int64_t t = 5; t < 10; ++t) {
      parts.push_back(model.transformer().hidden_states({ids.slice(1, t, t + 1), {}, {}}, &cache));
    }
    // Numbers that lie just between two levels may fall to either side.
    CHECK(distance(at::cat(parts, 1), whole) < (type == CacheType::kQ4_0 ? 5e-2 : 5e-3));
    CHECK(distance(source.transformer().hidden_states({ids, {}, {}}), whole) > 1e-6);
  }
}

TEST_CASE("a model keeps its cache type when its heads are merged, and its source stays as it is") {
  const at::NoGradGuard no_gradients;
  const TemporaryDirectory scratch;
  const LanguageModel source = load(shape_of(32), scratch);
  const at::Tensor before = source.transformer().hidden_states({some_ids(), {}, {}});
  const LanguageModel cached = source.with_cache(CacheType::kQ4_0);
  const search::Partition shared = search::Partition::one_group(2);
  const search::Grouping grouping{{{shared, shared}, {shared, shared}}};
  const MergeRecipe mean;
  const auto states = [](const LanguageModel& model) {
    return model.transformer().hidden_states({some_ids(), {}, {}});
  };
  CHECK(distance(states(cached.grouped(grouping, mean)),
                 states(source.grouped(grouping, mean).with_cache(CacheType::kQ4_0))) == 0);
  CHECK(distance(states(source), before) == 0);
  CHECK(distance(states(cached), before) > 0);
  CHECK(distance(states(source.with_cache(CacheType::kExact)), before) == 0);
}

TEST_CASE("bytes of a cache: blocks of 34 and 18 bytes for 32 values") {
  const TemporaryDirectory scratch;
  TinyLlama shape = shape_of(64);
  shape.dtype = DType::kBF16;
  shape.write(scratch.path());
  const PretrainedModel model = open_model(scratch.path());
  const int all = 2 * 2 * 2;
  CHECK(kv_bytes_per_token(model, all, CacheType::kExact) == all * 64 * 2);
  CHECK(kv_bytes_per_token(model, all, CacheType::kF16) == all * 64 * 2);
  CHECK(kv_bytes_per_token(model, all, CacheType::kQ8_0) == all * 2 * 34);
  CHECK(kv_bytes_per_token(model, all, CacheType::kQ4_0) == all * 2 * 18);
  // q8_0 of half the heads has 34/64 · 0.5 of the source's bytes.
  CHECK(64 * 2 * kv_bytes_per_token(model, all / 2, CacheType::kQ8_0) ==
        34 * kv_bytes_per_token(model, all, CacheType::kExact));
}

TEST_CASE("a cache type that the model cannot have is refused") {
  const TemporaryDirectory scratch;
  const LanguageModel small = load(TinyLlama(), scratch);
  CHECK_THAT(error_message<InputError>([&] { small.with_cache(CacheType::kQ8_0); }),
             contains("head_dim a multiple of 32") && contains("head_dim 4"));
  CHECK_NOTHROW(small.with_cache(CacheType::kF16));
  CHECK_THAT(error_message<InputError>([] { find_cache_type("q5_1", "--cache-dtype"); }),
             contains("f16, q8_0, q4_0") && contains("q5_1"));
  for (const char* architecture :
       {"BertForMaskedLM", "ViTForImageClassification", "T5ForConditionalGeneration"}) {
    const TemporaryDirectory other;
    const nlohmann::json config = tiny_config(architecture);
    write_checkpoint(other.path(), config, random_values(config, 3));
    const PretrainedModel model = open_model(other.path());
    CHECK_FALSE(has_cache(model.config, CacheType::kF16));
    CHECK_THAT(error_message<InputError>(
                   [&] { require_cache(model.config, CacheType::kF16, "--cache-dtype"); }),
               contains("causal") && contains(architecture));
  }
}
