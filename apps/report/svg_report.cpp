#include "apps/report/svg_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/report/child_process.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

/// One plotted value of a point, absent where the point has none.
using Quantity = std::optional<double> (*)(const runs::FrontPoint&, std::size_t proxy);

struct Plot {
  std::string axis;
  Quantity quantity = nullptr;
  std::size_t proxy = 0;
  /// The source's own value, where it is drawn as a line.
  std::optional<double> runs::RunData::*source = nullptr;
  bool is_delta = false;   ///< loss added to the source: the source is the line at 0
  bool needs_log = false;  ///< values spread over orders of magnitude
};

struct PlottedSeries {
  std::string name, label;
  std::size_t run = 0;
  std::vector<std::pair<double, double>> points;  ///< (kv_ratio, value), ascending
};

/// How a series is drawn; types are distinct in grey, too.
struct Look {
  std::string_view color;
  int point, dash;
  bool has_line;
  bool is_filled = false;  ///< an open mark needs more size for the same weight
};

std::optional<double> loss_of(const runs::FrontPoint& point, std::size_t) {
  return point.loss;
}
std::optional<double> accuracy_of(const runs::FrontPoint& point, std::size_t) {
  return point.accuracy;
}
std::optional<double> delta_of(const runs::FrontPoint& point, std::size_t) {
  return point.delta_loss;
}
std::optional<double> proxy_of(const runs::FrontPoint& point, std::size_t proxy) {
  return point.proxies[proxy];
}

template <typename Condition>
bool any_point(std::span<const runs::RunData> runs, Condition condition) {
  return std::ranges::any_of(
      runs, [&](const runs::RunData& run) { return std::ranges::any_of(run.points, condition); });
}

/// A logarithmic axis if it can show every value and a linear one would hide the small ones.
bool spreads_wide(std::span<const runs::RunData> runs) {
  constexpr double kWide = 200;
  double low = INFINITY, high = 0;
  for (const runs::RunData& run : runs) {
    for (const runs::FrontPoint& point : run.points) {
      if (!point.delta_loss) continue;
      low = std::min(low, *point.delta_loss);
      high = std::max(high, *point.delta_loss);
    }
  }
  return low > 0 && high > kWide * low;
}

Plot choose_plot(std::span<const runs::RunData> runs) {
  const bool measured =
      any_point(runs, [](const runs::FrontPoint& p) { return p.loss.has_value(); });
  const bool lacks_delta =
      any_point(runs, [](const runs::FrontPoint& p) { return p.loss && !p.delta_loss; });
  if (any_point(runs, [](const runs::FrontPoint& p) { return p.accuracy.has_value(); })) {
    return {.axis = "top-1 accuracy, share of images",
            .quantity = accuracy_of,
            .source = &runs::RunData::source_accuracy};
  }
  if (measured && !lacks_delta) {
    return {.axis = "loss added to the source model, nats per token",
            .quantity = delta_of,
            .is_delta = true,
            .needs_log = spreads_wide(runs)};
  }
  if (measured) {
    return {
        .axis = "loss, nats per token", .quantity = loss_of, .source = &runs::RunData::source_loss};
  }
  std::size_t proxy = 0;
  while (proxy + 1 < runs::proxies().size() && !any_point(runs, [&](const runs::FrontPoint& p) {
           return p.proxies[proxy].has_value();
         })) {
    ++proxy;
  }
  return {.axis = std::string(runs::proxies()[proxy].label().axis) + ", not measured",
          .quantity = proxy_of,
          .proxy = proxy};
}

/// Runs on one model often share their baselines; such a series is drawn once, without a run's
/// name.
void drop_repeated(std::vector<PlottedSeries>& all) {
  std::vector<PlottedSeries> kept;
  for (PlottedSeries& series : all) {
    const auto twin = std::ranges::find_if(kept, [&](const PlottedSeries& other) {
      return series.name != "search" && other.name == series.name && other.points == series.points;
    });
    if (twin == kept.end()) {
      kept.push_back(std::move(series));
    } else {
      twin->label = twin->name;
    }
  }
  all = std::move(kept);
}

std::vector<PlottedSeries> collect(std::span<const runs::RunData> runs, const Plot& plot) {
  const std::vector<std::string> labels = runs::run_labels(runs);
  std::vector<PlottedSeries> all;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    for (const runs::FrontPoint& point : runs[r].points) {
      const std::optional<double> value = plot.quantity(point, plot.proxy);
      if (!value) continue;
      const std::string label = runs::series_label(labels[r], point);
      auto found = std::ranges::find(all, label, &PlottedSeries::label);
      if (found == all.end()) {
        all.push_back({point.series, label, r, {}});
        found = all.end() - 1;
      }
      found->points.emplace_back(point.kv_ratio, *value);
    }
  }
  for (PlottedSeries& series : all) std::ranges::sort(series.points);
  drop_repeated(all);
  return all;
}

Look look_of(const PlottedSeries& series) {
  constexpr std::array<std::string_view, 6> kRunColors{"#1f5aa6", "#2c7a4b", "#b0305c",
                                                       "#8a6a00", "#0f7c8a", "#5a5fc7"};
  constexpr std::array kRunPoints{7, 13, 11, 5, 9, 15};
  constexpr std::array kRunDashes{1, 4, 3, 5, 2, 1};
  const std::size_t run = series.run % kRunColors.size();
  const std::string_view color = kRunColors[run];
  const bool first = series.run == 0;
  if (series.name == "search") return {color, kRunPoints[run], kRunDashes[run], true, true};
  if (series.name == "neighbour") return {first ? "#b5530f" : color, 4, 2, true};
  if (series.name == "mqa") return {first ? "#7b3f8f" : color, 8, 1, false};
  if (series.name == "random") return {first ? "#6a6f77" : color, 2, 1, false};
  if (series.name == "paper") return {first ? "#2c7a4b" : color, 3, 3, true};
  return {"#4b5563", 12, 4, true};
}

