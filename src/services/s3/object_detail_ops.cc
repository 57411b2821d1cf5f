#include <algorithm>

#include "wolke/services/s3/customer_key.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/metadata.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/notification.h"
#include "wolke/services/s3/objects.h"
#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/publish.h"

namespace wolke::s3 {
namespace {

/// Edits the tags of a version that is there and publishes `event`. Gives its id, for the answer.
template <class Op>
Answer<Op> set_tags(Tx& tx, const Context& context, const In<Op>& in, const Bucket& bucket,
                    Tags tags, std::string_view event) {
  Result<Version> version = find_object(tx, context, bucket, *in.key, in.version_id);
  if (!version) return fail(std::move(version).error());
  Object& object = version->object;
  object.tags = std::move(tags);
  tx.put(version->place, object);
  typename Op::Output out;
  out.version_id = told_version_id(bucket, object);
  Result<void> published = publish(tx, context, bucket,
                                   {.event = event,
                                    .key = *in.key,
                                    .size = object.size,
                                    .etag = object.etag,
                                    .version_id = out.version_id});
  if (!published) return fail(std::move(published).error());
  return out;
}

Result<void> tell_parts(Tx& tx, const In<op::GetObjectAttributes>& in, const Object& object,
                        op::GetObjectAttributes::Output& out) {
  if (object.parts == 0) return {};
  constexpr std::int32_t parts_default = 1000;
  auto limit =
      static_cast<std::size_t>(std::clamp(in.max_parts.value_or(parts_default), 0, parts_default));
  auto after = static_cast<std::uint32_t>(std::max(in.part_number_marker.value_or(0), 0));
  auto& told = out.object_parts.emplace();
  told.total_parts_count = static_cast<std::int32_t>(object.parts);
  TRY(Layout layout, read_layout(tx, *in.bucket, *in.key, object));
  told.part_number_marker = static_cast<std::int32_t>(after);
  told.max_parts = static_cast<std::int32_t>(limit);
  told.is_truncated = false;
  auto& parts = told.parts.emplace();
  for (const PartExtent& part : layout.parts) {
    if (part.number <= after) continue;
    if (parts.size() == limit) {
      told.is_truncated = true;
      break;
    }
    auto& one = parts.emplace_back();
    one.part_number = static_cast<std::int32_t>(part.number);
    one.size = static_cast<std::int64_t>(part.size);
    if (!object.checksums.empty() && !part.checksum.empty()) {
      tell_checksums({{object.checksums.begin()->first, part.checksum}}, one);
    }
  }
  told.next_part_number_marker = parts.empty() ? 0 : *parts.back().part_number;
  return {};
}

}  // namespace

Answer<op::GetObjectAttributes> get_object_attributes(S3&, Tx& tx, const Context& context,
                                                      const In<op::GetObjectAttributes>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Version version, find_permitted(tx, context, bucket, *in.key, in.version_id,
                                      in.version_id ? "s3:GetObjectVersion" : "s3:GetObject"));
  const Object& object = version.object;
  TRY(const std::string key, customer_key_of(in));
  TRY(expect_key(object, key));
  op::GetObjectAttributes::Output out;
  out.version_id = told_version_id(bucket, object);
  out.last_modified = object.modified;
  for (const std::string& attribute : *in.object_attributes) {
    if (attribute == "ETag") {
      out.etag = object.etag;  // here, alone in S3, without quotes
    } else if (attribute == "Checksum") {
      if (!object.checksums.empty()) tell_checksum(object, out.checksum.emplace());
    } else if (attribute == "ObjectParts") {
      TRY(tell_parts(tx, in, object, out));
    } else if (attribute == "StorageClass") {
      out.storage_class = object.storage_class;
    } else if (attribute == "ObjectSize") {
      out.object_size = static_cast<std::int64_t>(object.size);
    } else {
      return fail(invalid_argument("Invalid attribute name specified.", "x-amz-object-attributes",
                                   attribute));
    }
  }
  return out;
}

Answer<op::GetObjectTagging> get_object_tagging(S3&, Tx& tx, const Context& context,
                                                const In<op::GetObjectTagging>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Version version, find_object(tx, context, bucket, *in.key, in.version_id));
  op::GetObjectTagging::Output out;
  out.version_id = told_version_id(bucket, version.object);
  out.tag_set = tag_set_of<model::s3::Tag>(version.object.tags);
  return out;
}

Answer<op::PutObjectTagging> put_object_tagging(S3&, Tx& tx, const Context& context,
                                                const In<op::PutObjectTagging>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Tags tags, tags_of(in.tagging->tag_set, object_tags_max));
  return set_tags<op::PutObjectTagging>(tx, context, in, bucket, std::move(tags),
                                        event_tagging_put);
}

Answer<op::DeleteObjectTagging> delete_object_tagging(S3&, Tx& tx, const Context& context,
                                                      const In<op::DeleteObjectTagging>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  return set_tags<op::DeleteObjectTagging>(tx, context, in, bucket, {}, event_tagging_delete);
}

}  // namespace wolke::s3
