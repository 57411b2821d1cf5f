#include "wolke/services/s3/complete.h"

#include <fmt/format.h>

#include <algorithm>

#include "wolke/base/limits.h"
#include "wolke/base/uri.h"
#include "wolke/services/s3/content.h"
#include "wolke/services/s3/customer_key.h"
#include "wolke/services/s3/encryption.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/notification.h"
#include "wolke/services/s3/objects.h"
#include "wolke/services/s3/uploads.h"

namespace wolke::s3 {
namespace {

using Request = In<op::CompleteMultipartUpload>;
using Output = op::CompleteMultipartUpload::Output;

std::string location(const Context& context, const std::string& bucket, const std::string& key) {
  std::string path = context.virtual_host ? "" : bucket + "/";
  return fmt::format("{}://{}/{}{}", context.tls ? "https" : "http", context.host, path,
                     percent_encode(key, true));
}

Output output_of(const Context& context, const Request& in, const Bucket& bucket,
                 const Object& object) {
  Output out;
  out.version_id = written_version_id(bucket, object);
  out.location = location(context, *in.bucket, *in.key);
  out.bucket = *in.bucket;
  out.key = *in.key;
  out.etag = quoted_etag(object.etag);
  tell_encryption(object, out);
  tell_checksum(object, out);
  return out;
}

/// The part as it was listed by the client: it must be there, be the same, and carry the checksum
/// that is claimed.
Result<void> check_listed(const Request& in, const Upload& upload,
                          const model::s3::CompletedPart& listed, const Part* part) {
  std::int32_t number = *listed.part_number;
  if (part == nullptr || bare_etag(*listed.etag) != part->etag) {
    return fail(invalid_part(*in.upload_id, number, bare_etag(*listed.etag)));
  }
  ClaimedChecksums claimed = claimed_checksums(listed);
  if (upload.checksum_type == "COMPOSITE" && !claimed.contains(upload.checksum_algorithm)) {
    return fail(
        invalid_request(fmt::format("The upload was created using a {} checksum. The complete "
                                    "request must include the checksum for each part. It "
                                    "was missing for part {} in the request.",
                                    upload.checksum_algorithm, number)));
  }
  for (const auto& [name, text] : claimed) {
    auto found = part->checksums.find(name);
    if (found == part->checksums.end() || to_base64(found->second) != text) {
      return fail(invalid_part(*in.upload_id, number, bare_etag(*listed.etag)));
    }
  }
  return {};
}

/// The listed parts in order, each found among `parts`; all but the last at least 5 MiB.
Result<std::vector<const NumberedPart*>> select_parts(const Request& in, const Upload& upload,
                                                      const std::vector<NumberedPart>& parts) {
  if (!in.multipart_upload || !in.multipart_upload->parts || in.multipart_upload->parts->empty()) {
    return fail(malformed_xml());
  }
  const auto& listed = *in.multipart_upload->parts;
  if (listed.size() > static_cast<std::size_t>(part_number_max)) return fail(malformed_xml());
  std::vector<const NumberedPart*> selected;
  std::int32_t previous = 0;
  for (const auto& one : listed) {
    if (!one.part_number || !one.etag) return fail(malformed_xml());
    TRY(std::uint32_t number, check_part_number(*one.part_number));
    if (*one.part_number <= previous) return fail(invalid_part_order(*in.upload_id));
    previous = *one.part_number;
    auto found = std::ranges::lower_bound(parts, number, {}, &NumberedPart::number);
    const NumberedPart* part = found != parts.end() && found->number == number ? &*found : nullptr;
    TRY(check_listed(in, upload, one, part == nullptr ? nullptr : &part->part));
    selected.push_back(part);
  }
  for (std::size_t i = 0; i + 1 < selected.size(); ++i) {
    const Part& part = selected[i]->part;
    if (part.size < part_bytes_min) {
      return fail(entity_too_small(part.size, part_bytes_min, static_cast<int>(selected[i]->number),
                                   part.etag));
    }
  }
  return selected;
}

/// ETag, checksum and layout of the whole.
Result<Object> describe(const Request& in, const Upload& upload,
                        const std::vector<const NumberedPart*>& parts, Layout& layout) {
  const ChecksumAlgorithm& algorithm = *find_checksum_algorithm(
      upload.checksum_algorithm.empty() ? default_checksum
                                        : std::string_view(upload.checksum_algorithm));
  std::vector<std::string> md5s;
  std::vector<std::pair<std::string, std::uint64_t>> checksums;
  for (const NumberedPart* one : parts) {
    const Part& part = one->part;
    md5s.push_back(part.etag);
    PartExtent& extent = layout.parts.emplace_back();
    extent.number = one->number;
    extent.size = part.size;
    auto found = part.checksums.find(std::string(algorithm.wire));
    if (found == part.checksums.end()) return fail(internal_error("part without its checksum"));
    checksums.emplace_back(found->second, part.size);
    extent.checksum = found->second;
  }
  Object object;
  object.metadata = upload.metadata;
  object.encryption = upload.encryption;
  object.customer_key_check = upload.customer_key_check;
  object.storage_class = upload.storage_class;
  object.tags = upload.tags;
  object.lock = upload.lock;
  object.owner = upload.owner;
  object.acl = upload.acl;
  object.upload_id = *in.upload_id;
  object.parts = static_cast<std::uint32_t>(parts.size());
  object.etag = multipart_etag(md5s);
  object.checksum_type = upload.checksum_type;
  object.checksums[std::string(algorithm.wire)] = upload.checksum_type == "COMPOSITE"
                                                      ? combine_composite(algorithm, checksums)
                                                      : combine_full_object(algorithm, checksums);
  return object;
}

/// What the client says of the whole.
Result<void> check_claims(const Request& in, const Upload& upload, const Object& object,
                          std::uint64_t size) {
  if (in.checksum_type && *in.checksum_type != upload.checksum_type) {
    return fail(
        invalid_request(fmt::format("The upload was created using the {} checksum mode. The "
                                    "complete request must use the same checksum mode.",
                                    upload.checksum_type)));
  }
  if (in.mpu_object_size && static_cast<std::uint64_t>(*in.mpu_object_size) != size) {
    return fail(invalid_request(fmt::format(
        "The provided 'x-amz-mp-object-size' header value {} does not match what was computed: {}",
        *in.mpu_object_size, size)));
  }
  ClaimedChecksums claimed = claimed_checksums(in);
  if (claimed.empty()) return {};
  const auto& [name, text] = *claimed.begin();
  auto found = object.checksums.find(name);
  std::string_view value = std::string_view(text).substr(0, text.find('-'));
  if (claimed.size() > 1 || found == object.checksums.end() || to_base64(found->second) != value) {
    return fail(bad_digest(
        fmt::format("The {} you specified did not match the calculated checksum.", name)));
  }
  return {};
}

/// The parts' bytes as one body, or what stands in the way.
Result<Body> join(const store::Keyring& keys, const std::vector<const NumberedPart*>& parts,
                  const SmallParts& small, SmallParts& missing) {
  Body body;
  if (parts.size() == 1 && parts[0]->part.ranges.empty()) {
    TRY(body.inline_bytes, open_bytes(keys, parts[0]->part.sealed_for, parts[0]->part.bytes));
    return body;
  }
  for (const NumberedPart* one : parts) {
    for (const BlobRange& range : one->part.ranges) append_range(body, range);
    if (one->part.bytes.empty()) continue;
    auto found = small.find(one->number);
    if (found != small.end() && found->second.blob && found->second.etag == one->part.etag) {
      append_range(body, {*found->second.blob, 0, one->part.size});
    } else {
      TRY(std::string bytes, open_bytes(keys, one->part.sealed_for, one->part.bytes));
      missing[one->number] = {one->part.etag, std::move(bytes), std::nullopt};
    }
  }
  return body;
}

}  // namespace

Result<CompleteOutcome> try_complete(const store::Keyring& keys, Tx& tx, const Context& context,
                                     const Request& in, const SmallParts& small) {
  TRY(check_key(*in.key));
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(std::optional<Object> current, current_version(tx, bucket.name, *in.key));
  Result<Upload> upload = require_upload(tx, bucket.name, *in.key, *in.upload_id);
  if (!upload) {
    // A client that lost our answer asks again: the object is there, made by this upload.
    if (current && current->upload_id == *in.upload_id)
      return CompleteOutcome{output_of(context, in, bucket, *current), {}};
    return fail(upload.error());
  }
  TRY(const std::string key, customer_key_of(in));
  // S3 wants the key here only where the upload has a checksum.
  if (!key.empty() || !upload->checksum_algorithm.empty()) {
    TRY(expect_key(*upload, key));
  }
  TRY(std::vector<NumberedPart> parts, take_parts(tx, bucket.name, *in.upload_id));
  TRY(std::vector<const NumberedPart*> selected, select_parts(in, *upload, parts));
  TRY(check_write({in.if_match, in.if_none_match}, validators_of(visible(current)), *in.key));
  Layout layout;
  TRY(Object object, describe(in, *upload, selected, layout));
  CompleteOutcome outcome;
  outcome.key.account = bucket.account;
  TRY(Body body, join(keys, selected, small, outcome.missing));
  if (!outcome.missing.empty()) return outcome;
  TRY(check_claims(in, *upload, object, body.size()));

  for (const NumberedPart& part : parts) {
    erase_part(tx, bucket.name, *in.upload_id, part.number, part.part);
  }
  tx.erase(upload_key(bucket.name, *in.key, *in.upload_id));
  Content content = seal_content(keys, bucket, *context.random, std::move(body));
  TRY(Object written, replace_object(tx, context, bucket, *in.key, current, std::move(object),
                                     std::move(content), event_complete, &layout));
  outcome.done = output_of(context, in, bucket, written);
  return outcome;
}

}  // namespace wolke::s3
