#include "models/refit/output_refit.hpp"

#include <Eigen/QR>

#include "models/tensors/eigen_tensors.hpp"
#include "search/base/random.hpp"
#include "tests/fixtures/random_layer.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

constexpr int kReceived = 6;
constexpr int kWidth = 5;

/// Tokens of some windows, a row each.
struct Problem {
  explicit Problem(std::uint64_t seed, bool with_bias) {
    search::RandomStream random{search::RandomKey(seed)};
    const RowMatrix mixing = random_matrix(kReceived, kReceived, random);
    received = random_matrix(80, kReceived, random) * mixing;
    received.array() += 0.3;
    wanted = received * random_matrix(kReceived, kWidth, random) +
             0.5 * MatrixXd(random_matrix(80, kWidth, random));
    wanted.array() -= 0.7;
    merged.weight = random_matrix(kWidth, kReceived, random);
    if (with_bias) merged.bias = random_matrix(kWidth, 1, random);
  }

  OutputProjection solve() const {
    OutputRefit refit;
    for (int window = 0; window < 10; ++window) {
      refit.add(static_cast<std::size_t>(window) % kWindowShares,
                models::to_tensor(received.middleRows(window * 8, 8)),
                models::to_tensor(wanted.middleRows(window * 8, 8)));
    }
    return refit.solve(merged);
  }

  MatrixXd received;
  MatrixXd wanted;
  OutputProjection merged;
};

/// The ridge regression as one least-squares problem: a row for each token, one for each input that
/// is drawn to the merged weight, and a free last column for a bias.
MatrixXd least_squares(const Problem& problem) {
  const bool has_bias = problem.merged.bias.size() > 0;
  const Eigen::Index tokens = problem.received.rows();
  MatrixXd spread = problem.received;
  if (has_bias) spread.rowwise() -= problem.received.colwise().mean().eval();
  const double ridge = 1e-3 * spread.squaredNorm() / static_cast<double>(tokens) / kReceived;
  MatrixXd design = MatrixXd::Zero(tokens + kReceived, kReceived + (has_bias ? 1 : 0));
  MatrixXd target(tokens + kReceived, kWidth);
  design.topLeftCorner(tokens, kReceived) = problem.received;
  if (has_bias) design.topRightCorner(tokens, 1).setOnes();
  const double pull = std::sqrt(ridge * static_cast<double>(tokens));
  design.block(tokens, 0, kReceived, kReceived) = pull * MatrixXd::Identity(kReceived, kReceived);
  target.topRows(tokens) = problem.wanted;
  target.bottomRows(kReceived) = pull * problem.merged.weight.transpose();
  return Eigen::HouseholderQR<MatrixXd>(design).solve(target).transpose();
}

}  // namespace

TEST_CASE("an output refit is the ridge regression towards the merged weight") {
  for (const bool with_bias : {false, true}) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      const Problem problem(seed, with_bias);
      const OutputProjection found = problem.solve();
      const MatrixXd expected = least_squares(problem);
      CHECK((found.weight - expected.leftCols(kReceived)).norm() < 1e-9 * expected.norm());
      CHECK((found.weight - problem.merged.weight).norm() > 0.1 * expected.norm());
      if (with_bias) {
        CHECK((found.bias - expected.rightCols(1)).norm() < 1e-9 * expected.norm());
      } else {
        CHECK(found.bias.size() == 0);
      }
    }
  }
}

TEST_CASE("an output refit keeps a projection that is right already") {
  for (const bool with_bias : {false, true}) {
    Problem problem(4, with_bias);
    problem.wanted = problem.received * problem.merged.weight.transpose();
    if (with_bias) problem.wanted.rowwise() += problem.merged.bias.transpose();
    const OutputProjection found = problem.solve();
    CHECK((found.weight - problem.merged.weight).norm() < 1e-10);
    if (with_bias) CHECK((found.bias - problem.merged.bias).norm() < 1e-10);
  }
}

TEST_CASE("an output refit of inputs that are linearly dependent is drawn to the merged weight") {
  Problem problem(5, false);
  problem.received.col(5) = problem.received.col(4);
  const OutputProjection found = problem.solve();
  CHECK((found.weight - least_squares(problem)).norm() < 1e-8);
}

TEST_CASE("an output refit of inputs that never vary keeps the merged weight") {
  for (const bool with_bias : {false, true}) {
    Problem problem(6, with_bias);
    problem.received.setZero();
    const OutputProjection found = problem.solve();
    CHECK((found.weight == problem.merged.weight));
    if (with_bias) {
      CHECK((found.bias - problem.wanted.colwise().mean().transpose()).norm() < 1e-12);
    }
  }
}
