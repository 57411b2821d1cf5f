#pragma once
// A strict pull reader of JSON (RFC 8259), under both the tree (json.h) and the schema codec
// (json_codec.h), so there is one grammar. Strings must be valid UTF-8, escapes complete,
// surrogates paired; nesting at most limits::document_depth_max. The reader borrows the text.
//
// Failure: every read returns false once the document is bad; error() then says why and where.
// After the last value at_end() must be true, else something follows it.

#include <string>
#include <string_view>

#include "wolke/base/result.h"

namespace wolke::shape {

class JsonReader {
 public:
  enum class Token {
    object,
    array,
    string,
    number,
    boolean_true,
    boolean_false,
    null,
    end,
    invalid
  };

  explicit JsonReader(std::string_view text) : text_(text) {}

  /// What comes next, after white space. Consumes nothing else.
  Token peek();
  bool read_string(std::string& out);
  /// The number's text, unconverted.
  bool read_number(std::string_view& out);
  /// true, false, null: consumes the literal that peek() announced.
  bool read_literal();
  /// Consumes a whole value of any kind.
  bool skip();

  /// Objects: enter, then next_key until it returns false (end of the object, or failed()).
  bool enter_object();
  bool next_key(std::string& key);
  /// Arrays: enter, then next_element until it returns false.
  bool enter_array();
  bool next_element();

  bool at_end() { return peek() == Token::end; }
  bool failed() const { return problem_ != nullptr; }
  std::size_t offset() const { return offset_; }
  Error error() const;  // "InvalidJson"

 private:
  bool fail_with(const char* problem);
  bool consume(char c);
  void skip_space();
  bool enter(char open);
  bool next(char close);
  bool read_escape(std::string& out);
  bool read_hex4(unsigned& out);

  std::string_view text_;
  std::size_t offset_ = 0;
  int depth_ = 0;
  bool first_ = false;  // the container was just entered: no comma before its first item
  const char* problem_ = nullptr;
};

}  // namespace wolke::shape
