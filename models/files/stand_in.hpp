#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace regroup::models {

/// Refuses what often lies where a file should be that was never fetched: a pointer of Git LFS
/// (docs/spec.md of git-lfs/git-lfs) and an HTML page, unless the file's name ends in .html or .htm
/// as a page that is meant has it. Throws InputError, naming the file.
void refuse_stand_in(std::span<const std::byte> bytes, const std::filesystem::path& path);

/// What a file is by its first bytes, for messages: "a zip archive", "a GGUF file", "a Parquet
/// file". Empty where they are the mark of none of these, as those of text are. A mark has at least
/// four bytes.
std::string_view content_name(std::span<const std::byte> bytes);

}  // namespace regroup::models
