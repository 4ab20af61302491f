#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace regroup::tests {

/// A row of a CSV file by its columns' names.
using CsvRow = std::map<std::string, std::string>;

/// The rows of a file without quotes whose first line names the columns. Throws std::runtime_error
/// for a row of another length.
std::vector<CsvRow> read_csv(const std::filesystem::path& file);

/// A column's number.
double number(const CsvRow& row, const std::string& column);

}  // namespace regroup::tests
