#include <fmt/format.h>

#include "wolke/operation/runner.h"
#include "wolke/services/s3/acl.h"
#include "wolke/services/s3/content.h"
#include "wolke/services/s3/customer_key.h"
#include "wolke/services/s3/encryption.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/metadata.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/notification.h"
#include "wolke/services/s3/objects.h"
#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/rehash.h"
#include "wolke/services/s3/uploads.h"

namespace wolke::s3 {
namespace {

constexpr int attempts_max = 4;  // the source may change while its bytes are read

/// One attempt's end: an answer, or bytes that have to be read first.
template <class Op>
struct Outcome {
  std::optional<typename Op::Output> done;
  Passage wanted;
};

struct Source {
  CopySource name;
  Object object;
  Body content;
  std::string key;                        // a customer's, that opens it
  std::optional<std::string> version_id;  // for the answer
};

/// A delete marker has another error here than where it is read.
Result<Version> find_source(Result<Version> found) {
  if (found || found.error().code != "MethodNotAllowed") return found;
  return fail(invalid_request(
      "The source of a copy request may not specifically refer to a delete marker by version id."));
}

/// The source with a check: its blobs are referred to again only while the source itself still
/// does.
template <class In>
Result<Source> read_source(S3& s3, Tx& tx, const Context& context, const In& in) {
  Source source;
  TRY(source.name, parse_copy_source(*in.copy_source));
  TRY(Bucket bucket, require_bucket(tx, source.name.bucket, in.expected_source_bucket_owner));
  TRY(source.key, source_key_of(in));
  TRY(Version version,
      find_source(find_permitted(tx, context, bucket, source.name.key, source.name.version_id,
                                 source.name.version_id ? "s3:GetObjectVersion" : "s3:GetObject")));
  source.object = std::move(version.object);
  TRY(expect_key(source.object, source.key));
  source.version_id = told_version_id(bucket, source.object);
  TRY(check_copy_source({in.copy_source_if_match, in.copy_source_if_none_match,
                         not_in_the_future(in.copy_source_if_modified_since, context.now),
                         in.copy_source_if_unmodified_since},
                        validators_of(source.object)));
  TRY(source.content, read_content(tx, s3.keys, bucket.name, source.name.key, source.object));
  return source;
}

/// What is known of the source's digests without reading it.
void add_known_digests(const Object& object, Body& content) {
  if (object.parts == 0 && object.encryption != Encryption::customer) {
    if (std::optional<std::string> md5 = from_hex(object.etag); md5 && md5->size() == 16) {
      content.digests["md5"] = *md5;
    }
  }
  if (object.checksum_type == "FULL_OBJECT") {
    for (const auto& [name, value] : object.checksums) content.digests[name] = value;
  }
}

/// The key that the copy's blobs need, where the source's cannot be shared. `key`: a customer's.
std::optional<store::KeyChoice> other_key(const Source& source, const Body& content,
                                          const Bucket& bucket, const std::string& key) {
  if (content.size() == 0) return {};
  if (!key.empty()) return store::KeyChoice{.account = {}, .customer_key = key};
  if (content.blobs.empty() || source.object.encryption == Encryption::account) return {};
  return store::KeyChoice{.account = bucket.account, .customer_key = {}};
}

/// Takes over what was read before, if it was read of the same bytes. False when something is
/// still missing.
bool take_over(Body& content, const Passed& passed, const Passage& wanted) {
  const bool same =
      content.blobs == passed.from.blobs && content.inline_bytes == passed.from.inline_bytes;
  if (wanted.into) {
    if (!same || passed.to.blobs.empty()) return false;
    content.blobs = passed.to.blobs;
    content.inline_bytes.clear();
  }
  const std::vector<std::string>& names = wanted.digests;
  if (content.blobs.empty()) {
    for (const std::string& name : names) {
      const ChecksumAlgorithm* algorithm = find_checksum_algorithm(name);
      content.digests[name] =
          digest(algorithm == nullptr ? HashKind::md5 : algorithm->kind, content.inline_bytes);
    }
    return true;
  }
  if (same) content.digests.insert(passed.to.digests.begin(), passed.to.digests.end());
  for (const std::string& name : names) {
    if (!content.digests.contains(name)) return false;
  }
  return true;
}

enum class Directive { copy, replace };

Result<Directive> directive_of(const std::optional<std::string>& header, std::string_view what) {
  if (!header || *header == "COPY") return Directive::copy;
  if (*header == "REPLACE") return Directive::replace;
  return fail(invalid_argument(fmt::format("Unknown {} directive.", what),
                               fmt::format("x-amz-{}-directive", what), *header));
}

Result<void> check_copy(const In<op::CopyObject>& in, const Source& source, Directive metadata) {
  if (source.object.size > copy_bytes_max) {
    return fail(
        invalid_request("The specified copy source is larger than the maximum allowable size for a "
                        "copy source: 5368709120"));
  }
  bool same =
      source.name.bucket == *in.bucket && source.name.key == *in.key && !source.name.version_id;
  bool changes = metadata == Directive::replace || in.website_redirect_location ||
                 in.server_side_encryption || in.sse_customer_key ||
                 in.copy_source_sse_customer_key || in.checksum_algorithm ||
                 (in.storage_class && *in.storage_class != source.object.storage_class);
  if (same && !changes) {
    return fail(invalid_request(
        "This copy request is illegal because it is trying to copy an object to itself without "
        "changing the object's "
        "metadata, storage class, website redirect location or encryption attributes."));
  }
  return {};
}

/// The checksum of the copy: as asked, else of the source's algorithm.
Result<std::string> choose_checksum(const In<op::CopyObject>& in, const Object& source) {
  if (in.checksum_algorithm) {
    const ChecksumAlgorithm* algorithm = find_checksum_algorithm(*in.checksum_algorithm);
    if (algorithm == nullptr) {
      return fail(invalid_request("Value for x-amz-checksum-algorithm header is invalid."));
    }
    return std::string(algorithm->wire);
  }
  return source.checksums.empty() ? std::string(default_checksum) : source.checksums.begin()->first;
}

Result<Object> new_object(const In<op::CopyObject>& in, const Source& source, Directive metadata) {
  TRY(Directive tagging, directive_of(in.tagging_directive, "tagging"));
  Object object;
  if (metadata == Directive::replace) {
    TRY(object.metadata, metadata_of(in));
  } else {
    TRY(check_redirect_location(in.website_redirect_location));
    object.metadata = source.object.metadata;
    object.metadata.website_redirect_location = in.website_redirect_location;
    object.metadata.server_side_encryption.reset();
  }
  if (tagging == Directive::replace) {
    TRY(object.tags, parse_tagging_header(in.tagging));
  } else {
    object.tags = source.object.tags;
  }
  TRY(object.storage_class, choose_storage_class(in.storage_class));
  return object;
}

Result<Outcome<op::CopyObject>> try_copy(S3& s3, Tx& tx, const Context& context,
                                         const In<op::CopyObject>& in, const Passed& passed) {
  TRY(check_key(*in.key));
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(check_encryption(in.server_side_encryption));
  TRY(const std::string key, customer_key_of(in));
  TRY(Directive metadata, directive_of(in.metadata_directive, "metadata"));
  TRY(Source source, read_source(s3, tx, context, in));
  TRY(check_copy(in, source, metadata));
  TRY(std::string checksum, choose_checksum(in, source.object));
  TRY(Object object, new_object(in, source, metadata));
  TRY(object.lock, lock_of_new(bucket, asked_lock(in), context.now));
  TRY(Belonging belonging, belonging_of_new(bucket, context.principal().account, acl_headers(in)));
  object.owner = std::move(belonging.owner);
  object.acl = std::move(belonging.acl);
  TRY(std::optional<Object> current, current_version(tx, bucket.name, *in.key));
  TRY(check_write({in.if_match, in.if_none_match}, validators_of(visible(current)), *in.key));

  add_known_digests(source.object, source.content);
  Passage wanted{.body = source.content,
                 .customer_key = source.key,
                 .digests = {"md5", checksum},
                 .into = other_key(source, source.content, bucket, key)};
  if (!take_over(source.content, passed, wanted)) {
    return Outcome<op::CopyObject>{{}, std::move(wanted)};
  }
  keep_encryption(*context.random, key, object);
  object.etag =
      key.empty() ? to_hex(source.content.digests.at("md5")) : random_etag(*context.random);
  object.checksums[checksum] = source.content.digests.at(checksum);
  object.checksum_type = "FULL_OBJECT";

  op::CopyObject::Output out;
  auto& result = out.copy_object_result.emplace();
  result.etag = quoted_etag(object.etag);
  result.last_modified = whole_seconds(context.now);
  tell_checksum(object, result);
  tell_encryption(object, in, out);
  out.copy_source_version_id = source.version_id;
  Content content = seal_content(s3.keys, bucket, *context.random, std::move(source.content));
  TRY(Object written, replace_object(tx, context, bucket, *in.key, current, std::move(object),
                                     std::move(content), event_copy));
  out.version_id = written_version_id(bucket, written);
  return Outcome<op::CopyObject>{std::move(out), {}};
}

Result<Outcome<op::UploadPartCopy>> try_copy_part(S3& s3, Tx& tx, const Context& context,
                                                  const In<op::UploadPartCopy>& in,
                                                  const Passed& passed) {
  TRY(check_key(*in.key));
  TRY(std::uint32_t number, check_part_number(*in.part_number));
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Upload upload, require_upload(tx, bucket.name, *in.key, *in.upload_id));
  TRY(const std::string key, customer_key_of(in));
  TRY(expect_key(upload, key));
  TRY(Source source, read_source(s3, tx, context, in));
  Body content = std::move(source.content);
  if (in.copy_source_range) {
    TRY(ByteRange range, parse_copy_range(*in.copy_source_range, source.object.size));
    if (range.length < source.object.size) {
      content = slice(content, range.offset, range.length);
    } else {
      add_known_digests(source.object, content);
    }
  } else {
    add_known_digests(source.object, content);
  }
  if (content.size() > copy_bytes_max) {
    return fail(
        invalid_request("The specified copy source is larger than the maximum allowable size for a "
                        "copy source: 5368709120"));
  }
  Passage wanted{.body = content,
                 .customer_key = source.key,
                 .digests = part_digest_names(upload),
                 .into = other_key(source, content, bucket, key)};
  if (!take_over(content, passed, wanted)) {
    return Outcome<op::UploadPartCopy>{{}, std::move(wanted)};
  }
  Part part = make_part(upload, std::move(content), context.now);
  part.etag = etag_of_part(upload, key, part.etag);
  seal_part(s3.keys, bucket, *context.random, part);
  TRY(std::optional<Part> old, tx.get<Part>(part_key(bucket.name, *in.upload_id, number)));
  write_part(tx, bucket.name, *in.upload_id, number, old, part);

