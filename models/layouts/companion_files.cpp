#include "models/layouts/converted_config.hpp"

#include <array>

#include "models/files/atomic_file.hpp"
#include "models/files/mapped_file.hpp"

namespace regroup::models {
namespace {

constexpr std::array kCompanions = {"tokenizer.model",
                                    "tokenizer.json",
                                    "tokenizer_config.json",
                                    "vocab.json",
                                    "merges.txt",
                                    "vocab.txt",
                                    "added_tokens.json",
                                    "spiece.model",
                                    "special_tokens_map.json",
                                    "generation_config.json",
                                    "preprocessor_config.json",
                                    "chat_template.jinja",
                                    "chat_template.json",
                                    "LICENSE",
                                    "LICENSE.txt",
                                    "LICENSE.md",
                                    "NOTICE",
                                    "USE_POLICY.md"};

}  // namespace

void copy_companion_files(const std::filesystem::path& from, const std::filesystem::path& to) {
  for (const char* name : kCompanions) {
    if (!std::filesystem::is_regular_file(from / name)) continue;
    const MappedFile file(from / name);
    AtomicFile copy(to / name);
    copy.write(file.bytes());
    copy.commit();
  }
}

}  // namespace regroup::models
