#pragma once

#include <string>
#include <string_view>

// Written here because OpenSSL's decoder takes text with line breaks and gives no place of a fault.
namespace regroup::models {

/// The bytes of text in base 64 (RFC 4648, section 4). Throws InputError, naming `where`, for text
/// that is none.
std::string from_base64(std::string_view text, const std::string& where);

}  // namespace regroup::models
