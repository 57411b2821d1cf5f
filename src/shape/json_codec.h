#pragma once
// JSON over schema tables, straight between text and structs (no tree in between).
//
// JsonForm::wire is what protocols send: members of Location::body by wire name, timestamps as the
// protocol says (seconds), blobs in base64. JsonForm::document is every member by its model name,
// for records, audit and tests: a lossless picture of a value. null members and null list elements
// count as absent. Unknown members are skipped.
//
// Failure: "InvalidJson" for a bad document, "SerializationException" for a right document of the
// wrong types, with the texts that AWS's services use ("STRING_VALUE can not be converted to an
// Integer").

#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/shape/json_reader.h"
#include "wolke/shape/schema.h"

namespace wolke::shape {

enum class JsonForm { wire, document };
enum class Sensitive { show, redact };

void append_json(std::string& out, const Type& type, const void* value, JsonForm form,
                 Sensitive sensitive = Sensitive::show);
/// Reads one value; what follows it is the caller's concern.
Result<void> read_json(JsonReader& reader, const Type& type, void* value, JsonForm form);
/// A whole document.
Result<void> decode_json(std::string_view text, const Type& type, void* value, JsonForm form);

/// For structs of the generated headers.
template <class T>
std::string to_json(const T& value, JsonForm form = JsonForm::document) {
  std::string out;
  append_json(out, T::schema(), &value, form);
  return out;
}
template <class T>
Result<T> from_json(std::string_view text, JsonForm form = JsonForm::document) {
  T value;
  TRY(decode_json(text, T::schema(), &value, form));
  return value;
}

}  // namespace wolke::shape
