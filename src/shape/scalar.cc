#include "wolke/shape/scalar.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "wolke/base/hash.h"
#include "wolke/base/result.h"
#include "wolke/base/text.h"

namespace wolke::shape {

TimestampFormat timestamp_format(const Member* member, const Type& type,
                                 TimestampFormat otherwise) {
  if (member != nullptr && member->timestamp_format != TimestampFormat::by_protocol) {
    return member->timestamp_format;
  }
  return type.timestamp_format != TimestampFormat::by_protocol ? type.timestamp_format : otherwise;
}

std::string format_timestamp(Timestamp time, TimestampFormat format, Precision precision) {
  switch (format) {
    case TimestampFormat::rfc822:
      return format_rfc1123(time);
    case TimestampFormat::unix_seconds:
      return format_unix_seconds(time);
    case TimestampFormat::iso8601:
    case TimestampFormat::by_protocol:
      break;
  }
  return precision == Precision::seconds ? format_iso8601_seconds(time) : format_iso8601(time);
}

std::optional<Timestamp> parse_timestamp(std::string_view text, TimestampFormat format) {
  std::optional<Timestamp> time;
  if (format == TimestampFormat::rfc822) time = parse_rfc1123(text);
  if (format == TimestampFormat::unix_seconds) time = parse_unix_seconds(text);
  if (!time) time = parse_iso8601(text);
  if (!time) time = parse_rfc1123(text);
  if (!time) time = parse_unix_seconds(text);
  return time;
}

bool parse_double(std::string_view text, double& out) {
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
  return code == std::errc() && end == text.data() + text.size() && std::isfinite(out);
}

bool parse_integer(const Type& type, std::string_view text, void* value) {
  std::optional<std::int64_t> number = parse_i64(text);
  if (!number) {
    double real = 0;
    constexpr double exact_max =
        9007199254740992.0;  // 2^53: beyond it a double is no exact integer
    if (!parse_double(text, real) || real != std::trunc(real) || std::fabs(real) > exact_max)
      return false;
    number = static_cast<std::int64_t>(real);
  }
  if (type.kind == Kind::long_integer) {
    *static_cast<std::int64_t*>(value) = *number;
    return true;
  }
  if (*number < std::numeric_limits<std::int32_t>::min() ||
      *number > std::numeric_limits<std::int32_t>::max()) {
    return false;
  }
  *static_cast<std::int32_t*>(value) = static_cast<std::int32_t>(*number);
  return true;
}

std::string format_scalar(const Type& type, const void* value, TimestampFormat format,
                          Precision precision) {
  switch (type.kind) {
    case Kind::boolean:
      return *static_cast<const bool*>(value) ? "true" : "false";
    case Kind::integer:
      return std::to_string(*static_cast<const std::int32_t*>(value));
    case Kind::long_integer:
      return std::to_string(*static_cast<const std::int64_t*>(value));
    case Kind::floating:
      return fmt::format("{}", *static_cast<const double*>(value));
    case Kind::string:
      return *static_cast<const std::string*>(value);
    case Kind::blob:
      return to_base64(*static_cast<const std::string*>(value));
    case Kind::timestamp:
      return format_timestamp(*static_cast<const Timestamp*>(value), format, precision);
    default:
      ASSERT(false && "no scalar");
  }
  return {};
}

bool parse_scalar(const Type& type, std::string_view text, TimestampFormat format, void* value) {
  switch (type.kind) {
    case Kind::boolean: {
      bool yes = iequals(text, "true");
      *static_cast<bool*>(value) = yes;
      return yes || iequals(text, "false");
    }
    case Kind::integer:
    case Kind::long_integer:
      return parse_integer(type, text, value);
    case Kind::floating:
      return parse_double(text, *static_cast<double*>(value));
    case Kind::string:
      *static_cast<std::string*>(value) = text;
      return true;
    case Kind::blob: {
      std::optional<std::string> bytes = from_base64(text);
      if (bytes) *static_cast<std::string*>(value) = *std::move(bytes);
      return bytes.has_value();
    }
    case Kind::timestamp: {
      std::optional<Timestamp> time = parse_timestamp(text, format);
      if (time) *static_cast<Timestamp*>(value) = *time;
      return time.has_value();
    }
    default:
      ASSERT(false && "no scalar");
  }
  return false;
}

}  // namespace wolke::shape
