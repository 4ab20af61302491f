#include "models/text/text_counts.hpp"

#include "tests/support/catch.hpp"

using namespace regroup::models;

TEST_CASE("words are what runs of white space separate, empty ones at the ends included") {
  CHECK(count_words("") == 1);
  CHECK(count_words("one") == 1);
  CHECK(count_words("one two") == 2);
  CHECK(count_words(" one \n\t two ") == 4);
  CHECK(count_words(" ") == 2);
  CHECK(count_words("a\u00a0b\u3000c\u2028d\x1c"
                    "e\u200bf") == 5);  // U+200B is no white space
}

TEST_CASE("characters are code points") {
  CHECK(count_characters("") == 0);
  CHECK(count_characters("abc") == 3);
  CHECK(count_characters("naïve") == 5);
  CHECK(count_characters("你好🙂") == 3);
  CHECK(count_characters("e\u0301") == 2);
}

TEST_CASE("white space at the end of a text") {
  CHECK(trailing_white_space("") == 0);
  CHECK(trailing_white_space("a b") == 0);
  CHECK(trailing_white_space("a b \n") == 2);
  CHECK(trailing_white_space(" \t") == 2);
  CHECK(trailing_white_space("a\u3000 ") == 4);
  CHECK(trailing_white_space("a\x1f") == 1);
}
