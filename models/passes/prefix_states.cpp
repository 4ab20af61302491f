#include "models/passes/prefix_states.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "models/passes/settled_stream.hpp"
#include "models/passes/token_losses.hpp"
#include "models/passes/window_pass.hpp"
#include "models/tensors/weight_place.hpp"
#include "search/base/parallel.hpp"

namespace regroup::models {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;

/// Prefixes of a candidate, by the number of layers run: the root first.
using Path = std::vector<std::size_t>;
/// The streams of some batches, by their numbers.
using BatchStreams = std::map<std::size_t, Stream>;
/// Does work for these batches.
using EachBatch = std::function<void(const std::function<void(std::size_t batch)>& work)>;

}  // namespace

/// One run: the candidates in the order of their paths, cut into parts that start at kept states.
class PrefixStates::Run {
 public:
  Run(PrefixStates& owner, std::span<const PrefixCandidate> candidates, const Sink& sink)
      : owner_(owner), candidates_(candidates), sink_(sink) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      ordered_.push_back({owner.path_of(candidates[i]), i});
    }
    std::ranges::sort(ordered_, {}, &Ordered::path);
    choose_starts();
    choose_kept();
  }

  void compute(std::stop_token stop) {
    const std::size_t batches = owner_.batches();
    const std::vector<Part> parts = cut(batches);
    if (keeps_narrow(transformer().options())) {
      for (const Part& part : parts) advance_all(part, stop);
    } else {
      for_each_batch(batches * parts.size(), 1, transformer().options().device, std::move(stop),
                     [&](std::size_t task, std::size_t) {
                       const Part& part = parts[task % parts.size()];
                       const std::size_t batch = task / parts.size();
                       const EachBatch alone = [&](const auto& work) { work(batch); };
                       advance(part, {{batch, start_states(part, batch)}}, alone);
                     });
    }
    for (const auto& [prefix, states] : to_keep_) owner_.tree_[prefix].states = states;
    for (const Ordered& one : ordered_) {
      for (const std::size_t prefix : one.path) owner_.tree_[prefix].was_run = true;
    }
  }

 private:
  struct Ordered {
    Path path;
    std::size_t candidate;
    std::size_t start = 0;  // layers that need not be run
  };
  /// Candidates [begin, end) of the order, which have the first `layer` layers in common.
  struct Part {
    std::size_t begin;
    std::size_t end;
    std::size_t layer;
  };

  const Transformer& transformer() const { return *candidates_.front().transformer; }
  std::size_t prefix_of(const Part& part) const { return ordered_[part.begin].path[part.layer]; }

  /// Every candidate starts at the longest prefix whose states are there.
  void choose_starts() {
    std::set<std::size_t> used;
    for (Ordered& one : ordered_) {
      one.start = one.path.size() - 1;
      while (one.start > 0 && owner_.tree_[one.path[one.start]].states.empty()) --one.start;
      if (one.start > 0) used.insert(one.path[one.start]);
    }
    for (const std::size_t prefix : used) {
      starts_[prefix] = owner_.tree_[prefix].states;
      owner_.kept_.splice(owner_.kept_.begin(), owner_.kept_, owner_.tree_[prefix].place);
    }
  }

  /// States that an earlier run computed too are kept this time.
  void choose_kept() {
    const std::size_t bytes = owner_.bytes_of_states(transformer());
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      for (std::size_t layer = ordered_[i].start + 1; layer < ordered_[i].path.size(); ++layer) {
        const std::size_t prefix = ordered_[i].path[layer];
        const bool is_again = owner_.tree_[prefix].was_run && !to_keep_.contains(prefix);
        if (!is_again || !make_room(bytes)) continue;
        owner_.kept_.push_front(prefix);
        owner_.tree_[prefix].place = owner_.kept_.begin();
        owner_.bytes_ += bytes;
        to_keep_[prefix].resize(owner_.batches());
        keeper_[prefix] = i;
      }
    }
  }

  /// Drops states of earlier runs until there is room for more; false if there is not enough.
  bool make_room(std::size_t bytes) {
    while (owner_.bytes_ + bytes > kMostBytes) {
      if (owner_.kept_.empty() || to_keep_.contains(owner_.kept_.back())) return false;
      owner_.tree_[owner_.kept_.back()].states.clear();
      owner_.kept_.pop_back();
      owner_.bytes_ -= bytes;
    }
    return true;
  }

  /// Parts of candidates with a common start; more of them than starts where there are more threads
  /// than batches.
  std::vector<Part> cut(std::size_t batches) const {
    const auto threads = static_cast<std::size_t>(search::threads());
    const std::size_t pieces = std::max<std::size_t>(1, threads / batches);
    const std::size_t most = (ordered_.size() + pieces - 1) / pieces;
    std::vector<Part> parts;
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      const std::size_t start = ordered_[i].start;
      const bool goes_on = !parts.empty() && parts.back().layer == start &&
                           prefix_of(parts.back()) == ordered_[i].path[start] &&
                           i - parts.back().begin < most;
      if (goes_on) {
        parts.back().end = i + 1;
      } else {
        parts.push_back({i, i + 1, start});
      }
    }
    return parts;
  }

  Stream start_states(const Part& part, std::size_t batch) const {
    if (part.layer > 0) return starts_.at(prefix_of(part))[batch];
    const auto [begin, end] = owner_.windows_of(batch);
    return transformer().embed(input_batch(transformer(), owner_.windows_, begin, end));
  }

  /// Runs a part with all batches layer by layer, so that each layer's weights are read once.
  void advance_all(const Part& part, const std::stop_token& stop) {
    const EachBatch all = [&](const std::function<void(std::size_t)>& work) {
      for_each_batch(owner_.batches(), 1, transformer().options().device, stop,
                     [&](std::size_t batch, std::size_t) { work(batch); });
    };
    BatchStreams states;
    for (std::size_t batch = 0; batch < owner_.batches(); ++batch) states[batch] = {};
    all([&](std::size_t batch) {
      states.at(batch) = settled(start_states(part, batch), transformer().options());
    });
    advance(part, std::move(states), all);
  }

  /// Runs the rest of the part's candidates, those that share the next layer together, for the
  /// batches whose states are given.
  void advance(const Part& part, const BatchStreams& states, const EachBatch& each_batch) {
    if (part.layer + 1 == ordered_[part.begin].path.size()) {
      each_batch([&](std::size_t batch) {
        const at::Tensor last = transformer().finish(states.at(batch)).flatten(0, 1);
        for (std::size_t i = part.begin; i < part.end; ++i) {
          sink_(ordered_[i].candidate, batch, last);
        }
      });
      return;
    }
    for (std::size_t begin = part.begin; begin < part.end;) {
      const std::size_t prefix = ordered_[begin].path[part.layer + 1];
      std::size_t end = begin + 1;
      while (end < part.end && ordered_[end].path[part.layer + 1] == prefix) ++end;
      // Of several parts that come through a prefix one keeps its states.
      const auto keeper = keeper_.find(prefix);
      const bool is_kept = keeper != keeper_.end() && keeper->second == begin;
      BatchStreams next = states;
      run_layer(*candidates_[ordered_[begin].candidate].transformer, part.layer, next, each_batch);
      if (is_kept) {
        for (const auto& [batch, stream] : next) to_keep_.at(prefix)[batch] = stream;
      }
      advance({begin, end, part.layer + 1}, next, each_batch);
      begin = end;
    }
  }

  static void run_layer(const Transformer& model, std::size_t layer, BatchStreams& streams,
                        const EachBatch& each_batch) {
    const auto at_work = model.with_layer_at_hand(layer);
    each_batch([&](std::size_t batch) {
      Stream& stream = streams.at(batch);
      stream = settled(at_work->advance(layer, stream), model.options());
    });
  }

  PrefixStates& owner_;
  std::span<const PrefixCandidate> candidates_;
  const Sink& sink_;
  std::vector<Ordered> ordered_;
  std::map<std::size_t, std::vector<Stream>> starts_;   // by prefix
  std::map<std::size_t, std::vector<Stream>> to_keep_;  // by prefix
  std::map<std::size_t, std::size_t> keeper_;  // first of the order that comes through a prefix
};

