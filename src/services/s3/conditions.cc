#include "wolke/services/s3/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "wolke/base/text.h"
#include "wolke/services/s3/checksums.h"
#include "wolke/services/s3/errors.h"

namespace wolke::s3 {
namespace {

bool etag_in_list(std::string_view list, std::string_view etag) {
  if (trim(list) == "*") return true;
  return std::ranges::any_of(split(list, ','),
                             [&](std::string_view one) { return bare_etag(one) == etag; });
}

/// HTTP dates have whole seconds.
bool changed_after(const Validators& object, Timestamp since) {
  return std::chrono::floor<std::chrono::seconds>(object.modified) >
         std::chrono::floor<std::chrono::seconds>(since);
}

enum class Failing { none, if_match, if_unmodified_since, if_none_match, if_modified_since };

Failing first_failing(const ReadConditions& conditions, const Validators& object) {
  if (conditions.if_match) {
    if (!etag_in_list(*conditions.if_match, object.etag)) return Failing::if_match;
  } else if (conditions.if_unmodified_since &&
             changed_after(object, *conditions.if_unmodified_since)) {
    return Failing::if_unmodified_since;
  }
  if (conditions.if_none_match) {
    if (etag_in_list(*conditions.if_none_match, object.etag)) return Failing::if_none_match;
  } else if (conditions.if_modified_since &&
             !changed_after(object, *conditions.if_modified_since)) {
    return Failing::if_modified_since;
  }
  return Failing::none;
}

}  // namespace

std::optional<Timestamp> not_in_the_future(std::optional<Timestamp> since, Timestamp now) {
  return since && *since > now ? std::nullopt : since;
}

Result<void> check_read(const ReadConditions& conditions, const Validators& object) {
  switch (first_failing(conditions, object)) {
    case Failing::none:
      return {};
    case Failing::if_match:
      return fail(precondition_failed("If-Match"));
    case Failing::if_unmodified_since:
      return fail(precondition_failed("If-Unmodified-Since"));
    case Failing::if_none_match:
    case Failing::if_modified_since:
      return fail(not_modified(object.etag, object.modified));
  }
  return {};
}

Result<void> check_copy_source(const ReadConditions& conditions, const Validators& source) {
  switch (first_failing(conditions, source)) {
    case Failing::none:
      return {};
    case Failing::if_match:
      return fail(precondition_failed("x-amz-copy-source-If-Match"));
    case Failing::if_unmodified_since:
      return fail(precondition_failed("x-amz-copy-source-If-Unmodified-Since"));
    case Failing::if_none_match:
      return fail(precondition_failed("x-amz-copy-source-If-None-Match"));
    case Failing::if_modified_since:
      return fail(precondition_failed("x-amz-copy-source-If-Modified-Since"));
  }
  return {};
}

Result<void> check_write(const WriteConditions& conditions, const std::optional<Validators>& object,
                         std::string_view key) {
  if (conditions.if_none_match) {
    if (trim(*conditions.if_none_match) != "*")
      return fail(not_implemented_header("If-None-Match"));
    if (object) return fail(precondition_failed("If-None-Match"));
  }
  if (conditions.if_match) {
    if (!object) return fail(no_such_key(key));
    if (!etag_in_list(*conditions.if_match, object->etag)) {
      return fail(precondition_failed("If-Match"));
    }
  }
  return {};
}

bool is_range_wanted(std::string_view if_range, const Validators& object) {
  const std::string_view value = trim(if_range);
  if (value.starts_with('"')) return bare_etag(value) == object.etag;
  const std::optional<Timestamp> since = parse_rfc1123(value);
  return since && *since == std::chrono::floor<std::chrono::seconds>(object.modified);
}

/// Digits of any number: a position that no integer holds is behind every object.
static std::optional<std::uint64_t> parse_position(std::string_view text) {
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  return parse_u64(text).value_or(std::numeric_limits<std::uint64_t>::max());
}

Result<std::optional<ByteRange>> parse_range(const std::optional<std::string>& header,
                                             std::uint64_t size) {
  constexpr std::optional<ByteRange> whole;
  if (!header) return whole;
  std::string_view text = trim(*header);
  if (!text.starts_with("bytes=")) return whole;
  text.remove_prefix(6);
  std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) return whole;
  std::string_view first_text = trim(text.substr(0, dash));
  std::string_view last_text = trim(text.substr(dash + 1));
  std::optional<std::uint64_t> first = parse_position(first_text);
  std::optional<std::uint64_t> last = parse_position(last_text);
  if (first_text.empty()) {  // the last N bytes
    if (!last) return whole;
    if (*last == 0 || size == 0) return fail(invalid_range(*header, size));
    std::uint64_t length = std::min(*last, size);
    return std::optional(ByteRange{size - length, length});
  }
  if (!first || (!last && !last_text.empty()) || (last && *last < *first)) return whole;
  if (*first >= size) return fail(invalid_range(*header, size));
  std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return std::optional(ByteRange{*first, end - *first + 1});
}

Result<ByteRange> parse_copy_range(std::string_view header, std::uint64_t size) {
  auto bad = [&](std::string message) {
    return fail(invalid_argument(std::move(message), "x-amz-copy-source-range", header));
  };
  constexpr const char* shape =
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last "
      "are the zero-based "
      "offsets of the first and last bytes to copy";
  if (!header.starts_with("bytes=")) return bad(shape);
  std::string_view text = header.substr(6);
  std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return bad(shape);
  std::optional<std::uint64_t> first = parse_u64(text.substr(0, dash));
  std::optional<std::uint64_t> last = parse_u64(text.substr(dash + 1));
  if (!first || !last || *last < *first) return bad(shape);
  if (*last >= size) {
    return bad(fmt::format("Range specified is not valid for source object of size: {}", size));
  }
  return ByteRange{*first, *last - *first + 1};
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return fmt::format("bytes {}-{}/{}", range.offset, range.offset + range.length - 1, size);
}

}  // namespace wolke::s3
