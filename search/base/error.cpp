#include "search/base/error.hpp"

#include <utility>

namespace regroup {
namespace {

/// A message stays at four lines whatever stands in its parts (a path may hold a line break).
std::string on_one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

std::string message(const ErrorParts& parts) {
  std::string text = on_one_line(parts.what);
  const auto add = [&text](const char* label, const std::string& part) {
    if (!part.empty()) text += std::string("\n  ") + label + ": " + on_one_line(part);
  };
  add("where", parts.where);
  add("expected", parts.expected);
  add("found", parts.found);
  return text;
}

}  // namespace

Error::Error(ErrorParts parts) : std::runtime_error(message(parts)), parts_(std::move(parts)) {}

}  // namespace regroup
