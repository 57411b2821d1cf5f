#include "wolke/services/s3/checksums.h"

#include <fmt/format.h>

#include "wolke/base/text.h"
#include "wolke/services/s3/errors.h"

namespace wolke::s3 {
namespace {

Error invalid_checksum_value(std::string_view wire) {
  return invalid_request(fmt::format("Value for x-amz-checksum-{} header is invalid.", wire));
}

}  // namespace

const ChecksumAlgorithm* find_checksum_algorithm(std::string_view name) {
  for (const ChecksumAlgorithm& algorithm : checksum_algorithms) {
    if (iequals(algorithm.name, name)) return &algorithm;
  }
  return nullptr;
}

std::optional<std::string> digest_of(const Body& body, const ChecksumAlgorithm& algorithm) {
  if (auto found = body.digests.find(std::string(algorithm.wire)); found != body.digests.end()) {
    return found->second;
  }
  if (!body.blobs.empty()) return std::nullopt;
  return digest(algorithm.kind, body.inline_bytes);
}

std::string md5_of(const Body& body) {
  if (auto found = body.digests.find("md5"); found != body.digests.end()) return found->second;
  ASSERT(body.blobs.empty());  // the edge computes the MD5 of everything that it stages
  return digest(HashKind::md5, body.inline_bytes);
}

Result<void> verify_content_md5(const std::optional<std::string>& content_md5, const Body& body) {
  if (!content_md5) return {};
  std::optional<std::string> claimed = from_base64(*content_md5);
  if (!claimed || claimed->size() != 16) return fail(invalid_digest(*content_md5));
  std::string actual = md5_of(body);
  if (*claimed == actual) return {};
  Error error = bad_digest("The Content-MD5 you specified did not match what we received.");
  error.fields = {{"ExpectedDigest", *content_md5}, {"CalculatedDigest", to_base64(actual)}};
  return fail(std::move(error));
}

Result<std::pair<std::string, std::string>> verify_checksum(
    const ClaimedChecksums& claimed, const std::optional<std::string>& algorithm,
    const Body& body) {
  if (claimed.size() > 1) {
    return fail(invalid_request(
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."));
  }
  const ChecksumAlgorithm* named = nullptr;
  if (algorithm) {
    named = find_checksum_algorithm(*algorithm);
    if (named == nullptr) {
      return fail(invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid."));
    }
  }
  if (claimed.empty()) {
    // Without a claim the server's own sum is kept: of the algorithm that was named if the edge has
    // it, else the default.
    if (named != nullptr) {
      if (std::optional<std::string> value = digest_of(body, *named)) {
        return std::pair(std::string(named->wire), *std::move(value));
      }
    }
    std::optional<std::string> value = digest_of(body, *find_checksum_algorithm(default_checksum));
    ASSERT(value.has_value());
    return std::pair(std::string(default_checksum), *std::move(value));
  }
  const auto& [wire, text] = *claimed.begin();
  const ChecksumAlgorithm* of_claim = find_checksum_algorithm(wire);
  if (named != nullptr && named != of_claim) {
    return fail(invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid."));
  }
  std::optional<std::string> value = from_base64(text);
  if (!value || value->size() != of_claim->bytes) return fail(invalid_checksum_value(wire));
  std::optional<std::string> actual = digest_of(body, *of_claim);
  if (!actual) return fail(internal_error("the edge did not compute " + wire));
  if (*value != *actual) {
    return fail(bad_digest(fmt::format(
        "The {} you specified did not match the calculated checksum.", of_claim->name)));
  }
  return std::pair(wire, *std::move(value));
}

Result<UploadChecksum> choose_upload_checksum(const std::optional<std::string>& algorithm,
                                              const std::optional<std::string>& type) {
  if (!algorithm) {
    if (type) {
      return fail(invalid_request(
          "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm "
          "header."));
    }
    return UploadChecksum{"", "FULL_OBJECT"};
  }
  const ChecksumAlgorithm* found = find_checksum_algorithm(*algorithm);
  if (found == nullptr) {
    return fail(
        invalid_request("Checksum algorithm provided is unsupported. Please try again with any of "
                        "the valid types: [CRC32, CRC32C, "
                        "CRC64NVME, SHA1, SHA256]"));
  }
  std::string chosen = type.value_or(found->composite ? "COMPOSITE" : "FULL_OBJECT");
  if (chosen != "COMPOSITE" && chosen != "FULL_OBJECT") {
    return fail(invalid_request("Value for x-amz-checksum-type header is invalid."));
  }
  if ((chosen == "COMPOSITE" && !found->composite) ||
      (chosen == "FULL_OBJECT" && !found->full_object)) {
    return fail(invalid_request(
        fmt::format("The {} checksum type cannot be used with the {} checksum algorithm.", chosen,
                    found->wire)));
  }
  return UploadChecksum{std::string(found->wire), std::move(chosen)};
}

std::string combine_full_object(const ChecksumAlgorithm& algorithm,
                                const std::vector<std::pair<std::string, std::uint64_t>>& parts) {
  std::string whole = digest(algorithm.kind, {});
  for (const auto& [checksum, bytes] : parts) {
    whole = crc_combine(algorithm.kind, whole, checksum, bytes);
  }
  return whole;
}

std::string combine_composite(const ChecksumAlgorithm& algorithm,
                              const std::vector<std::pair<std::string, std::uint64_t>>& parts) {
  std::string all;
  for (const auto& [checksum, bytes] : parts) all += checksum;
  return digest(algorithm.kind, all);
}

std::string multipart_etag(const std::vector<std::string>& md5s) {
  std::string all;
  // A part copied from an object of parts has that object's ETag, which is no MD5; its text then
  // stands for it.
  for (const std::string& md5 : md5s) all += from_hex(md5).value_or(md5);
  return fmt::format("{}-{}", to_hex(digest(HashKind::md5, all)), md5s.size());
}

std::string_view bare_etag(std::string_view etag) {
  etag = trim(etag);
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.starts_with('"')) etag.remove_prefix(1);
  if (etag.ends_with('"')) etag.remove_suffix(1);
  return etag;
}

std::string quoted_etag(std::string_view etag) {
  return fmt::format("\"{}\"", etag);
}

}  // namespace wolke::s3