PrefixStates::PrefixStates(const Windows& windows, const Device& device)
    : windows_(windows), batch_windows_(batch_windows(windows, device)), tree_(1) {}

std::size_t PrefixStates::batches() const {
  return (windows_.size() + batch_windows_ - 1) / batch_windows_;
}

WindowRange PrefixStates::windows_of(std::size_t batch) const {
  const std::size_t begin = batch * batch_windows_;
  return {begin, std::min(windows_.size(), begin + batch_windows_)};
}

void PrefixStates::run(std::span<const PrefixCandidate> candidates, std::stop_token stop,
                       const Sink& sink) {
  if (candidates.empty()) return;
  Run(*this, candidates, sink).compute(std::move(stop));
}

std::vector<std::size_t> PrefixStates::path_of(const PrefixCandidate& candidate) {
  Path path = {0};
  for (const std::string& key : candidate.layer_keys) {
    const auto [next, is_new] = tree_[path.back()].next.try_emplace(key, tree_.size());
    path.push_back(next->second);
    if (is_new) tree_.emplace_back();
  }
  return path;
}

std::size_t PrefixStates::bytes_of_states(const Transformer& transformer) const {
  const std::size_t number = transformer.options().dtype == DType::kBF16 ? 2 : 4;
  const std::size_t positions = windows_.size() * static_cast<std::size_t>(windows_.context());
  // An encoder-decoder's stream has two halves.
  const std::size_t halves = windows_.kind() == WindowKind::kPairs ? 2 : 1;
  return halves * positions * static_cast<std::size_t>(transformer.width()) * number;
}

}  // namespace regroup::models
