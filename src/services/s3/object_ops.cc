#include <algorithm>

#include "wolke/services/s3/acl.h"
#include "wolke/services/s3/configuration_ops.h"
#include "wolke/services/s3/content.h"
#include "wolke/services/s3/customer_key.h"
#include "wolke/services/s3/encryption.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/grants.h"
#include "wolke/services/s3/metadata.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/notification.h"
#include "wolke/services/s3/objects.h"
#include "wolke/services/s3/ops.h"

namespace wolke::s3 {
namespace {

/// The part of an object that a read is about.
struct Selection {
  ByteRange range;
  bool partial = false;            // answered with Content-Range
  std::optional<PartExtent> part;  // of a multipart object, when a part number was given
};

Result<Selection> select_part(Tx& tx, const std::string& bucket, const std::string& key,
                              const Object& object, std::int32_t number) {
  auto wanted = static_cast<std::uint32_t>(number);
  if (number < 1 || number > 10'000) {
    return fail(invalid_argument("Part number must be an integer between 1 and 10000, inclusive",
                                 "partNumber", std::to_string(number)));
  }
  if (object.parts == 0) {  // an object put whole is one part
    if (wanted != 1) return fail(invalid_part_number(wanted, 1));
    return Selection{{0, object.size}, object.size > 0, std::nullopt};
  }
  TRY(Layout layout, read_layout(tx, bucket, key, object));
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < layout.parts.size(); ++i) {
    const PartExtent& part = layout.parts[i];
    if (i + 1 == wanted) return Selection{{offset, part.size}, part.size > 0, part};
    offset += part.size;
  }
  return fail(invalid_part_number(wanted, object.parts));
}

/// If-Range, which no model carries.
bool is_changed_for_range(const Context& context, const Object& object) {
  if (context.headers == nullptr) return false;
  return std::ranges::any_of(*context.headers, [&](const auto& header) {
    return header.first == "if-range" && !is_range_wanted(header.second, validators_of(object));
  });
}

template <class In>
Result<Selection> select(Tx& tx, const Context& context, const In& in, const Object& object) {
  if (in.part_number) {
    if (in.range) {
      return fail(
          invalid_request("Cannot specify both Range header and partNumber query parameter"));
    }
    return select_part(tx, *in.bucket, *in.key, object, *in.part_number);
  }
  if (is_changed_for_range(context, object)) return Selection{{0, object.size}, false, {}};
  TRY(std::optional<ByteRange> range, parse_range(in.range, object.size));
  if (range) return Selection{*range, true, std::nullopt};
  return Selection{{0, object.size}, false, std::nullopt};
}

template <class In>
Result<void> check_overrides(const Context& context, const In& in) {
  bool any = in.response_cache_control || in.response_content_disposition ||
             in.response_content_encoding || in.response_content_language ||
             in.response_content_type || in.response_expires;
  if (any && context.principal().kind == identity::PrincipalKind::anonymous) {
    return fail(invalid_request(
        "Request specific response headers cannot be used for anonymous GET requests."));
  }
  return {};
}

template <class In, class Out>
void apply_overrides(const In& in, Out& out) {
  if (in.response_cache_control) out.cache_control = in.response_cache_control;
  if (in.response_content_disposition) out.content_disposition = in.response_content_disposition;
  if (in.response_content_encoding) out.content_encoding = in.response_content_encoding;
  if (in.response_content_language) out.content_language = in.response_content_language;
  if (in.response_content_type) out.content_type = in.response_content_type;
  if (in.response_expires) out.expires = format_rfc1123(*in.response_expires);
}

/// A checksum is told where the client can check it: of the whole object, or of one part.
template <class Out>
void tell_checksum_of(const Selection& selection, const Object& object, Out& out) {
  if (selection.part) {
    if (selection.part->checksum.empty() || object.checksums.empty()) return;
    tell_checksums({{object.checksums.begin()->first, selection.part->checksum}}, out);
    out.checksum_type = object.checksum_type;
  } else if (selection.range.length == object.size) {
    tell_checksum(object, out);
  }
}

/// Retention and legal hold are told to who may ask for them by their own operations.
template <class In, class Out>
void hide_lock(const Context& context, const Bucket& bucket, const In& in, const Object& object,
               Out& out) {
  if (!object.lock) return;
  auto may = [&](const char* action) {
    return context.authorizer->allows(
        ask_of_version(bucket, {.action = action,
                                .key = *in.key,
                                .version_id = in.version_id,
                                .object = &object,
                                .caller = context.principal().account}));
  };
  if (!may("s3:GetObjectRetention")) {
    out.object_lock_mode.reset();
    out.object_lock_retain_until_date.reset();
  }
  if (!may("s3:GetObjectLegalHold")) out.object_lock_legal_hold_status.reset();
}

/// Everything that GetObject and HeadObject have in common; the bytes are GetObject's.
template <class In, class Out>
Result<Selection> read_object(Tx& tx, const Context& context, const In& in, Object& object,
                              Out& out) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(check_overrides(context, in));
  TRY(check_read_headers(context.headers));
  TRY(const std::string key, customer_key_of(in));
  TRY(Version version, find_permitted(tx, context, bucket, *in.key, in.version_id,
                                      in.version_id ? "s3:GetObjectVersion" : "s3:GetObject"));
  object = std::move(version.object);
  TRY(expect_key(object, key));
  TRY(check_read({in.if_match, in.if_none_match,
                  not_in_the_future(in.if_modified_since, context.now), in.if_unmodified_since},
                 validators_of(object)));
  TRY(Selection selection, select(tx, context, in, object));
  tell_object(object, out);
  hide_lock(context, bucket, in, object, out);
  tell_encryption(object, in, out);
  out.version_id = told_version_id(bucket, object);
  TRY(out.expiration, expiration_header_of(tx, bucket, *in.key, object));
  apply_overrides(in, out);
  out.content_length = static_cast<std::int64_t>(selection.range.length);
  if (selection.partial) out.content_range = content_range(selection.range, object.size);
  if (in.part_number && object.parts > 0) {
    out.parts_count = static_cast<std::int32_t>(object.parts);
  }
  if (in.checksum_mode == "ENABLED") tell_checksum_of(selection, object, out);
  return selection;
}

