#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/files/atomic_file.hpp"
#include "models/files/file_descriptor.hpp"
#include "models/files/json_file.hpp"
#include "models/layouts/converted_config.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

namespace fs = std::filesystem;

/// Written anew for the converted model.
constexpr std::array<std::string_view, 2> kMadeAnew = {"config.json", "README.md"};

/// Weights, indices of weights and what training leaves, by how their names end.
constexpr std::array<std::string_view, 17> kWeightEndings = {
    ".safetensors", ".bin",     ".pt",   ".pth",        ".ckpt",     ".h5",
    ".msgpack",     ".onnx",    ".gguf", ".ggml",       ".npz",      ".ot",
    ".tflite",      ".mlmodel", ".pb",   ".index.json", ".onnx_data"};

bool is_weights(const fs::path& file) {
  const std::string name = file.filename().string();
  return std::ranges::any_of(kWeightEndings,
                             [&](std::string_view ending) { return name.ends_with(ending); });
}

bool is_left_behind(const fs::path& entry) {
  const std::string name = entry.filename().string();
  return name.starts_with('.') || name == "__pycache__" || name.ends_with(kPartialSuffix);
}

/// What stands in a directory, by ascending name.
std::vector<fs::directory_entry> entries_of(const fs::path& directory) {
  std::error_code error;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!is_left_behind(entry->path())) entries.push_back(*entry);
  }
  if (error) {
    throw InputError({.what = "directory cannot be read",
                      .where = directory.string(),
                      .expected = "a readable directory",
                      .found = error.message()});
  }
  std::ranges::sort(entries, {}, &fs::directory_entry::path);
  return entries;
}

/// Folders that modules.json of sentence-transformers names: parts of the model beside its encoder.
std::set<std::string> module_folders(const fs::path& directory) {
  const fs::path file = directory / "modules.json";
  std::set<std::string> folders;
  if (!fs::is_regular_file(file)) return folders;
  const nlohmann::json modules = read_json_file(file);
  if (!modules.is_array()) return folders;
  for (const nlohmann::json& module : modules) {
    const auto path = module.is_object() ? module.find("path") : module.end();
    if (path != module.end() && path->is_string()) folders.insert(path->get<std::string>());
  }
  return folders;
}

void copy_whole(const fs::path& from, const fs::path& to) {
  constexpr std::size_t kBytesAtOnce = 1U << 20U;
  // Plain reads: what goes along is not looked into, whatever it holds.
  const OpenedFile file = open_regular_file(from);
  std::vector<std::byte> buffer(kBytesAtOnce);
  AtomicFile copy(to);
  while (true) {
    const ssize_t count = ::read(file.descriptor.get(), buffer.data(), buffer.size());
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw InputError({.what = "file cannot be read",
                        .where = from.string(),
                        .expected = "",
                        .found = errno_text(errno)});
    }
    copy.write(std::span<const std::byte>(buffer).first(static_cast<std::size_t>(count)));
  }
  copy.commit();
}

class Copier {
 public:
  Copier(const fs::path& from, const fs::path& to)
      : from_(from), output_(fs::weakly_canonical(to)), modules_(module_folders(from)) {}

  void copy_files(const fs::path& to) const {
    for (const fs::directory_entry& entry : entries_of(from_)) {
      const fs::path name = entry.path().filename();
      if (entry.is_directory()) {
        const bool is_module = modules_.contains(name.string());
        if (goes_along(entry.path(), is_module)) copy_folder(entry.path(), to / name);
      } else if (entry.is_regular_file() && !is_weights(name) &&
                 std::ranges::find(kMadeAnew, name.string()) == kMadeAnew.end()) {
        copy_whole(entry.path(), to / name);
      }
    }
  }

 private:
  /// Whether a folder belongs to the model; links are not followed, for they may lead in circles.
  bool goes_along(const fs::path& folder, bool is_module) const {
    if (fs::is_symlink(folder) || fs::weakly_canonical(folder) == output_) return false;
    return is_module || !holds_foreign(folder);
  }

  /// Weights, or the output, somewhere in a folder.
  bool holds_foreign(const fs::path& folder) const {
    return std::ranges::any_of(entries_of(folder), [&](const fs::directory_entry& entry) {
      if (!entry.is_directory()) return is_weights(entry.path());
      return !entry.is_symlink() &&
             (fs::weakly_canonical(entry.path()) == output_ || holds_foreign(entry.path()));
    });
  }

  void copy_folder(const fs::path& from, const fs::path& to) const {
    std::error_code error;
    fs::create_directories(to, error);
    if (error) {
      throw WorkError({.what = "directory cannot be made",
                       .where = to.string(),
                       .expected = "",
                       .found = error.message()});
    }
    for (const fs::directory_entry& entry : entries_of(from)) {
      const fs::path target = to / entry.path().filename();
      if (entry.is_regular_file()) copy_whole(entry.path(), target);
      if (entry.is_directory() && !entry.is_symlink()) copy_folder(entry.path(), target);
    }
  }

  fs::path from_;
  fs::path output_;
  std::set<std::string> modules_;
};

}  // namespace

void copy_companion_files(const fs::path& from, const fs::path& to) {
  Copier(from, to).copy_files(to);
}

}  // namespace regroup::models
