#include "models/text/pipeline/split.hpp"

#include <array>
#include <memory>
#include <utility>

#include "models/text/pipeline/unicode.hpp"
#include "models/text/pipeline/unsupported.hpp"

namespace regroup::models {
namespace {

/// Puts stretches together as the behaviour says. Stretches lie one behind the other, so that two
/// together are one view.
class Joiner {
 public:
  Joiner(SplitBehavior behavior, const TextPart& whole, const PreTokenizer::OnPart& on_part)
      : behavior_(behavior), whole_(whole), on_part_(on_part) {}

  void take(std::string_view text, bool match) {
    if (joins(match)) {
      held_ = {held_.data(), held_.size() + text.size()};
    } else {
      give();
      held_ = text;
    }
    held_match_ = match;
  }
  void give() {
    const bool removed = behavior_ == SplitBehavior::kRemoved && held_match_;
    if (!held_.empty() && !removed) {
      on_part_({held_, whole_.begins_text && held_.data() == whole_.text.data()});
    }
    held_ = {};
  }

 private:
  /// Whether what comes becomes one with what is held.
  bool joins(bool match) const {
    if (held_.empty()) return false;
    switch (behavior_) {
      case SplitBehavior::kContiguous:
        return match == held_match_;
      case SplitBehavior::kMergedWithPrevious:
        return match && !held_match_;
      case SplitBehavior::kMergedWithNext:
        return !match && held_match_;
      case SplitBehavior::kRemoved:
      case SplitBehavior::kIsolated:
        break;
    }
    return false;
  }

  SplitBehavior behavior_;
  const TextPart& whole_;
  const PreTokenizer::OnPart& on_part_;
  std::string_view held_;
  bool held_match_ = false;
};

}  // namespace

SplitBehavior split_behavior(const std::string& name, const std::string& where) {
  using enum SplitBehavior;
  constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> kNames = {
      {{"Removed", kRemoved},
       {"Isolated", kIsolated},
       {"MergedWithPrevious", kMergedWithPrevious},
       {"MergedWithNext", kMergedWithNext},
       {"Contiguous", kContiguous}}};
  for (const auto& [known, behavior] : kNames) {
    if (known == name) return behavior;
  }
  refuse_tokenizer("pre-tokenizer of the tokenizer is not supported", where,
                   "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous", name);
}

FindStretches stretches_of(Regex regex, bool invert) {
  const auto shared = std::make_shared<const Regex>(std::move(regex));
  return [shared, invert](std::string_view text, const OnStretch& on_stretch) {
    std::size_t done = 0;
    const auto give = [&](std::size_t begin, std::size_t end, bool match) {
      if (begin < end) on_stretch(text.substr(begin, end - begin), match != invert);
    };
    shared->for_each_match(text, [&](std::size_t begin, std::size_t end) {
      give(done, begin, false);
      give(begin, end, true);
      done = end;
    });
    give(done, text.size(), false);
  };
}

FindStretches stretches_of(std::function<bool(char32_t)> is_match) {
  return [is_match = std::move(is_match)](std::string_view text, const OnStretch& on_stretch) {
    std::size_t done = 0;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t begin = text.size() - rest.size();
      if (!is_match(take_character(rest))) continue;
      const std::size_t end = text.size() - rest.size();
      if (done < begin) on_stretch(text.substr(done, begin - done), false);
      on_stretch(text.substr(begin, end - begin), true);
      done = end;
    }
    if (done < text.size()) on_stretch(text.substr(done), false);
  };
}

PreTokenizer::Step split_step(FindStretches find, SplitBehavior behavior) {
  return [find = std::move(find), behavior](const TextPart& part,
                                            const PreTokenizer::OnPart& on_part) {
    Joiner joiner(behavior, part, on_part);
    find(part.text, [&](std::string_view text, bool match) { joiner.take(text, match); });
    joiner.give();
  };
}

}  // namespace regroup::models