/// A single-quoted gnuplot string, in which nothing is special but the quote. Quotes and the
/// backquote (command substitution elsewhere in gnuplot) become typographic ones.
std::string gnuplot_text(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (c == '\'' || c == '`') {
      result += "\u2019";
    } else {
      result += is_control ? ' ' : c;
    }
  }
  return result + "'";
}

/// At most 40 characters: gnuplot leaves the whole legend out when one entry is too wide.
std::string shortened(const std::string& label) {
  constexpr int kLongest = 40;
  int characters = 0;
  for (std::size_t i = 0; i < label.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(label[i]) & 0xC0) != 0x80;  // UTF-8
    if (starts && ++characters == kLongest) return label.substr(0, i) + "…";
  }
  return label;
}

constexpr std::string_view kHead = R"(set encoding utf8
set terminal svg size 760,520 name 'regroup_front' font 'DejaVu Sans,Arial,sans-serif,14' background '#ffffff' noenhanced linewidth 1.4 dashlength 1.2
set border 3 linecolor rgb '#555555'
set tics nomirror textcolor rgb '#222222'
set grid ytics linecolor rgb '#dddddd' linewidth 0.6 dashtype 1
set key top right Left reverse spacing 1.25 samplen 3 noautotitle
set xrange [0:1.02]
set xtics 0.125 format '%g'
set xlabel 'KV cache, share of the source model''s'
set tics out
)";

/// Where the source models stand on the vertical axis, each height once.
std::vector<double> source_heights(std::span<const runs::RunData> runs, const Plot& plot) {
  std::vector<double> heights;
  if (plot.is_delta && !plot.needs_log) heights.push_back(0);
  for (const runs::RunData& run : runs) {
    if (plot.source == nullptr || !(run.*plot.source)) continue;
    const double height = *(run.*plot.source);
    if (std::ranges::count(heights, height) == 0) heights.push_back(height);
  }
  return heights;
}

/// A little room above and below what is drawn, so that no mark touches the border.
std::string y_range(std::span<const runs::RunData> runs, const Plot& plot,
                    const std::vector<PlottedSeries>& all) {
  if (plot.needs_log) return "set logscale y\n";
  std::vector<double> values = source_heights(runs, plot);
  for (const PlottedSeries& series : all) {
    for (const auto& [ratio, value] : series.points) values.push_back(value);
  }
  if (values.empty()) return "";
  const auto [low, high] = std::ranges::minmax(values);
  const double room = high > low ? high - low : std::max(std::abs(high), 1.0);
  return fmt::format("set yrange [{:.6g}:{:.6g}]\n", low - 0.04 * room, high + 0.05 * room);
}

/// The source models as horizontal lines, where the axis has a place for them.
std::string source_line(std::span<const runs::RunData> runs, const Plot& plot) {
  std::string text;
  for (const double height : source_heights(runs, plot)) {
    text += fmt::format(
        ", {} with lines linecolor rgb '#333333' dashtype 3 linewidth 1 title 'source model'",
        height);
  }
  return text;
}

std::string plot_clause(const PlottedSeries& series, std::size_t index) {
  const Look look = look_of(series);
  return fmt::format(
      "$d{} using 1:2 with {} linecolor rgb '{}' pointtype {} pointsize {} dashtype {} title {}",
      index, look.has_line && series.points.size() > 1 ? "linespoints" : "points", look.color,
      look.point, look.is_filled ? 0.75 : 0.95, look.dash, gnuplot_text(shortened(series.label)));
}

}  // namespace

std::string svg_script(std::span<const runs::RunData> runs) {
  if (runs.empty()) throw InputError({.what = "a report needs at least one run"});
  const Plot plot = choose_plot(runs);
  const std::vector<PlottedSeries> all = collect(runs, plot);
  std::string script(kHead);
  script += fmt::format("set ylabel {}\n", gnuplot_text(plot.axis));
  // Accuracies rise to the right, where losses fall.
  if (plot.quantity == accuracy_of) script += "set key center right\n";
  script += "set format y '%g'\n" + y_range(runs, plot, all);
  std::string clauses;
  for (std::size_t i = 0; i < all.size(); ++i) {
    script += fmt::format("$d{} << EOD\n", i);
    for (const auto& [ratio, value] : all[i].points) script += fmt::format("{} {}\n", ratio, value);
    script += "EOD\n";
    clauses += (i == 0 ? "plot " : ", ") + plot_clause(all[i], i);
  }
  if (all.empty()) {
    return script + "set label 'nothing to plot' at graph 0.5,0.5 center\nplot [0:1] [0:1] NaN\n";
  }
  return script + clauses + source_line(runs, plot) + "\n";
}

bool can_draw_svg() {
  return is_installed("gnuplot");
}

std::string svg_report(std::span<const runs::RunData> runs) {
  // --default-settings: a user's own start-up file would change the picture.
  const std::vector<std::string> command{"gnuplot", "--default-settings"};
  ProcessResult result = run_program(command, svg_script(runs));
  const bool is_whole = result.output.find("</svg>") != std::string::npos;
  if (result.exit_status != 0 || !is_whole) {
    throw WorkError({.what = "gnuplot could not draw the picture",
                     .where = "gnuplot",
                     .expected = "exit status 0 and an SVG document",
                     .found = fmt::format("exit status {}: {}", result.exit_status, result.error)});
  }
  return std::move(result.output);
}

}  // namespace regroup::apps
