#pragma once
// How a struct becomes bytes in the store: CBOR map {field number: value}, one version byte before
// it, and a CRC-32C over key and bytes after it, so that a record that was torn, flipped or put
// under another key is noticed on read. Unknown field numbers are kept and written back (a newer
// version's data survives an older writer).
//
// A record type lists its fields once:
//
//   struct Bucket : store::Fields {
//     std::string name;
//     Timestamp created;
//     std::optional<std::string> location;
//     std::vector<Rule> rules;                      // Rule lists its own fields
//     static constexpr int format = 1;
//     template <class V> void visit(V&& v) {
//       v(1, name); v(2, created); v(3, location); v(4, rules);
//     }
//   };
//
// Field types: bool, integers, double, std::string, Timestamp, BlobRef, BlobRange, Body (without
// digests >inline), enums, optional, vector, map<string, T>, and nested record types. Numbers are
// never reused.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "wolke/base/body.h"
#include "wolke/base/result.h"
#include "wolke/base/time.h"
#include "wolke/store/cbor.h"

namespace wolke::store {

struct Fields {
  /// Fields that this build does not know, kept as encoded.
  std::map<std::uint64_t, std::string> unknown_fields;
};

template <class T>
concept RecordType = std::is_base_of_v<Fields, T>;

template <RecordType T>
std::string encode(const T& record, std::string_view key_bytes);

/// Error code "Corrupt" when the checksum, the version or the form is wrong.
template <RecordType T>
Result<T> decode(std::string_view value, std::string_view key_bytes);

}  // namespace wolke::store

#include "wolke/store/record_codec.h"  // the templates' bodies
