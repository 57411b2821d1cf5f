#pragma once
// Conditional requests and ranges, as S3 decides them. Pure functions.
// Sources: RFC 9110 sections 13 and 14; API reference of GetObject, CopyObject and PutObject
// ("conditional requests").

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/base/time.h"

namespace wolke::s3 {

/// What conditions are judged against: an object's ETag (bare) and time of change, or nothing.
struct Validators {
  std::string etag;
  Timestamp modified{};
};

struct ReadConditions {
  std::optional<std::string> if_match;
  std::optional<std::string> if_none_match;
  std::optional<Timestamp> if_modified_since;
  std::optional<Timestamp> if_unmodified_since;
};

/// An If-Modified-Since that lies in the future asks nothing (RFC 2616 14.25), so the object is
/// sent.
std::optional<Timestamp> not_in_the_future(std::optional<Timestamp> since, Timestamp now);

/// If-Match before If-Unmodified-Since, If-None-Match before If-Modified-Since.
/// "PreconditionFailed" 412, or "NotModified" 304.
Result<void> check_read(const ReadConditions& conditions, const Validators& object);
/// The x-amz-copy-source-if-* conditions: the same precedence, but every failure is a 412.
Result<void> check_copy_source(const ReadConditions& conditions, const Validators& source);

struct WriteConditions {
  std::optional<std::string> if_match;       // ETag, or "*": must exist
  std::optional<std::string> if_none_match;  // only "*": must not exist
};
/// `object` is what is there now. 412, 404 "NoSuchKey" (If-Match and nothing there), or 501 for
/// other forms.
Result<void> check_write(const WriteConditions& conditions, const std::optional<Validators>& object,
                         std::string_view key);

/// Whether a range is still asked for: If-Range holds the ETag, or the date, of what the client has
/// a part of (RFC 9110 section 13.1.5). A weak ETag, another date and nonsense never match.
bool is_range_wanted(std::string_view if_range, const Validators& object);

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// The Range header of a read. nullopt: the whole object is sent (no header, another unit, bad
/// syntax, several ranges). "InvalidRange" when it begins after the end.
Result<std::optional<ByteRange>> parse_range(const std::optional<std::string>& header,
                                             std::uint64_t size);
/// "bytes=first-last" of x-amz-copy-source-range, both required and inside the source.
/// "InvalidArgument" otherwise.
Result<ByteRange> parse_copy_range(std::string_view header, std::uint64_t size);
/// "bytes 0-4/10"
std::string content_range(const ByteRange& range, std::uint64_t size);

}  // namespace wolke::s3