  op::UploadPartCopy::Output out;
  out.copy_source_version_id = source.version_id;
  auto& result = out.copy_part_result.emplace();
  result.etag = quoted_etag(part.etag);
  result.last_modified = part.modified;
  tell_part_checksum(upload, part, "", result);
  tell_encryption(upload, in, out);
  return Outcome<op::UploadPartCopy>{std::move(out), {}};
}

/// Attempts, reading the source's bytes in between when its digests are not known.
template <class Op, auto Try>
async::Task<Answer<Op>> copy(S3& s3, Context context, In<Op> in) {
  Passed passed;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    std::function<Result<Outcome<Op>>(Tx&)> body = [&](Tx& tx) {
      return Try(s3, tx, context, in, passed);
    };
    CO_TRY(Outcome<Op> outcome,
           co_await operation::transact<Outcome<Op>>(s3.runner, std::move(body)));
    if (outcome.done) co_return *std::move(outcome.done);
    CO_TRY(passed, co_await pass(s3, std::move(outcome.wanted)));
  }
  co_return fail(Error{
      "OperationAborted", 409,
      "A conflicting conditional operation is currently in progress against this resource. Please "
      "try again."});
}

}  // namespace

async::Task<Answer<op::CopyObject>> copy_object(S3& s3, Context context, In<op::CopyObject> in) {
  return copy<op::CopyObject, try_copy>(s3, std::move(context), std::move(in));
}

async::Task<Answer<op::UploadPartCopy>> upload_part_copy(S3& s3, Context context,
                                                         In<op::UploadPartCopy> in) {
  return copy<op::UploadPartCopy, try_copy_part>(s3, std::move(context), std::move(in));
}

}  // namespace wolke::s3
