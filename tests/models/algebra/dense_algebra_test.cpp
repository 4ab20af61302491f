#include "models/algebra/dense_algebra.hpp"

#include <Eigen/Eigenvalues>
#include <limits>

#include "models/merge/metric_roots.hpp"
#include "search/base/error.hpp"
#include "search/base/random.hpp"
#include "tests/fixtures/random_layer.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

constexpr double kRounding = 1e-12;

MatrixXd random(int rows, int columns, std::uint64_t seed) {
  search::RandomStream stream{search::RandomKey(seed)};
  return random_matrix(rows, columns, stream);
}

/// Symmetric, of the given rank.
MatrixXd random_metric(int size, int rank, std::uint64_t seed) {
  const MatrixXd factor = random(size, rank, seed);
  return factor * factor.transpose();
}

double distance(const MatrixXd& a, const MatrixXd& b) {
  REQUIRE(a.rows() == b.rows());
  REQUIRE(a.cols() == b.cols());
  return (a - b).norm() / (1 + b.norm());
}

}  // namespace

TEST_CASE("products of dense matrices are Eigen's, whatever their storage") {
  const MatrixXd a = random(7, 40, 1);
  const MatrixXd b = random(40, 13, 2);
  const RowMatrix by_rows = a;
  CHECK(distance(product(a, b), a * b) < kRounding);
  CHECK(distance(product(by_rows, b), a * b) < kRounding);
  CHECK(distance(product(b.transpose(), a.transpose()), (a * b).transpose()) < kRounding);
  CHECK(distance(product(a.middleRows(2, 3), b.leftCols(5)), a.middleRows(2, 3) * b.leftCols(5)) <
        kRounding);
  CHECK(product(MatrixXd(0, 4), MatrixXd(4, 3)).rows() == 0);
  CHECK(product(MatrixXd(2, 0), MatrixXd(0, 3)) == MatrixXd::Zero(2, 3));
}

TEST_CASE("a product has the same bits wherever its matrices lie in memory") {
  const MatrixXd a = random(33, 70, 3);
  const MatrixXd b = random(70, 21, 4);
  const MatrixXd expected = product(a, b);
  for (Eigen::Index shift = 1; shift < 8; ++shift) {
    VectorXd memory(shift + a.size());
    Eigen::Map<MatrixXd> moved(memory.data() + shift, a.rows(), a.cols());
    moved = a;
    CHECK(product(moved, b) == expected);
  }
}

TEST_CASE("symmetric matrices are decomposed, eigenvalues ascending, by their lower triangle") {
  MatrixXd matrix = random_metric(50, 30, 5);
  const SymmetricEigen eigen = symmetric_eigen(matrix);
  const MatrixXd identity = MatrixXd::Identity(50, 50);
  CHECK(distance(eigen.vectors.transpose() * eigen.vectors, identity) < kRounding);
  CHECK(distance(eigen.vectors * eigen.values.asDiagonal() * eigen.vectors.transpose(), matrix) <
        kRounding);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> reference(matrix);
  CHECK(distance(eigen.values, reference.eigenvalues()) < kRounding);
  CHECK(distance(symmetric_eigenvalues(matrix), reference.eigenvalues()) < kRounding);
  matrix(0, 49) = 1e3;
  CHECK(symmetric_eigen(matrix).values == eigen.values);
  CHECK(distance(symmetric_eigenvalues(matrix), reference.eigenvalues()) < kRounding);
}

TEST_CASE("positive definite systems are solved, others refused") {
  MatrixXd a = random_metric(20, 25, 6);
  const MatrixXd b = random(20, 7, 7);
  CHECK(distance(a * solve_positive_definite(a, b), b) < 1e-9);
  a(0, 0) = -1;
  CHECK_THROWS_AS(solve_positive_definite(a, b), WorkError);
}

TEST_CASE("the closest orthogonal matrix turns a matrix into a symmetric positive one") {
  const MatrixXd matrix = random(12, 12, 8);
  const MatrixXd rotation = closest_orthogonal(matrix);
  CHECK(distance(rotation * rotation.transpose(), MatrixXd::Identity(12, 12)) < kRounding);
  // Q = U Vᵀ leaves Qᵀ A = V S Vᵀ.
  const MatrixXd rest = rotation.transpose() * matrix;
  CHECK(distance(rest, rest.transpose()) < kRounding);
  CHECK(Eigen::SelfAdjointEigenSolver<MatrixXd>(rest).eigenvalues().minCoeff() > 0);
  CHECK(distance(closest_orthogonal(3 * rotation), rotation) < kRounding);
  const MatrixXd zero = MatrixXd::Zero(3, 3);
  const MatrixXd any = closest_orthogonal(zero);
  CHECK(distance(any * any.transpose(), MatrixXd::Identity(3, 3)) < kRounding);
}

TEST_CASE("matrices with NaN are not decomposed") {
  MatrixXd matrix = random_metric(6, 6, 9);
  matrix(3, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(symmetric_eigen(matrix), WorkError);
  CHECK_THROWS_AS(symmetric_eigenvalues(matrix), WorkError);
  CHECK_THROWS_AS(closest_orthogonal(matrix), WorkError);
  CHECK_THROWS_AS(solve_positive_definite(matrix, matrix), WorkError);
}

TEST_CASE("roots of metrics square to them, their inverses leave out what is 0") {
  const std::vector<MatrixXd> metrics = {random_metric(5, 5, 10), random_metric(5, 2, 11),
                                         MatrixXd::Zero(5, 5)};
  const std::vector<MetricRoot> roots = metric_roots(metrics);
  for (std::size_t h = 0; h < metrics.size(); ++h) {
    const auto& [root, inverse] = roots[h];
    CHECK(distance(root * root, metrics[h]) < kRounding);
    CHECK(distance(root * inverse * root, root) < 1e-9);
    CHECK(distance(inverse * root * inverse, inverse) < 1e-9);
  }
  CHECK(roots[2].inverse == MatrixXd::Zero(5, 5));
}

TEST_CASE("roots of all heads multiply from both sides as one block diagonal matrix") {
  const std::vector<MetricRoot> roots =
      metric_roots({random_metric(4, 4, 12), random_metric(4, 4, 13), random_metric(4, 1, 14)});
  MatrixXd diagonal = MatrixXd::Zero(12, 12);
  for (Eigen::Index h = 0; h < 3; ++h) {
    diagonal.block(4 * h, 4 * h, 4, 4) = roots[static_cast<std::size_t>(h)].root;
  }
  const MatrixXd products = random_metric(12, 12, 15);
  CHECK(distance(between_roots(products, roots), diagonal * products * diagonal) < kRounding);
}
