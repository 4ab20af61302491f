#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>

namespace regroup::models {

/// The bytes of a zip archive's entries by name.
using ZipEntries = std::map<std::string, std::span<const std::byte>, std::less<>>;

/// Lists the entries of the zip archive that fills `archive`, which their bytes are parts of. Only
/// archives that store entries as they are, as PyTorch writes them, can be read so; fields of 64
/// bits (zip64) are known, checksums are not compared. In O(n log n) of the number of entries.
/// Throws InputError, naming `where`, when the archive is none or cut short, and when an entry is
/// compressed, encrypted, outside the archive or there twice.
ZipEntries read_zip_entries(std::span<const std::byte> archive, const std::string& where);

}  // namespace regroup::models
