#pragma once

#include <functional>
#include <string_view>

namespace regroup::models {

/// U+2581, which stands for a blank in the vocabularies of SentencePiece.
inline constexpr std::string_view kVisibleBlank = "\xe2\x96\x81";

/// Cuts text before every run of visible blanks. Example: "▁a▁▁b" gives "▁a", "▁▁b".
void for_each_blank_part(std::string_view text,
                         const std::function<void(std::string_view)>& on_part);

/// Whether a visible blank stands behind something else in `token`, so that the token can lie
/// across a place where for_each_blank_part cuts.
bool holds_blank_inside(std::string_view token);

}  // namespace regroup::models
