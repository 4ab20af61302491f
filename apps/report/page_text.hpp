#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace regroup::apps {

/// A part of a text and what stands in its place.
using Replacement = std::pair<std::string_view, std::string_view>;

/// Copies `text`, each occurrence of a replacement's first part become its second. What is put in
/// is not searched again.
std::string replace_all(std::string_view text, std::span<const Replacement> replacements);

/// The text as it stands in HTML, between tags or in quotes.
std::string html_text(const std::string& text);

}  // namespace regroup::apps
