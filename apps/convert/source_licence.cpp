#include "apps/convert/model_card.hpp"

#include <fstream>

namespace regroup::apps {
namespace {

constexpr std::string_view kFence = "---";
/// A front matter is far shorter than this.
constexpr int kMostLines = 1000;

}  // namespace

std::string source_licence(const std::filesystem::path& checkpoint) {
  std::ifstream card(checkpoint / "README.md");
  std::string line;
  if (!std::getline(card, line) || !line.starts_with(kFence)) return "";
  std::string licence;
  for (int i = 0; i < kMostLines && std::getline(card, line); ++i) {
    if (line.ends_with('\r')) line.pop_back();
    if (line == kFence) return licence;
    if (line.starts_with("license")) licence += line + "\n";
  }
  return "";
}

}  // namespace regroup::apps
