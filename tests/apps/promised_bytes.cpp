#include "tests/apps/promised_bytes.hpp"

#include "tests/support/temporary_directory.hpp"

namespace regroup::tests {

std::map<std::string, std::string> promised_bytes(const std::filesystem::path& run) {
  std::map<std::string, std::string> bytes;
  for (const char* name : {"front.json", "front.csv", "history.csv", "report.html", "report.svg"}) {
    bytes[name] = read_file(run / name);
  }
  if (std::filesystem::exists(run / "caches.csv")) {
    bytes["caches.csv"] = read_file(run / "caches.csv");
  }
  for (const char* folder : {"groupings", "weights"}) {
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator(run / folder, absent)) {
      bytes[entry.path().filename().string()] = read_file(entry.path());
    }
  }
  return bytes;
}

}  // namespace regroup::tests
