#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct pcre2_real_code_8;

namespace regroup::models {

/// A compiled regular expression over UTF-8 text, with Unicode's character properties (libpcre2).
/// Immutable and thread-safe.
class Regex {
 public:
  /// In PCRE2's syntax. Throws InputError, naming `where`, for an expression that is none.
  static Regex compiled(std::string_view expression, const std::string& where);
  /// Matches `text` itself.
  static Regex literal(std::string_view text, const std::string& where);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  /// Called with the first byte of a match and the one after its last.
  using OnMatch = std::function<void(std::size_t begin, std::size_t end)>;
  /// Matches in valid UTF-8 text from left to right, each from where the one before ends; an empty
  /// one moves on by a character. Throws InputError where an expression takes too many steps.
  void for_each_match(std::string_view text, const OnMatch& on_match) const;

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };
  Regex(std::string_view expression, std::uint32_t options, const std::string& where);

  std::unique_ptr<pcre2_real_code_8, Free> code_;
};

/// An expression of a tokenizer.json in PCRE2's syntax. Those are written for Oniguruma (Ruby's
/// syntax): `\s`, `\w`, `\b` and `\h` become what they mean there, and what the two read otherwise
/// (`\W` in a class, `\B`, classes within classes, `{…}+`) is refused by InputError, which names
/// `where`.
std::string pcre2_from_oniguruma(std::string_view expression, const std::string& where);

}  // namespace regroup::models
