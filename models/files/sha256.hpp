#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace regroup::models {

/// SHA-256 (FIPS 180-4) of bytes that arrive piece by piece. Not thread-safe.
class Sha256 {
 public:
  /// Throws WorkError when OpenSSL offers no SHA-256.
  Sha256();
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  /// The digest of everything so far as 64 lower-case hexadecimal digits; ends the computation, so
  /// that it may be called once only.
  std::string hex_digest();

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

/// SHA-256 in hexadecimal. Example: sha256_hex("abc") begins "ba7816bf".
std::string sha256_hex(std::span<const std::byte> bytes);
std::string sha256_hex(std::string_view text);

/// SHA-256 of a regular file, read through a fixed buffer. Throws InputError when it cannot be
/// read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace regroup::models
