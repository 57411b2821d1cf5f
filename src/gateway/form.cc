#include "wolke/gateway/form.h"

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/base/uri.h"

namespace wolke::gateway {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view headers_end = "\r\n\r\n";
constexpr std::size_t part_headers_bytes_max = 8 * 1024;
/// RFC 2046 lets white space follow a delimiter.
constexpr std::size_t padding_bytes_max = 128;

Error malformed() {
  return Error{.code = "MalformedPOSTRequest",
               .status = 400,
               .message = "The body of your POST request is not well-formed multipart/form-data."};
}

Error fields_too_large() {
  return Error{.code = "MaxPostPreDataLengthExceeded",
               .status = 400,
               .message = "Your POST request fields preceding the upload file were too large."};
}

Error wrong_number_of_files(std::string_view count) {
  return Error{.code = "InvalidArgument",
               .status = 400,
               .message = "POST requires exactly one file upload per request.",
               .fields = {{"ArgumentName", "file"}, {"ArgumentValue", std::string(count)}}};
}

/// A parameter's value at the beginning of `text`, which moves behind it; nullopt: a quote is open.
std::optional<std::string> take_value(std::string_view& text) {
  std::string value;
  if (!text.starts_with('"')) {
    const std::size_t end = std::min(text.find(';'), text.size());
    value = trim(text.substr(0, end));
    text.remove_prefix(end);
    return value;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    // Browsers escape neither; other clients escape these two.
    const bool escaped =
        c == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    value += escaped ? text[++i] : c;
  }
  return std::nullopt;
}

/// The value of a parameter in 'form-data; name="key"; filename="a.txt"'.
std::optional<std::string> parameter(std::string_view header, std::string_view wanted) {
  std::size_t semicolon = header.find(';');
  while (semicolon != std::string_view::npos) {
    header.remove_prefix(semicolon + 1);
    const std::size_t equals = header.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = trim(header.substr(0, equals));
    header.remove_prefix(equals + 1);
    while (header.starts_with(' ')) header.remove_prefix(1);
    std::optional<std::string> value = take_value(header);
    if (!value) return std::nullopt;
    if (iequals(name, wanted)) return value;
    semicolon = header.find(';');
  }
  return std::nullopt;
}

/// "utf-8''%e2%82%ac.txt" (RFC 8187), which some clients send for other names than ASCII.
std::optional<std::string> extended_value(const std::string& text) {
  const std::size_t second = text.find('\'', text.find('\'') + 1);
  if (second == std::string::npos || !iequals(text.substr(0, 6), "utf-8'")) return std::nullopt;
  return percent_decode(std::string_view(text).substr(second + 1));
}

/// Some browsers send the whole path; S3 takes what follows the last slash or backslash.
std::string without_directories(const std::string& path) {
  return path.substr(path.find_last_of("/\\") + 1);
}

}  // namespace

const std::string* find_field(const FormFields& fields, std::string_view name) {
  for (const auto& [field, value] : fields) {
    if (field == name) return &value;
  }
  return nullptr;
}

std::optional<std::string> form_boundary(std::string_view content_type) {
  if (!iequals(trim(content_type.substr(0, content_type.find(';'))), "multipart/form-data"))
    return std::nullopt;
  std::optional<std::string> boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > form_boundary_bytes_max ||
      boundary->find_first_of("\r\n") != std::string::npos) {
    return std::nullopt;
  }
  return boundary;
}

FormParser::FormParser(std::string_view boundary)
    : delimiter_("\r\n--" + std::string(boundary)), buffer_(line_end) {}

Result<void> FormParser::feed(std::string_view bytes) {
  if (state_ == State::ended) return {};  // what follows the last delimiter means nothing
  buffer_ += bytes;
  for (bool moved = true; moved;) {
    TRY(moved, step());
    if (consumed_ > form_fields_bytes_max) return fail(fields_too_large());
  }
  // What waits for its end is of the fields, too.
  if (!file_seen_ && consumed_ + buffer_.size() > form_fields_bytes_max)
    return fail(fields_too_large());
  return {};
}

