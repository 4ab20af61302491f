#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

#include "models/merge/merge_problem.hpp"

namespace regroup::models {

/// One shared head of a group of n members: how it is made of their rows, and what stands for each
/// member's own rows afterwards. u_h are a member's rows of a plane as one complex row, W^h those
/// of the block [b, columns]. A wide head has several pairs of rows of a plane, k̄_1, k̄_2, …, and a
/// block of b' rows.
struct SharedHead {
  std::vector<Eigen::VectorXcd> plane_combination;  ///< of each pair c [n]: k̄ = Σ_h c_h u_h
  std::vector<Eigen::VectorXcd> plane_factors;  ///< of each pair α [n]: u_h ≈ Σ_pairs α_h k̄
  /// Of each pair its plane, ascending; empty: pair p is that of plane p.
  std::vector<int> pair_planes = {};
  Eigen::MatrixXd block_combination;  ///< T [b', n·b]: W̄ = T (W^1; …; W^n)
  Eigen::MatrixXd block_factors;      ///< F [n·b, b']: W^h ≈ F_h W̄

  /// Σ_h w_h W^h that stands for every member as it is.
  static SharedHead weighted(const HeadLayout& layout, const Eigen::VectorXd& weights);
  /// The same group with one more member at its end, that takes the shared head as it is and has no
  /// part in it.
  SharedHead with_listener() const;
  /// The plane of a pair.
  int plane_of(std::size_t pair) const {
    return pair_planes.empty() ? static_cast<int>(pair) : pair_planes[pair];
  }
  /// The shared head times `scale`, the factors as they are.
  void rescale(double scale);
};

/// The part of a problem that concerns `members`, ascending; of products and weights alone.
MergeProblem restrict_to(const MergeProblem& problem, std::span<const int> members);
HeadProducts restrict_to(const HeadProducts& products, const HeadLayout& layout,
                         std::span<const int> members);
HeadWeights restrict_to(const HeadWeights& weights, std::span<const int> members);

/// The error of `shared` standing for its members: Σ_h s_h |u_h − Σ α_h k̄|²_C over the planes plus
/// Σ_h tr P_h (W^h − F_h W̄) C (W^h − F_h W̄)ᵀ. Products and weights are those of the members alone.
double residual(const SharedHead& shared, const HeadProducts& products, const HeadWeights& weights);

/// ‖W̄‖²_C of the shared head; `products` are those of its members alone.
double squared_norm(const SharedHead& shared, const HeadProducts& products);

}  // namespace regroup::models
