#pragma once

#include <span>
#include <string>

#include "runs/reading/run_data.hpp"

namespace regroup::apps {

/// The gnuplot script behind `svg_report`: KV ratio against the loss added to the source model, or
/// the loss itself where a run's source was not measured, or the first proxy where nothing was.
/// Throws InputError if `runs` is empty.
std::string svg_script(std::span<const runs::RunData> runs);

/// Whether svg_report can draw: gnuplot is installed.
bool can_draw_svg();

/// The fronts as one SVG picture for papers, drawn by gnuplot. The same runs and the same gnuplot
/// give the same bytes. Throws WorkError if gnuplot is not installed or fails, InputError if `runs`
/// is empty.
std::string svg_report(std::span<const runs::RunData> runs);

}  // namespace regroup::apps
