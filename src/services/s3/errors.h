#pragma once
// S3's errors as named factories: code, status, text and extra members as S3 sends them.
// Source: Amazon S3 API Reference, "Error responses", and answers recorded from S3. Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/base/time.h"

namespace wolke::s3 {

Error no_such_bucket(std::string_view bucket);
Error no_such_key(std::string_view key);
Error no_such_version(std::string_view key, std::string_view version_id);
/// Reading a version that is a delete marker.
Error is_delete_marker(std::string_view version_id, Timestamp modified);
/// Deleting a version that a retention or a legal hold protects.
Error protected_by_lock();
Error invalid_bucket_state(std::string message);
Error no_such_upload(std::string_view upload_id);
Error access_denied();
Error bucket_already_owned_by_you(std::string_view bucket);
Error bucket_already_exists(std::string_view bucket);
Error bucket_not_empty(std::string_view bucket);
Error too_many_buckets();
Error invalid_bucket_name(std::string_view bucket);
Error invalid_location_constraint(std::string_view region);
Error illegal_location_constraint(std::string_view region);
Error key_too_long(std::size_t size);
Error invalid_argument(std::string message, std::string_view name, std::string_view value);
Error invalid_argument(std::string message);
Error invalid_request(std::string message);
Error malformed_xml();
Error malformed_policy(std::string message);
Error not_implemented(std::string_view what);
Error not_implemented_header(std::string_view header);

/// `condition` is the header that failed, as S3 names it: "If-Match",
/// "x-amz-copy-source-If-None-Match".
Error precondition_failed(std::string_view condition);
/// Carries what a 304 must tell in headers: it has no body (RFC 9110 15.4.5).
Error not_modified(std::string_view etag, Timestamp modified);
Error invalid_range(std::string_view requested, std::uint64_t object_size);
Error invalid_part_number(std::uint64_t requested, std::uint64_t actual);

Error bad_digest(std::string message);
Error invalid_digest(std::string_view content_md5);
Error entity_too_large(std::uint64_t size, std::uint64_t size_max);
Error entity_too_small(std::uint64_t size, std::uint64_t size_min, int part_number,
                       std::string_view etag);
Error invalid_part(std::string_view upload_id, int part_number, std::string_view etag);
Error invalid_part_order(std::string_view upload_id);
Error metadata_too_large(std::size_t size);
Error invalid_tag(std::string message, std::string_view key);
Error invalid_storage_class(std::string_view storage_class);
Error invalid_redirect_location();
Error acl_not_supported();
/// Lists that share a bucket, where they are to be without effect.
Error acl_with_ownership();

/// "The … configuration does not exist", with the bucket's name: NoSuchCORSConfiguration and its
/// kin.
Error not_configured(std::string_view code, std::string_view message, std::string_view bucket);

}  // namespace wolke::s3
