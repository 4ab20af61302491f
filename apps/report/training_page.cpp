#include "apps/report/training_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "apps/report/page_text.hpp"
#include "apps/report/resources.hpp"
#include "runs/base/run_log.hpp"

namespace regroup::apps {
namespace {

using runs::TrainingLog;
using runs::Validation;

struct Point {
  double x;
  double y;
};

struct Curve {
  std::string name;
  std::string colour;
  std::vector<Point> points;
  bool is_dashed = false;
};

struct Range {
  double least;
  double most;
};

Range range_of(const std::vector<Curve>& curves, double Point::*coordinate) {
  Range range{INFINITY, -INFINITY};
  for (const Curve& curve : curves) {
    for (const Point& point : curve.points) {
      range.least = std::min(range.least, point.*coordinate);
      range.most = std::max(range.most, point.*coordinate);
    }
  }
  if (range.most == range.least) range.most = range.least + 1e-6;
  return range;
}

/// One chart as SVG: lines over steps, with a scale of five numbers on the left.
class Chart {
 public:
  Chart(std::string title, std::vector<Curve> curves)
      : title_(std::move(title)),
        curves_(std::move(curves)),
        x_(range_of(curves_, &Point::x)),
        y_(range_of(curves_, &Point::y)) {}

  std::string svg() const {
    std::string text = fmt::format(
        "<figure><h3>{}</h3><svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" "
        "style=\"width:100%;max-width:860px\" font-size=\"12\" fill=\"currentColor\">",
        html_text(title_), kWidth, kHeight, html_text(title_));
    for (int i = 0; i <= kParts; ++i) text += scale_line(i);
    for (std::size_t i = 0; i < curves_.size(); ++i) text += line(curves_[i]) + legend(i);
    return text + "</svg></figure>";
  }

 private:
  static constexpr double kWidth = 860;
  static constexpr double kHeight = 320;
  static constexpr double kLeft = 64;
  static constexpr double kRight = 12;
  static constexpr double kTop = 28;
  static constexpr double kBottom = 26;
  static constexpr int kParts = 4;

  double at_x(double x) const {
    return kLeft + (x - x_.least) / (x_.most - x_.least) * (kWidth - kLeft - kRight);
  }
  double at_y(double y) const {
    return kHeight - kBottom - (y - y_.least) / (y_.most - y_.least) * (kHeight - kTop - kBottom);
  }

  std::string scale_line(int i) const {
    const double part = static_cast<double>(i) / kParts;
    const double y = y_.least + part * (y_.most - y_.least);
    const double x = x_.least + part * (x_.most - x_.least);
    return fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"var(--line)\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.4g}</text>"
        "<text x=\"{6:.1f}\" y=\"{7}\" text-anchor=\"middle\">{8:.0f}</text>",
        kLeft, kWidth - kRight, at_y(y), kLeft - 8, at_y(y) + 4, y,
        std::min(at_x(x), kWidth - kRight - 12), kHeight - 6, x);
  }
  std::string line(const Curve& curve) const {
    std::string points;
    for (const Point& point : curve.points) {
      points += fmt::format("{:.1f},{:.1f} ", at_x(point.x), at_y(point.y));
    }
    return fmt::format(
        "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\"{} points=\"{}\"/>",
        curve.colour, curve.is_dashed ? " stroke-dasharray=\"5 4\"" : "", points);
  }
  std::string legend(std::size_t i) const {
    const double x = kLeft + 190 * static_cast<double>(i);
    return fmt::format(
        "<rect x=\"{}\" y=\"6\" width=\"14\" height=\"4\" fill=\"{}\"/><text x=\"{}\" "
        "y=\"12\">{}</text>",
        x, curves_[i].colour, x + 20, html_text(curves_[i].name));
  }

  std::string title_;
  std::vector<Curve> curves_;
  Range x_;
  Range y_;
};

Curve level(const char* name, const char* colour, double y, double last) {
  return {name, colour, {{0, y}, {last, y}}, true};
}

std::string validation_chart(const runs::UptrainResult& result) {
  const TrainingLog& log = result.log;
  if (log.validations.empty()) return {};
  const auto last = static_cast<double>(log.validations.back().step);
  Curve measured{"validation loss", "var(--series-search)", {}};
  for (const Validation& v : log.validations) {
    measured.points.push_back({static_cast<double>(v.step), v.loss.mean});
  }
  const double source = result.record["source"]["loss"].get<double>();
  return Chart("Loss on the validation data, by steps",
               {measured, level("source", "var(--series-paper)", source, last),
                level("before training", "var(--series-neighbour)",
                      log.validations.front().loss.mean, last)})
      .svg();
}

std::string training_chart(const TrainingLog& log) {
  if (log.steps.empty()) return {};
  Curve loss{"training loss", "var(--series-search)", {}};
  for (const models::TrainingStep& step : log.steps) {
    loss.points.push_back({static_cast<double>(step.step), step.loss});
  }
  return Chart("What training minimises, by steps", {loss}).svg();
}

std::string norm_chart(const TrainingLog& log) {
  if (log.steps.empty()) return {};
  Curve norm{"gradient norm", "var(--series-mqa)", {}};
  for (const models::TrainingStep& step : log.steps) {
    norm.points.push_back({static_cast<double>(step.step), step.gradient_norm});
  }
  return Chart("Norm of the gradient, by steps", {norm}).svg();
}

std::string row(const char* name, const Validation& v) {
  const std::string deviation =
      v.delta.standard_error ? fmt::format(" ± {:.4f}", *v.delta.standard_error) : "";
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td>{}</td><td>{:.4f}</td><td>{:+.4f}{}</td><td>{:.4f}</td>"
      "<td>{:.4f}</td></tr>",
      name, v.step, v.loss.mean, v.delta.mean, deviation, v.divergence, v.accuracy);
}

std::string table(const TrainingLog& log) {
  if (log.validations.empty()) return {};
  return "<table><caption class=\"hidden\">What was measured</caption><thead><tr><th></th>"
         "<th>step</th><th>loss</th><th>Δ loss to the source</th><th>KL</th><th>accuracy</th></tr>"
         "</thead><tbody>" +
         row("before training", log.validations.front()) + row("kept", log.validations[*log.best]) +
         row("last", log.validations.back()) + "</tbody></table>";
}

std::string facts(const runs::UptrainResult& result) {
  const auto& record = result.record;
  const auto& options = record["options"];
  return fmt::format(
      "KV cache {:.4f} of the source's · {} · {} tokens in {} steps · loss {} · {} numbers "
      "trained · {}, {:.0f} tokens/s",
      record["kv_ratio"].get<double>(), html_text(record["merge"].get<std::string>()),
      record["tokens"].get<std::int64_t>(), record["steps"].get<std::size_t>(),
      html_text(options["loss"].get<std::string>()), record["trained_numbers"].get<std::int64_t>(),
      runs::duration_text(record["seconds"].get<double>()), record.value("tokens_per_second", 0.0));
}

}  // namespace

std::string training_page(const runs::UptrainResult& result) {
  const std::string name = html_text(result.record["model"]["name"].get<std::string>());
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>{0}, trained</title><style>{1}"
      "</style></head><body><main><p class=\"eyebrow\">regroup · training</p><h1>{0}</h1>"
      "<p class=\"facts\">{2}</p><section>{3}</section><section>{4}</section><section>{5}"
      "</section><section>{6}</section></main></body></html>\n",
      name, kPageStyle, facts(result), table(result.log), validation_chart(result),
      training_chart(result.log), norm_chart(result.log));
}

}  // namespace regroup::apps
