#include "runs/plan/width_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "models/recipes/valid_widths.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

constexpr std::string_view kHead = "head";
constexpr std::string_view kFree = "free";

std::string possible_widths(const models::ModelConfig& config) {
  return fmt::format("head, stock, free, or multiples of a head from 1 to {}", config.kv_heads);
}

int read_multiple(const std::string& word, const models::ModelConfig& config) {
  int multiple = 0;
  const char* end = word.data() + word.size();
  const auto [read, error] = std::from_chars(word.data(), end, multiple);
  const bool is_number = error == std::errc() && read == end;
  if (is_number && multiple >= 1 && multiple <= config.kv_heads) return multiple;
  throw InputError({.what = "width of groups is none that this model's groups can have",
                    .where = "--width",
                    .expected = possible_widths(config),
                    .found = word});
}

void require_free_keys(const models::ModelConfig& config) {
  if (models::can_widen_keys(config)) return;
  throw InputError({.what = "keys that a norm follows keep their width",
                    .where = fmt::format("--width free, {}", config.architecture),
                    .expected = "head, or multiples, which values alone then have",
                    .found = std::string(kFree)});
}

}  // namespace

search::Option width_option(std::vector<std::string>& words) {
  return {.flag = "--width",
          .key = "width",
          .unit = "WIDTH,…",
          .help =
              "Width of the groups: head; a multiple of it, 2; several, 1,2,4, of which every "
              "layer has its own; free: any width, by layer; stock: multiples up to 256 numbers, "
              "the same in all layers, which engines run with fused kernels (default: stock, where "
              "the family's engines run them and no merge is named; else head)",
          .field = &words};
}

WidthChoice read_widths(const std::vector<std::string>& words, const models::ModelConfig& config) {
  if (words.empty() || (words.size() == 1 && words.front() == kHead)) return {};
  if (words.size() == 1 && words.front() == kStockWidths)
    return {.multiples = stock_multiples(config)};
  if (words.size() == 1 && words.front() == kFree) {
    require_free_keys(config);
    return {.multiples = {}, .is_free = true};
  }
  WidthChoice choice{.multiples = {}};
  for (const std::string& word : words) choice.multiples.push_back(read_multiple(word, config));
  std::ranges::sort(choice.multiples);
  const auto repeated = std::ranges::unique(choice.multiples);
  choice.multiples.erase(repeated.begin(), repeated.end());
  choice.may_mix = choice.multiples.size() > 1;
  return choice;
}

std::vector<std::string> words_of(const WidthChoice& choice) {
  if (choice.is_free) return {std::string(kFree)};
  if (choice.is_head()) return {std::string(kHead)};
  if (!choice.may_mix && choice.multiples.size() > 1) return {std::string(kStockWidths)};
  std::vector<std::string> words;
  for (const int multiple : choice.multiples) words.push_back(std::to_string(multiple));
  return words;
}

std::vector<int> stock_multiples(const models::ModelConfig& config) {
  std::vector<int> multiples;
  for (int multiple = 1; multiple < config.kv_heads; multiple *= 2) {
    if (multiple > 1 && multiple * config.head_dim > kWidestFusedHead) break;
    multiples.push_back(multiple);
  }
  if (multiples.empty()) multiples.push_back(1);
  return multiples;
}

std::vector<search::GroupMultiples> group_multiples(const WidthChoice& choice,
                                                    const models::ModelConfig& config) {
  std::vector<search::GroupMultiples> all;
  for (const int multiple : choice.multiples) {
    const int keys = models::can_widen_keys(config) ? multiple : 1;
    all.push_back({keys, multiple, config.head_dim});
  }
  return all;
}

}  // namespace regroup::runs
