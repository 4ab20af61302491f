#include "models/refit/query_refit.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>

#include "models/tensors/eigen_tensors.hpp"
#include "search/base/parallel.hpp"
#include "search/base/random.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

constexpr int kDim = 4;
constexpr int kHeads = 2;
constexpr int kLength = 9;
constexpr double kTheta = 100;

at::Tensor random_tensor(at::IntArrayRef shape, search::RandomStream& random) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  float* data = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    data[i] = static_cast<float>(2 * random.unit() - 1);
  }
  return tensor;
}

/// Random windows: the source's scores and attention, the converted model's queries and keys, at
/// every `by`-th position from `from` on.
struct Problem {
  explicit Problem(std::uint64_t seed, int count = 11, int from = 0, int by = 1)
      : first(from), step(by) {
    search::RandomStream random{search::RandomKey(seed)};
    const at::Tensor mixing = random_tensor({kDim, kDim}, random);
    for (int w = 0; w < count; ++w) {
      const at::Tensor later = at::ones({kLength, kLength}, at::kBool).triu(1);
      const at::Tensor logits = 2 * random_tensor({1, kHeads, kLength, kLength}, random);
      QueryRefitWindow window;
      window.rotary = rotary.at_positions(first, step, kLength);
      window.attention = at::softmax(logits.masked_fill(later, -INFINITY), -1);
      window.queries = at::matmul(random_tensor({1, kHeads, kLength, kDim}, random), mixing) + 0.2;
      window.keys = random_tensor({1, kHeads, kLength, kDim}, random) + 0.3;
      missing.push_back(random_tensor({1, kHeads, kLength, kLength}, random));
      window.missing = missing.back() * window.attention;
      keep_positions(window);
      window.attended_keys = at::matmul(window.attention, window.keys);
      windows.push_back(window);
    }
  }

  void keep_positions(QueryRefitWindow& window) {
    for (at::Tensor* rows :
         {&window.attention, &window.queries, &window.missing, &missing.back()}) {
      *rows = rows->slice(2, first, kLength, step).contiguous();
    }
  }

  /// The whole matrix of every head.
  at::Tensor solve(double tolerance = 1e-2) const {
    const at::Tensor change = refit_queries(windows, {}, {}, tolerance);
    return change + at::eye(kDim, change.options());
  }

  int first;
  int step;
  std::vector<QueryRefitWindow> windows;
  std::vector<at::Tensor> missing;  ///< scores, not weighted
  Rotary rotary{RotaryConfig{kDim, RotaryLayout::kHalfSplit, kTheta, {}}, kLength,
                ComputeOptions{}};
};

MatrixXd head_matrix(const at::Tensor& tensor, int head) {
  return models::to_matrix(tensor[0][head].to(at::kDouble));
}

/// The rotation of position t.
MatrixXd turn(int t) {
  MatrixXd matrix = MatrixXd::Zero(kDim, kDim);
  for (int c = 0; c < kDim / 2; ++c) {
    const double angle = t * std::pow(kTheta, -2.0 * c / kDim);
    matrix(c, c) = matrix(c + kDim / 2, c + kDim / 2) = std::cos(angle);
    matrix(c, c + kDim / 2) = -std::sin(angle);
    matrix(c + kDim / 2, c) = std::sin(angle);
  }
  return matrix;
}

/// The normal equations of one head, vec M by columns: (Σ H ⊗ q qᵀ + ρ) vec M = right.
struct Dense {
  MatrixXd matrix = MatrixXd::Zero(kDim * kDim, kDim* kDim);
  VectorXd right = VectorXd::Zero(kDim * kDim);
  double constant = 0;  ///< of the objective
  double ridge = 0;

  Dense(const Problem& problem, int head) {
    for (std::size_t w = 0; w < problem.windows.size(); ++w) {
      const QueryRefitWindow& window = problem.windows[w];
      const MatrixXd attention = head_matrix(window.attention, head);
      const MatrixXd queries = head_matrix(window.queries, head);
      const MatrixXd keys = head_matrix(window.keys, head);
      const MatrixXd missing = head_matrix(problem.missing[w], head);
      for (int row = 0; row < queries.rows(); ++row) {
        const int t = problem.first + row * problem.step;
        const VectorXd q = queries.row(row);
        const MatrixXd back = turn(t).transpose();
        VectorXd mean_key = VectorXd::Zero(kDim);
        double mean_score = 0;
        std::vector<double> scores;  // the source's: what is missing on top of the converted ones
        for (int i = 0; i <= t; ++i) {
          const VectorXd key = back * keys.row(i).transpose();
          scores.push_back(missing(row, i) + q.dot(key));
          mean_key += attention(row, i) * key;
          mean_score += attention(row, i) * scores.back();
        }
        MatrixXd spread = MatrixXd::Zero(kDim, kDim);
        VectorXd pull = VectorXd::Zero(kDim);
        for (int i = 0; i <= t; ++i) {
          const VectorXd key = back * keys.row(i).transpose() - mean_key;
          const double score = scores[static_cast<std::size_t>(i)] - mean_score;
          spread += attention(row, i) * key * key.transpose();
          pull += attention(row, i) * score * key;
          constant += attention(row, i) * score * score;
        }
        for (int column = 0; column < kDim; ++column) {
          right.segment(column * kDim, kDim) += pull[column] * q;
          for (int other = 0; other < kDim; ++other) {
            matrix.block(column * kDim, other * kDim, kDim, kDim) +=
                spread(column, other) * q * q.transpose();
          }
        }
      }
    }
    ridge = 1e-3 * matrix.trace() / (kDim * kDim);
    matrix.diagonal().array() += ridge;
    right += ridge * identity();
    constant += ridge * kDim;
  }

