#pragma once
// The templates of record.h: one visitor writes, one reads. Included by record.h only.
//
// A record is an indefinite CBOR map, so that it is written in one pass; an empty optional is left
// out. Reading first notes where each field's bytes lie, then lets the record's own visit() pick
// them up; what nobody picked up is unknown.

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <utility>

#include "wolke/store/record.h"

namespace wolke::store::codec {

/// version byte || body || CRC-32C (little-endian), see record.h.
std::string frame(int format, std::string_view key_bytes, std::string&& body_with_gap);
/// The CBOR body inside `value`, checked; `format_max` is the newest that the caller reads.
Result<std::string_view> unframe(int format_max, std::string_view key_bytes,
                                 std::string_view value);
Error corrupt_record();

/// Where the fields of one record lie in its bytes, in the order written.
class FieldIndex {
 public:
  /// Reads a whole map from `in`; false when it is malformed.
  bool read(CborReader& in);
  /// The field's encoded value; null when absent. Marks it as known.
  const std::string_view* find(std::uint64_t number);
  /// Copies the fields that nobody asked for; false when a number repeats.
  bool keep_unknown(std::map<std::uint64_t, std::string>& unknown) const;

 private:
  struct Field {
    std::uint64_t number;
    std::string_view item;
    bool known;
  };
  std::vector<Field> fields_;
  std::size_t next_ = 0;
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_text_map = false;
template <class T>
inline constexpr bool is_text_map<std::map<std::string, T>> = true;
template <class T>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;

template <class T>
void write(CborWriter& out, const T& value);
template <class T>
bool read(CborReader& in, T& value);

struct WriteField {
  CborWriter& out;
  template <class T>
  void operator()(std::uint64_t number, const T& value) {
    if constexpr (is_optional<T>) {
      if (!value) return;
    }
    out.unsigned_integer(number);
    write(out, value);
  }
};

struct ReadField {
  FieldIndex& index;
  bool good = true;
  template <class T>
  void operator()(std::uint64_t number, T& value) {
    const std::string_view* item = good ? index.find(number) : nullptr;
    if (item == nullptr) return;
    CborReader in(*item);
    good = read(in, value) && in.at_end();
  }
};

// Values of base/ that records hold, as maps like records' own, so that they can grow too.
template <class V>
void visit(V&& v, BlobRef& value) {
  v(1, value.id);
  v(2, value.size);
}
template <class V>
void visit(V&& v, BlobRange& value) {
  v(1, value.blob);
  v(2, value.offset);
  v(3, value.length);
}
template <class V>
void visit(V&& v, Body& value) {
  v(1, value.inline_bytes);
  v(2, value.blobs);
  v(3, value.digests);
}
template <class V, RecordType T>
void visit(V&& v, T& value) {
  value.visit(v);
}

template <class T>
void write_record(CborWriter& out, const T& value) {
  out.open_map();
  // visit() is one function for both directions, so it is not const; writing changes nothing.
  visit(WriteField{out}, const_cast<T&>(value));
  if constexpr (RecordType<T>) {
    for (const auto& [number, item] : value.unknown_fields) {
      out.unsigned_integer(number);
      out.raw(item);
    }
  }
  out.end();
}

template <class T>
bool read_record(CborReader& in, T& value) {
  FieldIndex index;
  if (!index.read(in)) return false;
  ReadField reader{index};
  visit(reader, value);
  if constexpr (RecordType<T>) {
    if (!index.keep_unknown(value.unknown_fields)) return false;
  }
  return reader.good;
}

template <class T>
void write(CborWriter& out, const T& value) {
  if constexpr (std::same_as<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::unsigned_integral<T>) {
    out.unsigned_integer(value);
  } else if constexpr (std::signed_integral<T>) {
    out.integer(value);
  } else if constexpr (std::is_enum_v<T>) {
    out.integer(static_cast<std::int64_t>(value));
  } else if constexpr (std::floating_point<T>) {
    out.number(static_cast<double>(value));
  } else if constexpr (std::same_as<T, std::string>) {
    out.bytes(value);
  } else if constexpr (std::same_as<T, Timestamp>) {
    out.integer(to_millis(value));
  } else if constexpr (is_duration<T>) {
    out.integer(static_cast<std::int64_t>(value.count()));
  } else if constexpr (is_optional<T>) {
    if (value) {
      write(out, *value);
    } else {
      out.null();
    }
  } else if constexpr (is_vector<T>) {
    out.array(value.size());
    for (const auto& element : value)
      write(out, static_cast<const typename T::value_type&>(element));
  } else if constexpr (is_text_map<T>) {
    out.map(value.size());
    for (const auto& [name, element] : value) {
      out.bytes(name);
      write(out, element);
    }
  } else {
    write_record(out, value);
  }
}

template <class T>
bool read_integer(CborReader& in, T& value) {
  if constexpr (std::unsigned_integral<T>) {
    const auto number = in.unsigned_integer();
    if (!number || *number > std::numeric_limits<T>::max()) return false;
    value = static_cast<T>(*number);
  } else {
    const auto number = in.integer();
    if (!number || *number > std::numeric_limits<T>::max() ||
        *number < std::numeric_limits<T>::min()) {
      return false;
    }
    value = static_cast<T>(*number);
  }
  return true;
}

template <class T>
bool read_vector(CborReader& in, T& value) {
  const auto count = in.array();
  if (!count || *count == CborReader::indefinite) return false;
  value.clear();
  value.reserve(std::min<std::uint64_t>(*count, 1024));  // a count is only a promise
  for (std::uint64_t i = 0; i < *count; ++i) {
    typename T::value_type element{};
    if (!read(in, element)) return false;
    value.push_back(std::move(element));
  }
  return true;
}

template <class T>
bool read_text_map(CborReader& in, T& value) {
  const auto count = in.map();
  if (!count || *count == CborReader::indefinite) return false;
  value.clear();
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto name = in.bytes();
    if (!name) return false;
    // Written in the map's own order, so the hint makes each insertion cheap.
    auto place = value.try_emplace(value.end(), std::string(*name));
    if (!read(in, place->second)) return false;
  }
  return value.size() == *count;
}

template <class T>
bool read(CborReader& in, T& value) {
  if constexpr (std::same_as<T, bool>) {
    const auto flag = in.boolean();
    if (flag) value = *flag;
    return flag.has_value();
  } else if constexpr (std::integral<T>) {
    return read_integer(in, value);
  } else if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> number{};
    const auto wide = in.integer();
    if (!wide || !std::in_range<decltype(number)>(*wide)) return false;
    value = static_cast<T>(*wide);
    return true;
  } else if constexpr (std::floating_point<T>) {
    const auto number = in.number();
    if (number) value = static_cast<T>(*number);
    return number.has_value();
  } else if constexpr (std::same_as<T, std::string>) {
    const auto bytes = in.bytes();
    if (bytes) value.assign(*bytes);
    return bytes.has_value();
  } else if constexpr (std::same_as<T, Timestamp>) {
    const auto millis = in.integer();
    if (millis) value = from_millis(*millis);
    return millis.has_value();
  } else if constexpr (is_duration<T>) {
    const auto count = in.integer();
    if (count) value = T(static_cast<typename T::rep>(*count));
    return count.has_value();
  } else if constexpr (is_optional<T>) {
    if (in.take_null()) {
      value.reset();
      return true;
    }
    return read(in, value.emplace());
  } else if constexpr (is_vector<T>) {
    return read_vector(in, value);
  } else if constexpr (is_text_map<T>) {
    return read_text_map(in, value);
  } else {
    return read_record(in, value);
  }
}

}  // namespace wolke::store::codec

namespace wolke::store {

template <RecordType T>
std::string encode(const T& record, std::string_view key_bytes) {
  CborWriter out;
  out.out().push_back('\0');  // the version byte's place
  codec::write_record(out, record);
  return codec::frame(T::format, key_bytes, std::move(out.out()));
}

template <RecordType T>
Result<T> decode(std::string_view value, std::string_view key_bytes) {
  TRY(std::string_view body, codec::unframe(T::format, key_bytes, value));
  CborReader in(body);
  T record{};
  if (!codec::read_record(in, record) || !in.at_end()) return fail(codec::corrupt_record());
  return record;
}

}  // namespace wolke::store