/// The gate serves a browser's form (POST Object) as a PutObject and leaves its method among the
/// headers.
std::string_view event_of(const Context& context) {
  if (context.headers == nullptr) return event_put;
  for (const auto& [name, value] : *context.headers) {
    if (name == ":method") return value == "POST" ? event_post : event_put;
  }
  return event_put;
}

}  // namespace

Answer<op::PutObject> put_object(S3& s3, Tx& tx, const Context& context,
                                 const In<op::PutObject>& in) {
  TRY(check_key(*in.key));
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(check_encryption(in.server_side_encryption));
  TRY(const std::string key, customer_key_of(in));
  if (in.write_offset_bytes) return fail(not_implemented("appending to objects"));
  Body body = in.body.value_or(Body{});
  bool locks =
      in.object_lock_mode || in.object_lock_retain_until_date || in.object_lock_legal_hold_status;
  if (locks && !in.content_md5 && claimed_checksums(in).empty()) {
    return fail(
        invalid_request("Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object "
                        "requests with Object Lock parameters"));
  }
  TRY(expect_blob(key, body));
  TRY(verify_content_md5(in.content_md5, body));
  TRY(auto checksum, verify_checksum(claimed_checksums(in), in.checksum_algorithm, body));

  Object object;
  TRY(object.metadata, metadata_of(in));
  TRY(object.storage_class, choose_storage_class(in.storage_class));
  TRY(object.tags, parse_tagging_header(in.tagging));
  keep_encryption(*context.random, key, object);
  object.etag = key.empty() ? to_hex(md5_of(body)) : random_etag(*context.random);
  object.checksums.insert(checksum);
  object.checksum_type = "FULL_OBJECT";

  TRY(object.lock, lock_of_new(bucket, asked_lock(in), context.now));

  TRY(Belonging belonging, belonging_of_new(bucket, context.principal().account, acl_headers(in)));
  object.owner = std::move(belonging.owner);
  object.acl = std::move(belonging.acl);

  TRY(std::optional<Object> current, current_version(tx, bucket.name, *in.key));
  TRY(check_write({in.if_match, in.if_none_match}, validators_of(visible(current)), *in.key));

  op::PutObject::Output out;
  out.etag = quoted_etag(object.etag);
  tell_checksum(object, out);
  tell_encryption(object, in, out);
  Content content = seal_content(s3.keys, bucket, *context.random, std::move(body));
  TRY(Object written, replace_object(tx, context, bucket, *in.key, current, std::move(object),
                                     std::move(content), event_of(context)));
  out.version_id = written_version_id(bucket, written);
  TRY(out.expiration, expiration_header_of(tx, bucket, *in.key, written));
  return out;
}

Answer<op::GetObject> get_object(S3& s3, Tx& tx, const Context& context,
                                 const In<op::GetObject>& in) {
  op::GetObject::Output out;
  Object object;
  TRY(Selection selection, read_object(tx, context, in, object, out));
  TRY(Body content, read_content(tx, s3.keys, *in.bucket, *in.key, object));
  out.body = slice(content, selection.range.offset, selection.range.length);
  return out;
}

Answer<op::HeadObject> head_object(S3&, Tx& tx, const Context& context,
                                   const In<op::HeadObject>& in) {
  op::HeadObject::Output out;
  Object object;
  TRY(read_object(tx, context, in, object, out));
  return out;
}

}  // namespace wolke::s3