  static VectorXd identity() {
    const MatrixXd matrix = MatrixXd::Identity(kDim, kDim);
    return Eigen::Map<const VectorXd>(matrix.data(), kDim * kDim);
  }
  VectorXd solution() const { return matrix.ldlt().solve(right); }
  /// The attention-weighted variance of what the scores miss plus the ridge.
  double objective(const VectorXd& m) const {
    return m.dot(matrix * m) - 2 * m.dot(right) + constant;
  }
};

VectorXd vectorised(const at::Tensor& solution, int head) {
  const MatrixXd matrix = models::to_matrix(solution[head]);
  return Eigen::Map<const VectorXd>(matrix.data(), kDim * kDim);
}

}  // namespace

TEST_CASE("a query refit solves its normal equations, built densely") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    // At all positions; and at a third of them.
    const Problem problem = seed < 3 ? Problem(seed) : Problem(seed, 33, 1, 3);
    const at::Tensor found = problem.solve();
    REQUIRE(found.sizes() == at::IntArrayRef({kHeads, kDim, kDim}));
    for (int head = 0; head < kHeads; ++head) {
      const Dense dense(problem, head);
      const double before = dense.objective(Dense::identity());
      const double best = dense.objective(dense.solution());
      const double reached = dense.objective(vectorised(found, head));
      CHECK(best > 0);
      CHECK(before - best > 0.02 * before);
      CHECK(reached >= best - 1e-6 * before);
      CHECK(reached - best < 1e-3 * (before - best));
    }
  }
}

TEST_CASE("a query refit that is solved as far as conversions do gains nearly all") {
  for (const std::uint64_t seed : {12, 13, 14}) {
    const Problem problem(seed);
    const at::Tensor found = problem.solve(kQueryTolerance);
    for (int head = 0; head < kHeads; ++head) {
      const Dense dense(problem, head);
      const double before = dense.objective(Dense::identity());
      const double best = dense.objective(dense.solution());
      CHECK(dense.objective(vectorised(found, head)) - best < 0.02 * (before - best));
    }
  }
}

TEST_CASE("a query refit changes nothing where nothing is missing") {
  Problem problem(4);
  for (QueryRefitWindow& window : problem.windows) window.missing.zero_();
  const at::Tensor identity = at::eye(kDim, at::kDouble).expand({kHeads, kDim, kDim});
  CHECK(at::equal(problem.solve(), identity));
  // Nor in a head of which alone that is so, beside one that misses something.
  Problem half(5);
  for (QueryRefitWindow& window : half.windows) window.missing.select(1, 1).zero_();
  const at::Tensor found = half.solve();
  CHECK(at::equal(found[1], identity[1]));
  CHECK_FALSE(at::allclose(found[0], identity[0]));
}

TEST_CASE("a query refit ignores what is constant over keys") {
  Problem problem(6);
  const at::Tensor plain = problem.solve();
  search::RandomStream random{search::RandomKey(7)};
  for (QueryRefitWindow& window : problem.windows) {
    window.missing += window.attention * random_tensor({1, kHeads, kLength, 1}, random);
  }
  CHECK(at::allclose(problem.solve(), plain, 1e-3, 1e-4));
}

TEST_CASE("a query refit recovers a matrix that explains all that is missing") {
  Problem problem(8, 40);
  search::RandomStream random{search::RandomKey(9)};
  const at::Tensor wanted = at::eye(kDim) + 0.3 * random_tensor({kHeads, kDim, kDim}, random);
  for (std::size_t w = 0; w < problem.windows.size(); ++w) {
    QueryRefitWindow& window = problem.windows[w];
    const at::Tensor turned = at::matmul(window.queries, wanted - at::eye(kDim));
    problem.missing[w] = at::matmul(problem.rotary.apply(turned, 0), window.keys.transpose(2, 3));
    window.missing = problem.missing[w] * window.attention;
  }
  const at::Tensor found = problem.solve();
  const at::Tensor exact = wanted.to(at::kDouble);
  for (int head = 0; head < kHeads; ++head) {
    // What the ridge leaves of the way to the matrix, and of what was missing.
    const Dense dense(problem, head);
    const VectorXd whole = vectorised(exact, head) - Dense::identity();
    const double left = (vectorised(found, head) - vectorised(exact, head)).norm() / whole.norm();
    const double before = dense.objective(Dense::identity());
    const double missing = dense.objective(vectorised(found, head)) / before;
    CAPTURE(left, missing);
    CHECK(left < 0.1);
    CHECK(missing < 0.005);
  }
}

TEST_CASE("a query refit gives the same bits for any number of threads") {
  const Problem problem(10, 21);
  search::set_threads(1);
  const at::Tensor one = problem.solve();
  search::set_threads(3);
  const at::Tensor many = problem.solve();
  search::set_threads(1);
  CHECK(at::equal(one, many));
}

TEST_CASE("a query refit leaves heads alone whose queries or keys are 0") {
  for (const bool zero_queries : {false, true}) {
    Problem problem(11);
    for (QueryRefitWindow& window : problem.windows) {
      (zero_queries ? window.queries : window.keys).select(1, 0).zero_();
      window.attended_keys = at::matmul(window.attention, window.keys);
    }
    const at::Tensor found = problem.solve();
    CHECK(at::equal(found[0], at::eye(kDim, at::kDouble)));
    const Dense dense(problem, 1);
    const double gain = dense.objective(Dense::identity()) - dense.objective(dense.solution());
    CHECK(dense.objective(vectorised(found, 1)) - dense.objective(dense.solution()) < 1e-3 * gain);
  }
}
