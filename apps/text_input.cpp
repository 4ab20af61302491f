#include "apps/text_input.hpp"

#include <iostream>
#include <iterator>

#include "models/files/mapped_file.hpp"

namespace regroup::apps {

std::string read_text(const std::string& file) {
  if (file == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  const models::MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace regroup::apps
