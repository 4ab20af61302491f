#include "runs/reading/cache_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

namespace regroup::runs {
namespace {

constexpr const char* kPlain = "";

/// 4 352, with the narrow space that the page's numbers have.
std::string grouped_digits(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::ptrdiff_t at = std::ssize(text) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), "\u202f");
  }
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  return grouped_digits(bytes) + " bytes per token";
}

/// "of KV ratio 0.53", "the ungrouped model".
std::string model_text(const CachedModel& model) {
  return model.is_grouped() ? fmt::format("a grouping of KV ratio {:.3g}", model.point->kv_ratio)
                            : "the ungrouped model";
}

/// From the smallest to the largest of some models: "5,120 bytes per token", "5,120 to 7,168 bytes
/// per token".
std::string range_text(const std::vector<CachedModel>& models) {
  const auto [least, most] =
      std::ranges::minmax(models | std::views::transform(&CachedModel::bytes_per_token));
  if (least == most) return bytes_text(least);
  return fmt::format("{} to {}", grouped_digits(least), bytes_text(most));
}

/// The groupings with a plain cache beside the ungrouped source with one type.
struct Rivals {
  std::vector<CachedModel> beaten;    ///< as large or larger, with a higher loss
  std::vector<CachedModel> unbeaten;  ///< as large or larger, with a loss as low or lower
  std::optional<CachedModel> within;  ///< the best that is as small or smaller

  std::size_t larger() const { return beaten.size() + unbeaten.size(); }
};

Rivals rivals_of(const CachedModel& source, const std::vector<CachedModel>& models) {
  Rivals rivals;
  for (const CachedModel& model : models) {
    if (!model.is_grouped() || model.type != kPlain) continue;
    if (model.bytes_per_token >= source.bytes_per_token) {
      (model.loss > source.loss ? rivals.beaten : rivals.unbeaten).push_back(model);
    }
    if (model.bytes_per_token <= source.bytes_per_token &&
        (!rivals.within || model.loss < rivals.within->loss)) {
      rivals.within = model;
    }
  }
  return rivals;
}

/// "Plain q8_0 beats grouping."
std::string headline(const CachedModel& source, const Rivals& rivals) {
  const bool loses_within = rivals.within && rivals.within->loss <= source.loss;
  if (rivals.unbeaten.empty() && !loses_within) {
    return fmt::format("Plain {} beats grouping.", source.type);
  }
  if (rivals.beaten.empty() && (loses_within || !rivals.within)) {
    return fmt::format("Grouping beats plain {}.", source.type);
  }
  return fmt::format("Plain {} beats grouping in part.", source.type);
}

/// Of the groupings that are as large or larger.
std::string larger_text(const Rivals& rivals, const std::string& plain) {
  if (rivals.larger() == 0) return "";
  const std::string who =
      rivals.larger() == 1
          ? fmt::format("The one grouping with a {} cache of as many bytes or more", plain)
          : fmt::format("Of the {} groupings with a {} cache of as many bytes or more",
                        rivals.larger(), plain);
  if (rivals.larger() == 1) {
    return fmt::format(" {} ({}) has {}.", who,
                       range_text(rivals.beaten.empty() ? rivals.unbeaten : rivals.beaten),
                       rivals.beaten.empty() ? "a loss as low or lower" : "a higher loss");
  }
  if (rivals.unbeaten.empty()) {
    return fmt::format(" {} every one has a higher loss ({}).", who, range_text(rivals.beaten));
  }
  if (rivals.beaten.empty()) {
    return fmt::format(" {} none has a higher loss ({}).", who, range_text(rivals.unbeaten));
  }
  return fmt::format(
      " {} {} a higher loss ({}), {} a loss as low or lower ({}).", who,
      rivals.beaten.size() == 1 ? "1 has" : fmt::format("{} have", rivals.beaten.size()),
      range_text(rivals.beaten), rivals.unbeaten.size(), range_text(rivals.unbeaten));
}

/// Whether the ungrouped source with this cache beats groupings with a plain one.
std::string plain_type_verdict(const CachedModel& source, const std::vector<CachedModel>& models,
                               const std::string& plain) {
  const Rivals rivals = rivals_of(source, models);
  if (rivals.larger() == 0 && !rivals.within) return "";
  std::string text = fmt::format("{} The ungrouped model with a {} cache takes {} at loss {:.4f}.",
                                 headline(source, rivals), source.type,
                                 bytes_text(source.bytes_per_token), source.loss);
  text += larger_text(rivals, plain);
  if (rivals.within) {
    text += fmt::format(" Within as many bytes, the best grouping with a {} cache has loss {:.4f}.",
                        plain, rivals.within->loss);
  }
  return text;
}

