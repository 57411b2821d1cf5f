#pragma once
// A form as a browser posts it: multipart/form-data (RFC 7578, RFC 2046 5.1), read as it comes. The
// fields come first and are small; of the part named "file" only what was fed and not yet taken is
// in memory. Fields behind the file are ignored, as S3 does, and as short as those before it.
//
// Failure: "MalformedPOSTRequest" for what is no such form, "MaxPostPreDataLengthExceeded" when the
// fields are longer than form_fields_bytes_max, "InvalidArgument" unless there is exactly one file.
// After an error the parser is done. Threads: none of its own; pure state.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::gateway {

/// S3: 20 KB of a form before the file.
inline constexpr std::size_t form_fields_bytes_max = 20 * 1024;
/// RFC 2046: a boundary's length.
inline constexpr std::size_t form_boundary_bytes_max = 70;

/// Names lower case, in the order sent; of fields with one name the values are joined by commas, as
/// S3 joins them, so that a name has one value.
using FormFields = std::vector<std::pair<std::string, std::string>>;
const std::string* find_field(const FormFields& fields, std::string_view name);

/// The boundary of a Content-Type; nullopt: it is no multipart/form-data, or has none.
std::optional<std::string> form_boundary(std::string_view content_type);

class FormParser {
 public:
  explicit FormParser(std::string_view boundary);

  /// The next bytes of the body.
  Result<void> feed(std::string_view bytes);
  /// The body ended: the form must have, too, with one file in it.
  Result<void> finish() const;

  /// The fields are complete, and the file's bytes begin.
  bool at_file() const { return file_seen_; }
  /// The file's bytes are complete.
  bool file_ended() const { return file_seen_ && state_ != State::file; }
  const FormFields& fields() const { return fields_; }
  /// As the client calls the file, without directories; nullopt when it says nothing.
  const std::optional<std::string>& file_name() const { return file_name_; }
  /// The file's bytes since the last call.
  std::string take_file();

 private:
  enum class State : std::uint8_t {
    preamble,    // before the first delimiter
    delimiter,   // after "--boundary", before the end of its line
    headers,     // of a part
    value,       // of a field
    file,        // the bytes of the file
    afterwards,  // the value of a field behind the file
    ended,       // after "--boundary--"
  };

  Result<bool> step();
  bool scan();
  void end_part(std::string value);
  Result<bool> read_delimiter_end();
  Result<bool> read_headers();
  Result<void> begin_part(std::string_view headers);

  std::string delimiter_;  // "\r\n--boundary"
  State state_ = State::preamble;
  std::string buffer_;
  std::size_t scanned_ = 0;  // of the buffer, without a delimiter
  std::uint64_t consumed_ =
      0;  // bytes before the buffer: of the fields, or of what is behind the file
  std::string field_name_;
  FormFields fields_;
  bool file_seen_ = false;
  std::optional<std::string> file_name_;
  std::string file_;
};

}  // namespace wolke::gateway
