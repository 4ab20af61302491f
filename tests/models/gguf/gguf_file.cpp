#include "tests/models/gguf/gguf_file.hpp"

#include <cstring>
#include <stdexcept>

#include "tests/models/elements/naive_blocks.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::tests {
namespace {

class Cursor {
 public:
  explicit Cursor(const std::string& bytes) : bytes_(bytes) {}

  template <typename T>
  T take() {
    T value;
    std::memcpy(&value, bytes_.substr(at_, sizeof value).data(), sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string take_text() {
    const auto size = take<std::uint64_t>();
    const std::string text = bytes_.substr(at_, size);
    at_ += size;
    return text;
  }
  nlohmann::json take_value(std::uint32_t type) {
    switch (type) {
      case 0:
        return take<std::uint8_t>();
      case 4:
        return take<std::uint32_t>();
      case 5:
        return take<std::int32_t>();
      case 6:
        return take<float>();
      case 7:
        return take<std::uint8_t>() != 0;
      case 8:
        return take_text();
      case 9: {
        const auto element = take<std::uint32_t>();
        const auto count = take<std::uint64_t>();
        nlohmann::json list = nlohmann::json::array();
        for (std::uint64_t i = 0; i < count; ++i) list.push_back(take_value(element));
        return list;
      }
      default:
        throw std::runtime_error("type of a value is not known");
    }
  }
  std::size_t at() const { return at_; }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

std::uint64_t product(const std::vector<std::uint64_t>& sizes) {
  std::uint64_t count = 1;
  for (const std::uint64_t size : sizes) count *= size;
  return count;
}

/// Element i of a tensor in F32, F16 or BF16.
double plain_element(std::uint32_t type, const std::uint8_t* data, std::size_t i) {
  float single = 0;
  switch (type) {
    case 0:
      std::memcpy(&single, data + 4 * i, 4);
      return single;
    case 1:
      return naive_half(data + 2 * i);
    case 30:
      std::memcpy(reinterpret_cast<char*>(&single) + 2, data + 2 * i, 2);
      return single;
    default:
      throw std::runtime_error("type of a tensor is not known");
  }
}

}  // namespace

GgufFile::GgufFile(const std::filesystem::path& path) : bytes(read_file(path)) {
  Cursor cursor(bytes);
  if (cursor.take<std::uint32_t>() != 0x46554747 || cursor.take<std::uint32_t>() != 3) {
    throw std::runtime_error("no GGUF of version 3");
  }
  const auto tensor_count = cursor.take<std::uint64_t>();
  const auto key_count = cursor.take<std::uint64_t>();
  for (std::uint64_t i = 0; i < key_count; ++i) {
    keys.push_back(cursor.take_text());
    metadata[keys.back()] = cursor.take_value(cursor.take<std::uint32_t>());
  }
  for (std::uint64_t i = 0; i < tensor_count; ++i) {
    Tensor& tensor = tensors[cursor.take_text()];
    tensor.sizes.resize(cursor.take<std::uint32_t>());
    for (std::uint64_t& size : tensor.sizes) size = cursor.take<std::uint64_t>();
    tensor.type = cursor.take<std::uint32_t>();
    tensor.offset = cursor.take<std::uint64_t>();
  }
  const std::size_t data = (cursor.at() + 31) / 32 * 32;
  for (auto& [name, tensor] : tensors) tensor.offset += data;
}

int GgufFile::number(const std::string& key, std::size_t layer) const {
  const nlohmann::json& value = metadata.at(key);
  return value.is_array() ? value.at(layer).get<int>() : value.get<int>();
}

std::vector<double> GgufFile::values(const std::string& name) const {
  const Tensor& tensor = tensors.at(name);
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data()) + tensor.offset;
  const auto block = naive_block(tensor.type);
  std::vector<double> result(product(tensor.sizes));
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = block ? naive_element(tensor.type, data + i / block->elements * block->bytes,
                                      static_cast<int>(i % block->elements))
                      : plain_element(tensor.type, data, i);
  }
  return result;
}

}  // namespace regroup::tests
