#pragma once
// Reads a query's text piece by piece. Words are compared without case. Pure.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/services/logs/regex.h"

namespace wolke::logs {

class QueryScanner {
 public:
  explicit QueryScanner(std::string_view text) : text_(text) {}

  /// Spaces, line ends, and comments from # to the end of a line.
  void skip_spaces();
  bool at_end();
  char peek();
  bool take(std::string_view symbol);
  bool take_word(std::string_view word);
  bool word_ahead(std::string_view word);

  /// Letters, digits, _ @ . and what stands between backticks; empty: there is none.
  std::string name();
  std::optional<double> number();
  Result<std::string> quoted();                  // at " or '
  Result<std::shared_ptr<const Regex>> regex();  // at /
  /// The length in milliseconds of 5m, 30s, 1h, 2d, 1w, 100ms.
  std::optional<std::int64_t> period();

  std::size_t position() const { return at_; }
  /// The source from a position to here, without spaces at its ends.
  std::string since(std::size_t begin) const;
  Error error(std::string_view wanted) const;

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace wolke::logs