/// Whether grouping with an 8-bit cache beats 4 bits alone.
std::string eight_bits_verdict(const CachedModel& four, const std::vector<CachedModel>& models) {
  const auto eight = best_cached_within(models, "q8_0", four.bytes_per_token);
  if (!eight) return "";
  const char* said = eight->loss < four.loss   ? "Grouping with a q8_0 cache beats q4_0 alone."
                     : eight->loss > four.loss ? "q4_0 alone beats grouping with a q8_0 cache."
                                               : "Grouping with a q8_0 cache equals q4_0 alone.";
  return fmt::format(
      "{} Within the {} of the ungrouped model with a q4_0 cache (loss {:.4f}), the best with a "
      "q8_0 cache is {} at loss {:.4f}.",
      said, bytes_text(four.bytes_per_token), four.loss, model_text(*eight), eight->loss);
}

/// What is left below the smallest type alone.
std::string half_verdict(const std::vector<CachedModel>& models, std::uint64_t half,
                         const RunData& run) {
  std::optional<CachedModel> best = best_cached_within(models, kPlain, half);
  for (const std::string& type : measured_cache_types(run)) {
    const auto other = best_cached_within(models, type, half);
    if (other && (!best || other->loss < best->loss)) best = other;
  }
  if (!best) return "";
  return fmt::format(
      "Smaller caches need grouping: within {}, half of the smallest above, the "
      "lowest loss is {:.4f}, of {} with a {} cache.",
      bytes_text(half), best->loss, model_text(*best),
      best->type.empty() ? run.model.dtype : best->type);
}

/// The ungrouped source with each type that is smaller than its plain cache, in the run's order.
std::vector<CachedModel> smaller_sources(const RunData& run,
                                         const std::vector<CachedModel>& models) {
  std::vector<CachedModel> sources;
  for (const CachedModel& model : models) {
    if (model.is_grouped() || model.bytes_per_token >= run.source_bytes_per_token) continue;
    sources.push_back(model);
  }
  return sources;
}

}  // namespace

std::vector<std::string> measured_cache_types(const RunData& run) {
  std::vector<std::string> types;
  for (const CachePoint& cache : run.source_caches) types.push_back(cache.type);
  return types;
}

std::vector<CachedModel> cached_models(const RunData& run) {
  std::vector<CachedModel> models;
  if (run.source_caches.empty() || !run.source_loss) return models;
  const auto is_shown = [](const FrontPoint& point) {
    return point.series == "search" && point.kv_ratio < 1;
  };
  models.push_back({kPlain, nullptr, run.source_bytes_per_token, *run.source_loss});
  for (const FrontPoint& point : run.points) {
    if (is_shown(point) && point.loss) {
      models.push_back({kPlain, &point, point.bytes_per_token, *point.loss});
    }
  }
  for (const CachePoint& own : run.source_caches) {
    models.push_back({own.type, nullptr, own.bytes_per_token, own.loss});
    for (const FrontPoint& point : run.points) {
      if (!is_shown(point)) continue;
      const auto same = std::ranges::find(point.caches, own.type, &CachePoint::type);
      if (same == point.caches.end()) continue;
      models.push_back({own.type, &point, same->bytes_per_token, same->loss});
    }
  }
  return models;
}

std::optional<CachedModel> best_cached_within(const std::vector<CachedModel>& models,
                                              const std::string& type, std::uint64_t bytes) {
  std::optional<CachedModel> best;
  for (const CachedModel& model : models) {
    if (model.type != type || model.bytes_per_token > bytes) continue;
    if (!best || model.loss < best->loss) best = model;
  }
  return best;
}

std::vector<std::uint64_t> compared_sizes(const RunData& run) {
  std::vector<std::uint64_t> sizes;
  for (const CachedModel& source : smaller_sources(run, cached_models(run))) {
    sizes.push_back(source.bytes_per_token);
  }
  if (sizes.empty()) return sizes;
  const std::uint64_t least = std::ranges::min(sizes);
  sizes.insert(sizes.end(), {least / 2, least / 4});
  std::ranges::sort(sizes, std::greater<>());
  return sizes;
}

std::vector<std::string> cache_verdict(const RunData& run) {
  const std::vector<CachedModel> models = cached_models(run);
  const std::vector<CachedModel> sources = smaller_sources(run, models);
  std::vector<std::string> sentences;
  for (const CachedModel& source : sources) {
    sentences.push_back(plain_type_verdict(source, models, run.model.dtype));
  }
  const auto four = std::ranges::find(sources, "q4_0", &CachedModel::type);
  if (four != sources.end()) sentences.push_back(eight_bits_verdict(*four, models));
  if (!sources.empty()) {
    const auto least = std::ranges::min(sources, {}, &CachedModel::bytes_per_token);
    sentences.push_back(half_verdict(models, least.bytes_per_token / 2, run));
  }
  std::erase(sentences, "");
  return sentences;
}

}  // namespace regroup::runs