Result<void> FormParser::finish() const {
  if (state_ != State::ended) return fail(malformed());
  if (!file_seen_) return fail(wrong_number_of_files("0"));
  return {};
}

std::string FormParser::take_file() {
  return std::exchange(file_, {});
}

/// Goes on by one part of the grammar; false: more bytes are needed.
Result<bool> FormParser::step() {
  switch (state_) {
    case State::preamble:
    case State::value:
    case State::file:
    case State::afterwards:
      return scan();
    case State::delimiter:
      return read_delimiter_end();
    case State::headers:
      return read_headers();
    case State::ended:
      break;
  }
  buffer_.clear();
  return false;
}

/// Up to the next delimiter, or to where one could begin.
bool FormParser::scan() {
  const std::size_t at = buffer_.find(delimiter_, scanned_);
  if (at != std::string::npos) {
    end_part(buffer_.substr(0, at));
    buffer_.erase(0, at + delimiter_.size());
    if (state_ != State::file) consumed_ += at + delimiter_.size();
    scanned_ = 0;
    state_ = State::delimiter;
    return true;
  }
  const std::size_t whole = buffer_.size() - std::min(buffer_.size(), delimiter_.size() - 1);
  if (state_ == State::value) {
    scanned_ = whole;
    return false;
  }
  if (state_ == State::file) file_.append(buffer_, 0, whole);
  if (state_ == State::preamble || state_ == State::afterwards) consumed_ += whole;
  buffer_.erase(0, whole);
  return false;
}

void FormParser::end_part(std::string value) {
  if (state_ == State::file) file_ += value;
  if (state_ != State::value) return;
  for (auto& [name, known] : fields_) {
    if (name != field_name_) continue;
    known += ',';
    known += value;
    return;
  }
  fields_.emplace_back(std::move(field_name_), std::move(value));
}

Result<bool> FormParser::read_delimiter_end() {
  if (buffer_.size() < 2) return false;
  if (buffer_.starts_with("--")) {
    state_ = State::ended;
    return true;
  }
  const std::size_t text = std::min(buffer_.find_first_not_of(" \t"), buffer_.size());
  if (text > padding_bytes_max) return fail(malformed());
  if (text + line_end.size() > buffer_.size()) return false;
  if (buffer_.compare(text, line_end.size(), line_end) != 0) return fail(malformed());
  buffer_.erase(0, text + line_end.size());
  consumed_ += text + line_end.size();
  state_ = State::headers;
  return true;
}

Result<bool> FormParser::read_headers() {
  if (buffer_.starts_with(line_end)) return fail(malformed());  // none, so no name either
  const std::size_t end = buffer_.find(headers_end);
  if (end == std::string::npos || end > part_headers_bytes_max) {
    if (buffer_.size() >= part_headers_bytes_max + headers_end.size()) return fail(malformed());
    return false;
  }
  const std::string headers = buffer_.substr(0, end);
  buffer_.erase(0, end + headers_end.size());
  consumed_ += end + headers_end.size();
  TRY(begin_part(headers));
  return true;
}

Result<void> FormParser::begin_part(std::string_view headers) {
  std::optional<std::string> name;
  std::optional<std::string> file_name;
  while (!headers.empty()) {
    const std::size_t end = std::min(headers.find(line_end), headers.size());
    const std::string_view line = headers.substr(0, end);
    headers.remove_prefix(std::min(headers.size(), end + line_end.size()));
    if (!iequals(trim(line.substr(0, line.find(':'))), "content-disposition")) continue;
    name = parameter(line, "name");
    file_name = parameter(line, "filename");
    if (const auto extended = parameter(line, "filename*"); extended && !file_name)
      file_name = extended_value(*extended);
  }
  if (!name) return fail(malformed());
  field_name_ = to_lower(*name);
  const bool file = field_name_ == "file";
  if (file_seen_) {
    if (file) return fail(wrong_number_of_files("2"));
    state_ = State::afterwards;
    return {};
  }
  state_ = file ? State::file : State::value;
  file_seen_ = file;
  if (file) consumed_ = 0;  // what comes behind it is bounded by itself
  if (file && file_name) file_name_ = without_directories(*file_name);
  return {};
}

}  // namespace wolke::gateway
