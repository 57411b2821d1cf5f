#include <fmt/format.h>

#include "wolke/base/uri.h"
#include "wolke/services/s3/acl.h"
#include "wolke/services/s3/customer_key.h"
#include "wolke/services/s3/encryption.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/listing.h"
#include "wolke/services/s3/metadata.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/objects.h"
#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/uploads.h"

namespace wolke::s3 {
namespace {

/// A part's checksum must be of the upload's algorithm, and there must be one.
Result<void> check_part_checksum(const Upload& upload, const ClaimedChecksums& claimed,
                                 const Body& body) {
  if (upload.checksum_algorithm.empty()) return {};
  auto mismatch = [&](std::string_view actual) {
    return fail(invalid_request(fmt::format(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        upload.checksum_algorithm, actual)));
  };
  if (!claimed.empty() && claimed.begin()->first != upload.checksum_algorithm) {
    return mismatch(claimed.begin()->first);
  }
  const ChecksumAlgorithm* algorithm = find_checksum_algorithm(upload.checksum_algorithm);
  if (claimed.empty() && !digest_of(body, *algorithm)) return mismatch("null");
  return {};
}

std::string name_of(std::string_view algorithm_wire) {
  const ChecksumAlgorithm* algorithm = find_checksum_algorithm(algorithm_wire);
  return algorithm == nullptr ? std::string() : std::string(algorithm->name);
}

std::string encoded(const In<op::ListMultipartUploads>& in, const std::string& text) {
  return in.encoding_type == "url" ? percent_encode(text, true) : text;
}

/// An account is told by its canonical user id, a user or session of it by its ARN.
model::s3::Initiator told_initiator(const Upload& upload) {
  model::s3::Initiator told;
  bool root = upload.initiator_arn.empty() || upload.initiator_arn.ends_with(":root");
  std::string account =
      upload.initiator_account.empty() ? std::string(anonymous_account) : upload.initiator_account;
  told.id = root ? canonical_id(account) : upload.initiator_arn;
  told.display_name = account;
  return told;
}

model::s3::MultipartUpload told_upload(const In<op::ListMultipartUploads>& in, const Bucket& bucket,
                                       const UploadName& name, const Upload& upload) {
  model::s3::MultipartUpload told;
  told.key = encoded(in, name.key);
  told.upload_id = name.upload_id;
  told.initiated = whole_seconds(upload.initiated);
  told.storage_class = upload.storage_class;
  told.owner = told_owner(owner_of(bucket, upload));
  told.initiator = told_initiator(upload);
  if (!upload.checksum_algorithm.empty()) {
    told.checksum_algorithm = name_of(upload.checksum_algorithm);
    told.checksum_type = upload.checksum_type;
  }
  return told;
}

}  // namespace

Answer<op::CreateMultipartUpload> create_multipart_upload(S3&, Tx& tx, const Context& context,
                                                          const In<op::CreateMultipartUpload>& in) {
  TRY(check_key(*in.key));
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(check_encryption(in.server_side_encryption));
  TRY(const std::string key, customer_key_of(in));
  TRY(UploadChecksum checksum, choose_upload_checksum(in.checksum_algorithm, in.checksum_type));
  Upload upload;
  TRY(upload.metadata, metadata_of(in));
  TRY(upload.storage_class, choose_storage_class(in.storage_class));
  TRY(upload.tags, parse_tagging_header(in.tagging));
  TRY(upload.lock, lock_of_new(bucket, asked_lock(in), context.now));
  TRY(Belonging belonging, belonging_of_new(bucket, context.principal().account, acl_headers(in)));
  upload.owner = std::move(belonging.owner);
  upload.acl = std::move(belonging.acl);
  keep_encryption(*context.random, key, upload);
  upload.initiated = context.now;
  upload.initiator_account = context.principal().account;
  upload.initiator_arn = context.principal().arn;
  upload.checksum_algorithm = checksum.algorithm;
  upload.checksum_type = checksum.type;
  std::string upload_id = new_upload_id(context);
  tx.put(upload_key(bucket.name, *in.key, upload_id), upload);

  op::CreateMultipartUpload::Output out;
  out.bucket = bucket.name;
  out.key = *in.key;
  out.upload_id = std::move(upload_id);
  tell_encryption(upload, in, out);
  if (!checksum.algorithm.empty()) {
    out.checksum_algorithm = name_of(checksum.algorithm);
    out.checksum_type = checksum.type;
  }
  return out;
}

Answer<op::UploadPart> upload_part(S3& s3, Tx& tx, const Context& context,
                                   const In<op::UploadPart>& in) {
  TRY(check_key(*in.key));
  TRY(std::uint32_t number, check_part_number(*in.part_number));
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Upload upload, require_upload(tx, bucket.name, *in.key, *in.upload_id));
  TRY(const std::string key, customer_key_of(in));
  TRY(expect_key(upload, key));
  Body body = in.body.value_or(Body{});
  TRY(expect_blob(key, body));
  ClaimedChecksums claimed = claimed_checksums(in);
  TRY(verify_content_md5(in.content_md5, body));
  TRY(check_part_checksum(upload, claimed, body));
  TRY(auto checksum, verify_checksum(claimed, in.checksum_algorithm, body));

  Part part = make_part(upload, std::move(body), context.now);
  part.etag = etag_of_part(upload, key, part.etag);
  seal_part(s3.keys, bucket, *context.random, part);
  TRY(std::optional<Part> old, tx.get<Part>(part_key(bucket.name, *in.upload_id, number)));
  write_part(tx, bucket.name, *in.upload_id, number, old, part);

