#pragma once

#include <string>
#include <string_view>

namespace regroup::models {

// What tokenizers need of Unicode, in the version that the installed libutf8proc knows.

/// The normal forms of Unicode (UAX #15).
enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

/// Valid UTF-8 text in a normal form, by libutf8proc. Throws WorkError if memory runs out.
std::string normal_form(std::string_view text, NormalForm form);

/// Text with every character in lower case, by Unicode's own mapping of single characters.
std::string lower_case(std::string_view text);

/// The upper case of a character, where it is a single one.
char32_t upper_case_of(char32_t character);
/// Categories Lu to Lo: a letter.
bool is_letter(char32_t character);

/// The first character of valid UTF-8 text, taken off its front; `text` is not empty.
char32_t take_character(std::string_view& text);
void append_character(std::string& text, char32_t character);

/// Bytes of the first extended grapheme cluster (UAX #29) of valid UTF-8 text, which is not empty.
std::size_t grapheme_length(std::string_view text);

/// Property White_Space.
bool is_white_space(char32_t character);
/// Where the white space begins that `text` ends in; its length if there is none.
std::size_t space_before(std::string_view text);
/// Bytes of the white space that `text` begins with.
std::size_t space_after(std::string_view text);
/// Categories Cc, Cf and Co: control, format, private use.
bool is_control(char32_t character);
/// Category Mn: an accent that stands over or under another character.
bool is_nonspacing_mark(char32_t character);
/// Category M: an accent or another mark that combines with the character before it.
bool is_combining_mark(char32_t character);
/// Alphabetic, a mark, decimal digit, connector or joiner: what `\w` of Rust's expressions matches.
bool is_word_character(char32_t character);
/// Category P, or another ASCII character that is neither letter, digit, white space nor control.
bool is_punctuation(char32_t character);
/// A Chinese character in the sense of BERT: the CJK ideographs, not kana or hangul.
bool is_cjk_ideograph(char32_t character);

}  // namespace regroup::models
