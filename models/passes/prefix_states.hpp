#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "models/inputs/windows.hpp"
#include "models/passes/window_pass.hpp"
#include "models/transformer/transformer.hpp"

namespace regroup::models {

/// A model to run over the windows.
struct PrefixCandidate {
  const Transformer* transformer;
  /// One for each layer: candidates whose first keys are equal have equal first layers.
  std::vector<std::string> layer_keys;
};

/// Forward passes of models that share their first layers, over the same windows. Models that are
/// run together share what they have in common; hidden states that an earlier run computed too are
/// kept, in up to 1 GiB, those not used for longest dropped first. Not thread-safe: one run at a
/// time, which spreads over the threads.
class PrefixStates {
 public:
  /// Gets a candidate's last hidden states of one batch of windows, [scored positions, D]; called
  /// once for each candidate and batch, from any thread.
  using Sink =
      std::function<void(std::size_t candidate, std::size_t batch, const at::Tensor& states)>;

  /// `windows` must outlive it; batches are those of `batch_windows`.
  PrefixStates(const Windows& windows, const Device& device);

  /// Candidates must have the same embedding and as many layers. What a candidate's sink gets
  /// depends on the candidate alone, to the bit. Throws Interrupted on `stop`.
  void run(std::span<const PrefixCandidate> candidates, std::stop_token stop, const Sink& sink);

  std::size_t batches() const;
  WindowRange windows_of(std::size_t batch) const;

 private:
  /// The states after some layers: a node of the tree of all layers ever run.
  struct Prefix {
    std::map<std::string, std::size_t> next;  // by the key of the next layer
    bool was_run = false;
    std::vector<Stream> states;  // of every batch; empty where not kept
    std::list<std::size_t>::iterator place;
  };
  class Run;

  std::vector<std::size_t> path_of(const PrefixCandidate& candidate);
  std::size_t bytes_of_states(const Transformer& transformer) const;

  const Windows& windows_;
  std::size_t batch_windows_;
  std::vector<Prefix> tree_;
  std::list<std::size_t> kept_;  // most recently used first
  std::size_t bytes_ = 0;
};

}  // namespace regroup::models
