#include "tests/support/csv_rows.hpp"

#include <sstream>
#include <stdexcept>

#include "tests/support/temporary_directory.hpp"

namespace regroup::tests {
namespace {

std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> found;
  std::stringstream stream(line + ",");
  for (std::string field; std::getline(stream, field, ',');) found.push_back(field);
  return found;
}

}  // namespace

std::vector<CsvRow> read_csv(const std::filesystem::path& file) {
  std::stringstream text(read_file(file));
  std::string line;
  std::getline(text, line);
  const std::vector<std::string> names = fields(line);
  std::vector<CsvRow> rows;
  while (std::getline(text, line)) {
    const std::vector<std::string> values = fields(line);
    if (values.size() != names.size()) throw std::runtime_error("columns of " + line);
    rows.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i) rows.back()[names[i]] = values[i];
  }
  return rows;
}

double number(const CsvRow& row, const std::string& column) {
  return std::stod(row.at(column));
}

}  // namespace regroup::tests
