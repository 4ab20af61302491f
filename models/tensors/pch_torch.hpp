#pragma once

// The precompiled header of models/ and tests/models/; reading it anew would be most of the time of
// every compilation.
//
// ATen only: tensors, operators, Tensor::backward() and the guards (at::NoGradGuard,
// at::AutoGradMode, c10::InferenceMode) all stand there. <torch/torch.h> would add modules,
// optimizers and data loaders, which no code here uses, for twice the time. A file that uses
// tensors still includes <ATen/ATen.h> itself: builds without a precompiled header (clang-tidy)
// need it.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include "models/files/pch_plain.hpp"
