#pragma once

#include "models/merge/shared_head.hpp"

namespace regroup::models {

// Keys that a norm follows (Qwen3): whatever a head's size, the norm gives it its own, and no
// rotation but a change of sign passes the norm's weights. So heads share a direction (METHODS §7,
// "query/key norm").

/// The direction that is nearest to all members: W̄ = Σ_h v_h W^h/‖W^h‖_C, v the top eigenvector of
/// the unit heads' Gram, and sign(v_h) for each member's factor.
SharedHead share_direction(const MergeProblem& group);

/// The shared head as attention sees it, behind the norm: in terms of the members as the problem's
/// products have them. The same where no norm follows.
SharedHead behind_norm(SharedHead shared, const MergeProblem& group);

}  // namespace regroup::models
