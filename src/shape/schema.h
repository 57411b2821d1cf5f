#pragma once
// Schema tables: an AWS service model as constexpr data. The generator (tools/modelgen.py) writes
// plain structs and these tables from models/<service>.json; each protocol (rest + xml|json, rpc +
// json, query) is written once over them. A codec walks a value of unknown type as `void*` plus its
// Type.
//
// How a struct looks: every member is std::optional<T>, in the model's order, named in snake_case.
// T is
//   string, enum -> std::string      integer -> std::int32_t   long -> std::int64_t   float, double
//   -> double boolean -> bool                  blob -> std::string       timestamp ->
//   wolke::Timestamp list -> std::vector<T>           map -> std::map<std::string, T> structure ->
//   the struct          streaming blob -> wolke::Body
// A recursive member is Box<T>. Required members are engaged once validate() has passed.
//
// Threads: all constant. Source of the traits' meaning: the botocore and Smithy model
// documentation.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/body.h"
#include "wolke/base/time.h"

namespace wolke::shape {

enum class Kind : std::uint8_t {
  boolean,
  integer,
  long_integer,
  floating,
  string,
  blob,
  timestamp,
  body,
  structure,
  list,
  map
};
enum class Location : std::uint8_t {
  body,
  header,
  header_prefix,
  query,
  query_map,
  uri,
  payload,
  status_code
};
enum class TimestampFormat : std::uint8_t { by_protocol, iso8601, rfc822, unix_seconds };
enum class Protocol : std::uint8_t { rest_xml, rest_json, json10, json11, query };

struct Type;
struct PatternCache;  // pattern.h

struct Member {
  std::string_view name;       // as in the model: "Bucket"
  std::string_view wire_name;  // locationName, or the name
  const Type* type;
  std::uint32_t offset;  // of the std::optional<T> (or Box<T>) in the struct, bytes
  Location location = Location::body;
  bool required = false;
  bool flattened = false;
  bool xml_attribute = false;
  bool sensitive = false;
  bool idempotency_token = false;
  TimestampFormat timestamp_format = TimestampFormat::by_protocol;
  std::string_view xml_namespace = {};
  std::string_view xml_prefix = {};  // of xml_namespace: S3's <Grantee xmlns:xsi=...>
  /// value(): the T inside, or nullptr when not engaged. engage(): makes an empty T and returns it.
  const void* (*value)(const void* member) = nullptr;
  void* (*engage)(void* member) = nullptr;
};

/// Lists and maps, without knowing T.
struct ContainerOps {
  std::size_t (*size)(const void* container);
  const void* (*at)(const void* list, std::size_t index);  // lists
  void* (*append)(void* list);                             // lists
  void* (*insert)(void* map, std::string key);             // maps
  void (*each)(const void* map, void* arg,
               void (*visit)(void* arg, const std::string& key, const void* value));
};

struct Type {
  Kind kind;
  std::string_view name;                 // the model's shape name
  std::span<const Member> members = {};  // structures
  const Type* element = nullptr;         // list element, map value
  const Type* key = nullptr;             // map key
  std::string_view element_name =
      {};  // locationName of list member / map value; default "member" / "value"
  std::string_view key_name = {};  // locationName of the map key; default "key"
  bool flattened = false;
  const ContainerOps* container = nullptr;
  std::optional<double> min = {};  // length of strings, blobs, lists, maps; value of numbers
  std::optional<double> max = {};
  std::string_view pattern = {};
  PatternCache* pattern_cache = nullptr;  // where the compiled pattern is kept
  std::span<const std::string_view> enum_values = {};
  bool sensitive = false;
  std::int16_t payload = -1;  // structures: index of the payload member
  std::string_view xml_namespace = {};
  TimestampFormat timestamp_format = TimestampFormat::by_protocol;
  std::size_t bytes = 0;                  // structures: sizeof
  void (*construct)(void* at) = nullptr;  // structures
  void (*destroy)(void* at) = nullptr;
};

struct ErrorShape {
  std::string_view name;  // the shape: "NoSuchBucket"
  std::string_view code;  // what goes over the wire (awsQuery may differ from the shape's name)
  int status = 400;
  const Type* type = nullptr;  // names and kinds of its members; it has no struct
};

struct Service;

struct Operation {
  std::string_view name;
  const Service* service;
  std::string_view method;  // "GET"
  std::string_view uri;     // "/{Bucket}/{Key+}?tagging"
  int success_status = 200;
  const Type* input = nullptr;          // nullptr: modelled, not served
  const Type* output = nullptr;         // nullptr when served: empty output
  std::string_view input_wrapper = {};  // restXml: locationName of the input's root element
  std::string_view input_xmlns = {};
  /// query: "CreateRoleResult"; restXml: the output's root element, by default the payload's or
  /// shape's name.
  std::string_view result_wrapper = {};
  bool output_unwrapped =
      false;  // restXml: the only member is the root element's text (GetBucketLocation)
  std::span<const ErrorShape> errors = {};
  bool checksum_required = false;
  bool served() const { return input != nullptr; }
};

struct Service {
  std::string_view name;          // "s3": our folder's name, also the model file's
  std::string_view signing_name;  // credential scope: "s3", "lambda", "iam", "sts", "logs"
  std::string_view service_id;    // "S3", "CloudWatch Logs"
  Protocol protocol;
  std::string_view api_version;    // "2006-03-01"
  std::string_view target_prefix;  // awsJson: "Logs_20140328"
  std::string_view xmlns;
  std::span<const Operation> operations;
};

/// A recursive member: an optional value on the heap.
template <class T>
class Box {
 public:
  Box() = default;
  Box(const Box& o) : value_(o.value_ ? std::make_unique<T>(*o.value_) : nullptr) {}
  Box(Box&&) noexcept = default;
  Box& operator=(Box o) noexcept {
    value_ = std::move(o.value_);
    return *this;
  }
  explicit operator bool() const { return value_ != nullptr; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }
  T& emplace() {
    value_ = std::make_unique<T>();
    return *value_;
  }

 private:
  std::unique_ptr<T> value_;
};

/// An erased struct: the input or output of an operation on its way through the gateway. Owns its
/// value.
class Value {
 public:
  Value() = default;
  explicit Value(const Type& type);
  template <class T>
  static Value of(const Type& type, T&& value);  // T is the struct that `type` describes
  Value(Value&&) noexcept;
  Value& operator=(Value&&) noexcept;
  ~Value();
  const Type* type() const { return type_; }
  void* data() { return data_; }
  const void* data() const { return data_; }
  template <class T>
  T& as() {
    return *static_cast<T*>(data_);
  }
  template <class T>
  const T& as() const {
    return *static_cast<const T*>(data_);
  }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  const Type* type_ = nullptr;
  void* data_ = nullptr;
};

template <class T>
Value Value::of(const Type& type, T&& value) {
  Value out(type);
  out.as<std::remove_cvref_t<T>>() = std::forward<T>(value);
  return out;
}

}  // namespace wolke::shape
