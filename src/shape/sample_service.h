#pragma once
// A small service written by hand as the generator would write it, for this module's own fuzz
// target and benchmark: a module must not depend on the models above it. It has every location and
// every kind. The same shapes are served as restXml, restJson1, awsJson1.1 and query.

#include "wolke/shape/protocol.h"
#include "wolke/shape/schema_access.h"

namespace wolke::shape::sample {

struct Item {
  std::optional<std::string> key;
  std::optional<std::int64_t> size;
  std::optional<Timestamp> modified;
  std::optional<bool> latest;
  std::optional<double> weight;
  std::optional<std::string> blob;
  Box<Item> inner;
};

struct Document {
  std::optional<std::vector<Item>> items;
  std::optional<std::vector<std::string>> names;
  std::optional<std::map<std::string, std::string>> tags;
  std::optional<std::string> kind;
};

struct Request {
  std::optional<std::string> bucket;
  std::optional<std::string> key;
  std::optional<std::int32_t> max_keys;
  std::optional<std::vector<std::string>> attributes;
  std::optional<Timestamp> since;
  std::optional<std::map<std::string, std::string>> metadata;
  std::optional<Document> document;
};

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winvalid-offsetof"
template <class Holder>
constexpr Member member(std::string_view name, const Type& type, std::size_t offset,
                        Location location = Location::body) {
  return {.name = name,
          .wire_name = name,
          .type = &type,
          .offset = static_cast<std::uint32_t>(offset),
          .location = location,
          .value = access<Holder>::value,
          .engage = access<Holder>::engage};
}
#define SAMPLE_MEMBER(S, m, name, type, ...) \
  member<decltype(S::m)>(name, type, offsetof(S, m) __VA_OPT__(, ) __VA_ARGS__)

inline PatternCache key_pattern;
inline constexpr std::string_view kinds[] = {"A", "B"};
inline constexpr Type text_type{.kind = Kind::string, .name = "Text"};
inline constexpr Type key_type{.kind = Kind::string,
                               .name = "Key",
                               .min = 1,
                               .max = 1024,
                               .pattern = "(?!xn--)[\\S ]+",
                               .pattern_cache = &key_pattern};
inline constexpr Type kind_type{.kind = Kind::string, .name = "Kind", .enum_values = kinds};
inline constexpr Type long_type{.kind = Kind::long_integer, .name = "Long"};
inline constexpr Type int_type{.kind = Kind::integer, .name = "Integer", .min = 0, .max = 1000};
inline constexpr Type time_type{.kind = Kind::timestamp, .name = "Time"};
inline constexpr Type bool_type{.kind = Kind::boolean, .name = "Boolean"};
inline constexpr Type double_type{.kind = Kind::floating, .name = "Double"};
inline constexpr Type blob_type{.kind = Kind::blob, .name = "Blob"};
inline constexpr Type texts_type{.kind = Kind::list,
                                 .name = "Texts",
                                 .element = &text_type,
                                 .element_name = "Name",
                                 .container = &list_ops<std::vector<std::string>>};
inline constexpr Type map_type{.kind = Kind::map,
                               .name = "Map",
                               .element = &text_type,
                               .key = &text_type,
                               .container = &map_ops<std::map<std::string, std::string>>};

extern const Type item_type;
inline constexpr Member item_members[] = {
    SAMPLE_MEMBER(Item, key, "Key", key_type),
    SAMPLE_MEMBER(Item, size, "Size", long_type),
    SAMPLE_MEMBER(Item, modified, "LastModified", time_type),
    SAMPLE_MEMBER(Item, latest, "IsLatest", bool_type),
    SAMPLE_MEMBER(Item, weight, "Weight", double_type),
    SAMPLE_MEMBER(Item, blob, "Blob", blob_type),
    SAMPLE_MEMBER(Item, inner, "Inner", item_type),
};
inline constinit const Type item_type{.kind = Kind::structure,
                                      .name = "Item",
                                      .members = item_members,
                                      .bytes = sizeof(Item),
                                      .construct = lifetime<Item>::construct,
                                      .destroy = lifetime<Item>::destroy};
inline constexpr Type items_type{.kind = Kind::list,
                                 .name = "Items",
                                 .element = &item_type,
                                 .flattened = true,
                                 .container = &list_ops<std::vector<Item>>};

constexpr Member flattened(Member member) {
  member.flattened = true;
  return member;
}
inline constexpr Member document_members[] = {
    flattened(SAMPLE_MEMBER(Document, items, "Items", items_type)),
    SAMPLE_MEMBER(Document, names, "Names", texts_type),
    SAMPLE_MEMBER(Document, tags, "Tags", map_type),
    SAMPLE_MEMBER(Document, kind, "Kind", kind_type),
};
inline constexpr Type document_type{.kind = Kind::structure,
                                    .name = "Document",
                                    .members = document_members,
                                    .bytes = sizeof(Document),
                                    .construct = lifetime<Document>::construct,
                                    .destroy = lifetime<Document>::destroy};

inline constexpr Member request_members[] = {
    SAMPLE_MEMBER(Request, bucket, "Bucket", text_type, Location::uri),
    SAMPLE_MEMBER(Request, key, "Key", key_type, Location::uri),
    SAMPLE_MEMBER(Request, max_keys, "max-keys", int_type, Location::query),
    SAMPLE_MEMBER(Request, attributes, "x-attributes", texts_type, Location::header),
    SAMPLE_MEMBER(Request, since, "If-Modified-Since", time_type, Location::header),
    SAMPLE_MEMBER(Request, metadata, "x-meta-", map_type, Location::header_prefix),
    SAMPLE_MEMBER(Request, document, "Document", document_type, Location::payload),
};
inline constexpr Type request_type{.kind = Kind::structure,
                                   .name = "Request",
                                   .members = request_members,
                                   .payload = 6,
                                   .bytes = sizeof(Request),
                                   .construct = lifetime<Request>::construct,
                                   .destroy = lifetime<Request>::destroy};
#undef SAMPLE_MEMBER
#pragma clang diagnostic pop

/// A service of the given protocol with two operations: Put (rest bindings) and Write (the document
/// alone, for rpc).
template <Protocol protocol>
struct Sample {
  static const Service service;
  static const Operation operations[2];
};
template <Protocol protocol>
constinit const Operation Sample<protocol>::operations[2] = {
    {.name = "Put",
     .service = &Sample::service,
     .method = "PUT",
     .uri = "/{Bucket}/{Key+}",
     .input = &request_type,
     .output = &document_type},
    {.name = "Write",
     .service = &Sample::service,
     .method = "POST",
     .uri = "/",
     .input = &document_type,
     .output = &document_type,
     .result_wrapper = "WriteResult"},
};
template <Protocol protocol>
constinit const Service Sample<protocol>::service{.name = "sample",
                                                  .signing_name = "sample",
                                                  .service_id = "Sample",
                                                  .protocol = protocol,
                                                  .api_version = "2026-01-01",
                                                  .target_prefix = "Sample",
                                                  .xmlns = "urn:sample",
                                                  .operations = operations};

}  // namespace wolke::shape::sample
