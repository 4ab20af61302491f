#pragma once

#include <string>

namespace regroup::models {

/// Throws the InputError for a tokenizer that is whole but not supported; says that token ids can
/// be given instead.
[[noreturn]] void refuse_tokenizer(const std::string& what, const std::string& where,
                                   const std::string& expected, const std::string& found);

}  // namespace regroup::models
