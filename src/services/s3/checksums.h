#pragma once
// S3's flexible checksums: which algorithms exist, what a client may say about a body, and what
// follows for an object put whole or in parts. Values travel raw inside and as base64 on the wire.
// Pure functions. Source: S3 user guide, "Checking object integrity in Amazon S3".

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wolke/base/body.h"
#include "wolke/base/hash.h"
#include "wolke/base/result.h"

namespace wolke::s3 {

struct ChecksumAlgorithm {
  std::string_view name;  // "CRC32C", as in x-amz-checksum-algorithm
  std::string_view wire;  // "crc32c", as in x-amz-checksum-crc32c and Body::digests
  HashKind kind;
  std::size_t bytes;
  bool full_object;  // of several parts, a checksum of the whole can be combined
  bool composite;    // a checksum of the parts' checksums is allowed
};

inline constexpr std::array<ChecksumAlgorithm, 5> checksum_algorithms = {{
    {"CRC32", "crc32", HashKind::crc32, 4, true, true},
    {"CRC32C", "crc32c", HashKind::crc32c, 4, true, true},
    {"CRC64NVME", "crc64nvme", HashKind::crc64nvme, 8, true, false},
    {"SHA1", "sha1", HashKind::sha1, 20, false, true},
    {"SHA256", "sha256", HashKind::sha256, 32, false, true},
}};
inline constexpr std::string_view default_checksum = "crc64nvme";

/// By name in any case; nullptr when there is none.
const ChecksumAlgorithm* find_checksum_algorithm(std::string_view name);

/// By wire name, as sent (base64).
using ClaimedChecksums = std::map<std::string, std::string, std::less<>>;

/// The five x-amz-checksum-* members that many inputs and outputs share.
template <class Shape>
ClaimedChecksums claimed_checksums(const Shape& shape) {
  ClaimedChecksums claimed;
  auto take = [&](std::string_view name, const std::optional<std::string>& value) {
    if (value) claimed.emplace(name, *value);
  };
  take("crc32", shape.checksum_crc32);
  take("crc32c", shape.checksum_crc32c);
  take("crc64nvme", shape.checksum_crc64nvme);
  take("sha1", shape.checksum_sha1);
  take("sha256", shape.checksum_sha256);
  return claimed;
}

/// Raw checksums into an output's members; `suffix` is "-N" for composite ones.
template <class Shape>
void tell_checksums(const std::map<std::string, std::string>& raw, Shape& shape,
                    const std::string& suffix = {}) {
  for (const auto& [name, value] : raw) {
    std::string text = to_base64(value) + suffix;
    if (name == "crc32") shape.checksum_crc32 = text;
    if (name == "crc32c") shape.checksum_crc32c = text;
    if (name == "crc64nvme") shape.checksum_crc64nvme = text;
    if (name == "sha1") shape.checksum_sha1 = text;
    if (name == "sha256") shape.checksum_sha256 = text;
  }
}

/// The digest of a body: one that the edge computed, or of its inline bytes. nullopt when neither
/// is at hand.
std::optional<std::string> digest_of(const Body& body, const ChecksumAlgorithm& algorithm);
/// The MD5 of a body, raw; every staged body has one.
std::string md5_of(const Body& body);

/// Content-MD5: "InvalidDigest" when it is no MD5 in base64, "BadDigest" when it is another body's.
Result<void> verify_content_md5(const std::optional<std::string>& content_md5, const Body& body);

/// What the client claims about one body: at most one checksum, in base64, of the right length and
/// the body's own (else "InvalidRequest", "BadDigest"). Answers the checksum to keep, raw: the
/// claimed one, or that of `algorithm` (x-amz-sdk-checksum-algorithm), or the default.
Result<std::pair<std::string, std::string>> verify_checksum(
    const ClaimedChecksums& claimed, const std::optional<std::string>& algorithm, const Body& body);

/// Upload in parts: algorithm and type that CreateMultipartUpload asks for, checked against each
/// other.
struct UploadChecksum {
  std::string algorithm;  // wire name; empty: none asked for
  std::string type;       // FULL_OBJECT, COMPOSITE
};
Result<UploadChecksum> choose_upload_checksum(const std::optional<std::string>& algorithm,
                                              const std::optional<std::string>& type);

/// Checksum of the whole from those of its parts (raw, bytes): combined CRCs.
std::string combine_full_object(const ChecksumAlgorithm& algorithm,
                                const std::vector<std::pair<std::string, std::uint64_t>>& parts);
/// Checksum of the parts' checksums, one after the other.
std::string combine_composite(const ChecksumAlgorithm& algorithm,
                              const std::vector<std::pair<std::string, std::uint64_t>>& parts);

/// The ETag of an object of parts: MD5 over the parts' MD5s, and their number. `md5s` are
/// hexadecimal, as in ETags.
std::string multipart_etag(const std::vector<std::string>& md5s);
/// `etag` as a client writes it, without quotes and weakness.
std::string_view bare_etag(std::string_view etag);
std::string quoted_etag(std::string_view etag);

}  // namespace wolke::s3
