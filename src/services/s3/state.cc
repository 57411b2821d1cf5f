#include "wolke/services/s3/state.h"

#include <set>

#include "wolke/services/s3/encryption.h"
#include "wolke/services/s3/errors.h"

namespace wolke::s3 {

using store::Key;
using store::KeyBuilder;
using store::KeyReader;

namespace {

constexpr std::string_view buckets_partition = "s3buckets";

store::Shard shard_of_bucket(std::string_view bucket) {
  return store::shard_of("s3/" + std::string(bucket));
}

KeyBuilder in_bucket(std::string_view table, std::string_view bucket) {
  return KeyBuilder(table).text(bucket);
}

KeyRange range_of(store::Shard shard, std::string prefix) {
  std::string end = store::prefix_end(prefix);
  return KeyRange{shard, std::move(prefix), std::move(end)};
}

using BlobSet = std::map<std::string, BlobRef>;

void collect_blobs(BlobSet& into, const std::vector<BlobRange>& ranges) {
  for (const BlobRange& range : ranges) into.emplace(range.blob.id, range.blob);
}

void move_references(store::Tx& tx, const BlobSet& old, const BlobSet& fresh,
                     std::string_view owner) {
  for (const auto& [id, blob] : old) {
    if (!fresh.contains(id)) tx.release(blob, owner);
  }
  for (const auto& [id, blob] : fresh) {
    if (!old.contains(id)) tx.refer(blob, owner);
  }
}

/// The null version's records lie where those of buckets without versions do.
Key of_version(std::string_view table, std::string_view bucket, std::string_view key,
               std::string_view version_id) {
  KeyBuilder place = in_bucket(table, bucket).text(key);
  if (!version_id.empty()) place.text(version_id);
  return {shard_of_bucket(bucket), place.build()};
}

/// Who refers to a version's blobs.
std::string owner_of(std::string_view bucket, std::string_view key, const Object& object) {
  return of_version("s3.object", bucket, key, object.version_id).bytes;
}

Result<BlobSet> blobs_of(store::Tx& tx, const std::string& bucket, const std::string& key,
                         const std::optional<Object>& object) {
  BlobSet blobs;
  if (!object) return blobs;
  if (object->range) blobs.emplace(object->range->blob.id, object->range->blob);
  if (object->place == ContentPlace::content) {
    TRY(std::optional<Content> content,
        tx.peek<Content>(content_key(bucket, key, object->version_id)));
    if (content) collect_blobs(blobs, content->ranges);
  }
  return blobs;
}

}  // namespace

Key bucket_key(std::string_view bucket) {
  return {store::shard_of(buckets_partition), KeyBuilder("s3.bucket").text(bucket).build()};
}

Key owned_key(std::string_view account, std::string_view bucket) {
  return {store::shard_of(buckets_partition),
          KeyBuilder("s3.owned").text(account).text(bucket).build()};
}

Key object_key(std::string_view bucket, std::string_view key) {
  return {shard_of_bucket(bucket), in_bucket("s3.object", bucket).text(key).build()};
}

Key version_key(std::string_view bucket, std::string_view key, std::uint64_t ordinal) {
  return {shard_of_bucket(bucket),
          in_bucket("s3.version", bucket).text(key).number(~ordinal).build()};
}

Key content_key(std::string_view bucket, std::string_view key, std::string_view version_id) {
  return of_version("s3.content", bucket, key, version_id);
}

Key layout_key(std::string_view bucket, std::string_view key, std::string_view version_id) {
  return of_version("s3.layout", bucket, key, version_id);
}

Key upload_key(std::string_view bucket, std::string_view key, std::string_view upload_id) {
  return {shard_of_bucket(bucket),
          in_bucket("s3.upload", bucket).text(key).text(upload_id).build()};
}

Key part_key(std::string_view bucket, std::string_view upload_id, std::uint32_t number) {
  return {shard_of_bucket(bucket),
          in_bucket("s3.part", bucket).text(upload_id).number(number).build()};
}

Key sequence_key(std::string_view bucket) {
  return {shard_of_bucket(bucket), in_bucket("s3.sequence", bucket).build()};
}

Key scheduled_key(std::string_view bucket) {
  return {store::shard_of(buckets_partition),
          KeyBuilder("s3.scheduled").text("s3").text(bucket).build()};
}

KeyRange scheduled_range() {
  return range_of(store::shard_of(buckets_partition), KeyBuilder("s3.scheduled").build());
}

Key logged_key(std::string_view bucket) {
  return {store::shard_of(buckets_partition),
          KeyBuilder("s3.logged").text("s3").text(bucket).build()};
}

KeyRange logged_range() {
  return range_of(store::shard_of(buckets_partition), KeyBuilder("s3.logged").build());
}

KeyRange owned_range(std::string_view account) {
  return range_of(store::shard_of(buckets_partition), KeyBuilder("s3.owned").text(account).build());
}

KeyRange objects_range(std::string_view bucket, std::string_view prefix) {
  return range_of(shard_of_bucket(bucket),
                  in_bucket("s3.object", bucket).text_prefix(prefix).build());
}

std::string after_object(std::string_view bucket, std::string_view key) {
  return object_key(bucket, key).bytes + '\0';
}

std::string after_objects_with_prefix(std::string_view bucket, std::string_view prefix) {
  return store::prefix_end(in_bucket("s3.object", bucket).text_prefix(prefix).build());
}

KeyRange versions_of(std::string_view bucket, std::string_view key) {
  return range_of(shard_of_bucket(bucket), first_version(bucket, key));
}

KeyRange versions_range(std::string_view bucket, std::string_view prefix) {
  return range_of(shard_of_bucket(bucket),
                  in_bucket("s3.version", bucket).text_prefix(prefix).build());
}

std::string first_version(std::string_view bucket, std::string_view key) {
  return in_bucket("s3.version", bucket).text(key).build();
}

KeyRange uploads_range(std::string_view bucket, std::string_view prefix) {
  return range_of(shard_of_bucket(bucket),
                  in_bucket("s3.upload", bucket).text_prefix(prefix).build());
}

std::string after_upload(std::string_view bucket, std::string_view key,
                         std::string_view upload_id) {
  return upload_key(bucket, key, upload_id).bytes + '\0';
}

std::string after_uploads_of(std::string_view bucket, std::string_view key) {
  return store::prefix_end(in_bucket("s3.upload", bucket).text(key).build());
}

std::string after_uploads_with_prefix(std::string_view bucket, std::string_view prefix) {
  return store::prefix_end(in_bucket("s3.upload", bucket).text_prefix(prefix).build());
}

KeyRange parts_range(std::string_view bucket, std::string_view upload_id, std::uint32_t after) {
  KeyRange range =
      range_of(shard_of_bucket(bucket), in_bucket("s3.part", bucket).text(upload_id).build());
  range.begin = part_key(bucket, upload_id, after + 1).bytes;
  return range;
}

std::string last_text(std::string_view key_bytes) {
  KeyReader reader(key_bytes);
  if (!reader.text() || !reader.text()) return {};
  return reader.text().value_or("");
}

UploadName upload_name(std::string_view key_bytes) {
  KeyReader reader(key_bytes);
  if (!reader.text() || !reader.text()) return {};
  std::string key = reader.text().value_or("");
  return {std::move(key), reader.text().value_or("")};
}

std::uint32_t part_number(std::string_view key_bytes) {
  KeyReader reader(key_bytes);
  if (!reader.text() || !reader.text() || !reader.text()) return 0;
  return static_cast<std::uint32_t>(reader.number().value_or(0));
}

Result<Bucket> require_bucket(store::Tx& tx, const std::string& bucket) {
  TRY(std::optional<Bucket> found, tx.get<Bucket>(bucket_key(bucket)));
  if (!found) return fail(no_such_bucket(bucket));
  return *std::move(found);
}

Result<Bucket> require_bucket(store::Tx& tx, const std::string& bucket,
                              const std::optional<std::string>& expected_owner) {
  TRY(Bucket found, require_bucket(tx, bucket));
  if (expected_owner && *expected_owner != found.account) return fail(access_denied());
  return found;
}

Result<Body> read_content(store::Tx& tx, const store::Keyring& keys, const std::string& bucket,
                          const std::string& key, const Object& object) {
  Body body;
  if (object.range) body.blobs.push_back(*object.range);
  if (object.place == ContentPlace::content) {
    TRY(std::optional<Content> content,
        tx.peek<Content>(content_key(bucket, key, object.version_id)));
    if (!content) return fail(internal_error("object without its content: " + bucket + "/" + key));
    TRY(body.inline_bytes, open_bytes(keys, content->sealed_for, std::move(content->bytes)));
    body.blobs = std::move(content->ranges);
  }
  return body;
}

Result<Layout> read_layout(store::Tx& tx, const std::string& bucket, const std::string& key,
                           const Object& object) {
  TRY(std::optional<Layout> layout, tx.peek<Layout>(layout_key(bucket, key, object.version_id)));
  return layout.value_or(Layout{});
}

Result<void> write_object(store::Tx& tx, const std::string& bucket, const std::string& key,
                          const std::optional<Object>& replaced, Object object, Content content,
                          const Layout* layout) {
  object.size = size_of(content);
  object.range.reset();
  object.place = ContentPlace::none;
  if (content.ranges.size() == 1) {
    object.place = ContentPlace::range;
    object.range = content.ranges.front();
  } else if (object.size > 0) {
    object.place = ContentPlace::content;
  }

  Key place = content_key(bucket, key, object.version_id);
  TRY(BlobSet released, blobs_of(tx, bucket, key, replaced));
  BlobSet referred;
  collect_blobs(referred, content.ranges);
  move_references(tx, released, referred, owner_of(bucket, key, object));

  tx.put(object_key(bucket, key), object);
  if (object.place == ContentPlace::content) {
    tx.put(place, content);
  } else if (replaced && replaced->place == ContentPlace::content) {
    tx.erase(place);
  }
  if (layout != nullptr) {
    tx.put(layout_key(bucket, key, object.version_id), *layout);
  } else if (replaced && replaced->parts > 0) {
    tx.erase(layout_key(bucket, key, object.version_id));
  }
  return {};
}

Result<void> erase_content(store::Tx& tx, const std::string& bucket, const std::string& key,
                           const Object& object) {
  Key place = content_key(bucket, key, object.version_id);
  TRY(BlobSet released, blobs_of(tx, bucket, key, object));
  move_references(tx, released, {}, owner_of(bucket, key, object));
  if (object.place == ContentPlace::content) tx.erase(place);
  if (object.parts > 0) tx.erase(layout_key(bucket, key, object.version_id));
  return {};
}

void write_part(store::Tx& tx, const std::string& bucket, const std::string& upload_id,
                std::uint32_t number, const std::optional<Part>& old, const Part& part) {
  Key place = part_key(bucket, upload_id, number);
  BlobSet released;
  BlobSet referred;
  if (old) collect_blobs(released, old->ranges);
  collect_blobs(referred, part.ranges);
  move_references(tx, released, referred, place.bytes);
  tx.put(place, part);
}

void erase_part(store::Tx& tx, const std::string& bucket, const std::string& upload_id,
                std::uint32_t number, const Part& old) {
  Key place = part_key(bucket, upload_id, number);
  BlobSet released;
  collect_blobs(released, old.ranges);
  move_references(tx, released, {}, place.bytes);
  tx.erase(place);
}

Result<std::vector<NumberedPart>> take_parts(store::Tx& tx, const std::string& bucket,
                                             const std::string& upload_id) {
  std::vector<NumberedPart> parts;
  KeyRange range = parts_range(bucket, upload_id, 0);
  bool more = true;
  std::string begin = range.begin;
  while (more) {
    TRY(store::Page page, tx.scan({.shard = range.shard, .begin = begin, .end = range.end}));
    for (const store::Record& record : page.records) {
      std::uint32_t number = part_number(record.key);
      // The gap before this part stays empty until we commit; adjacent numbers leave none.
      std::string here = part_key(bucket, upload_id, number).bytes;
      if (begin < here) tx.require_empty(range.shard, begin, here);
      TRY(std::optional<Part> part, tx.get<Part>(Key{range.shard, record.key}));
      if (part) parts.push_back({number, *std::move(part)});
      begin = part_key(bucket, upload_id, number + 1).bytes;
    }
    more = page.more && !page.records.empty();
  }
  tx.require_empty(range.shard, begin, range.end);
  return parts;
}

Result<void> erase_upload(store::Tx& tx, const std::string& bucket, const std::string& key,
                          const std::string& upload_id) {
  TRY(std::vector<NumberedPart> parts, take_parts(tx, bucket, upload_id));
  for (const NumberedPart& part : parts) {
    erase_part(tx, bucket, upload_id, part.number, part.part);
  }
  tx.erase(upload_key(bucket, key, upload_id));
  return {};
}

}  // namespace wolke::s3