  op::UploadPart::Output out;
  out.etag = quoted_etag(part.etag);
  tell_encryption(upload, in, out);
  tell_part_checksum(upload, part, checksum.first, out);
  return out;
}

Answer<op::AbortMultipartUpload> abort_multipart_upload(S3&, Tx& tx, const Context&,
                                                        const In<op::AbortMultipartUpload>& in) {
  TRY(check_key(*in.key));
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Upload upload, require_upload(tx, bucket.name, *in.key, *in.upload_id));
  if (in.if_match_initiated_time &&
      whole_seconds(*in.if_match_initiated_time) != whole_seconds(upload.initiated)) {
    return fail(precondition_failed("x-amz-if-match-initiated-time"));
  }
  TRY(erase_upload(tx, bucket.name, *in.key, *in.upload_id));
  return op::AbortMultipartUpload::Output{};
}

Answer<op::ListParts> list_parts(S3&, Tx& tx, const Context&, const In<op::ListParts>& in) {
  TRY(check_key(*in.key));
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Upload upload, require_upload(tx, bucket.name, *in.key, *in.upload_id));
  TRY(std::int32_t parts_max, page_size(in.max_parts, "max-parts"));
  TRY(std::int32_t after, page_size(in.part_number_marker.value_or(0), "part-number-marker"));
  after = std::max(after, std::min(in.part_number_marker.value_or(0), part_number_max));

  op::ListParts::Output out;
  out.bucket = bucket.name;
  out.key = *in.key;
  out.upload_id = *in.upload_id;
  out.part_number_marker = after;
  out.max_parts = parts_max;
  out.is_truncated = false;
  out.storage_class = upload.storage_class;
  out.owner = told_owner(owner_of(bucket, upload));
  out.initiator = told_initiator(upload);
  if (!upload.checksum_algorithm.empty()) {
    out.checksum_algorithm = name_of(upload.checksum_algorithm);
    out.checksum_type = upload.checksum_type;
  }
  std::int32_t last = 0;
  KeyRange range = parts_range(bucket.name, *in.upload_id, static_cast<std::uint32_t>(after));
  bool more = parts_max > 0;
  while (more) {
    TRY(store::Page page, tx.scan({.shard = range.shard, .begin = range.begin, .end = range.end}));
    for (const store::Record& record : page.records) {
      if (!out.parts) out.parts.emplace();
      if (out.parts->size() == static_cast<std::size_t>(parts_max)) {
        out.is_truncated = true;
        break;
      }
      TRY(Part part, store::decode<Part>(record.value, record.key));
      last = static_cast<std::int32_t>(part_number(record.key));
      auto& told = out.parts->emplace_back();
      told.part_number = last;
      told.last_modified = part.modified;
      told.etag = quoted_etag(part.etag);
      told.size = static_cast<std::int64_t>(part.size);
      tell_part_checksum(upload, part, "", told);
    }
    more = page.more && !page.records.empty() && !*out.is_truncated;
    if (more) range.begin = page.records.back().key + '\0';
  }
  out.next_part_number_marker = last;
  return out;
}

Answer<op::ListMultipartUploads> list_multipart_uploads(S3&, Tx& tx, const Context&,
                                                        const In<op::ListMultipartUploads>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(std::int32_t uploads_max, page_size(in.max_uploads, "max-uploads"));
  const std::string prefix = in.prefix.value_or("");
  const std::string delimiter = in.delimiter.value_or("");
  const std::string marker = in.key_marker.value_or("");
  const std::string id_marker = in.upload_id_marker.value_or("");

  op::ListMultipartUploads::Output out;
  out.bucket = bucket.name;
  out.key_marker = encoded(in, marker);
  out.upload_id_marker = id_marker;
  out.prefix = encoded(in, prefix);
  if (!delimiter.empty()) out.delimiter = encoded(in, delimiter);
  if (in.encoding_type) out.encoding_type = in.encoding_type;
  out.max_uploads = uploads_max;
  out.is_truncated = false;

  KeyRange range = uploads_range(bucket.name, prefix);
  if (!marker.empty()) {
    std::string begin = id_marker.empty() ? after_uploads_of(bucket.name, marker)
                                          : after_upload(bucket.name, marker, id_marker);
    if (common_prefix(marker, prefix, delimiter) == marker) {
      begin = after_uploads_with_prefix(bucket.name, marker);
    }
    range.begin = std::max(range.begin, begin);
  }
  std::size_t taken = 0;
  UploadName last;
  bool more = uploads_max > 0 && range.begin < range.end;
  while (more) {
    TRY(store::Page page, tx.scan({.shard = range.shard, .begin = range.begin, .end = range.end}));
    for (const store::Record& record : page.records) {
      if (record.key < range.begin) continue;
      if (taken == static_cast<std::size_t>(uploads_max)) {
        out.is_truncated = true;
        out.next_key_marker = encoded(in, last.key);
        out.next_upload_id_marker = last.upload_id;
        return out;
      }
      ++taken;
      UploadName name = upload_name(record.key);
      if (std::optional<std::string> rolled = common_prefix(name.key, prefix, delimiter)) {
        range.begin = after_uploads_with_prefix(bucket.name, *rolled);
        if (!out.common_prefixes) out.common_prefixes.emplace();
        out.common_prefixes->emplace_back().prefix = encoded(in, *rolled);
        last = {*rolled, ""};
        continue;
      }
      TRY(Upload upload, store::decode<Upload>(record.value, record.key));
      if (!out.uploads) out.uploads.emplace();
      out.uploads->push_back(told_upload(in, bucket, name, upload));
      range.begin = record.key + '\0';
      last = std::move(name);
    }
    more = page.more && range.begin < range.end;
  }
  return out;
}

}  // namespace wolke::s3
