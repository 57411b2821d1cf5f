#include "wolke/services/s3/errors.h"

#include <fmt/format.h>

namespace wolke::s3 {
namespace {

Error of_bucket(std::string_view code, int status, std::string_view message,
                std::string_view bucket) {
  return Error{
      std::string(code), status, std::string(message), {{"BucketName", std::string(bucket)}}};
}

}  // namespace

Error no_such_bucket(std::string_view bucket) {
  return of_bucket("NoSuchBucket", 404, "The specified bucket does not exist", bucket);
}

Error no_such_key(std::string_view key) {
  return Error{"NoSuchKey", 404, "The specified key does not exist.", {{"Key", std::string(key)}}};
}

Error no_such_version(std::string_view key, std::string_view version_id) {
  return Error{"NoSuchVersion",
               404,
               "The specified version does not exist.",
               {{"Key", std::string(key)}, {"VersionId", std::string(version_id)}}};
}

Error is_delete_marker(std::string_view version_id, Timestamp modified) {
  return Error{"MethodNotAllowed",
               405,
               "The specified method is not allowed against this resource.",
               {{"Method", "GET"}, {"ResourceType", "DeleteMarker"}},
               {{"allow", "DELETE"},
                {"x-amz-delete-marker", "true"},
                {"x-amz-version-id", std::string(version_id)},
                {"last-modified", format_rfc1123(modified)}}};
}

Error protected_by_lock() {
  return Error{"AccessDenied", 403, "Access Denied because object protected by object lock."};
}

Error invalid_bucket_state(std::string message) {
  return Error{"InvalidBucketState", 409, std::move(message)};
}

Error no_such_upload(std::string_view upload_id) {
  return Error{"NoSuchUpload",
               404,
               "The specified upload does not exist. The upload ID may be invalid, or the upload "
               "may have been "
               "aborted or completed.",
               {{"UploadId", std::string(upload_id)}}};
}

Error access_denied() {
  return Error{"AccessDenied", 403, "Access Denied"};
}

Error bucket_already_owned_by_you(std::string_view bucket) {
  return of_bucket(
      "BucketAlreadyOwnedByYou", 409,
      "Your previous request to create the named bucket succeeded and you already own it.", bucket);
}

Error bucket_already_exists(std::string_view bucket) {
  return of_bucket("BucketAlreadyExists", 409,
                   "The requested bucket name is not available. The bucket namespace is shared by "
                   "all users of the "
                   "system. Please select a different name and try again.",
                   bucket);
}

Error bucket_not_empty(std::string_view bucket) {
  return of_bucket("BucketNotEmpty", 409, "The bucket you tried to delete is not empty", bucket);
}

Error too_many_buckets() {
  return Error{"TooManyBuckets", 400, "You have attempted to create more buckets than allowed"};
}

Error invalid_bucket_name(std::string_view bucket) {
  return of_bucket("InvalidBucketName", 400, "The specified bucket is not valid.", bucket);
}

Error invalid_location_constraint(std::string_view region) {
  return Error{"InvalidLocationConstraint",
               400,
               "The specified location-constraint is not valid",
               {{"LocationConstraint", std::string(region)}}};
}

Error illegal_location_constraint(std::string_view region) {
  return Error{"IllegalLocationConstraintException", 400,
               fmt::format("The {} location constraint is incompatible for the region specific "
                           "endpoint this request "
                           "was sent to.",
                           region)};
}

Error key_too_long(std::size_t size) {
  return Error{"KeyTooLongError",
               400,
               "Your key is too long",
               {{"Size", std::to_string(size)}, {"MaxSizeAllowed", "1024"}}};
}

Error invalid_argument(std::string message, std::string_view name, std::string_view value) {
  return Error{"InvalidArgument",
               400,
               std::move(message),
               {{"ArgumentName", std::string(name)}, {"ArgumentValue", std::string(value)}}};
}

Error invalid_argument(std::string message) {
  return Error{"InvalidArgument", 400, std::move(message)};
}

Error invalid_request(std::string message) {
  return Error{"InvalidRequest", 400, std::move(message)};
}

Error malformed_xml() {
  return Error{
      "MalformedXML", 400,
      "The XML you provided was not well-formed or did not validate against our published schema"};
}

Error malformed_policy(std::string message) {
  return Error{"MalformedPolicy", 400, std::move(message)};
}

Error not_implemented(std::string_view what) {
  return Error{"NotImplemented", 501, fmt::format("This server does not serve {}.", what)};
}

Error not_implemented_header(std::string_view header) {
  return Error{"NotImplemented",
               501,
               "A header you provided implies functionality that is not implemented",
               {{"Header", std::string(header)}}};
}

Error precondition_failed(std::string_view condition) {
  return Error{"PreconditionFailed",
               412,
               "At least one of the pre-conditions you specified did not hold",
               {{"Condition", std::string(condition)}}};
}

Error not_modified(std::string_view etag, Timestamp modified) {
  return Error{
      "NotModified",
      304,
      "Not Modified",
      {},
      {{"etag", fmt::format("\"{}\"", etag)}, {"last-modified", format_rfc1123(modified)}}};
}

Error invalid_range(std::string_view requested, std::uint64_t object_size) {
  return Error{"InvalidRange",
               416,
               "The requested range is not satisfiable",
               {{"RangeRequested", std::string(requested)},
                {"ActualObjectSize", std::to_string(object_size)}}};
}

Error invalid_part_number(std::uint64_t requested, std::uint64_t actual) {
  return Error{"InvalidPartNumber",
               416,
               "The requested partnumber is not satisfiable",
               {{"PartNumberRequested", std::to_string(requested)},
                {"ActualPartCount", std::to_string(actual)}}};
}

Error bad_digest(std::string message) {
  return Error{"BadDigest", 400, std::move(message)};
}

Error invalid_digest(std::string_view content_md5) {
  return Error{"InvalidDigest",
               400,
               "The Content-MD5 you specified was invalid.",
               {{"Content-MD5", std::string(content_md5)}}};
}

Error entity_too_large(std::uint64_t size, std::uint64_t size_max) {
  return Error{
      "EntityTooLarge",
      400,
      "Your proposed upload exceeds the maximum allowed size",
      {{"ProposedSize", std::to_string(size)}, {"MaxSizeAllowed", std::to_string(size_max)}}};
}

Error entity_too_small(std::uint64_t size, std::uint64_t size_min, int part_number,
                       std::string_view etag) {
  return Error{"EntityTooSmall",
               400,
               "Your proposed upload is smaller than the minimum allowed size",
               {{"ProposedSize", std::to_string(size)},
                {"MinSizeAllowed", std::to_string(size_min)},
                {"PartNumber", std::to_string(part_number)},
                {"ETag", std::string(etag)}}};
}

Error invalid_part(std::string_view upload_id, int part_number, std::string_view etag) {
  return Error{"InvalidPart",
               400,
               "One or more of the specified parts could not be found.  The part may not have been "
               "uploaded, or the "
               "specified entity tag may not match the part's entity tag.",
               {{"UploadId", std::string(upload_id)},
                {"PartNumber", std::to_string(part_number)},
                {"ETag", std::string(etag)}}};
}

Error invalid_part_order(std::string_view upload_id) {
  return Error{
      "InvalidPartOrder",
      400,
      "The list of parts was not in ascending order. Parts must be ordered by part number.",
      {{"UploadId", std::string(upload_id)}}};
}

Error metadata_too_large(std::size_t size) {
  return Error{"MetadataTooLarge",
               400,
               "Your metadata headers exceed the maximum allowed metadata size",
               {{"Size", std::to_string(size)}, {"MaxSizeAllowed", "2048"}}};
}

Error invalid_tag(std::string message, std::string_view key) {
  return Error{"InvalidTag", 400, std::move(message), {{"TagKey", std::string(key)}}};
}

Error invalid_storage_class(std::string_view storage_class) {
  return Error{"InvalidStorageClass",
               400,
               "The storage class you specified is not valid",
               {{"StorageClassRequested", std::string(storage_class)}}};
}

Error invalid_redirect_location() {
  return Error{"InvalidRedirectLocation", 400,
               "The website redirect location must have a prefix of 'http://' or 'https://' or "
               "'/'."};
}

Error acl_not_supported() {
  return Error{"AccessControlListNotSupported", 400, "The bucket does not allow ACLs"};
}

Error acl_with_ownership() {
  return Error{"InvalidBucketAclWithObjectOwnership", 400,
               "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"};
}

Error not_configured(std::string_view code, std::string_view message, std::string_view bucket) {
  return of_bucket(code, 404, message, bucket);
}

}  // namespace wolke::s3
