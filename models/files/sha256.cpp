#include "models/files/sha256.hpp"

#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "models/files/file_descriptor.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::size_t kBytesAtOnce = 1U << 20U;
constexpr std::size_t kDigestBytes = 32;

void require_openssl(int success) {
  if (success != 1) throw WorkError({.what = "OpenSSL could not compute a SHA-256"});
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

}  // namespace

void Sha256::FreeContext::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require_openssl(context_ != nullptr ? 1 : 0);
  require_openssl(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256::update(std::span<const std::byte> bytes) {
  require_openssl(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

void Sha256::update(std::string_view text) {
  update(bytes_of(text));
}

std::string Sha256::hex_digest() {
  std::array<unsigned char, kDigestBytes> digest{};
  require_openssl(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex_digest();
}

std::string sha256_hex(std::string_view text) {
  return sha256_hex(bytes_of(text));
}

std::string sha256_of_file(const std::filesystem::path& path) {
  // Plain reads, not a map: the pages do not count as this process's memory.
  const OpenedFile file = open_regular_file(path);
  Sha256 hash;
  std::vector<std::byte> buffer(kBytesAtOnce);
  while (true) {
    const ssize_t count = ::read(file.descriptor.get(), buffer.data(), buffer.size());
    if (count == 0) return hash.hex_digest();
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw InputError({.what = "file cannot be read",
                        .where = path.string(),
                        .expected = "",
                        .found = errno_text(errno)});
    }
    hash.update(std::span<const std::byte>(buffer).first(static_cast<std::size_t>(count)));
  }
}

}  // namespace regroup::models
