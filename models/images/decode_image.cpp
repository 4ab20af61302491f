#include "models/images/decode_image.hpp"

#include <string_view>

#include "models/files/mapped_file.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

RgbImage decode_image(std::span<const std::byte> file, const std::string& where) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (text.starts_with("\xff\xd8\xff")) return decode_jpeg(file, where);
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(file, where);
  throw InputError({.what = "file is no image that can be read",
                    .where = where,
                    .expected = "a JPEG or PNG file",
                    .found = text.empty() ? "an empty file" : "another kind of file"});
}

RgbImage read_image(const std::filesystem::path& file) {
  return decode_image(MappedFile(file).bytes(), file.string());
}

}  // namespace regroup::models
