#pragma once
// Numbers, booleans, strings, blobs and timestamps as text: what XML, query strings, headers and
// labels carry. Which timestamp form a member has: its own format, else its type's, else the
// place's default.

#include <optional>
#include <string>
#include <string_view>

#include "wolke/shape/schema.h"

namespace wolke::shape {

/// Milliseconds (S3) or whole seconds (query services) in iso8601.
enum class Precision { milliseconds, seconds };

TimestampFormat timestamp_format(const Member* member, const Type& type, TimestampFormat otherwise);
std::string format_timestamp(Timestamp time, TimestampFormat format,
                             Precision precision = Precision::milliseconds);
/// Accepts the wanted form first, then the others: clients are older and newer than the model.
std::optional<Timestamp> parse_timestamp(std::string_view text, TimestampFormat format);

/// Not for structures, lists, maps, bodies. `value` points to the member's T.
std::string format_scalar(const Type& type, const void* value, TimestampFormat format,
                          Precision precision = Precision::milliseconds);
/// False when `text` is none of this type.
bool parse_scalar(const Type& type, std::string_view text, TimestampFormat format, void* value);

bool parse_double(std::string_view text, double& out);
/// In range of Kind::integer or Kind::long_integer; "3.0" counts as 3.
bool parse_integer(const Type& type, std::string_view text, void* value);
inline bool is_scalar(Kind kind) {
  return kind < Kind::body;
}

}  // namespace wolke::shape
