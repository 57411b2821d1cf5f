#pragma once
// Settings of a bucket that are kept as the client gave them, each kind under a key of its own:
// they are read where they matter and not with every request. Stored as documents of the model's
// shapes, so a new kind is a name and its rules.
//
//   partition "s3/<bucket>"   s3.configuration/<bucket>/<kind>   Configuration

#include <optional>
#include <string>
#include <string_view>

#include "wolke/services/s3/state.h"
#include "wolke/shape/json_codec.h"

namespace wolke::s3 {

namespace kind {
inline constexpr std::string_view accelerate = "accelerate";
inline constexpr std::string_view cors = "cors";
inline constexpr std::string_view encryption = "encryption";
inline constexpr std::string_view lifecycle = "lifecycle";
inline constexpr std::string_view logging = "logging";
inline constexpr std::string_view request_payment = "requestPayment";
inline constexpr std::string_view website = "website";
}  // namespace kind

Result<std::optional<std::string>> read_document(store::Tx& tx, const std::string& bucket,
                                                 std::string_view kind);
void write_document(store::Tx& tx, const std::string& bucket, std::string_view kind,
                    std::string document);
void erase_document(store::Tx& tx, const std::string& bucket, std::string_view kind);
/// With the bucket.
void erase_documents(store::Tx& tx, const std::string& bucket);

/// T: a struct of the model. nullopt when the bucket has none.
template <class T>
Result<std::optional<T>> read_configuration(store::Tx& tx, const std::string& bucket,
                                            std::string_view kind) {
  TRY(std::optional<std::string> document, read_document(tx, bucket, kind));
  if (!document) return std::optional<T>();
  TRY(T value, shape::from_json<T>(*document));
  return std::optional<T>(std::move(value));
}
template <class T>
void write_configuration(store::Tx& tx, const std::string& bucket, std::string_view kind,
                         const T& value) {
  write_document(tx, bucket, kind, shape::to_json(value));
}

}  // namespace wolke::s3
